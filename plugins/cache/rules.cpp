#include "plugins/cache/rules.hpp"

#include <algorithm>
#include <iterator>

#include "core/api/http_text.hpp"

namespace rr::cache {

using http_text::Equal;
using http_text::Next;
using http_text::StartsWith;

namespace {

constexpr std::string_view kSafe[] = {"GET", "HEAD", "OPTIONS", "TRACE"};
constexpr int kKept[] = {200, 203, 301, 302, 307, 308, 404, 410};
constexpr std::string_view kPassing[] = {
    "Content-Length", "Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "TE",
    "Proxy-Authenticate", "Proxy-Connection", "Age", "Trailer",
    // They speak of one client.
    "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"};
constexpr std::string_view kOfBody[] = {"Content-Type", "Content-Encoding", "Content-Language",
                                        "Content-Disposition", "Accept-Ranges"};
// They keep an answer from shared caches.
constexpr std::string_view kForbidden[] = {"no-store", "no-cache", "private"};

template <class Names>
bool IsOneOf(std::string_view name, const Names& names) {
    return std::any_of(std::begin(names), std::end(names),
                       [name](std::string_view each) { return Equal(each, name); });
}

}  // namespace

int64_t ParseSeconds(std::string_view text) {
    text = http_text::Trim(text);
    if (text.empty()) {
        return -1;
    }
    int64_t seconds = 0;
    for (char digit : text) {
        if (digit < '0' || digit > '9') {
            return -1;
        }
        seconds = std::min(seconds * 10 + (digit - '0'), kMostSeconds);
    }
    return seconds;
}

int64_t SharedMaxAge(std::string_view cache_control) {
    constexpr std::string_view kName = "s-maxage=";
    int64_t age = -1;
    for (std::string_view directive; Next(cache_control, ',', directive);) {
        if (IsOneOf(directive.substr(0, directive.find('=')), kForbidden)) {
            return 0;
        }
        if (StartsWith(directive, kName)) {
            std::string_view value = directive.substr(kName.size());
            if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
                value = value.substr(1, value.size() - 2);
            }
            age = std::max<int64_t>(ParseSeconds(value), 0);
        }
    }
    return age;
}

bool IsSafe(std::string_view method) {
    return std::find(std::begin(kSafe), std::end(kSafe), method) != std::end(kSafe);
}

bool IsKept(int status) {
    return std::find(std::begin(kKept), std::end(kKept), status) != std::end(kKept);
}

bool MatchesTag(std::string_view if_none_match, std::string_view etag) {
    if (etag.empty()) {
        return false;
    }
    for (std::string_view tag; Next(if_none_match, ',', tag);) {
        if (tag == "*" || http_text::Opaque(tag) == http_text::Opaque(etag)) {
            return true;
        }
    }
    return false;
}

bool IsPassing(std::string_view name) { return IsOneOf(name, kPassing); }

bool DescribesBody(std::string_view name) { return IsOneOf(name, kOfBody); }

}  // namespace rr::cache
