#include "plugins/reload/config.hpp"

#include "core/base/process.hpp"
#include "core/config/section.hpp"

namespace rr::reload {
namespace {

constexpr Duration kShortest = std::chrono::seconds(1);

std::vector<std::string> Absolute(std::vector<std::string> paths, const std::string& directory) {
    for (std::string& path : paths) {
        path = process::Absolute(path, directory);
    }
    return paths;
}

}  // namespace

ReloadConfig ParseReloadConfig(const config::Section& s, const std::string& directory) {
    ReloadConfig c;
    c.interval = s.Time("interval", c.interval);
    if (c.interval < kShortest) {
        s.Problem("interval", "too short interval, it must be 1s at least");
    }
    std::vector<std::string> patterns = s.List("patterns");
    if (patterns.empty()) {
        patterns = {".php"};
    }
    for (const auto& [name, service] : s.Sub("services").Children()) {
        ReloadConfig::Service one;
        one.plugin = name;
        one.rules.recursive = service.Bool("recursive", false);
        one.rules.dirs = Absolute(service.List("dirs"), directory);
        one.rules.ignore = Absolute(service.List("ignore"), directory);
        one.rules.patterns = service.List("patterns");
        one.rules.patterns.insert(one.rules.patterns.end(), patterns.begin(), patterns.end());
        service.Ignored("enabled", "");
        if (one.rules.dirs.empty()) {
            service.Warning("dirs", "no folder is named: nothing is watched");
        }
        c.services.push_back(std::move(one));
    }
    if (s.present() && c.services.empty()) {
        s.Problem("services", "at least one service is required");
    }
    return c;
}

}  // namespace rr::reload
