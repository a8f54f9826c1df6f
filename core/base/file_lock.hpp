// FileLock: a file that one process at a time may use. The system ends the lock with the process,
// however that ends.
//
// Thread: any, one at a time. Take may block for as long as opening a file takes.
// Owns:   the descriptor that holds the lock.
// Fails:  kBusy: another process, or another FileLock of ours, has it; kDenied; kIo, with the
//         system's words.
#pragma once

#include <string>
#include <utility>

#include "core/base/result.hpp"

namespace rr {

class FileLock {
public:
    FileLock() = default;
    FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    FileLock& operator=(FileLock&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~FileLock();

    // Locks the file at `path`, which is made, with these permissions, if it is not there.
    static Result<FileLock> Take(const std::string& path, unsigned permissions);

    bool held() const { return descriptor_ >= 0; }

private:
    explicit FileLock(int descriptor) : descriptor_(descriptor) {}

    int descriptor_ = -1;
};

}  // namespace rr
