// A browser's question, its origin and its list of headers in two lines: what is allowed is on the
// list, in order, and what is answered is what was asked.
#include "plugins/headers/cors.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/api/http_middleware_for_test.hpp"
#include "core/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr;
    using headers::Cors;
    using headers::CorsConfig;
    static const Cors kCors = [] {
        CorsConfig config;
        config.origins = headers::Origins::Listed({"https://a.example", "https://*.b.example"});
        return Cors(config);
    }();
    std::string_view in(reinterpret_cast<const char*>(data), size);
    const size_t line = std::min(in.find('\n'), in.size());
    const std::string_view list = in.substr(std::min(line + 1, in.size()));
    RequestForTest request(FieldsForTest::Pairs{
        {"Origin", std::string(in.substr(0, line))},
        {"Access-Control-Request-Method", "POST"},
        {"Access-Control-Request-Headers", std::string(list)},
    });
    request.method_text = "OPTIONS";
    HttpAnswer answer;
    const bool allowed = kCors.AnswerPreflight(request, answer).empty();
    RR_CHECK(allowed == (answer.headers.size() > 1));
    if (!allowed) {
        return 0;
    }
    RR_CHECK(answer.headers[1].value == in.substr(0, line));
    std::string_view last;
    std::string_view rest = list;
    for (std::string_view name; http_text::Next(rest, ',', name);) {
        RR_CHECK(name.empty() || name == "accept" || name == "content-type" ||
                 name == "x-requested-with");
        RR_CHECK(name.empty() || name > last);
        last = name.empty() ? last : name;
    }
    return 0;
}
