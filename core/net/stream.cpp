#include "core/net/stream.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

namespace rr::net {
namespace {

constexpr size_t kKeepQueue = 64 * 1024;  // a queue that a burst grew beyond is given back
constexpr size_t kScratch = 64 * 1024;
constexpr size_t kMaxSlices = 4;  // more would make libuv allocate

}  // namespace

// Lives until libuv's close callback, longer than the Stream: a write may still be in flight there,
// so the bytes it reads move here when the Stream dies.
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
               std::shared_ptr<TlsContext>)
    : LoopBound(loop), handle_(new Handle), handler_(handler) {
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
    if (reading_) {
        reading_ = false;
        uv_read_stop(&handle_->uv.stream);
    }
}

int64_t Stream::TryRead(char* out, size_t size) {
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
    return pending_.size() + (writing_ ? uv_stream_get_write_queue_size(&handle_->uv.stream) : 0);
}

void Stream::OnTurnEnd() { Flush(); }

void Stream::Flush() {
    if (writing_ || broken_) {
        if (broken_) {
            pending_.Clear();
            ReportReset();
        }
        return;
    }
    if (!pending_.empty()) {
        uv_buf_t all = uv_buf_init(pending_.data(), static_cast<unsigned>(pending_.size()));
        int wrote = uv_try_write(&handle_->uv.stream, &all, 1);
        if (wrote < 0 && wrote != UV_EAGAIN) {
            broken_ = true;
            pending_.Clear();
            ReportReset();
            return;
        }
        if (wrote > 0) {
            pending_.Consume(static_cast<size_t>(wrote));
        }
        if (!pending_.empty()) {
            in_flight_ = std::move(pending_);
            writing_ = true;
            uv_buf_t rest =
                uv_buf_init(in_flight_.data(), static_cast<unsigned>(in_flight_.size()));
            uv_write(&handle_->write, &handle_->uv.stream, &rest, 1,
                     [](uv_write_t* w, int status) noexcept {
                         Stream* self = static_cast<Handle*>(w->data)->owner;
                         if (self != nullptr) {
                             self->FinishWrite(status);
                         }
                     });
            return;
        }
        pending_.Clear(kKeepQueue);
    }
    if (shutdown_wanted_) {
        shutdown_wanted_ = false;
        uv_shutdown(&handle_->shutdown, &handle_->uv.stream, [](uv_shutdown_t*, int) {});
    }
}

void Stream::FinishWrite(int status) {
    writing_ = false;
    in_flight_.Clear(0);
    if (status != 0) {
        broken_ = true;
        pending_.Clear();
        ReportReset();
        return;
    }
    // What came meanwhile may go out at once, or break the stream, which may end this object.
    Handle* handle = handle_;
    Flush();
    if (handle->owner != nullptr && !broken_ && !writing_) {
        handler_->OnDrained();
    }
}

// A broken write is reported from a fresh stack: the caller may be in the middle of its own work.
void Stream::ReportReset() {
    if (reported_) {
        return;
    }
    reported_ = true;
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
    StopReading();
    pending_.Clear();
    broken_ = true;
}

std::string Stream::PeerName() const {
    uv_os_fd_t fd;
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    if (uv_fileno(&handle_->uv.handle, &fd) != 0 ||
        getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
        return "";
    }
    char text[INET6_ADDRSTRLEN];
    if (peer.ss_family == AF_INET) {
        auto* v4 = reinterpret_cast<const sockaddr_in*>(&peer);
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
        return std::string(text) + ":" + std::to_string(ntohs(v4->sin_port));
    }
    if (peer.ss_family == AF_INET6) {
        auto* v6 = reinterpret_cast<const sockaddr_in6*>(&peer);
        inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
        return "[" + std::string(text) + "]:" + std::to_string(ntohs(v6->sin6_port));
    }
    return "@";
}

}  // namespace rr::net
