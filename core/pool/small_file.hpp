// Small files of /proc and /sys: they are answered from memory and don't block.
//
// Thread: any.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>

namespace rr::pool {

// How many bytes it has, up to size - 1; a zero follows them. 0: it could not be read.
inline size_t ReadSmallFile(const char* path, char* out, size_t size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        out[0] = '\0';
        return 0;
    }
    ssize_t got = read(fd, out, size - 1);
    close(fd);
    out[got > 0 ? got : 0] = '\0';
    return got > 0 ? static_cast<size_t>(got) : 0;
}

}  // namespace rr::pool
