#include "plugins/reload/defaults.hpp"

#include <algorithm>
#include <filesystem>

#include "core/base/process.hpp"

namespace rr::reload {
namespace {

// Where frameworks write compiled templates, containers, caches, some of them while they boot: each
// boot would lead to the next.
constexpr const char* kWritten[] = {
    "bootstrap/cache", "cache", "runtime", "storage", "temp", "tmp", "var", "writable"};

bool Below(const std::string& path, const std::string& folder) {
    return path == folder || path.starts_with(folder == "/" ? folder : folder + "/");
}

// The first word behind the program that is a file; or the program, if it has an extension.
std::string ScriptOf(const std::vector<std::string>& command, const std::string& directory) {
    for (size_t i = 0; i < command.size(); ++i) {
        std::error_code none;
        std::string path = process::Absolute(command[i], directory);
        if ((i > 0 || command[i].find('/') != std::string::npos) &&
            std::filesystem::path(path).has_extension() &&
            std::filesystem::is_regular_file(path, none)) {
            return path;
        }
    }
    return {};
}

void AddOnce(std::vector<std::string>& list, std::string text) {
    if (std::find(list.begin(), list.end(), text) == list.end()) {
        list.push_back(std::move(text));
    }
}

}  // namespace

Rules WatchDefaults(const std::string& directory,
                    const std::vector<std::vector<std::string>>& commands) {
    Rules rules;
    rules.dirs = {directory};
    rules.recursive = true;
    rules.hidden = false;
    rules.names = {"node_modules", "vendor"};
    rules.shallow = {process::Absolute("vendor", directory),
                     process::Absolute("vendor/composer", directory)};
    for (const char* folder : kWritten) {
        rules.ignore.push_back(process::Absolute(folder, directory));
    }
    rules.patterns = {".php", ".env"};
    for (const std::vector<std::string>& command : commands) {
        std::filesystem::path script = ScriptOf(command, directory);
        if (script.empty()) {
            continue;
        }
        AddOnce(rules.patterns, script.extension());
        if (std::string folder = script.parent_path(); !Below(folder, directory)) {
            AddOnce(rules.shallow, std::move(folder));
        }
    }
    return rules;
}

}  // namespace rr::reload
