// NameTree: form field names such as `a[b][]` as a tree, written out as JSON.
//
// Name -> segments: blanks are dropped, `[` opens a segment, text after `]` starts a new one, a
// missing `]` is tolerated. The empty last segment of two makes a list. More than 127 segments:
// the field is dropped.
//
// Leaves are numbers that the owner gives a meaning: indexes of values or of files.
//
// Thread: a plain object. Owns: copies of the names. Time and memory are linear in the input.
// Fails:  Add returns false when a name is used as a value and as a branch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"

namespace rr::http {

class NameTree {
public:
    enum class Keep : uint8_t { kFirst, kLast };  // of two plain values with one name
    static constexpr size_t kMostSegments = 127;

    explicit NameTree(Keep keep) : keep_(keep) {}

    // Puts leaf number `leaf` at `name`. empty: the value has no bytes, so that it yields to a
    // branch. False: conflict() names the segment.
    bool Add(Bytes name, uint32_t leaf, bool empty);
    Bytes conflict() const { return conflict_; }

    bool empty() const { return nodes_.size() <= 1; }

    // Appends the tree as JSON with sorted keys; leaf writes one leaf's JSON.
    class LeafWriter {
    public:
        virtual void WriteLeaf(uint32_t leaf, Buffer& out) const = 0;

    protected:
        ~LeafWriter() = default;
    };
    void AppendJson(const LeafWriter& leaves, Buffer& out) const;

    void Clear();

private:
    enum class Kind : uint8_t { kBranch, kValue, kList };
    static constexpr uint32_t kNone = UINT32_MAX;
    struct Node {
        uint32_t key_at;
        uint32_t key_size;
        uint32_t parent;
        uint32_t first = kNone;  // branch: newest child; list: first item; value: the leaf
        uint32_t last = kNone;   // list: last item
        uint32_t next = kNone;   // sibling
        Kind kind = Kind::kBranch;
        bool empty = true;  // value or list without bytes
    };
    struct Item {
        uint32_t leaf;
        uint32_t next;
    };
    struct Segment {
        uint32_t at;
        uint32_t size;
    };

    bool Split(Bytes name);
    Bytes Key(const Node& node) const { return {keys_.data() + node.key_at, node.key_size}; }
    uint32_t Child(uint32_t parent, Segment key, bool& fresh);
    bool PutLeaf(uint32_t node, bool fresh, bool list, uint32_t leaf, bool empty);
    void GrowTable();
    void AppendNode(uint32_t node, const LeafWriter& leaves, Buffer& out) const;

    const Keep keep_;
    std::vector<Node> nodes_;        // [0] is the root, made by the first Add
    std::vector<Item> items_;        // of lists
    std::string keys_;               // segment bytes, back to back
    std::vector<uint32_t> table_;    // (parent, key) -> node + 1, open addressing
    std::vector<Segment> segments_;  // of the name being added
    std::string conflict_;
};

}  // namespace rr::http
