#include "core/config/section.hpp"

#include <utility>

#include "core/config/nearest.hpp"
#include "core/config/state.hpp"
#include "core/config/values.hpp"
#include "core/config/words.hpp"

namespace rr::config {
namespace {

std::string_view KindName(const Node& node) {
    return node.IsMap() ? "a section" : node.IsList() ? "a list" : "a value";
}

std::string Quoted(std::string_view text) { return std::string("\"").append(text).append("\""); }

// The keys and values of a map, or of a list of maps (RoadRunner takes `[{A: 1}, {B: 2}]` for a
// map). Empty with `good` false for everything else.
std::vector<const Node::Entry*> EntriesOf(const Node& node, bool& good) {
    std::vector<const Node::Entry*> all;
    good = node.IsMap() || node.IsList();
    for (const Node::Entry& entry : node.entries) {
        if (node.IsMap()) {
            all.push_back(&entry);
        } else if (entry.value.IsMap()) {
            for (const Node::Entry& inner : entry.value.entries) {
                all.push_back(&inner);
            }
        } else {
            good = false;
        }
    }
    return all;
}

void AppendDotted(const Node& node, const std::string& name,
                  std::vector<std::pair<std::string, std::string>>& pairs, bool& good) {
    if (node.IsMap()) {
        for (const Node::Entry& entry : node.entries) {
            AppendDotted(entry.value, name + "." + entry.key, pairs, good);
        }
    } else if (node.IsScalar()) {
        pairs.emplace_back(name, ScalarText(node));
    } else {
        good = false;
    }
}

}  // namespace

const Node* Section::Find(std::string_view key, uint8_t use) const {
    config_->state_->known.Add(path_, key, use);
    if (node_ == nullptr) {
        return nullptr;
    }
    const Node* child = node_->Find(key);
    return child == nullptr || child->IsNull() ? nullptr : child;
}

const Node* Section::FindScalar(std::string_view key) const {
    const Node* child = Find(key, KnownKeys::kValue);
    if (child != nullptr && !child->IsScalar()) {
        Problem(key, std::string("expected a value, got ").append(KindName(*child)));
        return nullptr;
    }
    return child;
}

const Node* Section::FindTyped(std::string_view key) const {
    // RoadRunner reads "" (an unset variable, mostly) as zero; the default says the same for all
    // keys whose zero is not special, and is the better guess for the others.
    const Node* child = FindScalar(key);
    return child == nullptr || Trim(child->text).empty() ? nullptr : child;
}

bool Section::Has(std::string_view key) const { return Find(key, KnownKeys::kAsked) != nullptr; }

std::string Section::String(std::string_view key, std::string_view fallback) const {
    const Node* child = FindScalar(key);
    return child == nullptr ? std::string(fallback) : ScalarText(*child);
}

bool Section::Bool(std::string_view key, bool fallback) const {
    const Node* child = FindTyped(key);
    if (child == nullptr) {
        return fallback;
    }
    Result<bool> value = ParseBool(Trim(child->text));
    if (!value) {
        Problem(key, value.error().message);
    }
    return value ? *value : fallback;
}

int64_t Section::Integer(std::string_view key, int64_t fallback, int64_t min, int64_t max) const {
    const Node* child = FindTyped(key);
    if (child == nullptr) {
        return fallback;
    }
    const std::string_view text = Trim(child->text);
    Result<int64_t> value = ParseInteger(text);
    if (!value) {
        Result<double> number = ParseNumber(text);
        if (!number || *number < -9e15 || *number > 9e15) {
            Problem(key, value.error().message);
            return fallback;
        }
        value = static_cast<int64_t>(*number);
        Warning(key, std::string(text).append(" is read as ").append(std::to_string(*value)));
    }
    if (*value >= min && *value <= max) {
        return *value;
    }
    std::string text_of_range = "must be at least " + std::to_string(min);
    if (min == INT64_MIN) {
        text_of_range = "must be at most " + std::to_string(max);
    } else if (max != INT64_MAX) {
        text_of_range = "must be between " + std::to_string(min) + " and " + std::to_string(max);
    }
    Problem(key, text_of_range + ", got " + std::to_string(*value));
    return fallback;
}

double Section::Number(std::string_view key, double fallback) const {
    const Node* child = FindTyped(key);
    if (child == nullptr) {
        return fallback;
    }
    Result<double> value = ParseNumber(Trim(child->text));
    if (!value) {
        Problem(key, value.error().message);
    }
    return value ? *value : fallback;
}

Duration Section::Time(std::string_view key, Duration fallback, Duration min) const {
    const Node* child = FindTyped(key);
    if (child == nullptr) {
        return fallback;
    }
    const std::string text(Trim(child->text));
    Result<Duration> value = ParseDuration(text);
    if (Result<int64_t> bare = ParseInteger(text); bare && *bare != 0) {
        constexpr int64_t kNanosecondsFrom = 1'000'000;
        const bool seconds = *bare < kNanosecondsFrom;
        value = *bare < -kNanosecondsFrom ? Duration(-1)
                : seconds                 ? Duration(std::chrono::seconds(*bare))
                                          : Duration(*bare);
        if (*bare > 0) {
            Warning(key, std::string("a number without a unit is read as ")
                             .append(seconds ? "seconds" : "nanoseconds")
                             .append("; write ")
                             .append(FormatDuration(*value)));
        }
    }
    if (!value) {
        Problem(key, value.error().message);
        return fallback;
    }
    if (*value < min) {
        Problem(key, "must be at least " + FormatDuration(min) + ", got " + text);
        return fallback;
    }
    return *value;
}

int64_t Section::Size(std::string_view key, int64_t fallback) const {
    const Node* child = FindTyped(key);
    if (child == nullptr) {
        return fallback;
    }
    Result<int64_t> value = ParseSize(Trim(child->text));
    if (!value) {
        Problem(key, value.error().message);
    }
    return value ? *value : fallback;
}

std::string Section::OneOf(std::string_view key, std::string_view fallback,
                           const std::vector<std::string_view>& allowed) const {
    const Node* child = FindTyped(key);
    if (child == nullptr) {
        return std::string(fallback);
    }
    std::string value = LowerCase(Trim(child->text));
    std::string list;
    for (const std::string_view one : allowed) {
        if (value == LowerCase(one)) {
            return value;
        }
        list.append(list.empty() ? "" : ", ").append(one);
    }
    std::string text = Quoted(child->text) + " is not one of " + list;
    if (const std::string_view near = Nearest(value, allowed); !near.empty()) {
        text.append("; did you mean ").append(near).append("?");
    }
    Problem(key, text);
    return std::string(fallback);
}

std::vector<std::string> Section::List(std::string_view key) const {
    std::vector<std::string> items;
    const Node* child = Find(key, KnownKeys::kValue);
    if (child == nullptr) {
        return items;
    }
    if (child->IsMap()) {
        Problem(key, "expected a list, got a section");
        return items;
    }
    if (child->IsScalar()) {
        const std::string all = ScalarText(*child);
        std::string_view rest = all;
        while (!rest.empty()) {
            const size_t comma = std::min(rest.find(','), rest.size());
            if (const std::string_view item = Trim(rest.substr(0, comma)); !item.empty()) {
                items.emplace_back(item);
            }
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
        return items;
    }
    for (const Node::Entry& entry : child->entries) {
        if (entry.value.IsMap() || entry.value.IsList()) {
            config_->state_->report.Problem(
                entry.value.place, JoinPath(path_, key),
                std::string("expected a list of values, got ").append(KindName(entry.value)));
            continue;
        }
        items.push_back(ScalarText(entry.value));
    }
    return items;
}

std::vector<std::string> Section::Command(std::string_view key) const {
    const Node* child = Find(key, KnownKeys::kValue);
    if (child == nullptr) {
        return {};
    }
    std::string line;
    if (!child->IsScalar()) {
        std::vector<std::string> items = List(key);
        if (items.size() != 1) {
            return items;
        }
        line = std::move(items.front());
    } else {
        line = ScalarText(*child);
    }
    Result<std::vector<std::string>> words = SplitWords(line);
    if (!words) {
        Problem(key, words.error().message);
        return {};
    }
    return std::move(*words);
}

std::vector<std::pair<std::string, std::string>> Section::Pairs(std::string_view key) const {
    std::vector<std::pair<std::string, std::string>> pairs;
    const Node* child = Find(key, KnownKeys::kValue);
    if (child == nullptr || (child->IsScalar() && child->text.empty())) {
        return pairs;
    }
    bool good = false;
    for (const Node::Entry* entry : EntriesOf(*child, good)) {
        if (entry->value.IsMap() || entry->value.IsList()) {
            config_->state_->report.Problem(
                entry->value.place, JoinPath(JoinPath(path_, key), entry->key),
                std::string("expected a value, got ").append(KindName(entry->value)));
            continue;
        }
        pairs.emplace_back(entry->key, ScalarText(entry->value));
    }
    if (!good) {
        Problem(key, "expected names and values (`name: value`)");
    }
    return pairs;
}

std::vector<std::pair<std::string, std::string>> Section::DottedPairs(std::string_view key) const {
    std::vector<std::pair<std::string, std::string>> pairs;
    const Node* child = Find(key, KnownKeys::kValue);
    if (child == nullptr || (child->IsScalar() && child->text.empty())) {
        return pairs;
    }
    bool good = false;
    for (const Node::Entry* entry : EntriesOf(*child, good)) {
        AppendDotted(entry->value, entry->key, pairs, good);
    }
    if (!good) {
        Problem(key, "expected names and values (`name: value`)");
    }
    return pairs;
}

Section Section::Child(std::string_view key, bool keep_empty) const {
    const Node* child = Find(key, KnownKeys::kSection);
    if (child != nullptr && !child->IsMap()) {
        // A list of one-pair maps may stand for a map of names; Children() reads it.
        bool names = false;
        EntriesOf(*child, names);
        names = names && !child->entries.empty();
        if (!names && !(child->IsScalar() && child->text.empty())) {
            Problem(key, std::string("expected a section (keys and values), got ")
                             .append(child->IsList() ? "a list" : Quoted(child->text)));
        }
        child = names ? child : nullptr;
    }
    if (child != nullptr && child->entries.empty() && !keep_empty) {
        child = nullptr;  // RoadRunner takes `pool: {}` for absent
    }
    return {config_, child, JoinPath(path_, key)};
}

Section Section::Sub(std::string_view key) const { return Child(key, false); }

std::vector<Section> Section::Elements(std::string_view key) const {
    std::vector<Section> elements;
    const std::string path = JoinPath(path_, key);
    const Node* child = Find(key, KnownKeys::kSection);
    if (child == nullptr) {
        // Teaches the keys.
        elements.push_back(Section(config_, nullptr, path));
        return elements;
    }
    for (const Node::Entry& entry : child->entries) {
        if (child->IsList() && entry.value.IsMap()) {
            elements.push_back(Section(config_, &entry.value, path));
        }
    }
    if (!child->IsList() || elements.size() != child->entries.size()) {
        Problem(key, "expected a list of sections (`- key: value`)");
    }
    return elements;
}

std::vector<std::pair<std::string, Section>> Section::Children() const {
    std::vector<std::pair<std::string, Section>> children;
    if (node_ == nullptr) {
        return children;
    }
    bool good = false;
    for (const Node::Entry* entry : EntriesOf(*node_, good)) {
        const std::string path = JoinPath(path_, entry->key);
        config_->state_->known.Add(path_, entry->key, KnownKeys::kSection);
        if (entry->value.IsScalar()) {
            config_->state_->report.Problem(
                entry->value.place, path,
                "expected a section (keys and values), got " + Quoted(entry->value.text));
            continue;
        }
        children.emplace_back(entry->key, Section(config_, &entry->value, path));
    }
    if (!good) {
        Problem("", "expected a section (keys and values)");
    }
    return children;
}

void Section::Ignored(std::string_view key, std::string_view why) const {
    if (Find(key, KnownKeys::kIgnored) != nullptr && !why.empty()) {
        Warning(key, why);
    }
}

Place Section::PlaceOf(std::string_view key) const {
    if (node_ == nullptr) {
        std::string_view left;
        return config_->state_->root.Locate(path_, &left)->place;
    }
    const Node* child = key.empty() ? nullptr : node_->Find(key);
    return child == nullptr ? node_->place : child->place;
}

void Section::Problem(std::string_view key, std::string_view text) const {
    config_->state_->report.Problem(PlaceOf(key), JoinPath(path_, key), text);
}

void Section::Warning(std::string_view key, std::string_view text) const {
    config_->state_->report.Warning(PlaceOf(key), JoinPath(path_, key), text);
}

}  // namespace rr::config
