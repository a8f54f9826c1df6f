// What comes back from an RPC port: an answer is inside the bytes it was read from, and no part of
// it is taken for one.
#include <cstdint>

#include "core/base/check.hpp"
#include "core/rpc/answer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::rpc;
    rr::Bytes in(reinterpret_cast<const char*>(data), size);
    Answer answer;
    AnswerScan scan = ScanAnswer(in, 1 << 20, answer);
    if (scan.status != AnswerStatus::kAnswer) {
        return 0;
    }
    RR_CHECK(scan.size <= size);
    RR_CHECK(answer.method.data() >= in.data());
    RR_CHECK(answer.body.data() + answer.body.size() == in.data() + scan.size);
    Answer part;
    RR_CHECK(ScanAnswer(in.substr(0, scan.size - 1), 1 << 20, part).status ==
             AnswerStatus::kNeedMore);
    return 0;
}
