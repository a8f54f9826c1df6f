// What a worker reads in front of an event's body, and what it answers.
//
//   {"remote_addr":"127.0.0.1:43892","server":"main","uuid":"50a6c1ce-...","event":"CONNECTED"}
//   WRITE | WRITECLOSE | CONTINUE | CLOSE; anything else means CLOSE
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/uuid.hpp"

namespace rr::tcp {

enum class EventKind : uint8_t { kConnected, kData, kClose };
std::string_view NameOf(EventKind kind);

// Whose event it is.
struct Origin {
    Bytes remote_addr;
    Bytes server;
    const Uuid& uuid;
};

// Appends the room that a job needs in front (pool::kHeadroom) and the context; gives the context's
// size. `out` is empty; what is appended next is the body.
size_t BeginEvent(const Origin& origin, EventKind kind, Buffer& out);

struct Verb {
    bool write = false;
    bool close = false;
};
Verb ReadVerb(Bytes context);

// `127.0.0.1` of `127.0.0.1:40000`, `::1` of `[::1]:40000`, `@` of `@`.
Bytes WithoutPort(Bytes remote_addr);

}  // namespace rr::tcp
