// Origins: whom the user lets read answers across origins. The only includer of RE2.
//
// Thread: any; constant.
// Fails:  a pattern that RE2 can't read.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace re2 {
class RE2;
}

namespace rr::headers {

class Origins {
public:
    // Every origin.
    Origins() = default;

    // `https://a.example`, `https://*.example` (one `*` stands for any text), `*`; compared without
    // case. None at all: every origin.
    static Origins Listed(const std::vector<std::string>& origins);
    // What contains a match of `pattern`, in RE2's syntax, which is Go's.
    static Result<Origins> Matching(const std::string& pattern);

    // Every origin may: it need not be named in the answer.
    bool all() const { return exact_.empty() && parts_.empty() && regex_ == nullptr; }
    bool Allow(std::string_view origin) const;

private:
    struct Parts {
        std::string before;
        std::string behind;
    };
    std::vector<std::string> exact_;  // in lower case, like parts_
    std::vector<Parts> parts_;        // around a `*`
    std::shared_ptr<const re2::RE2> regex_;
};

}  // namespace rr::headers
