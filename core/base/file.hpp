// File: an open file, with the little that spooled bodies and uploads need of the file system.
//
// Thread: any, one at a time. Every call may block: run them by Loop::Offload, not on a loop.
// Owns:   the descriptor. The name stays behind; RemoveFile() takes it away.
// Fails:  kIo, with the system's words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"

namespace rr {

class File {
public:
    // Whose a new file is; negative: ours.
    struct Owner {
        int64_t uid = -1;
        int64_t gid = -1;
    };

    File() = default;
    File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    File& operator=(File&& other) noexcept {
        if (this != &other) {
            Close();
            descriptor_ = std::exchange(other.descriptor_, -1);
        }
        return *this;
    }
    ~File() { Close(); }

    // A file without a name in `directory`, for reading and writing: gone when closed.
    static Result<File> CreateUnlinked(const std::string& directory);

    // `directory`/`prefix` + random digits, mode 0600; the full name goes to `path`.
    static Result<File> CreateNamed(const std::string& directory, std::string_view prefix,
                                    Owner owner, std::string& path);

    // Takes over an open descriptor.
    static File Adopt(int descriptor) { return File(descriptor); }

    // Appends all of `bytes`.
    Result<void> Write(Bytes bytes);

    // Reads from `offset` until `size` bytes or the end: how many came.
    Result<size_t> ReadAt(uint64_t offset, char* out, size_t size) const;

    void Close();
    bool is_open() const { return descriptor_ >= 0; }
    int descriptor() const { return descriptor_; }

private:
    explicit File(int descriptor) : descriptor_(descriptor) {}

    int descriptor_ = -1;
};

// Deletes a file. False if it was not there any more (somebody moved it), or on an error.
bool RemoveFile(const std::string& path);

// The system's directory for temporary files: TMPDIR, else /tmp.
std::string TemporaryDirectory();

}  // namespace rr
