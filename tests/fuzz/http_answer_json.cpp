// A worker's JSON context: decoded, or refused; what is decoded can be written as a head.
#include <cstdint>

#include "core/base/check.hpp"
#include "plugins/http/answer.hpp"
#include "plugins/http/response.hpp"
#include "plugins/http/wire_for_test.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::http;
    rr::Bytes in(reinterpret_cast<const char*>(data), size);
    static AnswerDecoder decoder;
    static ResponseWriter writer;
    Answer answer;
    if (decoder.DecodeCopy(0x08, in, 0, answer) != AnswerFault::kNone) {
        return 0;
    }
    WireForTest wire;
    rr::Buffer trailers;
    ResponseFacts facts;
    if (!answer.status_valid()) {
        return 0;
    }
    WireForTest fields(WireForm::kHttp2);
    writer.WriteHead(answer, facts, nullptr, fields, trailers);
    trailers.Clear();
    writer.WriteHead(answer, facts, nullptr, wire, trailers);
    const rr::Buffer& out = wire.out;
    // No value may end the head before its end.
    RR_CHECK(out.view().find("\r\n\r\n") == out.size() - 4);
    for (size_t at = out.view().find('\n'); at != rr::Bytes::npos;
         at = out.view().find('\n', at + 1)) {
        RR_CHECK(out.data()[at - 1] == '\r');
    }
    return 0;
}
