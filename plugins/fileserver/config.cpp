#include "plugins/fileserver/config.hpp"

#include <filesystem>
#include <utility>

#include "core/config/section.hpp"
#include "core/net/address.hpp"

namespace rr::fileserver {
namespace {

using config::Section;

FileServerConfig::Serve ReadServe(const Section& s, const std::string& directory) {
    FileServerConfig::Serve c;
    c.prefix = s.String("prefix", "");
    const std::string root = s.String("root", ".");
    c.root = root[0] == '/' ? root : directory + "/" + root;
    if (s.present()) {
        if (c.prefix.empty() || c.prefix[0] != '/') {
            s.Problem("prefix", "must begin with /");
        }
        if (std::error_code none; !std::filesystem::is_directory(c.root, none)) {
            s.Problem("root", "root directory '" + root + "' does not exist");
        }
    }
    while (!c.prefix.empty() && c.prefix.back() == '/') {
        c.prefix.pop_back();
    }
    constexpr int64_t kYear = 365 * 24 * 3600;
    c.compress = s.Bool("compress", false);
    c.bytes_range = s.Bool("bytes_range", false);
    c.cache_duration = std::chrono::seconds(s.Integer("cache_duration", 10, -kYear, kYear));
    c.max_age = s.Integer("max_age", 0, 0, 100 * kYear);
    return c;
}

}  // namespace

FileServerConfig ParseFileServerConfig(const Section& s, std::string directory) {
    FileServerConfig c;
    c.directory = std::move(directory);
    c.address = s.String("address", "");
    if (s.present() && c.address.empty()) {
        s.Problem("address", "missing");
    } else if (auto parsed = net::ParseAddress(c.address); s.present() && !parsed) {
        s.Problem("address", parsed.error().message);
    }
    c.calculate_etag = s.Bool("calculate_etag", false);
    c.weak = s.Bool("weak", false);
    s.Ignored("stream_request_body", "");  // bodies are read and forgotten
    for (const Section& serve : s.Elements("serve")) {
        FileServerConfig::Serve read = ReadServe(serve, c.directory);
        if (serve.present()) {
            c.serve.push_back(std::move(read));
        }
    }
    if (s.present() && c.serve.empty()) {
        s.Problem("serve", "missing: at least one folder");
    }
    return c;
}

}  // namespace rr::fileserver
