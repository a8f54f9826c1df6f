// Inbox: what a client sent and no event has taken yet.
//
// Its buffer begins with the context of the DATA event that its bytes will be, so that most messages
// become an event without being copied. An empty inbox holds no buffer.
//
// Thread: its loop.
// Owns:   the buffer. Borrows the server, which lends it.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/bytes.hpp"
#include "core/net/stream.hpp"
#include "plugins/tcp/context.hpp"
#include "plugins/tcp/framing.hpp"

namespace rr::tcp {

class TcpServer;

class Inbox {
public:
    Inbox(TcpServer& server, const Framing& framing) : server_(server), framing_(framing) {}

    // Memory for the next read; then Add what it brought.
    std::span<char> Room();
    void Add(const Origin& origin, size_t size);
    void Add(const Origin& origin, Bytes bytes);
    // Reads on while there is more, up to `most` bytes, of which `size` came with the read before; 0:
    // there was none. Gives what all of them brought.
    size_t ReadOn(net::Stream& stream, size_t size, size_t most);

    bool empty() const { return buffer_.empty(); }
    size_t size() const { return Unread().size(); }

    // The next message; kNone: not complete. most: bytes of a message.
    Message Next(uint64_t most) { return splitter_.Next(framing_, Unread(), most); }
    // Makes an event of `size` bytes: `event` is its buffer, the result the size of its context.
    size_t Take(const Origin& origin, size_t size, Buffer& event);

    // Before more is read behind what was not taken.
    void Compact();
    void Clear();

private:
    static constexpr size_t kRead = 64 * 1024;
    Bytes Unread() const {
        return buffer_.empty() ? Bytes() : buffer_.view().substr(context_ + taken_);
    }
    void Begin(const Origin& origin);

    TcpServer& server_;
    const Framing& framing_;
    Splitter splitter_;
    Buffer buffer_;
    size_t context_ = 0;   // bytes in front: headroom and context
    size_t taken_ = 0;     // bytes behind them that are used up
    bool direct_ = false;  // the last Room was in the buffer; else the scratch
};

}  // namespace rr::tcp
