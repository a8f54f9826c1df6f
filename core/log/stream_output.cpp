#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/log/output.hpp"

namespace rr::log {
namespace {

// A pipe that polls writable takes this much without blocking, and in one piece: lines of several
// writers do not mix.
constexpr size_t kPiece = 4096;

class StreamOutput final : public Output {
public:
    explicit StreamOutput(int descriptor) : descriptor_(descriptor) {
        struct stat status{};
        waits_ = fstat(descriptor, &status) == 0 && !S_ISREG(status.st_mode);
    }

    Result<void> Write(std::string_view lines) override {
        while (!lines.empty()) {
            if (waits_) {
                if (auto ready = WaitWritable(); !ready) {
                    return Forward(ready);
                }
            }
            const size_t piece = waits_ ? Piece(lines) : lines.size();
            const ssize_t written = write(descriptor_, lines.data(), piece);
            if (written > 0) {
                lines.remove_prefix(static_cast<size_t>(written));
            } else if (written == 0 || (errno != EINTR && errno != EAGAIN)) {
                return Fail(Errc::kIo, std::strerror(errno));
            }
        }
        return {};
    }

private:
    static size_t Piece(std::string_view lines) {
        if (lines.size() <= kPiece) {
            return lines.size();
        }
        const size_t end = lines.rfind('\n', kPiece - 1);
        return end == std::string_view::npos ? kPiece : end + 1;
    }

    // The descriptor is shared with other processes and cannot be made non-blocking for us alone:
    // so we write only when it is ready, and can turn away from a reader that hangs.
    Result<void> WaitWritable() {
        constexpr int kSliceMs = 50;
        pollfd wanted{descriptor_, POLLOUT, 0};
        while (true) {
            const int ready = poll(&wanted, 1, kSliceMs);
            if (ready > 0 || (ready < 0 && errno != EINTR)) {
                return {};  // troubles show in write()
            }
            if (ready == 0 && gave_up()) {
                return Fail(Errc::kTimeout, "nobody reads it");
            }
        }
    }

    const int descriptor_;
    bool waits_ = false;
};

}  // namespace

std::unique_ptr<Output> OpenStream(int descriptor) {
    return std::make_unique<StreamOutput>(descriptor);
}

}  // namespace rr::log
