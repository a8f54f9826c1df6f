// CookieJar: the decoded cookies of one request.
//
// From every Cookie line, split on `;`: the name must be a token; quotes around the value go; a
// value with `"`, `\`, control bytes or bytes above 0x7e drops the cookie; then `+` and %XX are
// decoded, a bad escape drops it. The last of a name wins. More than 3000: none at all.
//
// Thread: a plain object. Owns: the decoded bytes, reused. Fails: never.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/bytes.hpp"

namespace rr::http {

class CookieJar {
public:
    static constexpr size_t kMost = 3000;

    void Clear();
    // Reads one Cookie line; call for each, in order.
    void Add(Bytes line);

    size_t size() const { return cookies_.size(); }
    Bytes name(size_t i) const { return cookies_[i].name; }
    Bytes value(size_t i) const { return {decoded_.data() + cookies_[i].at, cookies_[i].size}; }

private:
    struct Cookie {
        Bytes name;  // onto the line
        uint32_t at;
        uint32_t size;
        uint32_t hash;
    };
    Cookie* Find(Bytes name, uint32_t hash);
    void Index(uint32_t hash, size_t position);
    void Rehash();

    std::vector<Cookie> cookies_;
    Buffer decoded_;
    std::vector<uint16_t> table_;  // positions + 1 by hash; used once cookies_ is long
    size_t parts_ = 0;             // pieces seen, counted even if dropped
    bool too_many_ = false;
};

}  // namespace rr::http
