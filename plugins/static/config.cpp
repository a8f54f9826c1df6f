#include "plugins/static/config.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "core/api/http_text.hpp"
#include "core/config/section.hpp"
#include "core/files/url_path.hpp"

namespace rr::static_files {
namespace {

using config::Section;

// `.CSS` and `css` are the same; RoadRunner knows only `.css`.
std::vector<std::string> Extensions(const Section& s, std::string_view key) {
    std::vector<std::string> list = s.List(key);
    for (std::string& entry : list) {
        std::transform(entry.begin(), entry.end(), entry.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
        });
        entry.erase(0, entry.substr(0, 1) == "." ? 1 : 0);
    }
    std::erase(list, "");
    return list;
}

std::string Absolute(const std::string& path, const std::string& directory) {
    return path.empty() || path[0] == '/' ? path : directory + "/" + path;
}

StaticConfig::Pairs Headers(const Section& s, std::string_view key) {
    StaticConfig::Pairs pairs = s.Pairs(key);
    for (auto& [name, value] : pairs) {
        if (!http_text::IsToken(name) || !http_text::IsValue(value)) {
            s.Problem(key, "no header: " + name);
        }
        name = http_text::Canonical(name);  // the reader has taken the user's case away
    }
    return pairs;
}

// The relative name that a path in the configuration stands for.
std::string Name(const Section& s, std::string_view key, const std::string& text) {
    std::string scratch;
    std::string rooted = text;
    rooted.insert(0, rooted.substr(0, 1) == "/" ? "" : "/");
    // As a name, not as a URL.
    if (text.find_first_of("%?#") != std::string::npos) {
        s.Problem(key, "no path below dir: " + text);
        return {};
    }
    const files::UrlPath path = files::ParseUrlPath(rooted, scratch);
    if (path.kind == files::UrlPath::Kind::kUp || path.kind == files::UrlPath::Kind::kNone ||
        path.name.empty()) {
        s.Problem(key, "no path below dir: " + text);
        return {};
    }
    return std::string(path.name);
}

std::vector<std::string> Names(const Section& s, std::string_view key) {
    std::vector<std::string> names;
    for (const std::string& text : s.List(key)) {
        names.push_back(Name(s, key, text));
    }
    return names;
}

std::string CacheControl(const Section& s) {
    std::string text = s.String("cache_control", "");
    const Duration age = s.Time("max_age", Duration::zero());
    if (text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
        s.Problem("cache_control", "must be one line");
    }
    if (age <= Duration::zero()) {
        return text;
    }
    if (!text.empty()) {
        s.Problem("max_age", "either this or cache_control");
    }
    const int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    return "public, max-age=" + std::to_string(seconds);
}

}  // namespace

StaticConfig ParseStaticConfig(const Section& s, const std::string& directory) {
    StaticConfig c;
    const std::string dir = s.String("dir", "");
    c.dir = Absolute(dir, directory);
    if (std::error_code none; s.present() && !std::filesystem::is_directory(c.dir, none)) {
        s.Problem("dir", "root directory '" + dir + "' does not exist");
    }
    c.forbid = Extensions(s, "forbid");
    c.allow = Extensions(s, "allow");
    c.always = Extensions(s, "always");
    c.calculate_etag = s.Bool("calculate_etag", false);
    c.weak = s.Bool("weak", false);
    c.request = Headers(s, "request");
    c.response = Headers(s, "response");

    c.symlink_roots = s.List("symlink_roots");
    if (!s.Has("symlink_roots")) {
        c.symlink_roots = {directory};
    }
    for (std::string& folder : c.symlink_roots) {
        folder = Absolute(folder, directory);
    }
    c.dotfiles = s.Bool("dotfiles", true);
    c.precompressed = s.Bool("precompressed", false);
    c.index = Names(s, "index");
    c.try_files = Names(s, "try_files");
    if (const std::string fallback = s.String("fallback", ""); !fallback.empty()) {
        c.fallback = Name(s, "fallback", fallback);
    }
    c.fallback_exclude = Names(s, "fallback_exclude");
    c.cache_control = CacheControl(s);

    const Section cache = s.Sub("cache");
    c.max_files = static_cast<uint64_t>(cache.Integer("max_files", 1000, 0, 1'000'000));
    c.max_memory = static_cast<uint64_t>(std::max<int64_t>(cache.Size("max_memory", 32 << 20), 0));
    c.revalidate = cache.Time("revalidate", std::chrono::seconds(1));
    return c;
}

}  // namespace rr::static_files
