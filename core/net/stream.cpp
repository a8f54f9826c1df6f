#include "core/net/stream.hpp"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "core/net/peer_text.hpp"
#include "core/net/stream_impl.hpp"

namespace rr::net {
namespace {

constexpr size_t kKeepQueue = 64 * 1024;  // a queue that a burst grew beyond is given back
constexpr size_t kScratch = 64 * 1024;
constexpr uint64_t kSendFileMost = 1024 * 1024;  // others want their turn
constexpr size_t kMaxSlices = 4;                 // more would make libuv allocate

}  // namespace

std::array<int, 2> ConnectedPair() {
    std::array<int, 2> ends{-1, -1};
    RR_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
    return ends;
}

std::span<char> ReadScratch() {
    static thread_local std::unique_ptr<char[]> scratch(new char[kScratch]);
    return {scratch.get(), kScratch};
}

Stream::Stream(Loop& loop, Kind kind, int descriptor, StreamHandler* handler,
               std::shared_ptr<TlsContext> tls, const std::string& host)
    : LoopBound(loop), handle_(new Handle), handler_(handler) {
    if (tls) {
        tls_ = std::make_unique<Tls>(std::move(tls), host);
    }
    handle_->owner = this;
    handle_->write.data = handle_;
    handle_->shutdown.data = handle_;
    int status;
    if (kind == Kind::kTcp) {
        uv_tcp_init(loop.raw(), &handle_->uv.tcp);
        status = uv_tcp_open(&handle_->uv.tcp, descriptor);
        int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    } else {
        uv_pipe_init(loop.raw(), &handle_->uv.pipe, 0);
        status = uv_pipe_open(&handle_->uv.pipe, descriptor);
    }
    handle_->uv.handle.data = handle_;
    if (status != 0) {
        close(descriptor);
        broken_ = true;
    }
}

Stream::~Stream() {
    loop_.ForgetTurnEnd(*this);
    handle_->owner = nullptr;
    handle_->orphan = std::move(in_flight_);
    uv_close(&handle_->uv.handle, [](uv_handle_t* h) { delete static_cast<Handle*>(h->data); });
}

void Stream::StartReading() {
    if (reading_ || broken_) {
        return;
    }
    if (tls_) {
        StartReadingTls();
        return;
    }
    reading_ = true;
    uv_read_start(
        &handle_->uv.stream,
        [](uv_handle_t* h, size_t, uv_buf_t* buf) noexcept {
            Stream* self = static_cast<Handle*>(h->data)->owner;
            auto memory = self != nullptr ? self->handler_->OnReadBuffer() : std::span<char>();
            *buf = uv_buf_init(memory.data(), static_cast<unsigned>(memory.size()));
        },
        [](uv_stream_t* s, ssize_t got, const uv_buf_t*) noexcept {
            Stream* self = static_cast<Handle*>(s->data)->owner;
            if (self == nullptr || got == 0) {
                return;
            }
            if (got > 0) {
                self->handler_->OnData(static_cast<size_t>(got));
                return;
            }
            if (got == UV_EOF) {
                self->StopReading();
                self->handler_->OnClosed(CloseReason::kEnd);
                return;
            }
            self->StopReading();
            self->broken_ = true;
            if (!self->reported_) {
                self->reported_ = true;
                self->handler_->OnClosed(CloseReason::kReset);
            }
        });
}

void Stream::StopReading() {
    bool was_reading = std::exchange(reading_, false);
    if (tls_) {
        WatchTls();
    } else if (was_reading) {
        uv_read_stop(&handle_->uv.stream);
    }
}

int64_t Stream::TryRead(char* out, size_t size) {
    return tls_ ? TryReadTls(out, size) : ReadSocket(out, size);
}

int64_t Stream::ReadSocket(char* out, size_t size) {
    uv_os_fd_t fd;
    // Also when writing has failed: the peer's last words may still be there.
    if (uv_fileno(&handle_->uv.handle, &fd) != 0) {
        return -1;
    }
    while (true) {
        ssize_t got = read(fd, out, size);
        if (got > 0) {
            return got;
        }
        if (got == 0) {
            return -1;
        }
        if (errno == EINTR) {
            continue;
        }
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
    }
}

int64_t Stream::TryWrite(const Bytes* slices, size_t count) {
    RR_ASSERT(count <= kMaxSlices);
    if (broken_) {
        return -1;
    }
    if (writing_ || !pending_.empty()) {
        return 0;
    }
    if (tls_) {
        return TryWriteTls(slices, count);
    }
    uv_buf_t buffers[kMaxSlices];
    for (size_t i = 0; i < count; ++i) {
        buffers[i] = uv_buf_init(const_cast<char*>(slices[i].data()),
                                 static_cast<unsigned>(slices[i].size()));
    }
    int wrote = uv_try_write(&handle_->uv.stream, buffers, static_cast<unsigned>(count));
    if (wrote >= 0) {
        return wrote;
    }
    if (wrote == UV_EAGAIN) {
        return 0;
    }
    broken_ = true;
    return -1;
}

int64_t Stream::SendFile(int file, uint64_t offset, uint64_t size) {
    if (broken_ || writing_) {
        return 0;
    }
    if (tls_) {
        int64_t sent = SendFileTls(file, offset, size);
        if (broken_) {
            loop_.AtTurnEnd(*this);  // reports it
        }
        return sent;
    }
    uv_os_fd_t fd;
    uv_fileno(&handle_->uv.handle, &fd);
    if (!pending_.empty() && handle_->uv.handle.type == UV_TCP) {
        // A head on its own would be a packet of its own, and wake the client for nothing.
        ssize_t went =
            send(fd, pending_.data(), pending_.size(), MSG_MORE | MSG_NOSIGNAL | MSG_DONTWAIT);
        pending_.Consume(went > 0 ? static_cast<size_t>(went) : 0);
    }
    bool sent_all = pending_.empty() || Send(pending_);
    if (sent_all) {
        off_t at = static_cast<off_t>(offset);
        ssize_t sent = sendfile(fd, file, &at, std::min<uint64_t>(size, kSendFileMost));
        if (sent >= 0) {
            return sent > 0 ? sent : -1;
        }
        broken_ = errno != EAGAIN && errno != EINTR;
    }
    if (broken_) {
        loop_.AtTurnEnd(*this);  // reports it
    }
    return 0;
}

void Stream::Queue(Bytes bytes) {
    pending_.Append(bytes);
    loop_.AtTurnEnd(*this);
}

size_t Stream::Untaken() const {
    uv_os_fd_t fd;
    int unsent = 0;
    bool known = uv_fileno(&handle_->uv.handle, &fd) == 0 && ioctl(fd, TIOCOUTQ, &unsent) == 0;
    return queued() + (known && unsent > 0 ? static_cast<size_t>(unsent) : 0);
}

int64_t Stream::UnreadInPipe() const {
    uv_os_fd_t fd;
    struct stat kind{};
    int unread = 0;
    bool known = uv_fileno(&handle_->uv.handle, &fd) == 0 && fstat(fd, &kind) == 0 &&
                 S_ISFIFO(kind.st_mode) && ioctl(fd, FIONREAD, &unread) == 0;
    return known ? unread : -1;
}

size_t Stream::queued() const {
    size_t size = pending_.size();
    if (writing_) {
        size += uv_stream_get_write_queue_size(&handle_->uv.stream);
    }
    return tls_ ? size + tls_->session.wire().size() : size;
}

void Stream::OnTurnEnd() {
    if (tls_ && tls_->due) {
        tls_->due = false;
        Handle* handle = handle_;
        AdvanceTls();
        if (handle->owner == nullptr) {
            return;
        }
    }
    Flush();
}

void Stream::Flush() {
    if (writing_ && !broken_) {
        return;
    }
    if (!broken_ && (tls_ ? FlushTls() : pending_.empty() || Send(pending_))) {
        pending_.Clear(kKeepQueue);
        if (shutdown_wanted_) {
            shutdown_wanted_ = false;
            uv_shutdown(&handle_->shutdown, &handle_->uv.stream, [](uv_shutdown_t*, int) {});
        }
        return;
    }
    if (broken_) {
        ReportReset();
    }
}

// Gives `out` to the kernel and what that does not take to libuv. True: all of it is gone.
bool Stream::Send(Buffer& out) {
    uv_buf_t all = uv_buf_init(out.data(), static_cast<unsigned>(out.size()));
    int wrote = uv_try_write(&handle_->uv.stream, &all, 1);
    if (wrote < 0 && wrote != UV_EAGAIN) {
        broken_ = true;
        return false;
    }
    if (wrote > 0) {
        out.Consume(static_cast<size_t>(wrote));
    }
    if (out.empty()) {
        return true;
    }
    in_flight_ = std::move(out);
    writing_ = true;
    uv_buf_t rest = uv_buf_init(in_flight_.data(), static_cast<unsigned>(in_flight_.size()));
    uv_write(&handle_->write, &handle_->uv.stream, &rest, 1,
             [](uv_write_t* w, int status) noexcept {
                 Stream* self = static_cast<Handle*>(w->data)->owner;
                 if (self != nullptr) {
                     self->FinishWrite(status);
                 }
             });
    return false;
}

void Stream::FinishWrite(int status) {
    writing_ = false;
    if (tls_) {
        TakeWireBack(in_flight_);
    }
    in_flight_.Clear(0);
    if (status != 0) {
        broken_ = true;
        ReportReset();
        return;
    }
    // What came meanwhile may go out at once, or break the stream, which may end this object.
    Handle* handle = handle_;
    Flush();
    if (handle->owner != nullptr && !broken_ && !writing_ && (!tls_ || tls_->secured)) {
        handler_->OnDrained();
    }
}

// A broken write is reported from a fresh stack: the caller may be in the middle of its own work.
void Stream::ReportReset() {
    DropQueued();
    if (reported_) {
        return;
    }
    reported_ = true;
    if (tls_ && tls_->secured) {
        HearLastWordsTls();
    } else if (tls_) {
        TlsSession& session = tls_->session;
        session.Lose("the " + std::string(session.peer()) + " left before the handshake was done");
    }
    StopReading();
    handler_->OnClosed(CloseReason::kReset);
}

void Stream::ShutdownWhenSent() {
    shutdown_wanted_ = true;
    loop_.AtTurnEnd(*this);
}

void Stream::Abort() {
    uv_os_fd_t fd;
    if (uv_fileno(&handle_->uv.handle, &fd) == 0) {
        // Zero linger turns the coming close into a RST.
        linger now{1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    broken_ = true;
    StopReading();
    DropQueued();
}

void Stream::DropQueued() {
    pending_.Clear();
    if (tls_) {
        tls_->session.wire().Clear(0);
    }
}

std::string Stream::PeerName() const {
    uv_os_fd_t fd;
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    if (uv_fileno(&handle_->uv.handle, &fd) != 0 ||
        getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
        return "";
    }
    if (peer.ss_family == AF_INET) {
        auto* v4 = reinterpret_cast<const sockaddr_in*>(&peer);
        return PeerText(false, reinterpret_cast<const uint8_t*>(&v4->sin_addr),
                        ntohs(v4->sin_port));
    }
    if (peer.ss_family == AF_INET6) {
        auto* v6 = reinterpret_cast<const sockaddr_in6*>(&peer);
        // An IPv4 client of `[::]` is shown as what it is, as Go does.
        bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
        const uint8_t* bytes = v6->sin6_addr.s6_addr;
        return PeerText(!mapped, mapped ? bytes + 12 : bytes, ntohs(v6->sin6_port));
    }
    return "@";
}

}  // namespace rr::net
