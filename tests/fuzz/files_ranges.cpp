// A Range header for a file whose size is the first line: parts lie in it, and are not more than it.
#include <charconv>
#include <cstdint>

#include "core/base/check.hpp"
#include "core/files/ranges.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::files;
    rr::Bytes in(reinterpret_cast<const char*>(data), size);
    uint64_t file = 0;
    const auto read = std::from_chars(in.data(), in.data() + in.size(), file);
    in.remove_prefix(static_cast<size_t>(read.ptr - in.data()));
    if (!in.empty()) {
        in.remove_prefix(1);
    }
    const Ranges ranges = Ranges::Parse(in, file);
    uint64_t total = 0;
    for (const ByteRange part : ranges.parts()) {
        RR_CHECK(part.size > 0 && part.offset < file && part.size <= file - part.offset);
        RR_CHECK(part.size <= file - total);
        total += part.size;
    }
    RR_CHECK((ranges.kind() == Ranges::Kind::kParts) == (total > 0));
    return 0;
}
