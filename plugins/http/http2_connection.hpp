// Http2Connection: one client's HTTP/2 conversation (RFC 9113) by nghttp2: frames, streams, windows.
//
// What the answer of each stream becomes is decided where HTTP/1.1's is (AnswerWriter); here it only
// goes into frames, as far as the client's windows and the socket's queue let it. A request's body is
// acknowledged once it is stored, so that a slow disk slows the client and nothing else.
//
// Bounded: streams, bytes of heads and numbers of fields, frames that cost us and bring nothing
// (resets, pings, settings, priorities, empty ones: GOAWAY with ENHANCE_YOUR_CALM), continuations and
// acknowledgements (nghttp2).
//
// Thread: its loop.
// Owns:   its stream of bytes and its streams. The server owns it, and deletes it in Remove.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/loop.hpp"
#include "core/net/stream.hpp"
#include "plugins/http/client.hpp"
#include "plugins/http/head.hpp"
#include "plugins/http/http2_stream.hpp"

namespace rr::http {

class HttpServer;

class Http2Connection final : public Client, private net::StreamHandler, private Flushable {
public:
    Http2Connection(HttpServer& server, std::unique_ptr<net::Stream> stream, std::string peer);
    ~Http2Connection() override;

    // received: bytes of the conversation that were read already.
    void Start(Bytes received);
    // Before Start, if the conversation began as HTTP/1.1: settings are the decoded HTTP2-Settings, and
    // `head` is the request that becomes stream 1. False: the settings make no sense.
    bool Upgrade(Bytes settings, const RequestHead& head);

    // In front of all frames.
    void Queue(Bytes bytes) { stream_->queue().Append(bytes); }

    // Client
    void Start() override { Start({}); }
    const std::string& peer() const override { return peer_; }
    void OnTimeout() override;
    void OnTick(int64_t now_ms, int64_t write_ms) override;
    void OnDrain() override;

    // For its streams.
    HttpServer& server() const { return server_; }
    bool secure() const { return secure_; }
    // The client may send `size` bytes more.
    void Consume(int32_t stream_id, size_t size);
    void RunLater(Http2Stream& stream);
    void ResumeLater(Http2Stream& stream);
    void SubmitHead(Http2Stream& stream, int status, std::span<const AnswerField> fields,
                    bool body);
    void HasOutput(Http2Stream& stream);
    // The answer is cut.
    void Reset(Http2Stream& stream);

private:
    static constexpr size_t kQueueMost = 128 * 1024;  // frames ahead of the socket
    static constexpr int32_t kWindow = 1024 * 1024;
    static constexpr int64_t kDrainNoticeMs = 1000;  // between the two GOAWAYs of a shutdown
    static constexpr uint32_t kPatience = 2000;      // frames without use, in a burst
    static constexpr uint32_t kPatienceBack = 100;   // regained per tick
    static constexpr size_t kSpareStreams = 16;

    struct Callbacks;
    friend struct Callbacks;

    // net::StreamHandler
    std::span<char> OnReadBuffer() override;
    void OnData(size_t size) override;
    void OnClosed(net::CloseReason reason) override;
    void OnDrained() override;
    // Flushable
    void OnTurnEnd() override;

    void Receive(Bytes in);
    void RunReady();
    bool Write();
    void Touch();
    void Linger();
    void SubmitTrailers(Http2Stream& stream);
    void Spend(uint32_t cost);
    void Count(int32_t stream_id);

    Http2Stream& Open(int32_t stream_id);
    void Close(Http2Stream& stream);
    Http2Stream* Find(int32_t stream_id) const;

    HttpServer& server_;
    std::unique_ptr<net::Stream> stream_;
    const std::string peer_;
    const bool secure_;
    nghttp2_session* session_ = nullptr;
    std::vector<std::unique_ptr<Http2Stream>> streams_;
    std::vector<std::unique_ptr<Http2Stream>> spare_;
    std::vector<int32_t> ready_;  // to be run once the input is read
    bool paused_ = false;         // a worker waits for the client
    bool lingering_ = false;
    bool failed_ = false;  // nghttp2 has given up: only its last words are still to be sent
    // Numbers that were left out: they can't be used any more.
    struct Gap {
        int32_t from;
        int32_t to;
    };
    static constexpr size_t kGaps = 16;
    std::vector<Gap> gaps_;
    int32_t last_id_ = -1;
    uint32_t patience_ = kPatience;
    int64_t drain_ms_ = 0;  // when the first GOAWAY went
    bool drained_ = false;  // the second one, too
    uint64_t sent_ = 0;     // bytes given to the socket's queue
    WriteWatch write_watch_;
    std::vector<nghttp2_nv> fields_;  // scratch
};

}  // namespace rr::http
