// Listener: a bound address that hands out connections.
//
// Bind() may happen on the main thread, before the loop runs; Accept() starts on the loop.
//
// Thread: Bind on any thread; the rest on its loop.
// Owns:   the listening descriptor, and a Unix socket's file, which it removes at the end.
// Fails:  Bind: kExists if somebody listens there already, kIo otherwise, with the address in the
//         text. Running out of descriptors pauses accepting for 100 ms and is logged by the owner
//         through OnTrouble.
#pragma once

#include <memory>
#include <string>

#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/net/address.hpp"
#include "core/net/stream.hpp"
#include "core/net/timer.hpp"

namespace rr::net {

struct ListenOptions {
    int backlog = 4096;
    bool reuse_port = false;    // SO_REUSEPORT: share the port with other processes
    int unix_mode = -1;         // of a Unix socket's file; -1: by umask
    int64_t unix_owner = -1;    // uid; -1: ours
    int keepalive_seconds = 0;  // of TCP: idle time before the first probe; 0: no probes
};

class Listener final : private LoopBound {
public:
    // Binds and listens; connections wait in the kernel until Accept().
    static Result<std::unique_ptr<Listener>> Bind(Loop& loop, const Address& address,
                                                  const ListenOptions& options);
    // Takes over a listening socket that a predecessor left (re-exec).
    static Result<std::unique_ptr<Listener>> Adopt(Loop& loop, const Address& address,
                                                   int descriptor);
    ~Listener();

    // accepted: a connected descriptor, non-blocking, close-on-exec; the callee owns it.
    using Accepted = Callback<void(int descriptor, Stream::Kind kind)>;
    using Trouble = Callback<void(const std::string& text)>;
    void Accept(Accepted accepted, Trouble trouble);

    // Accepts what already waits, then closes: no connection that the kernel completed is reset.
    void Drain();

    // The address with the port that the kernel chose.
    const Address& address() const { return address_; }
    int descriptor() const { return descriptor_; }

private:
    struct Handle;
    Listener(Loop& loop, Address address, int descriptor);
    void Watch();
    void TakeAll();
    void Close();

    Address address_;
    int descriptor_;
    bool owns_file_ = false;
    Handle* handle_ = nullptr;
    Accepted accepted_;
    Trouble trouble_;
    std::unique_ptr<Timer> pause_;  // runs while descriptors are short
};

}  // namespace rr::net
