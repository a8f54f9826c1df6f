#include "core/base/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace rr {
namespace {

Error LastError(Errc code, const std::string& what) {
    return Error(code, what + ": " + std::generic_category().message(errno));
}

}  // namespace

FileLock::~FileLock() {
    if (descriptor_ >= 0) {
        close(descriptor_);
    }
}

Result<FileLock> FileLock::Take(const std::string& path, unsigned permissions) {
    const int descriptor =
        open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, static_cast<mode_t>(permissions));
    if (descriptor < 0) {
        const Errc code = errno == EACCES || errno == EPERM ? Errc::kDenied : Errc::kIo;
        return tl::unexpected<Error>(LastError(code, "open " + path));
    }
    FileLock lock(descriptor);
    int locked;
    do {
        locked = flock(descriptor, LOCK_EX | LOCK_NB);
    } while (locked != 0 && errno == EINTR);
    if (locked != 0) {
        return tl::unexpected<Error>(
            errno == EWOULDBLOCK ? Error(Errc::kBusy, path + " is in use by another process")
                                 : LastError(Errc::kIo, "lock " + path));
    }
    return lock;
}

}  // namespace rr
