// StaticConfig: the section `http.static`.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.hpp"

namespace rr::config {
class Section;
}

namespace rr::static_files {

struct StaticConfig {
    using Pairs = std::vector<std::pair<std::string, std::string>>;

    std::string dir;  // absolute, or from the process's own folder
    // Extensions in lower case, without their dot.
    std::vector<std::string> forbid;
    std::vector<std::string> allow;
    std::vector<std::string> always;  // ours, and RoadRunner 1.x's: 404 if there is no such file
    bool calculate_etag = false;
    bool weak = false;
    Pairs request;
    Pairs response;

    // Ours.
    std::vector<std::string> symlink_roots;
    bool dotfiles = true;
    bool precompressed = false;
    std::vector<std::string> index;             // names of files
    std::vector<std::string> try_files;         // with `{path}` in them
    std::string fallback;                       // the name of a file, relative
    std::vector<std::string> fallback_exclude;  // relative names of paths
    std::string cache_control;
    uint64_t max_files = 1000;
    uint64_t max_memory = 32 << 20;
    Duration revalidate = std::chrono::seconds(1);
};

// directory: what relative paths count from, as the user named it.
StaticConfig ParseStaticConfig(const config::Section& section, const std::string& directory);

}  // namespace rr::static_files
