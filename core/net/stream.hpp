// Stream: one connected TCP or Unix socket, or one end of a pipe, on a loop.
//
// Reading goes into memory that the handler lends for each read: an idle stream holds none.
// Writing has two ways that may be mixed: TryWrite() now, and Queue(), which collects and is
// flushed once at the end of the loop's turn.
//
// With a TlsContext all of that is plaintext, and the calls keep their meaning. StartReading starts
// the handshake too; what is queued before it is done waits for it.
//
// Thread: its loop. LoopBound.
// Owns:   the descriptor and what is queued. Borrows the handler, which outlives it.
// Fails:  OnClosed(error) comes once, for an end of file or an error in either direction; it never
//         comes inside a call of ours, and not after Close().
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/loop.hpp"

namespace rr::net {

class TlsContext;

enum class CloseReason : uint8_t {
    kEnd,    // the peer finished sending (a half-close or a close)
    kReset,  // the peer is gone: ECONNRESET, EPIPE and the like
};

class StreamHandler {
public:
    // Memory for the next read, at least one byte; asked for only when data is there. The loop's
    // shared scratch (ReadScratch) is a good answer for data that is consumed inside OnData.
    virtual std::span<char> OnReadBuffer() = 0;
    // `size` bytes are at the start of that memory.
    virtual void OnData(size_t size) = 0;
    // After kEnd writing is still possible; after kReset nothing is.
    virtual void OnClosed(CloseReason reason) = 0;
    // What was queued has gone out (called only if a flush could not finish at once).
    virtual void OnDrained() {}
    // TLS: the handshake is done, before the first OnData. A failed one is OnClosed(kReset), and
    // Stream::tls_fault() says why.
    virtual void OnSecured() {}

protected:
    ~StreamHandler() = default;
};

class Stream final : private LoopBound, private Flushable {
public:
    // Takes the descriptor over. kPipe also serves FIFOs and Unix sockets. host: a TLS client's: whose
    // certificate the server must have.
    enum class Kind : uint8_t { kTcp, kPipe };
    Stream(Loop& loop, Kind kind, int descriptor, StreamHandler* handler,
           std::shared_ptr<TlsContext> tls = nullptr, const std::string& host = {});
    // Closes at once; queued bytes are lost (see CloseWhenSent).
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    // Speaks TLS from here on; `received` is what was read of it already. OnSecured comes later.
    void Secure(std::shared_ptr<TlsContext> tls, Bytes received);
    // It speaks TLS, or is going to.
    bool secure() const { return tls_ != nullptr; }
    // Why the handshake or what followed failed, for a person; empty if TLS did not.
    const std::string& tls_fault() const;
    // What ALPN chose; empty without a choice, or without TLS.
    std::string_view tls_protocol() const;

    void SetHandler(StreamHandler* handler) { handler_ = handler; }

    void StartReading();
    void StopReading();
    bool reading() const { return reading_; }

    // Reads without waiting and without the handler: bytes read, 0 if nothing is there, -1 at the
    // end or on an error.
    int64_t TryRead(char* out, size_t size);

    // Writes what the kernel takes right now and returns how much; 0 if queued bytes are ahead or
    // the kernel is full; -1 if the stream is broken. At most 4 slices.
    int64_t TryWrite(const Bytes* slices, size_t count);

    // Sends a part of a file, behind what is queued: how many bytes went; 0 if the kernel is full: queue
    // the next bytes instead; -1 if the file ends before `offset`. Without TLS the kernel does it from
    // its cache; with TLS a piece that was encrypted already may still wait.
    int64_t SendFile(int file, uint64_t offset, uint64_t size);

    // Copies `bytes` behind what is queued; goes out at the end of this turn.
    void Queue(Bytes bytes);
    // The queue itself, to write into without a copy; call Flushed() after adding to it.
    Buffer& queue() { return pending_; }
    void Flushed() { loop_.AtTurnEnd(*this); }
    // Bytes queued or in flight, without those that the kernel already took.
    size_t queued() const;

    // Sends the queue now instead of at the end of the turn.
    void Flush();

    // Half-closes after the queue went out: the peer sees the end of our answers.
    void ShutdownWhenSent();

    // A final RST instead of FIN: the peer sees that the answer was cut. TCP only.
    void Abort();

    bool broken() const { return broken_; }

    // Of a socket: queued, or with the kernel and not yet taken by the peer. Falls while a slow peer
    // reads, which queued() may not do for a long time.
    size_t Untaken() const;
    // Of a pipe's writing end: bytes that the kernel took and nobody has read; -1: not known, as for
    // every socket.
    int64_t UnreadInPipe() const;

    // `127.0.0.1:40000`, `[::1]:40000`, or `@` for a Unix socket.
    std::string PeerName() const;

private:
    struct Handle;
    void OnTurnEnd() override;
    void ReportReset();
    void FinishWrite(int status);
    bool Send(Buffer& out);
    void DropQueued();
    int64_t ReadSocket(char* out, size_t size);

    // With TLS: stream_tls.cpp.
    struct Tls;
    void StartReadingTls();
    void WatchTls();
    void AdvanceTls();
    bool HandshakeTls();
    bool DeliverTls();
    void BreakTls();
    void HearLastWordsTls();
    int64_t TryReadTls(char* out, size_t size);
    int64_t TryWriteTls(const Bytes* slices, size_t count);
    int64_t SendFileTls(int file, uint64_t offset, uint64_t size);
    bool FlushTls();
    static void TakeWireBack(Buffer& wire);

    Handle* handle_;  // freed by libuv's close callback
    StreamHandler* handler_;
    std::unique_ptr<Tls> tls_;  // null: plain
    Buffer pending_;
    Buffer in_flight_;
    bool reading_ = false;
    bool writing_ = false;
    bool broken_ = false;
    bool reported_ = false;
    bool shutdown_wanted_ = false;
};

// Two connected ends without a name, non-blocking: for tests.
std::array<int, 2> ConnectedPair();

// 64 KiB per loop thread, for data that is consumed before the callback returns.
std::span<char> ReadScratch();

}  // namespace rr::net
