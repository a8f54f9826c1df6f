#include "plugins/cache/entry.hpp"

#include <algorithm>
#include <functional>

#include "core/api/http_text.hpp"

namespace rr::cache {

using http_text::Equal;
using http_text::Lower;

bool Resource::operator==(const Resource& other) const {
    return secure == other.secure && target == other.target && Equal(host, other.host);
}

uint64_t Resource::Hash() const {
    uint64_t hash = std::hash<std::string_view>()(target) + (secure ? 1 : 0);
    for (char c : host) {
        hash = (hash ^ static_cast<unsigned char>(Lower(c))) * 0x100000001b3U;  // FNV-1a's step
    }
    return hash;
}

std::string_view PathOf(std::string_view target) {
    constexpr std::string_view kMark = "://";
    const size_t scheme = target.starts_with('/') ? std::string_view::npos : target.find(kMark);
    if (scheme == std::string_view::npos) {
        return target;
    }
    const size_t path = target.find_first_of("/?", scheme + kMark.size());
    return path == std::string_view::npos || target[path] != '/' ? "/" : target.substr(path);
}

int64_t Entry::Size() const {
    constexpr size_t kOverhead = 256;  // of this, its places in a Store, the allocator
    constexpr size_t kPair = 96;
    size_t size = kOverhead + sizeof *this + host.size() + target.size() + body.capacity() +
                  etag.size() + last_modified.size();
    for (const Pairs* pairs : {&vary, &headers}) {
        for (const auto& [name, value] : *pairs) {
            size += kPair + name.size() + value.size();
        }
    }
    return static_cast<int64_t>(size);
}

std::string WishOf(const HttpRequest& request, std::string_view name) {
    std::string wish;
    for (size_t i = 0; i < request.headers(); ++i) {
        const HttpField field = request.header(i);
        if (Equal(field.name, name)) {
            wish.append(wish.empty() ? "" : ",").append(http_text::Trim(field.value));
        }
    }
    if (Equal(name, "Accept-Encoding")) {
        std::erase_if(wish, [](char c) { return c == ' ' || c == '\t'; });
        std::transform(wish.begin(), wish.end(), wish.begin(), Lower);
    }
    return wish;
}

bool Suits(const Pairs& vary, const HttpRequest& request) {
    return std::all_of(vary.begin(), vary.end(), [&request](const auto& pair) {
        return WishOf(request, pair.first) == pair.second;
    });
}

}  // namespace rr::cache
