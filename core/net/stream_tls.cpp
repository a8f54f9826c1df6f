// Stream with TLS: the socket's bytes go through a TlsSession on their way.
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/net/stream_impl.hpp"

namespace rr::net {
namespace {

constexpr size_t kScratch = 64 * 1024;
constexpr size_t kRecord = 16 * 1024;
constexpr size_t kAtOnce = 64 * 1024;  // encrypted before the kernel is asked again
constexpr size_t kWireKept = 256 * 1024;
constexpr size_t kMostLastWords = 1024 * 1024;
constexpr uint64_t kSendFileMost = 1024 * 1024;  // others want their turn

// Ciphertext of a read; apart from ReadScratch(), where the handler wants the plaintext.
std::span<char> CipherScratch() {
    static thread_local std::unique_ptr<char[]> scratch(new char[kScratch]);
    return {scratch.get(), kScratch};
}

// Ciphertext on its way out needs memory for a moment only: the loop's streams share one piece.
Buffer& SpareWire() {
    static thread_local Buffer spare;
    return spare;
}

void LendWire(Buffer& wire) {
    if (wire.capacity() == 0) {
        wire = std::move(SpareWire());
    }
}

}  // namespace

void Stream::TakeWireBack(Buffer& wire) {
    if (wire.capacity() <= kWireKept && wire.capacity() > SpareWire().capacity()) {
        SpareWire() = std::exchange(wire, Buffer());
        SpareWire().Clear();
    }
    wire.Clear(0);  // an idle stream holds no memory
}

void Stream::Secure(std::shared_ptr<TlsContext> tls, Bytes received) {
    RR_ASSERT(!tls_);
    bool was_reading = reading_;
    StopReading();
    tls_ = std::make_unique<Tls>(std::move(tls), std::string());
    tls_->session.Feed(received);
    tls_->session.Keep();
    if (was_reading) {
        StartReading();
    }
}

const std::string& Stream::tls_fault() const {
    static const std::string none;
    return tls_ ? tls_->session.fault() : none;
}

std::string_view Stream::tls_protocol() const {
    return tls_ ? tls_->session.protocol() : std::string_view();
}

void Stream::StartReadingTls() {
    reading_ = true;
    tls_->started = true;
    if (tls_->session.HasInput() || tls_->session.begins() || tls_->ended) {
        tls_->due = true;
        loop_.AtTurnEnd(*this);
    }
    WatchTls();
}

// Until the handshake is done the socket is read whatever the handler wants of the plaintext.
void Stream::WatchTls() {
    bool wanted = !broken_ && !tls_->ended && (reading_ || (tls_->started && !tls_->secured));
    if (wanted == tls_->watching) {
        return;
    }
    tls_->watching = wanted;
    if (!wanted) {
        uv_read_stop(&handle_->uv.stream);
        return;
    }
    uv_read_start(
        &handle_->uv.stream,
        [](uv_handle_t*, size_t, uv_buf_t* buf) noexcept {
            auto memory = CipherScratch();
            *buf = uv_buf_init(memory.data(), static_cast<unsigned>(memory.size()));
        },
        [](uv_stream_t* s, ssize_t got, const uv_buf_t* buf) noexcept {
            Stream* self = static_cast<Handle*>(s->data)->owner;
            if (self == nullptr || got == 0) {
                return;
            }
            if (got < 0 && got != UV_EOF) {
                self->BreakTls();
                return;
            }
            if (got > 0) {
                self->tls_->session.Feed(Bytes(buf->base, static_cast<size_t>(got)));
            } else {
                self->tls_->ended = true;
                self->WatchTls();
            }
            self->AdvanceTls();
        });
}

// Handshake and delivery, as far as the bytes go and the handler wants them. From a fresh stack.
void Stream::AdvanceTls() {
    Handle* handle = handle_;
    bool goes_on = !broken_ && (tls_->secured || HandshakeTls()) && DeliverTls();
    if (handle->owner == nullptr) {
        return;
    }
    tls_->session.Keep();
    if (goes_on && !tls_->session.wire().empty()) {
        loop_.AtTurnEnd(*this);  // an answer of the protocol's own
    }
}

// True: it is done, and the Stream still there.
bool Stream::HandshakeTls() {
    Handle* handle = handle_;
    TlsSession::Status status = tls_->session.Handshake();
    if (status == TlsSession::Status::kFailed) {
        BreakTls();
        return false;
    }
    if (status == TlsSession::Status::kNeedMore) {
        if (tls_->ended) {
            BreakTls();
        } else {
            Flush();
        }
        return false;
    }
    tls_->secured = true;
    bool waited = !pending_.empty();
    WatchTls();
    Flush();
    if (handle->owner == nullptr || broken_) {
        return false;
    }
    bool drained = waited && queued() == 0;
    handler_->OnSecured();
    if (drained && handle->owner != nullptr && !broken_) {
        handler_->OnDrained();
    }
    return handle->owner != nullptr && !broken_;
}

// True: the Stream is still there.
bool Stream::DeliverTls() {
    Handle* handle = handle_;
    while (!broken_ && (reading_ || tls_->session.failed())) {
        switch (tls_->session.Ready()) {
            case TlsSession::Status::kData: {
                std::span<char> memory = handler_->OnReadBuffer();
                handler_->OnData(tls_->session.Read(memory.data(), memory.size()));
                break;
            }
            case TlsSession::Status::kNeedMore:
                if (!tls_->ended) {
                    return true;
                }
                [[fallthrough]];
            case TlsSession::Status::kEnd:
                StopReading();
                handler_->OnClosed(CloseReason::kEnd);
                return handle->owner != nullptr;
            case TlsSession::Status::kFailed: BreakTls(); return false;
        }
        if (handle->owner == nullptr) {
            return false;
        }
    }
    return true;
}

// The session or the socket is lost: the alert goes out, as far as the kernel takes it.
void Stream::BreakTls() {
    Buffer& alert = tls_->session.wire();
    if (!writing_ && !broken_ && !alert.empty()) {
        uv_buf_t all = uv_buf_init(alert.data(), static_cast<unsigned>(alert.size()));
        uv_try_write(&handle_->uv.stream, &all, 1);
    }
    broken_ = true;
    ReportReset();
}

// Writing failed: perhaps the peer said why before it left. What else it said nobody gets.
void Stream::HearLastWordsTls() {
    TlsSession& session = tls_->session;
    char ciphertext[kRecord];
    for (size_t heard = 0; heard < kMostLastWords && !session.failed();) {
        TlsSession::Status status = session.Ready();
        if (status == TlsSession::Status::kData) {
            heard += session.Read(ReadScratch().data(), ReadScratch().size());
            continue;
        }
        int64_t got = ReadSocket(ciphertext, sizeof(ciphertext));
        if (status != TlsSession::Status::kNeedMore || got <= 0) {
            break;
        }
        heard += static_cast<size_t>(got);
        session.Feed(Bytes(ciphertext, static_cast<size_t>(got)));
    }
    session.Keep();
}

int64_t Stream::TryReadTls(char* out, size_t size) {
    TlsSession& session = tls_->session;
    if (!tls_->secured) {
        return broken_ ? -1 : 0;
    }
    char ciphertext[kRecord];
    while (true) {
        TlsSession::Status status = session.Ready();
        bool data = status == TlsSession::Status::kData;
        int64_t took = data ? static_cast<int64_t>(session.Read(out, size)) : -1;
        session.Keep();
        if (status == TlsSession::Status::kFailed && !broken_) {
            tls_->due = true;  // the alert, and OnClosed
        }
        if (tls_->due || !session.wire().empty()) {
            loop_.AtTurnEnd(*this);
        }
        if (status != TlsSession::Status::kNeedMore) {
            return took;
        }
        int64_t got = ReadSocket(ciphertext, sizeof(ciphertext));
        if (got <= 0) {
            return got;
        }
        session.Feed(Bytes(ciphertext, static_cast<size_t>(got)));
    }
}

int64_t Stream::TryWriteTls(const Bytes* slices, size_t count) {
    TlsSession& session = tls_->session;
    if (!tls_->secured || !session.wire().empty()) {
        return 0;
    }
    int64_t taken = 0;
    size_t at = 0;  // in slices[0]
    while (count > 0) {
        // Slices share records: a head and its body are often small.
        char record[kRecord];
        size_t size = 0;
        while (count > 0 && size < sizeof(record)) {
            Bytes piece = slices->substr(at, sizeof(record) - size);
            std::copy(piece.begin(), piece.end(), record + size);
            size += piece.size();
            at += piece.size();
            if (at == slices->size()) {
                ++slices;
                --count;
                at = 0;
            }
        }
        LendWire(session.wire());
        if (!session.Write(Bytes(record, size))) {
            broken_ = true;
            return -1;
        }
        taken += static_cast<int64_t>(size);
        if (count == 0 || session.wire().size() >= kAtOnce) {
            if (!Send(session.wire())) {
                return broken_ ? -1 : taken;
            }
        }
    }
    TakeWireBack(session.wire());
    return taken;
}

// Encrypts as much as the kernel takes, and a piece more.
int64_t Stream::SendFileTls(int file, uint64_t offset, uint64_t size) {
    TlsSession& session = tls_->session;
    if (!tls_->secured) {
        return 0;
    }
    if (!session.wire().empty() || pending_.size() > kRecord) {
        if (!FlushTls()) {
            return 0;
        }
    } else if (!pending_.empty()) {
        // A head on its own would be a packet of its own, and wake the client for nothing.
        LendWire(session.wire());
        if (!session.Write(pending_.view())) {
            broken_ = true;
            return 0;
        }
        pending_.Clear();
    }
    static thread_local std::unique_ptr<char[]> piece(new char[kAtOnce]);
    size = std::min(size, kSendFileMost);
    uint64_t taken = 0;
    while (taken < size) {
        ssize_t got = pread(file, piece.get(), std::min<uint64_t>(size - taken, kAtOnce),
                            static_cast<off_t>(offset + taken));
        if (got <= 0) {
            loop_.AtTurnEnd(*this);  // the head
            return taken > 0 ? static_cast<int64_t>(taken) : -1;
        }
        LendWire(session.wire());
        if (!session.Write(Bytes(piece.get(), static_cast<size_t>(got)))) {
            broken_ = true;
            return 0;
        }
        taken += static_cast<uint64_t>(got);
        if (!Send(session.wire())) {
            break;
        }
        TakeWireBack(session.wire());
    }
    return broken_ ? 0 : static_cast<int64_t>(taken);
}

// Encrypts the queue and sends it in pieces. True: nothing is left.
bool Stream::FlushTls() {
    TlsSession& session = tls_->session;
    while (true) {
        if (tls_->secured && !pending_.empty()) {
            size_t size = std::min(pending_.size(), kAtOnce);
            LendWire(session.wire());
            if (!session.Write(Bytes(pending_.data(), size))) {
                broken_ = true;
                return false;
            }
            pending_.Consume(size);
        } else if (tls_->secured && shutdown_wanted_ && !tls_->closed) {
            tls_->closed = true;
            session.Close();
        }
        if (session.wire().empty()) {
            return pending_.empty();
        }
        if (!Send(session.wire())) {
            return false;
        }
        TakeWireBack(session.wire());
    }
}

}  // namespace rr::net
