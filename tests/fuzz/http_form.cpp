// Urlencoded bodies, field names and media types: always a fault with a reason or a JSON tree.
// The input is split at its first LF into content type and body.
#include <cstdint>

#include "core/base/check.hpp"
#include "plugins/http/form.hpp"
#include "plugins/http/media_type.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::http;
    rr::Bytes in(reinterpret_cast<const char*>(data), size);
    size_t lf = in.find('\n');
    rr::Bytes type = lf == rr::Bytes::npos ? rr::Bytes() : in.substr(0, lf);
    rr::Bytes body = lf == rr::Bytes::npos ? in : in.substr(lf + 1);
    MediaType parsed;
    (void)ParseMediaType(type, parsed);
    (void)ParseMediaType(body, parsed);

    for (rr::Bytes given : {type, rr::Bytes("application/x-www-form-urlencoded")}) {
        FormFields fields;
        BodyFault fault = ParseForm(given, body, type, fields);
        RR_CHECK(fault ? fault.status == 400 && !fault.reason.empty() : fault.reason.empty());
        rr::Buffer out;
        fields.AppendJson(out);
        RR_CHECK(out.size() >= 2 && out.data()[0] == '{' && out.data()[out.size() - 1] == '}');
    }
    return 0;
}
