// Protobuf by shape: the check and the reader agree; what was read survives the way through the wire
// format, and through JSON.
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "core/rpc/json.hpp"
#include "core/rpc/proto.hpp"
#include "tests/fuzz/rpc_sample.hpp"

using namespace rr;
using namespace rr::rpc;

namespace {

void Try(const RpcShape& shape, Bytes input) {
    RpcValue value;
    bool good = ReadMessage(shape, input, value);
    RR_CHECK(CheckMessage(shape, input) == good);
    if (!good) {
        return;
    }
    Buffer once;
    WriteMessage(shape, value, once);
    RpcValue again;
    RR_CHECK(ReadMessage(shape, once.view(), again));
    Buffer twice;
    WriteMessage(shape, again, twice);
    RR_CHECK(once.view() == twice.view());
    Buffer text;
    WriteJson(value, RpcType::Message(shape), text);
    std::string problem;
    // Go writes large whole doubles with all their digits; simdjson reads no integer beyond 64 bits.
    RR_CHECK(ReadJson(text.view(), RpcType::Message(shape), again, problem) ||
             problem.find("parsing a number") != std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Bytes input(reinterpret_cast<const char*>(data), size);
    Try(sample::kAll, input);
    Try(sample::kRequest, input);
    return 0;
}
