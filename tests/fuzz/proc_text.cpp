// Texts of /proc: whatever they say, what is read of them lies in them and within its bounds. A
// process chooses its own name, and files and sockets theirs.
#include "core/pool/proc_text.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::pool;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const std::string_view view(text);

    const StatText stat = ParseStat(view);
    RR_CHECK(stat.name.size() < size || size == 0);
    RR_CHECK(stat.name.empty() || view.find(stat.name) != std::string_view::npos);

    const SyscallText call = ParseSyscall(view);
    RR_CHECK(call.where != SyscallText::Where::kInside || call.number >= 0);

    ParsePeakMemory(view);
    if (auto inode = ParseSocketLink(view)) {
        RR_CHECK(ParseSocketLink("socket:[" + std::to_string(*inode) + "]") == inode);
    }
    RR_CHECK(ParseWatched(view, 3).size() <= 3);
    RR_CHECK(ParseFirstChild(view) >= 0);
    if (auto socket = ParseSocketLine(view)) {
        RR_CHECK(socket->address.rfind(':') != std::string::npos);
        RR_CHECK(socket->address.size() <= 64);
    }
    return 0;
}
