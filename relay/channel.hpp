// Channel: Goridge frames to and from one worker, over pipes or a socket, in either dialect.
//
// Both dialects look alike from above: a v2 context and its body arrive as one frame with option[0].
// Answers up to kWhole bytes are handed over whole; larger ones piece by piece as they arrive, so
// that memory stays bounded whatever a worker sends.
//
// Thread: its loop.
// Owns:   the streams and the bytes read so far. Borrows the handler, which outlives it.
// Fails:  OnBroken once: end of file, a bad frame, a failed write. Nothing comes after it. It never
//         comes inside Send.
#pragma once

#include <memory>
#include <string>

#include "core/base/loop.hpp"
#include "core/net/stream.hpp"
#include "core/net/timer.hpp"
#include "relay/frame.hpp"
#include "relay/handshake.hpp"

namespace rr::relay {

class ChannelHandler {
public:
    // A frame begins: its options and context are here. whole: so is its body; otherwise OnBody
    // brings it. False pauses reading until Channel::Resume.
    virtual bool OnFrame(const FrameHeader& header, Bytes context, Bytes body, bool whole) = 0;
    virtual bool OnBody(Bytes piece, bool last) = 0;
    // ended: the worker closed its side (mid_frame() tells whether inside a frame). Otherwise `what`
    // says what broke. `garbage` shows what was read and is no whole frame.
    virtual void OnBroken(bool ended, const char* what, Bytes garbage) = 0;
    // What did not fit at once has gone out.
    virtual void OnSent() {}

protected:
    ~ChannelHandler() = default;
};

class Channel final : private net::StreamHandler {
public:
    static constexpr size_t kWhole = 128 * 1024;
    static constexpr size_t kMaxContext = 16 * 1024 * 1024;
    static constexpr size_t kPadding = 64;  // readable bytes behind a context
    // A frame that has begun goes on within this time, or the channel is broken: a short text that
    // somebody printed would otherwise be waited on for ever.
    static constexpr Duration kHeaderPatience = std::chrono::milliseconds(250);
    static constexpr Duration kFramePatience = std::chrono::seconds(10);

    // Pipes: `in` is what the worker reads, `out` what it writes.
    Channel(Loop& loop, Dialect dialect, int in, int out, ChannelHandler& handler);
    // A socket.
    // max_payload: a larger frame is refused (strangers get little memory).
    Channel(Loop& loop, Dialect dialect, int socket, net::Stream::Kind kind,
            ChannelHandler& handler, uint32_t max_payload = UINT32_MAX);

    // Writes now what the kernel takes and copies the rest into a queue (OnSent tells when it is
    // out). False: broken; OnBroken follows.
    bool Send(const Bytes* slices, size_t count);
    bool Send(Bytes bytes) { return Send(&bytes, 1); }
    // All or nothing, without a queue: false if it would have to wait.
    bool TrySend(Bytes bytes);
    // The worker reads no more; what it wrote may still come.
    bool write_broken() const { return write_broken_; }
    bool sending() const { return writer_->queued() > 0; }
    // All bytes that were handed to Send and TrySend. With it: whether the worker has read any of
    // them since then; false also where that can't be known (sockets).
    uint64_t sent() const { return sent_; }
    bool NoneRead(uint64_t since) const;

    // Looks, without waiting, whether the worker wrote something nobody asked for.
    enum class Unsolicited : uint8_t { kNone, kBytes, kEnded };
    Unsolicited Peek();

    // Reads and handles what is there until the end; for a worker that has exited.
    void DrainOutput();

    void Resume();
    bool paused() const { return paused_; }

    // Bytes of a frame that has begun and not ended are waiting.
    bool mid_frame() const { return body_left_ > 0 || !input_.empty(); }

    Dialect dialect() const { return dialect_; }

private:
    enum class Step : uint8_t { kMore, kStop };

    net::StreamHandler* AsHandler() { return this; }
    std::span<char> OnReadBuffer() override;
    void OnData(size_t size) override;
    void OnClosed(net::CloseReason reason) override;
    void OnDrained() override;

    void Parse();
    void ParseAll();
    Step ParseV3();
    Step ParseV2();
    Step Deliver(const FrameHeader& header, size_t header_size);
    Step DeliverBody();
    void Break(bool ended, const char* what);
    void WatchFrame();
    void OnPatienceEnded();

    // The worker's input. Its end is no end of the worker's output.
    struct WriteEnd final : net::StreamHandler {
        explicit WriteEnd(Channel& c) : channel(c) {}
        std::span<char> OnReadBuffer() override { return {}; }
        void OnData(size_t) override {}
        void OnClosed(net::CloseReason) override { channel.write_broken_ = true; }
        void OnDrained() override { channel.OnDrained(); }
        Channel& channel;
    };

    Loop& loop_;
    const uint32_t max_payload_;
    Dialect dialect_;
    ChannelHandler& handler_;
    WriteEnd write_end_{*this};
    std::unique_ptr<net::Stream> reader_;  // pipes: the output; else null
    std::unique_ptr<net::Stream> writer_;  // pipes: the input; else the socket
    Buffer input_;
    std::unique_ptr<net::Timer> patience_;  // from the first frame that came in parts
    uint64_t received_ = 0;                 // bytes; tells progress
    uint64_t received_then_ = 0;            // when the timer was armed
    uint64_t sent_ = 0;
    uint64_t body_left_ = 0;  // of a frame that is delivered in pieces
    bool paused_ = false;
    bool broken_ = false;
    bool write_broken_ = false;
    bool unsolicited_ = false;
    bool parsing_ = false;
};

}  // namespace rr::relay
