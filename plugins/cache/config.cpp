#include "plugins/cache/config.hpp"

#include "core/config/section.hpp"

namespace rr::cache {
namespace {

int64_t ReadSize(const config::Section& s, std::string_view key, int64_t fallback) {
    const int64_t size = s.Size(key, fallback);
    if (size <= 0) {
        s.Problem(key, "must be more than 0");
        return fallback;
    }
    return size;
}

}  // namespace

CacheConfig ParseCacheConfig(const config::Section& s) {
    CacheConfig c;
    c.max_memory = ReadSize(s, "max_memory", c.max_memory);
    c.max_entry = ReadSize(s, "max_entry", c.max_entry);
    if (c.max_entry > c.max_memory && s.Has("max_entry")) {
        s.Problem("max_entry", "must not be more than max_memory");
    }
    c.honour_cache_control = s.Bool("honour_cache_control", c.honour_cache_control);
    c.authorization = s.Bool("authorization", c.authorization);
    return c;
}

}  // namespace rr::cache
