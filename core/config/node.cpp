#include "core/config/node.hpp"

#include <algorithm>
#include <utility>

#include "core/config/values.hpp"

namespace rr::config {

std::string Place::Prefix(std::string_view path) const {
    std::string out;
    if (source != nullptr) {
        out = source->name;
        if (source->kind == Source::Kind::kOverride) {
            out += path.empty() ? ": " : " ";
        } else {
            if (line > 0) {
                out.append(":").append(std::to_string(line));
            }
            out += ": ";
        }
    }
    if (!path.empty()) {
        out.append(path).append(": ");
    }
    return out;
}

// Here and not in the class: Entry is complete only behind it.
Node::Node() = default;
Node::Node(Kind k, Place where) : kind(k), place(std::move(where)) {}
Node::Node(const Node& other) = default;
Node::Node(Node&& other) noexcept = default;
Node& Node::operator=(const Node& other) = default;
Node& Node::operator=(Node&& other) noexcept = default;
Node::~Node() = default;

Node Node::Text(std::string text, Place where) {
    Node node(Kind::kScalar, std::move(where));
    node.text = std::move(text);
    node.quoted = true;
    return node;
}

const Node* Node::Find(std::string_view key) const {
    if (kind != Kind::kMap) {
        return nullptr;
    }
    for (const Entry& entry : entries) {
        if (entry.key == key) {
            return &entry.value;
        }
    }
    return nullptr;
}

Node* Node::Find(std::string_view key) { return const_cast<Node*>(std::as_const(*this).Find(key)); }

Node& Node::Put(std::string_view key, Node value) {
    if (kind != Kind::kMap) {
        kind = Kind::kMap;
        text.clear();
        quoted = false;
        entries.clear();
    }
    if (Node* old = Find(key)) {
        *old = std::move(value);
        return *old;
    }
    entries.push_back({std::string(key), std::move(value)});
    return entries.back().value;
}

std::optional<Node> Node::Take(std::string_view key) {
    if (kind != Kind::kMap) {
        return std::nullopt;
    }
    auto found = std::find_if(entries.begin(), entries.end(),
                              [key](const Entry& entry) { return entry.key == key; });
    if (found == entries.end()) {
        return std::nullopt;
    }
    Node taken = std::move(found->value);
    entries.erase(found);
    return taken;
}

void Node::Append(Node value) { entries.push_back({std::string(), std::move(value)}); }

namespace {

// The child that begins `path`, and the path behind it; the longest key wins.
const Node* Step(const Node& node, std::string_view path, std::string_view& rest) {
    const Node* best = nullptr;
    size_t best_size = 0;
    if (!node.IsMap()) {
        return nullptr;
    }
    for (const Node::Entry& entry : node.entries) {
        const size_t n = entry.key.size();
        const bool begins = path.substr(0, n) == entry.key;
        if (begins && (path.size() == n || path[n] == '.') && (best == nullptr || n > best_size)) {
            best = &entry.value;
            best_size = n;
        }
    }
    if (best != nullptr) {
        rest = path.size() == best_size ? std::string_view() : path.substr(best_size + 1);
    }
    return best;
}

}  // namespace

const Node* Node::Locate(std::string_view path, std::string_view* left) const {
    const Node* node = this;
    while (!path.empty()) {
        std::string_view rest;
        const Node* next = Step(*node, path, rest);
        if (next == nullptr) {
            break;
        }
        node = next;
        path = rest;
    }
    if (left != nullptr) {
        *left = path;
        return node;
    }
    return path.empty() ? node : nullptr;
}

Node* Node::LocatePath(std::string_view path) {
    return const_cast<Node*>(std::as_const(*this).Locate(path));
}

bool Node::PutPath(std::string_view path, Node value) {
    if (std::count(path.begin(), path.end(), '.') >= kMaxDepth - 1) {
        return false;
    }
    std::string_view left;
    Node* node = const_cast<Node*>(Locate(path, &left));
    if (left.empty()) {
        *node = std::move(value);
        return true;
    }
    while (true) {
        const size_t dot = left.find('.');
        if (dot == std::string_view::npos) {
            node->Put(left, std::move(value));
            return true;
        }
        node = &node->Put(left.substr(0, dot), Node(Kind::kMap, value.place));
        left.remove_prefix(dot + 1);
    }
}

std::optional<Node> Node::TakePath(std::string_view path) {
    const size_t dot = path.rfind('.');
    if (dot == std::string_view::npos) {
        return Take(path);
    }
    Node* parent = LocatePath(path.substr(0, dot));
    return parent == nullptr ? std::nullopt : parent->Take(path.substr(dot + 1));
}

void DeepMerge(Node& into, Node from) {
    if (!into.IsMap() || !from.IsMap()) {
        into = std::move(from);
        return;
    }
    for (Node::Entry& entry : from.entries) {
        if (Node* old = into.Find(entry.key)) {
            DeepMerge(*old, std::move(entry.value));
        } else {
            into.entries.push_back(std::move(entry));
        }
    }
}

namespace {

void WriteString(std::string_view text, std::string& out) {
    static constexpr char kHex[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out.append({'\\', c});
        } else if (byte < 0x20) {
            out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
        } else {
            out += c;
        }
    }
    out += '"';
}

void WriteScalar(const Node& node, std::string& out) {
    switch (ScalarType(node)) {
        case Type::kNull: out += "null"; return;
        case Type::kBool: out += *ParseBool(node.text) ? "true" : "false"; return;
        case Type::kInteger: out += std::to_string(*ParseInteger(node.text)); return;
        case Type::kFloat: out += FormatNumber(*ParseNumber(node.text)); return;
        case Type::kString: WriteString(node.text, out); return;
    }
}

void Write(const Node& node, std::string& out) {
    if (node.IsNull()) {
        out += "null";
        return;
    }
    if (node.IsScalar()) {
        WriteScalar(node, out);
        return;
    }
    out += node.IsMap() ? '{' : '[';
    bool first = true;
    for (const Node::Entry& entry : node.entries) {
        if (!first) {
            out += ',';
        }
        first = false;
        if (node.IsMap()) {
            WriteString(entry.key, out);
            out += ':';
        }
        Write(entry.value, out);
    }
    out += node.IsMap() ? '}' : ']';
}

}  // namespace

std::string ToJson(const Node& node) {
    std::string out;
    Write(node, out);
    return out;
}

}  // namespace rr::config
