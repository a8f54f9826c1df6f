#include "plugins/kv/memcached/config.hpp"

#include <string>
#include <utility>

#include "core/config/section.hpp"

namespace rr::kv::memcached {

MemcachedConfig ParseMemcachedConfig(const config::Section& section) {
    MemcachedConfig config;
    std::vector<std::string> texts = section.List("addr");
    if (texts.empty()) {
        texts.emplace_back("127.0.0.1:11211");
    }
    for (const std::string& text : texts) {
        Result<net::Address> address =
            net::ParseAddress(text.starts_with('/') ? "unix://" + text : text);
        if (!address) {
            section.Problem("addr", text + ": " + address.error().message);
            continue;
        }
        config.addr.push_back(std::move(*address));
    }
    constexpr Duration kLeast = std::chrono::milliseconds(1);
    config.read_timeout = section.Time("read_timeout", config.read_timeout, kLeast);
    config.link.dial_timeout = section.Time("dial_timeout", config.read_timeout, kLeast);
    config.link.write_timeout = config.read_timeout;
    config.link.max_retries = 1;
    return config;
}

}  // namespace rr::kv::memcached
