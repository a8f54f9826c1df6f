#include "core/config/yaml_reader.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <sstream>
#include <string>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "core/config/values.hpp"

namespace rr::config {
namespace {

constexpr size_t kMaxNodes = 200'000;  // aliases of aliases would grow without bound
constexpr size_t kMaxBytes = 16 << 20;

// Builder: turns yaml-cpp's events into nodes. yaml-cpp's own tree knows neither `<<` nor duplicate
// keys and forgets which scalars were quoted.
class Builder final : public YAML::EventHandler {
public:
    Builder(const std::shared_ptr<const Source>& source, Report& report)
        : source_(source), report_(report) {}

    Node&& root() && { return std::move(root_); }
    bool failed() const { return failed_; }
    int last_line() const { return last_line_; }  // of the newest scalar or bracket

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        if (!IsKey(mark, "~", true, false)) {
            Add(Node(Node::Kind::kNull, At(mark)), anchor);
        }
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end()) {
            Fail(mark, "", "an alias inside the value that it stands for");
            return;
        }
        if (IsKey(mark, "", false, true)) {
            return;
        }
        Node copy = found->second;
        nodes_ += Count(copy);
        if (nodes_ > kMaxNodes) {
            Fail(mark, "", "too many values through aliases");
            return;
        }
        Add(std::move(copy), 0);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        last_line_ = mark.line + 1;
        const bool quoted = tag != "?";  // "!" for every other style; explicit tags mean text too
        if (IsKey(mark, value, !quoted, true)) {
            return;
        }
        Node node = Node::Text(value, At(mark));
        node.quoted = quoted && tag.find(":int") == std::string::npos &&
                      tag.find(":bool") == std::string::npos &&
                      tag.find(":float") == std::string::npos;
        Add(std::move(node), anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        Open(Node::Kind::kList, mark, anchor);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        Open(Node::Kind::kMap, mark, anchor);
    }
    void OnSequenceEnd() override { Close(); }
    void OnMapEnd() override { Close(); }

private:
    struct Frame {
        Node node;
        YAML::anchor_t anchor = 0;
        bool has_key = false;
        bool plain_key = false;
        std::string key;
        int key_line = 0;
        std::vector<Node> merges;
    };

    Place At(const YAML::Mark& mark) const { return {source_, mark.line + 1}; }

    void Fail(const YAML::Mark& mark, std::string_view path, std::string_view text) {
        failed_ = true;
        report_.Problem(At(mark), path, text);
    }

    static size_t Count(const Node& node) {
        size_t n = 1;
        for (const Node::Entry& entry : node.entries) {
            n += Count(entry.value);
        }
        return n;
    }

    // True if the event is a key of the innermost map: taken, nothing more to do.
    bool IsKey(const YAML::Mark& mark, std::string_view text, bool plain, bool usable) {
        if (frames_.empty() || !frames_.back().node.IsMap() || frames_.back().has_key) {
            return false;
        }
        Frame& frame = frames_.back();
        if (!usable) {
            Fail(mark, "", "a key must be plain text");
        }
        frame.has_key = true;
        frame.plain_key = plain;
        frame.key = LowerCase(text);
        frame.key_line = mark.line + 1;
        return true;
    }

    void Open(Node::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        last_line_ = mark.line + 1;
        if (IsKey(mark, "", false, false)) {
            frames_.back().has_key = false;  // its place is taken when the collection closes
            frames_.back().key.clear();
        }
        if (frames_.size() >= kMaxDepth) {
            Fail(mark, "", "nested too deeply");
        }
        Frame frame;
        frame.node = Node(kind, At(mark));
        frame.anchor = anchor;
        frames_.push_back(std::move(frame));
    }

    void Close() {
        Frame frame = std::move(frames_.back());
        frames_.pop_back();
        for (Node& merge : frame.merges) {
            for (Node::Entry& entry : merge.entries) {
                if (frame.node.Find(entry.key) == nullptr) {
                    frame.node.entries.push_back(std::move(entry));
                }
            }
        }
        Add(std::move(frame.node), frame.anchor);
    }

    // Stores a finished value where it belongs.
    void Add(Node node, YAML::anchor_t anchor) {
        ++nodes_;
        if (anchor != 0) {
            anchors_[anchor] = node;
        }
        if (frames_.empty()) {
            root_ = std::move(node);
            return;
        }
        Frame& frame = frames_.back();
        if (frame.node.IsList()) {
            frame.node.Append(std::move(node));
            return;
        }
        if (!frame.has_key) {  // a collection stood where a key belongs; reported already
            frame.has_key = true;
            frame.plain_key = false;
            return;
        }
        frame.has_key = false;
        if (failed_ && frame.key.empty()) {
            return;
        }
        node.place.line = frame.key_line;
        if (frame.plain_key && frame.key == "<<") {
            Merge(std::move(node));
        } else if (frame.plain_key && IsPath(frame.key)) {
            Insert(frame.node, frame.key, std::move(node));
        } else {
            InsertOne(frame.node, frame.key, std::move(node), frame.key);
        }
    }

    void Merge(Node node) {
        std::vector<Node> maps;
        const Place place = node.place;
        if (node.IsList()) {
            for (Node::Entry& entry : node.entries) {
                maps.push_back(std::move(entry.value));
            }
        } else {
            maps.push_back(std::move(node));
        }
        for (Node& map : maps) {
            if (!map.IsMap()) {
                failed_ = true;
                report_.Problem(place, "<<", "expected a map or a list of maps to merge");
                return;
            }
            frames_.back().merges.push_back(std::move(map));
        }
    }

    // RoadRunner takes dots for path separators. `.php`, `a..b` and very long keys are no paths.
    static bool IsPath(std::string_view key) {
        const auto dots = std::count(key.begin(), key.end(), '.');
        return dots > 0 && dots <= 8 && key.front() != '.' && key.back() != '.' &&
               key.find("..") == std::string_view::npos;
    }

    void Insert(Node& map, std::string_view path, Node node) {
        const std::string whole(path);
        Node* at = &map;
        for (size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
            const std::string_view head = path.substr(0, dot);
            Node* next = at->Find(head);
            if (next == nullptr) {
                next = &at->Put(head, Node(Node::Kind::kMap, node.place));
            } else if (!next->IsMap()) {
                Duplicate(node.place, whole, next->place.line);
                return;
            }
            at = next;
            path.remove_prefix(dot + 1);
        }
        InsertOne(*at, path, std::move(node), whole);
    }

    void InsertOne(Node& map, std::string_view key, Node node, std::string_view shown) {
        Node* old = map.Find(key);
        if (old == nullptr) {
            map.entries.push_back({std::string(key), std::move(node)});
            return;
        }
        // Maps made by dotted keys and a map of the same name are one section.
        if (old->IsMap() && node.IsMap() && MadeByPath(*old)) {
            for (Node::Entry& entry : node.entries) {
                InsertOne(*old, entry.key, std::move(entry.value), entry.key);
            }
            return;
        }
        Duplicate(node.place, shown, old->place.line);
    }

    // A map that a dotted key made starts on the line of its first child.
    static bool MadeByPath(const Node& map) {
        return !map.entries.empty() && map.entries.front().value.place.line == map.place.line;
    }

    void Duplicate(const Place& place, std::string_view key, int first) {
        failed_ = true;
        report_.Problem(place, key, "already defined in line " + std::to_string(first));
    }

    const std::shared_ptr<const Source>& source_;
    Report& report_;
    std::vector<Frame> frames_;
    std::map<YAML::anchor_t, Node> anchors_;
    Node root_;
    size_t nodes_ = 0;
    int last_line_ = 1;
    bool failed_ = false;
};

// yaml-cpp takes byte 4 for the end of the text and passes other control characters on.
bool CheckBytes(Bytes text, const std::shared_ptr<const Source>& source, Report& report) {
    int line = 1;
    if (text.size() > kMaxBytes) {
        report.Problem({source, 0}, "", "larger than 16 MB");
        return false;
    }
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            ++line;
        } else if ((byte < 0x20 && c != '\t' && c != '\r') || byte == 0x7f) {
            report.Problem({source, line}, "", "control characters are not allowed");
            return false;
        }
    }
    return true;
}

std::string_view LineOf(Bytes text, int number) {
    for (; number > 1; --number) {
        const size_t end = text.find('\n');
        if (end == Bytes::npos) {
            return {};
        }
        text.remove_prefix(end + 1);
    }
    return text.substr(0, text.find('\n'));
}

// Says in our words what yaml-cpp's texts hide.
void ReportSyntax(std::string what, int line, Bytes text,
                  const std::shared_ptr<const Source>& source, int last_line, Report& report) {
    const std::string_view shown = LineOf(text, line);
    const size_t indent = shown.find_first_not_of(' ');
    if (what.find("in scalar") != std::string::npos) {
        what = "a quote is not closed";
        line = last_line;
    } else if (what.find("flow not found") != std::string::npos) {
        what = "a bracket is not closed";
        line = std::min(line, last_line);
    } else if (indent != std::string_view::npos && shown[indent] == '\t') {
        what = "tabs cannot indent; use spaces";
    } else if (what == "illegal map value") {
        what = "`key: value` is not possible here; check the indentation and missing quotes";
    } else if (what == "unknown token") {
        what = "a value cannot begin like this; put it in quotes";
    }
    report.Problem({source, std::max(0, line)}, "", what);
}

}  // namespace

std::optional<Node> ReadYaml(Bytes text, const std::shared_ptr<const Source>& source,
                             Report& report) {
    if (!CheckBytes(text, source, report)) {
        return std::nullopt;
    }
    Report of_values;  // left aside if the text breaks off: then the syntax is the problem
    Builder builder(source, of_values);
    try {
        // Without the end marker yaml-cpp closes an open quote at the end of the text by itself.
        std::istringstream in{std::string(text).append("\n...\n")};
        YAML::Parser parser(in);
        parser.HandleNextDocument(builder);
    } catch (const YAML::Exception& error) {
        ReportSyntax(error.msg, error.mark.line + 1, text, source, builder.last_line(), report);
        return std::nullopt;
    } catch (const std::exception& error) {
        report.Problem({source, 0}, "", error.what());
        return std::nullopt;
    }
    report.Absorb(of_values);
    if (builder.failed()) {
        return std::nullopt;
    }
    Node root = std::move(builder).root();
    if (root.IsNull()) {
        return Node(Node::Kind::kMap, {source, 1});
    }
    if (!root.IsMap()) {
        report.Problem({source, 1}, "", "expected sections (`name: ...`) at the top level");
        return std::nullopt;
    }
    return root;
}

}  // namespace rr::config
