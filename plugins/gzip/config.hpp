// GzipConfig: `http.gzip`, all of it ours: RoadRunner's gzip has no keys.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/files/accept_encoding.hpp"
#include "plugins/gzip/compressors.hpp"

namespace rr::config {
class Section;
}

namespace rr::gzip {

struct GzipConfig {
    // Best first, where the client likes several alike.
    std::vector<Encoding> encodings = {Encoding::kZstd, Encoding::kBrotli, Encoding::kGzip};
    Levels levels;
    int64_t min_size = 1024;         // bytes; bodies of unknown size are not measured
    std::vector<std::string> types;  // `text/*`, lower case; empty: all but what is dense already
    int64_t max_memory = 64 << 20;   // bytes, of the compressors in use
};

// Reads the section; problems are reported through it.
GzipConfig ParseGzipConfig(const config::Section& section);

}  // namespace rr::gzip
