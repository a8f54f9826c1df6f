// UrlPath: the path of a request as the name of a file below a folder.
//
// It is decoded once, and is then a name like any other: no second decoding, and what opens it
// (root.hpp) does not rely on it being harmless.
//
// Thread: pure functions.
#pragma once

#include <string>

#include "core/base/bytes.hpp"

namespace rr::files {

struct UrlPath {
    enum class Kind : uint8_t {
        kFile,    // `name` is relative, without empty parts and `.`; `a/b.css`
        kFolder,  // the same, and a slash followed it; empty: the root itself
        kUp,      // `..` is in it, even within a name: RoadRunner refuses all of these
        kNone,    // it can be no file's name: broken escapes, NUL, a backslash, no path at all
    };
    Kind kind = Kind::kNone;
    Bytes name;  // a view onto the target or onto `scratch`
};

// target: `/path?query`, or `http://host/path?query`, as the client sent it.
UrlPath ParseUrlPath(Bytes target, std::string& scratch);

// A name as a path of a URL again: `/` in front, and what needs it escaped.
std::string EncodeUrlPath(Bytes name);

// Of the last part, without its dot, in the case in which it stands there: `css`; empty without one.
Bytes ExtensionOf(Bytes name);

}  // namespace rr::files
