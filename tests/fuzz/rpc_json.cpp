// JSON as an argument of every type: what was read is written, read again, and then written the same.
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "core/rpc/json.hpp"
#include "tests/fuzz/rpc_sample.hpp"

using namespace rr;
using namespace rr::rpc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Bytes input(reinterpret_cast<const char*>(data), size);
    for (const RpcType& type : sample::kTypes) {
        RpcValue value;
        std::string problem;
        if (!ReadJson(input, type, value, problem)) {
            RR_CHECK(!problem.empty());
            continue;
        }
        Buffer once;
        WriteJson(value, type, once);
        RpcValue again;
        if (!ReadJson(once.view(), type, again, problem)) {
            // Go writes 1e20 with all its digits; simdjson reads no integer beyond 64 bits.
            RR_CHECK(problem.find("parsing a number") != std::string::npos);
            continue;
        }
        Buffer twice;
        WriteJson(again, type, twice);
        RR_CHECK(once.view() == twice.view());
    }
    return 0;
}
