// Headers of traces: what is taken is written and read again as the same, and what of a baggage is
// kept is right. The first byte chooses the header.
#include "plugins/otel/trace_context.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.hpp"

namespace {

using namespace rr::otel;

template <size_t kSize>
std::string_view View(const std::array<char, kSize>& text) {
    return {text.data(), text.size()};
}

void CheckContext(const TraceContext& context) {
    RR_CHECK(context.trace.valid() && context.span.valid());
    TraceContext again;
    RR_CHECK(ParseTraceparent(View(WriteTraceparent(context)), again) && again == context);
    TraceContext jaeger;
    RR_CHECK(ParseJaeger(View(WriteJaeger(context)), jaeger) && jaeger == context);
}

void CheckKept(std::string_view text) {
    std::string kept;
    if (CheckBaggage(text, kept)) {
        RR_CHECK(text.size() <= 8192);
        return;
    }
    RR_CHECK(kept.size() <= 8192 && kept.size() <= text.size());
    std::string none;
    RR_CHECK(kept.empty() || CheckBaggage(kept, none));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    TraceContext context;
    switch (data[0]) {
        case 'p':
            if (ParseTraceparent(text, context)) {
                CheckContext(context);
            }
            break;
        case 'j':
            if (ParseJaeger(text, context)) {
                CheckContext(context);
            }
            break;
        case 's':
            if (IsTracestate(text)) {
                RR_CHECK(text.find('=') != std::string_view::npos);
            }
            break;
        default: CheckKept(text); break;
    }
    return 0;
}
