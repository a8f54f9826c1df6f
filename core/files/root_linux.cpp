#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <system_error>
#include <utility>

#include "core/files/root.hpp"

namespace rr::files {
namespace {

// Not blocking: a FIFO in the folder must not hold the loop.
constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr int kFolderFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;

int64_t Nanoseconds(const timespec& time) {
    return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

OpenedFile::Status StatusOf(int error) {
    switch (error) {
        case ENOENT:
        case ENOTDIR:
        case ENAMETOOLONG:
        case EINVAL: return OpenedFile::Status::kMissing;
        case EMFILE:
        case ENFILE:
        case ENOMEM: return OpenedFile::Status::kBusy;
        default: return OpenedFile::Status::kForbidden;
    }
}

OpenedFile Failed(int error) {
    OpenedFile opened;
    opened.status = StatusOf(error);
    opened.error = error;
    return opened;
}

OpenedFile Examine(int descriptor) {
    File file = File::Adopt(descriptor);
    struct stat stat{};
    if (fstat(descriptor, &stat) != 0) {
        return Failed(errno);
    }
    OpenedFile opened;
    opened.stamp = {stat.st_dev, stat.st_ino, static_cast<uint64_t>(stat.st_size),
                    Nanoseconds(stat.st_mtim), Nanoseconds(stat.st_ctim)};
    if (S_ISDIR(stat.st_mode)) {
        opened.status = OpenedFile::Status::kFolder;
        opened.error = EISDIR;
        return opened;
    }
    if (!S_ISREG(stat.st_mode)) {
        opened.status = OpenedFile::Status::kForbidden;
        opened.error = EACCES;
        return opened;
    }
    opened.status = OpenedFile::Status::kFile;
    opened.file = std::make_shared<const File>(std::move(file));
    return opened;
}

bool HasDotPart(Bytes path) {
    return (!path.empty() && path[0] == '.') || path.find("/.") != Bytes::npos;
}

std::string TruePathOf(int descriptor) {
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    std::string path(PATH_MAX, '\0');
    const ssize_t size = readlink(link.c_str(), path.data(), path.size());
    struct stat stat{};
    // One that lost its name would be shown as `name (deleted)`.
    if (size <= 0 || static_cast<size_t>(size) >= path.size() || path[0] != '/' ||
        fstat(descriptor, &stat) != 0 || stat.st_nlink == 0) {
        return {};
    }
    path.resize(static_cast<size_t>(size));
    return path;
}

std::string TrueFolder(const std::string& folder) {
    const File file = File::Adopt(open(folder.c_str(), kFolderFlags));
    return file.is_open() ? TruePathOf(file.descriptor()) : std::string();
}

}  // namespace

int64_t FileStamp::modified_seconds() const {
    const int64_t seconds = modified_ns / 1'000'000'000;
    return modified_ns % 1'000'000'000 < 0 ? seconds - 1 : seconds;
}

OpenedFile OpenAnyFile(const std::string& path) {
    const int descriptor = open(path.c_str(), kFlags);
    return descriptor < 0 ? Failed(errno) : Examine(descriptor);
}

std::string TruePath(const File& file) { return TruePathOf(file.descriptor()); }

bool IsBelow(Bytes path, Bytes folder) {
    if (folder == "/") {
        return !path.empty() && path[0] == '/';
    }
    return !folder.empty() && path.substr(0, folder.size()) == folder &&
           (path.size() == folder.size() || path[folder.size()] == '/');
}

std::string ErrorText(int error) { return std::generic_category().message(error); }

Root::Root(Options options) : options_(std::move(options)), beneath_(options_.beneath) {
    Refresh();
}

bool Root::Refresh() {
    File now = File::Adopt(open(options_.folder.c_str(), kFolderFlags));
    struct stat stat{};
    if (!now.is_open() || fstat(now.descriptor(), &stat) != 0) {
        const bool was = folder_.is_open();
        folder_.Close();
        return was;
    }
    links_.clear();
    for (const std::string& folder : options_.link_folders) {
        links_.push_back(TrueFolder(folder));
    }
    if (folder_.is_open() && device_ == stat.st_dev && inode_ == stat.st_ino) {
        return false;
    }
    folder_ = std::move(now);
    device_ = stat.st_dev;
    inode_ = stat.st_ino;
    path_ = TruePathOf(folder_.descriptor());
    return true;
}

OpenedFile Root::Open(const std::string& name) {
    if (!folder_.is_open() || (!options_.dotfiles && HasDotPart(name))) {
        return Failed(ENOENT);
    }
    // An empty name is the folder; the descriptor itself can only lead there.
    const char* path = name.empty() ? "." : name.c_str();
    if (beneath_) {
        open_how how{};
        how.flags = kFlags;
        how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
        const long descriptor = syscall(SYS_openat2, folder_.descriptor(), path, &how, sizeof how);
        if (descriptor >= 0) {
            return Examine(static_cast<int>(descriptor));
        }
        // A kernel before 5.6, or a sandbox that does not know the call.
        if (errno == ENOSYS || errno == EPERM) {
            beneath_ = false;
        } else if (errno != ELOOP) {
            return Failed(errno);
        }
    }
    const int descriptor = openat(folder_.descriptor(), path, kFlags);
    if (descriptor < 0) {
        return Failed(errno);
    }
    OpenedFile opened = Examine(descriptor);
    if (opened.status == OpenedFile::Status::kFile && !MayShow(*opened.file)) {
        return Failed(EACCES);
    }
    return opened;
}

bool Root::MayShow(const File& file) const {
    const std::string path = TruePath(file);
    if (path.empty()) {
        return false;
    }
    if (IsBelow(path, path_)) {
        return options_.dotfiles || !HasDotPart(Bytes(path).substr(path_.size()));
    }
    // Below a working directory lie keys and histories: `.env`, `.git`.
    return std::any_of(links_.begin(), links_.end(), [&path](const std::string& folder) {
        return IsBelow(path, folder) && !HasDotPart(Bytes(path).substr(folder.size()));
    });
}

}  // namespace rr::files
