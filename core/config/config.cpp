#include "core/config/config.hpp"

#include <algorithm>
#include <utility>

#include "core/config/loader.hpp"
#include "core/config/nearest.hpp"
#include "core/config/state.hpp"

namespace rr::config {
namespace {

// As RoadRunner writes it: keys in order, without maps that are empty and keys that are null.
void SortKeys(Node& node) {
    for (Node::Entry& entry : node.entries) {
        SortKeys(entry.value);
    }
    if (node.IsMap()) {
        std::erase_if(node.entries, [](const Node::Entry& entry) {
            return entry.value.IsNull() || (entry.value.IsMap() && entry.value.entries.empty());
        });
        std::stable_sort(node.entries.begin(), node.entries.end(),
                         [](const Node::Entry& a, const Node::Entry& b) { return a.key < b.key; });
    }
}

// Sections of RoadRunner that a plugin may come to serve; unread ones deserve a clearer text than
// `unknown key`.
constexpr std::string_view kFieldSections[] = {
    "amqp",   "app",       "beanstalk",  "boltdb",         "broadcast", "centrifuge",
    "distro", "endure",    "fileserver", "google-pub-sub", "grpc",      "hooks",
    "http",   "informer",  "jobs",       "kafka",          "kv",        "lock",
    "logs",   "memcached", "metrics",    "nats",           "otel",      "redis",
    "reload", "resetter",  "rpc",        "server",         "service",   "sqs",
    "status", "tcp",       "temporal",   "websockets",
};

bool IsFieldSection(std::string_view name) {
    return std::find(std::begin(kFieldSections), std::end(kFieldSections), name) !=
           std::end(kFieldSections);
}

}  // namespace

std::string JoinPath(std::string_view section, std::string_view key) {
    std::string path(section);
    if (!section.empty() && !key.empty()) {
        path += '.';
    }
    return path.append(key);
}

void KnownKeys::Add(std::string_view section, std::string_view key, uint8_t use) {
    auto keys = sections_.find(section);
    if (keys == sections_.end()) {
        keys = sections_.emplace(section, Keys()).first;
    }
    const auto found = keys->second.find(key);
    if (found == keys->second.end()) {
        keys->second.emplace(key, use);
    } else {
        found->second |= use;
    }
}

void KnownKeys::FindUnknown(const Node& node, const std::string& path,
                            const Visitor& unknown) const {
    const auto section = sections_.find(path);
    for (const Node::Entry& entry : node.entries) {
        if (node.IsList()) {  // a list of one-pair maps stands for a map
            FindUnknown(entry.value, path, unknown);
            continue;
        }
        uint8_t use = 0;
        std::vector<std::string_view> siblings;
        if (section != sections_.end()) {
            const auto key = section->second.find(entry.key);
            use = key == section->second.end() ? 0 : key->second;
            for (const auto& [name, how] : section->second) {
                siblings.push_back(name);
            }
        }
        if (use == 0) {
            unknown(JoinPath(path, entry.key), entry, Nearest(entry.key, siblings));
        } else if ((use & kIgnored) == 0 && ((use & kSection) != 0 || (use & kValue) == 0)) {
            FindUnknown(entry.value, JoinPath(path, entry.key), unknown);
        }
    }
}

Config::Config() : state_(std::make_unique<State>()) {
    for (const char* own : {"version", "include", "envfile"}) {
        state_->known.Add("", own, KnownKeys::kIgnored);
    }
}

Config::~Config() = default;

Result<std::unique_ptr<Config>> Config::Load(const LoadOptions& options) {
    std::unique_ptr<Config> config(new Config());
    Loader loader(options, *config->state_);
    if (Result<void> loaded = loader.LoadFile(); !loaded) {
        return Forward(loaded);
    }
    return config;
}

Result<std::unique_ptr<Config>> Config::FromText(std::string_view text, std::string_view name,
                                                 std::vector<std::string> overrides) {
    std::unique_ptr<Config> config(new Config());
    LoadOptions options;
    options.file = std::string(name);
    options.overrides = std::move(overrides);
    Loader loader(options, *config->state_);
    if (Result<void> loaded = loader.LoadText(text); !loaded) {
        return Forward(loaded);
    }
    return config;
}

Section Config::Get(std::string_view name) {
    return Section(this, &state_->root, "").Child(name, true);
}

bool Config::legacy() const { return state_->legacy; }

void Config::Known(std::string_view top_level_key) {
    state_->known.Add("", top_level_key, KnownKeys::kIgnored);
}

void Config::AfterInit(Callback<void()> check) { state_->checks.push_back(std::move(check)); }

void Config::Finish(bool strict) {
    for (auto& check : state_->checks) {
        check();
    }
    state_->checks.clear();
    Report& report = state_->report;
    state_->known.FindUnknown(
        state_->root, "",
        [&report, strict](const std::string& path, const Node::Entry& entry,
                          std::string_view nearest) {
            if (entry.value.IsNull() || entry.value.place.source == nullptr) {
                return;  // nothing was said, or the translation of a 1.x file said it
            }
            if (IsFieldSection(path)) {
                report.Warning(entry.value.place, path,
                               "not served by this version of rr; the section has no effect");
                return;
            }
            std::string text = "unknown key";
            if (!nearest.empty()) {
                text.append("; did you mean ").append(nearest).append("?");
            }
            if (strict) {
                report.Problem(entry.value.place, path, text);
            } else {
                report.Warning(entry.value.place, path, text);
            }
        });
}

const std::vector<std::string>& Config::problems() const { return state_->report.problems(); }

const std::vector<std::string>& Config::warnings() const { return state_->report.warnings(); }

std::string Config::ToJson() const {
    Node sorted = state_->root;
    SortKeys(sorted);
    return config::ToJson(sorted);
}

}  // namespace rr::config
