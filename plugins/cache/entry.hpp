// Entry: an answer that is kept, and what a request must be like to get it.
//
// Thread: constant once it is in a Store.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/http_middleware.hpp"
#include "core/base/time.hpp"

namespace rr::cache {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// What is asked for, whoever asks. Views onto a request, or onto an entry.
struct Resource {
    bool secure = false;
    std::string_view host;    // compared without case
    std::string_view target;  // as it was sent

    bool operator==(const Resource& other) const;
    uint64_t Hash() const;
};

// Path and query of a target, which may be `http://host/path?query`.
std::string_view PathOf(std::string_view target);

struct Entry {
    bool secure = false;
    std::string host;
    std::string target;
    Pairs vary;  // names of the answer's Vary, and what the request had there

    int status = 200;
    Pairs headers;
    std::string body;
    std::string etag;
    std::string last_modified;
    Instant made{};
    Instant expires{};

    Resource resource() const { return {secure, host, target}; }
    // Of memory, about.
    int64_t Size() const;
};

// All that the request says under `name`, in a form in which equal wishes are equal texts.
std::string WishOf(const HttpRequest& request, std::string_view name);

// True if the request says the same as the one that `vary` was taken from.
bool Suits(const Pairs& vary, const HttpRequest& request);

}  // namespace rr::cache
