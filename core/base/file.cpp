#include "core/base/file.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace rr {

namespace {

std::string LastError(std::string_view what) {
    return std::string(what) + ": " + std::generic_category().message(errno);
}

uint32_t RandomNumber() {
    uint32_t number = 0;
    if (getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
        static thread_local uint32_t fallback = static_cast<uint32_t>(getpid());
        fallback = fallback * 1664525u + 1013904223u;
        number = fallback;
    }
    return number;
}

int CreateExclusive(const std::string& directory, std::string_view prefix, std::string& path) {
    // A collision is one in four billion per file that is there: a few tries are plenty.
    for (int attempt = 0; attempt < 100; ++attempt) {
        path = directory;
        path.append("/").append(prefix).append(std::to_string(RandomNumber()));
        int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (descriptor >= 0 || errno != EEXIST) {
            return descriptor;
        }
    }
    return -1;
}

}  // namespace

Result<File> File::CreateUnlinked(const std::string& directory) {
#ifdef O_TMPFILE
    int unnamed = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (unnamed >= 0) {
        return File(unnamed);
    }
#endif
    // File systems without O_TMPFILE (overlayfs before 6.1, NFS): a name for a moment.
    std::string path;
    int descriptor = CreateExclusive(directory, "spool", path);
    if (descriptor < 0) {
        return Fail(Errc::kIo, LastError(directory));
    }
    unlink(path.c_str());
    return File(descriptor);
}

Result<File> File::CreateNamed(const std::string& directory, std::string_view prefix, Owner owner,
                               std::string& path) {
    int descriptor = CreateExclusive(directory, prefix, path);
    if (descriptor < 0) {
        return Fail(Errc::kIo, LastError(directory));
    }
    File file(descriptor);
    if (owner.uid >= 0 && owner.gid >= 0 &&
        fchown(descriptor, static_cast<uid_t>(owner.uid), static_cast<gid_t>(owner.gid)) != 0) {
        auto failed = Fail(Errc::kIo, LastError(path));
        unlink(path.c_str());
        return failed;
    }
    return file;
}

Result<void> File::Write(Bytes bytes) {
    while (!bytes.empty()) {
        ssize_t written = write(descriptor_, bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return Fail(Errc::kIo, LastError("write"));
        }
        bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
}

Result<size_t> File::ReadAt(uint64_t offset, char* out, size_t size) const {
    size_t done = 0;
    while (done < size) {
        ssize_t got =
            pread(descriptor_, out + done, size - done, static_cast<off_t>(offset + done));
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return Fail(Errc::kIo, LastError("read"));
        }
        if (got == 0) {
            break;
        }
        done += static_cast<size_t>(got);
    }
    return done;
}

void File::Close() {
    if (descriptor_ >= 0) {
        close(descriptor_);
        descriptor_ = -1;
    }
}

bool RemoveFile(const std::string& path) { return unlink(path.c_str()) == 0; }

std::string TemporaryDirectory() {
    const char* directory = std::getenv("TMPDIR");
    return directory != nullptr && *directory != '\0' ? directory : "/tmp";
}

}  // namespace rr
