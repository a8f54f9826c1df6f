// Node: one value of the configuration tree, with the place it came from.
//
// Thread: a plain value.
// Owns:   its children. Depth is bounded by the readers (kMaxDepth), so recursion is safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rr::config {

inline constexpr int kMaxDepth = 64;

// Source: where values come from: a file, `-o`, or an environment variable.
struct Source {
    enum class Kind : uint8_t { kFile, kOverride, kEnvironment };
    std::string name;  // as shown to people: `.rr.yaml`, `-o`, `RR_HTTP_ADDRESS`
    Kind kind = Kind::kFile;
    int order = 0;  // problems are sorted by this, then by line
};

// Place: a line of a source; line 0 stands for the source as a whole.
struct Place {
    std::shared_ptr<const Source> source;
    int line = 0;

    // `.rr.yaml:7: http.address: `, `-o http.address: `, `RR_HTTP_ADDRESS: http.address: `.
    std::string Prefix(std::string_view path) const;
};

class Node {
public:
    enum class Kind : uint8_t { kNull, kScalar, kList, kMap };
    struct Entry;  // key (empty in lists) and value

    Node();
    Node(Kind k, Place where);
    Node(const Node& other);
    Node(Node&& other) noexcept;
    Node& operator=(const Node& other);
    Node& operator=(Node&& other) noexcept;
    ~Node();
    static Node Text(std::string text, Place where);

    bool IsNull() const { return kind == Kind::kNull; }
    bool IsScalar() const { return kind == Kind::kScalar; }
    bool IsList() const { return kind == Kind::kList; }
    bool IsMap() const { return kind == Kind::kMap; }

    // Children of a map by key; null if there is none, or if this is no map.
    const Node* Find(std::string_view key) const;
    Node* Find(std::string_view key);

    // Replaces or appends. A null or scalar node becomes a map first.
    Node& Put(std::string_view key, Node value);
    // Removes and returns a child.
    std::optional<Node> Take(std::string_view key);
    void Append(Node value);  // to a list

    // The same by dotted path. A key that itself has dots is found too: at every step the longest
    // matching key wins. `left`, if given, receives what no key matched.
    const Node* Locate(std::string_view path, std::string_view* left = nullptr) const;
    Node* LocatePath(std::string_view path);
    // Creates the maps on the way. False: deeper than kMaxDepth; nothing was changed.
    bool PutPath(std::string_view path, Node value);
    std::optional<Node> TakePath(std::string_view path);

    Kind kind = Kind::kNull;
    bool quoted = false;  // the scalar is text, whatever it looks like
    std::string text;     // of a scalar
    std::vector<Entry> entries;
    Place place;  // in a map: the line of the key
};

struct Node::Entry {
    std::string key;
    Node value;
};

// Lays `from` over `into`: maps are joined key by key, everything else is replaced.
void DeepMerge(Node& into, Node from);

// The tree as JSON; plain scalars with their YAML type.
std::string ToJson(const Node& node);

}  // namespace rr::config
