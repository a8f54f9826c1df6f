// MediaType: `type/subtype; name=value; ...`, as in Content-Type and Content-Disposition, read with
// the tolerance of Go's mime package (MSIE backslashes, RFC 2231 names, trailing semicolons).
//
// Thread: a plain value. Fails: Parse returns the reason as text, empty if there is none.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"

namespace rr::http {

struct MediaType {
    std::string type;                                             // lower case
    std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case

    // Null if absent.
    const std::string* Find(Bytes name) const;
};

// Empty: `out` is filled. Else why not, in Go's words; out.type may be filled all the same.
Bytes ParseMediaType(Bytes text, MediaType& out);

}  // namespace rr::http
