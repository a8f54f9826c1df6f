// A worker's protobuf context: decoded, or refused; views stay inside the input.
#include <cstdint>

#include "core/base/check.hpp"
#include "plugins/http/answer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::http;
    rr::Bytes in(reinterpret_cast<const char*>(data), size);
    Answer answer;
    if (DecodeProtobufAnswer(in, answer) != AnswerFault::kNone) {
        return 0;
    }
    for (const AnswerField& field : answer.fields) {
        for (rr::Bytes view : {field.name, field.value}) {
            RR_CHECK(view.empty() || (view.data() >= in.data() &&
                                      view.data() + view.size() <= in.data() + in.size()));
        }
    }
    return 0;
}
