// Conditions: If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since and If-Range, in the
// order of RFC 9110 and with the tolerance of Go's net/http.
//
// Thread: pure functions.
#pragma once

#include <cstdint>

#include "core/base/bytes.hpp"

namespace rr::files {

// The lines of a request that ask for a state or a part of a file; empty: absent.
struct ConditionFields {
    Bytes if_match;
    Bytes if_unmodified_since;
    Bytes if_none_match;
    Bytes if_modified_since;
    Bytes if_range;
    Bytes range;

    // Takes a request's field if it is one of these; the first of each counts.
    void Take(Bytes name, Bytes value);
    bool any() const { return any_; }

private:
    bool any_ = false;
};

// The state that a file is in.
struct Validators {
    Bytes etag;                    // with its quotes, and W/ in front of a weak one; empty: none
    int64_t modified_seconds = 0;  // since 1970
    // A strong etag is being computed, and begins with this; empty: none is.
    Bytes pending = {};
};

enum class Verdict : uint8_t {
    kSend,
    kNotModified,         // 304
    kPreconditionFailed,  // 412
};

// safe: GET or HEAD.
Verdict Judge(const ConditionFields& fields, const Validators& file, bool safe);

// False: it is not sure that a part is wanted of this state, and all of the file is to be sent.
bool RangeCounts(const ConditionFields& fields, const Validators& file);

// `"a"`, `W/"b"`: the first of a list, which is taken off; empty: none, or a broken one.
Bytes TakeETag(Bytes& list);

}  // namespace rr::files
