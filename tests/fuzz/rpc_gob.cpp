// gob as an argument of every type; what was read can be written.
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "core/rpc/gob.hpp"
#include "tests/fuzz/rpc_sample.hpp"

using namespace rr;
using namespace rr::rpc;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Bytes input(reinterpret_cast<const char*>(data), size);
    for (const RpcType& type : sample::kTypes) {
        RpcValue value;
        std::string problem;
        if (!ReadGob(input, type, value, problem)) {
            RR_CHECK(!problem.empty());
            continue;
        }
        Buffer once;
        WriteGob(value, type, once);
        RpcValue again;
        RR_CHECK(ReadGob(once.view(), type, again, problem));
    }
    return 0;
}
