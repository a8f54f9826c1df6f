// Error: what went wrong, for a program (code), for a person (message) and for us (at).
//
// Thread: a plain value.
#pragma once

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>

namespace rr {

enum class Errc : uint8_t {
    kInvalid,      // input that breaks its format
    kConfig,       // configuration; the message already has its `file:line: key:` form
    kNotFound,     // a file, a command, a name
    kExists,       // already there
    kDenied,       // permission
    kTimeout,      // a limit in time passed
    kClosed,       // the other side, or this object, is gone
    kBusy,         // a limit in number was reached
    kUnsupported,  // known, but not built or not possible here
    kIo,           // the operating system said no; the message has its text
    kProtocol,     // a peer broke the wire format
    kProcess,      // a child process failed
    kCancelled,    // given up on request
    kInternal,     // a broken promise inside rr
};

struct Error {
    Errc code = Errc::kInternal;
    std::string message;
    std::source_location at;

    explicit Error(Errc c, std::string text,
                   std::source_location where = std::source_location::current())
        : code(c), message(std::move(text)), at(where) {}

    // Adds context in front: Wrap("http") turns "pool: timeout" into "http: pool: timeout".
    Error&& Wrap(std::string_view context) && {
        message.insert(0, ": ").insert(0, context);
        return std::move(*this);
    }
};

}  // namespace rr
