// What stream.cpp and stream_tls.cpp share.
#pragma once

#include <memory>

#include <uv.h>

#include "core/net/stream.hpp"
#include "core/net/tls_session.hpp"

namespace rr::net {

// Lives until libuv's close callback, longer than the Stream: a write may still be in flight there,
// so the bytes it reads move here when the Stream dies. Code that called a handler asks `owner`
// whether the Stream still is.
struct Stream::Handle {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } uv;
    Stream* owner;
    uv_write_t write;
    uv_shutdown_t shutdown;
    Buffer orphan;
};

// What a Stream with TLS has more.
struct Stream::Tls {
    Tls(std::shared_ptr<TlsContext> context, const std::string& host)
        : session(std::move(context), host) {}

    TlsSession session;
    bool started = false;   // StartReading was called: the handshake runs
    bool watching = false;  // libuv reads
    bool secured = false;   // the handshake is done
    bool due = false;       // what was decrypted or kept is delivered at the turn's end
    bool ended = false;     // the socket has no more
    bool closed = false;    // close_notify is sent
};

}  // namespace rr::net
