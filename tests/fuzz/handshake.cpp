// The answer to the pid request: whatever a process says first. It is read or refused, never both.
#include "relay/handshake.hpp"

#include <cstdint>

#include "core/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    auto reply = rr::relay::ParsePidReply({reinterpret_cast<const char*>(data), size});
    if (reply) {
        RR_CHECK(reply->pid > 0);
    } else {
        RR_CHECK(!reply.error().message.empty());
    }
    return 0;
}
