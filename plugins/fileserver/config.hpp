// FileServerConfig: the section `fileserver`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/time.hpp"

namespace rr::config {
class Section;
}

namespace rr::fileserver {

struct FileServerConfig {
    struct Serve {
        std::string prefix;  // `/` in front, none behind; empty: everything
        std::string root;
        bool compress = false;
        bool bytes_range = false;
        Duration cache_duration = std::chrono::seconds(10);  // negative: nothing is kept
        int64_t max_age = 0;                                 // seconds; 0: no header
    };
    std::string address;
    bool calculate_etag = false;
    bool weak = false;
    std::vector<Serve> serve;
    std::string directory;  // relative roots count from it
};

FileServerConfig ParseFileServerConfig(const config::Section& section, std::string directory);

}  // namespace rr::fileserver
