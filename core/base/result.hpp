// Result<T>: a value, or the Error that stands in its place.
//
//   return Fail(Errc::kInvalid, "bad length");         // fails
//   if (!r) { return Forward(r); }                     // hands an error on
//   if (!r) { return Forward(r, "http: pool"); }       // ... with context in front
#pragma once

#include <source_location>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

#include "core/base/error.hpp"

namespace rr {

// A class and not an alias: only so does GCC warn about a Result nobody looked at.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
public:
    using tl::expected<T, Error>::expected;
};

[[nodiscard]] inline tl::unexpected<Error> Fail(
    Errc code, std::string message, std::source_location at = std::source_location::current()) {
    return tl::unexpected<Error>(Error(code, std::move(message), at));
}

template <class T>
[[nodiscard]] tl::unexpected<Error> Forward(Result<T>& failed) {
    return tl::unexpected<Error>(std::move(failed.error()));
}

template <class T>
[[nodiscard]] tl::unexpected<Error> Forward(Result<T>& failed, std::string_view context) {
    return tl::unexpected<Error>(std::move(failed.error()).Wrap(context));
}

}  // namespace rr
