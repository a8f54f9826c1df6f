#include "plugins/http/name_tree.hpp"

#include <algorithm>

#include "core/base/json_text.hpp"

namespace rr::http {
namespace {

size_t HashKey(uint32_t parent, Bytes key) {
    uint64_t hash = 14695981039346656037ULL ^ (uint64_t{parent} * 0x9e3779b97f4a7c15ULL);
    for (char c : key) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
    return static_cast<size_t>(hash ^ (hash >> 29));
}

}  // namespace

// Cuts `name` into segments_, whose bytes are appended to keys_. False: too many.
bool NameTree::Split(Bytes name) {
    enum class Last : uint8_t { kText, kOpen, kClose };
    Last last = Last::kText;
    uint32_t end = static_cast<uint32_t>(keys_.size());
    segments_.assign(1, {end, 0});
    auto open = [this] {
        segments_.push_back({static_cast<uint32_t>(keys_.size()), 0});
        return segments_.size() <= kMostSegments;
    };
    for (char c : name) {
        switch (c) {
            case ' ': break;
            case '[': last = Last::kOpen; break;
            case ']':
                if (last == Last::kOpen && !open()) {
                    return false;
                }
                last = Last::kClose;
                break;
            default:
                if (last != Last::kText && !open()) {
                    return false;
                }
                last = Last::kText;
                keys_.push_back(c);
                ++segments_.back().size;
                break;
        }
    }
    return true;
}

bool NameTree::Add(Bytes name, uint32_t leaf, bool empty) {
    if (nodes_.empty()) {
        nodes_.push_back({0, 0, kNone});
    }
    size_t keys = keys_.size();
    if (!Split(name)) {
        keys_.resize(keys);  // dropped without a word, as in RoadRunner
        return true;
    }
    size_t depth = segments_.size();
    bool list = depth >= 2 && segments_.back().size == 0;
    depth -= list ? 1 : 0;
    uint32_t node = 0;
    for (size_t i = 0; i < depth; ++i) {
        bool fresh = false;
        node = Child(node, segments_[i], fresh);
        bool last = i + 1 == depth;
        if (last) {
            return PutLeaf(node, fresh, list, leaf, empty);
        }
        if (!fresh && nodes_[node].kind != Kind::kBranch) {
            if (!nodes_[node].empty) {
                conflict_ = Key(nodes_[node]);
                return false;
            }
            nodes_[node].kind = Kind::kBranch;
            nodes_[node].first = kNone;
        }
    }
    return true;
}

bool NameTree::PutLeaf(uint32_t at, bool fresh, bool list, uint32_t leaf, bool empty) {
    Node& node = nodes_[at];
    if (!fresh && node.kind == Kind::kBranch) {
        if (empty) {
            return true;
        }
        conflict_ = Key(node);
        return false;
    }
    if (list) {
        uint32_t item = static_cast<uint32_t>(items_.size());
        items_.push_back({leaf, kNone});
        if (!fresh && node.kind == Kind::kList) {
            items_[node.last].next = item;
            node.empty = false;
        } else {
            node.kind = Kind::kList;
            node.first = item;
            node.empty = empty;
        }
        node.last = item;
        return true;
    }
    if (fresh || keep_ == Keep::kLast || node.kind == Kind::kList) {
        node.kind = Kind::kValue;
        node.first = leaf;
        node.empty = empty;
    }
    return true;
}

uint32_t NameTree::Child(uint32_t parent, Segment key, bool& fresh) {
    if ((nodes_.size() + 1) * 2 > table_.size()) {
        GrowTable();
    }
    Bytes text(keys_.data() + key.at, key.size);
    size_t mask = table_.size() - 1;
    size_t slot = HashKey(parent, text) & mask;
    for (; table_[slot] != 0; slot = (slot + 1) & mask) {
        const Node& node = nodes_[table_[slot] - 1];
        if (node.parent == parent && Key(node) == text) {
            fresh = false;
            return table_[slot] - 1;
        }
    }
    uint32_t made = static_cast<uint32_t>(nodes_.size());
    Node node{key.at, key.size, parent};
    node.next = nodes_[parent].first;
    nodes_[parent].first = made;
    nodes_.push_back(node);
    table_[slot] = made + 1;
    fresh = true;
    return made;
}

void NameTree::GrowTable() {
    table_.assign(std::max<size_t>(64, table_.size() * 2), 0);
    size_t mask = table_.size() - 1;
    for (size_t i = 1; i < nodes_.size(); ++i) {
        size_t slot = HashKey(nodes_[i].parent, Key(nodes_[i])) & mask;
        while (table_[slot] != 0) {
            slot = (slot + 1) & mask;
        }
        table_[slot] = static_cast<uint32_t>(i + 1);
    }
}

void NameTree::AppendJson(const LeafWriter& leaves, Buffer& out) const {
    if (nodes_.empty()) {
        out.Append("{}");
        return;
    }
    AppendNode(0, leaves, out);
}

// Depth is bounded by kMostSegments.
void NameTree::AppendNode(uint32_t at, const LeafWriter& leaves, Buffer& out) const {
    const Node& node = nodes_[at];
    if (node.kind == Kind::kValue) {
        leaves.WriteLeaf(node.first, out);
        return;
    }
    if (node.kind == Kind::kList) {
        out.Append('[');
        for (uint32_t item = node.first; item != kNone; item = items_[item].next) {
            if (item != node.first) {
                out.Append(',');
            }
            leaves.WriteLeaf(items_[item].leaf, out);
        }
        out.Append(']');
        return;
    }
    std::vector<uint32_t> children;
    for (uint32_t child = node.first; child != kNone; child = nodes_[child].next) {
        children.push_back(child);
    }
    std::sort(children.begin(), children.end(),
              [this](uint32_t a, uint32_t b) { return Key(nodes_[a]) < Key(nodes_[b]); });
    out.Append('{');
    for (size_t i = 0; i < children.size(); ++i) {
        if (i > 0) {
            out.Append(',');
        }
        AppendJsonString(Key(nodes_[children[i]]), out);
        out.Append(':');
        AppendNode(children[i], leaves, out);
    }
    out.Append('}');
}

void NameTree::Clear() {
    nodes_.clear();
    items_.clear();
    keys_.clear();
    table_.clear();
    conflict_.clear();
}

}  // namespace rr::http
