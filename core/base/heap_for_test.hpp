// What tests of memory that is given back ask of the allocator.
#pragma once

#include <malloc.h>

#include <cstddef>

namespace rr {

// Small blocks that are free and not joined to larger ones yet. 0 where the allocator has no such
// thing: a sanitizer's, another C library's.
inline size_t UnjoinedBlocks() {
#ifdef __GLIBC__
    return mallinfo2().smblks;
#else
    return 0;
#endif
}

}  // namespace rr
