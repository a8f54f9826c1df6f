#include "plugins/gzip/config.hpp"

#include <algorithm>

#include "core/api/http_text.hpp"
#include "core/config/section.hpp"

namespace rr::gzip {
namespace {

using config::Section;

constexpr Encoding kAll[] = {Encoding::kZstd, Encoding::kBrotli, Encoding::kGzip};

void ReadEncodings(const Section& s, std::vector<Encoding>& encodings) {
    if (!s.Has("encodings")) {
        return;
    }
    encodings.clear();
    for (const std::string& name : s.List("encodings")) {
        const auto* found = std::find_if(std::begin(kAll), std::end(kAll), [&name](Encoding each) {
            return http_text::Equal(NameOf(each), name);
        });
        if (found == std::end(kAll)) {
            s.Problem("encodings", "must be zstd, br or gzip, not " + name);
        } else if (std::find(encodings.begin(), encodings.end(), *found) == encodings.end()) {
            encodings.push_back(*found);
        }
    }
}

int64_t ReadSize(const Section& s, std::string_view key, int64_t fallback) {
    const int64_t size = s.Size(key, fallback);
    if (size < 0) {
        s.Problem(key, "must not be negative");
        return fallback;
    }
    return size;
}

}  // namespace

GzipConfig ParseGzipConfig(const Section& s) {
    GzipConfig c;
    ReadEncodings(s, c.encodings);
    c.levels.gzip = static_cast<int>(s.Integer("level", c.levels.gzip, 1, 9));
    c.levels.brotli = static_cast<int>(s.Integer("br_level", c.levels.brotli, 1, 11));
    c.levels.zstd = static_cast<int>(s.Integer("zstd_level", c.levels.zstd, 1, 19));
    c.min_size = ReadSize(s, "min_size", c.min_size);
    c.max_memory = ReadSize(s, "max_memory", c.max_memory);
    c.types = s.List("types");
    for (std::string& type : c.types) {
        std::transform(type.begin(), type.end(), type.begin(), http_text::Lower);
        if (type.find('/') == std::string::npos && type != "*") {
            s.Problem("types", "must be like text/html, text/* or *, not " + type);
        }
    }
    std::erase(c.types, "");
    return c;
}

}  // namespace rr::gzip
