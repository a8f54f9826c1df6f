// What to do with a request's body, by method and Content-Type.
//
// Thread: values only.
#pragma once

#include <cstdint>

#include "plugins/http/head.hpp"

namespace rr::http {

enum class BodyKind : uint8_t {
    kIgnored,    // HEAD, OPTIONS: read and dropped; PHP gets nothing, parsed = false
    kRaw,        // passed on as it is, parsed = false
    kForm,       // urlencoded: ParseForm over the whole body, parsed = true
    kFormEmpty,  // urlencoded with another method than POST, PUT, PATCH: read and dropped; the tree
                 // is empty, parsed = true
    kMultipart,  // MultipartParser, parsed = true
};

// raw_body: forms are not parsed.
BodyKind ClassifyBody(const RequestHead& head, bool raw_body);

}  // namespace rr::http
