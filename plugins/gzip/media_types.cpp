#include "plugins/gzip/media_types.hpp"

#include <algorithm>

#include "core/api/http_text.hpp"

namespace rr::gzip {

using http_text::Equal;
using http_text::StartsWith;

namespace {

// What most answers are; the tables below say the same of them, later.
constexpr std::string_view kUsual[] = {"text/", "application/json", "application/javascript"};

constexpr std::string_view kDenseFamilies[] = {"video/", "audio/", "image/"};
constexpr std::string_view kLooseImages[] = {"image/svg", "image/bmp", "image/x-ms-bmp",
                                             "image/x-icon", "image/vnd.microsoft.icon"};
constexpr std::string_view kDense[] = {
    "font/woff",         "application/font-woff",    "application/x-font-woff",
    "application/pdf",   "application/x-7z",         "application/vnd.rar",
    "application/epub",  "application/grpc",         "application/vnd.openxmlformats",
    "application/x-rar", "application/java-archive", "application/vnd.oasis.opendocument"};
// RoadRunner's, anywhere in the type.
constexpr std::string_view kDenseWords[] = {"compress", "zip",  "snappy", "lzma",
                                            "xz",       "zstd", "brotli", "stuffit"};

bool Contains(std::string_view text, std::string_view word) {
    return std::search(text.begin(), text.end(), word.begin(), word.end(),
                       [](char a, char b) { return http_text::Lower(a) == b; }) != text.end();
}

std::string_view WithoutParameters(std::string_view content_type) {
    return http_text::Trim(content_type.substr(0, content_type.find(';')));
}

}  // namespace

bool IsCompressible(std::string_view content_type) {
    const std::string_view type = WithoutParameters(content_type);
    auto begins = [type](std::string_view start) { return StartsWith(type, start); };
    if (std::any_of(std::begin(kUsual), std::end(kUsual), begins)) {
        return true;
    }
    if (std::any_of(std::begin(kDenseFamilies), std::end(kDenseFamilies), begins)) {
        return std::any_of(std::begin(kLooseImages), std::end(kLooseImages), begins);
    }
    return std::none_of(std::begin(kDense), std::end(kDense), begins) &&
           std::none_of(std::begin(kDenseWords), std::end(kDenseWords),
                        [type](std::string_view word) { return Contains(type, word); });
}

bool IsAmong(std::string_view content_type, std::span<const std::string> types) {
    const std::string_view type = WithoutParameters(content_type);
    return std::any_of(types.begin(), types.end(), [type](std::string_view each) {
        return each == "*" || Equal(type, each) ||
               (each.ends_with("/*") && StartsWith(type, each.substr(0, each.size() - 1)));
    });
}

}  // namespace rr::gzip
