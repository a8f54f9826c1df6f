// The head guard and llhttp: a head in pieces is judged like the whole; what passes is read without
// disagreement, and its context can be written in both codecs.
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "plugins/http/context.hpp"
#include "plugins/http/head.hpp"
#include "plugins/http/head_guard.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::http;
    rr::Bytes in(reinterpret_cast<const char*>(data), size);
    HeadGuard whole({512, 2048, 16});
    HeadGuard::Status status = whole.Scan(in);
    RR_CHECK((status == HeadGuard::Status::kBad) == (whole.fault() != HeadFault::kNone));
    RR_CHECK(status != HeadGuard::Status::kBad || Describe(whole.fault()).status >= 400);

    HeadGuard pieces({512, 2048, 16});
    HeadGuard::Status last = HeadGuard::Status::kNeedMore;
    for (size_t n = 0; n <= size && last == HeadGuard::Status::kNeedMore; ++n) {
        std::string part(in.substr(0, n));
        last = pieces.Scan(part);
    }
    // A limit may be noticed sooner in pieces; nothing else differs.
    RR_CHECK(last == status);
    if (status != HeadGuard::Status::kComplete) {
        return 0;
    }
    RR_CHECK(whole.size() <= size && pieces.size() == whole.size());
    RequestHead head;
    HeadFault fault = ParseHead(in, whole, head);
    RR_CHECK(fault == HeadFault::kNone);  // the guard is at least as strict as llhttp
    RR_CHECK(!(head.chunked && head.has_content_length));

    ContextWriter writer;
    rr::Buffer out;
    writer.Write(Codec::kJson, head, {}, out);
    for (char c : out.view()) {
        RR_CHECK(static_cast<unsigned char>(c) >= 0x20);
    }
    writer.Write(Codec::kProtobuf, head, {}, out);
    return 0;
}
