#include "core/config/expand.hpp"

#include <cstdlib>

namespace rr::config {
namespace {

bool IsNameChar(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool IsShellVariable(char c) {
    return (c >= '0' && c <= '9') || std::string_view("*#$@!?-").find(c) != std::string_view::npos;
}

// The variable that begins behind a `$`: its name and how many bytes it takes.
struct Reference {
    std::string_view name;
    size_t size;
};

Reference ReferenceAt(std::string_view rest) {
    if (rest[0] == '{') {
        const size_t end = rest.find('}');
        if (end == std::string_view::npos) {
            return {{}, 1};  // `x${X` loses its `${`
        }
        return {rest.substr(1, end - 1), end + 1};
    }
    if (IsShellVariable(rest[0])) {
        return {rest.substr(0, 1), 1};
    }
    size_t n = 0;
    while (n < rest.size() && IsNameChar(rest[n])) {
        ++n;
    }
    return {rest.substr(0, n), n};
}

std::string ValueOf(std::string_view name, Environment& environment) {
    const size_t mark = name.find(":-");
    std::optional<std::string> value = environment(name.substr(0, mark));
    if (mark != std::string_view::npos && (!value || value->empty())) {
        return std::string(name.substr(mark + 2));
    }
    return value.value_or("");
}

}  // namespace

Environment ProcessEnvironment() {
    return [](std::string_view name) -> std::optional<std::string> {
        const char* value = std::getenv(std::string(name).c_str());
        if (value == nullptr) {
            return std::nullopt;
        }
        return std::string(value);
    };
}

std::string Expand(std::string_view text, Environment& environment) {
    std::string out;
    size_t at = 0;
    while (at < text.size()) {
        const size_t dollar = text.find('$', at);
        if (dollar == std::string_view::npos || dollar + 1 == text.size()) {
            break;
        }
        out.append(text.substr(at, dollar - at));
        const Reference found = ReferenceAt(text.substr(dollar + 1));
        if (found.size == 0) {
            out += '$';
        } else if (!found.name.empty()) {
            out += ValueOf(found.name, environment);
        }
        at = dollar + 1 + found.size;
    }
    return out.append(text.substr(at));
}

namespace {

void ExpandScalar(Node& node, Environment& environment) {
    if (node.IsScalar() && node.text.find('$') != std::string::npos) {
        std::string expanded = Expand(node.text, environment);
        if (expanded != node.text) {
            node.text = std::move(expanded);
            node.quoted = true;
        }
    }
}

}  // namespace

void ExpandTree(Node& node, Environment& environment) {
    ExpandScalar(node, environment);
    for (Node::Entry& entry : node.entries) {
        if (node.IsMap()) {
            ExpandTree(entry.value, environment);
        } else {
            ExpandScalar(entry.value, environment);
        }
    }
}

void ExpandWholeValues(Node& node, Environment& environment) {
    const std::string& text = node.text;
    if (node.IsScalar() && text.size() > 3 && text.compare(0, 2, "${") == 0 &&
        text.find('}') == text.size() - 1) {
        if (auto value = environment(std::string_view(text).substr(2, text.size() - 3))) {
            node.text = std::move(*value);
            node.quoted = true;
        }
    }
    for (Node::Entry& entry : node.entries) {
        ExpandWholeValues(entry.value, environment);
    }
}

}  // namespace rr::config
