// CacheConfig: `http.cache`, all of it ours.
#pragma once

#include <cstdint>

namespace rr::config {
class Section;
}

namespace rr::cache {

struct CacheConfig {
    int64_t max_memory = 32 << 20;      // bytes, of all entries
    int64_t max_entry = 1 << 20;        // bytes, of one body
    bool honour_cache_control = false;  // Cache-Control: s-maxage=N is a permission too
    bool authorization = false;         // requests with Authorization are answered like others
};

// Reads the section; problems are reported through it.
CacheConfig ParseCacheConfig(const config::Section& section);

}  // namespace rr::cache
