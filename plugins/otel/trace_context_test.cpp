#include "plugins/otel/trace_context.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace rr::otel {
namespace {

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kSpan = "b7ad6b7169203331";
const std::string kParent = "00-" + kTrace + "-" + kSpan + "-01";

bool IsParent(const std::string& text) {
    TraceContext context;
    return ParseTraceparent(text, context);
}

std::string Traceparent(const TraceContext& context) {
    const auto text = WriteTraceparent(context);
    return {text.data(), text.size()};
}

std::string Baggage(std::string_view text) {
    std::string kept;
    return CheckBaggage(text, kept) ? std::string(text) : kept;
}

}  // namespace

TEST_CASE("traceparent: what is read is what is written") {
    TraceContext context;
    REQUIRE(ParseTraceparent(kParent, context));
    REQUIRE(context.sampled);
    REQUIRE(Traceparent(context) == kParent);
    REQUIRE(ParseTraceparent("00-" + kTrace + "-" + kSpan + "-02", context));
    REQUIRE_FALSE(context.sampled);
    REQUIRE(Traceparent(context) == "00-" + kTrace + "-" + kSpan + "-00");
    REQUIRE(ParseTraceparent(" " + kParent + "\t", context));
}

TEST_CASE("traceparent: later versions may have more, this one may not") {
    REQUIRE(IsParent("01" + kParent.substr(2)));
    REQUIRE(IsParent("cc" + kParent.substr(2) + "-what-the-future-brings"));
    REQUIRE_FALSE(IsParent("cc" + kParent.substr(2) + ".what"));
    REQUIRE_FALSE(IsParent("ff" + kParent.substr(2)));
    REQUIRE_FALSE(IsParent(kParent + "-extra"));
}

TEST_CASE("traceparent: what is malformed is none, and leaves what was read before") {
    TraceContext before;
    REQUIRE(ParseTraceparent(kParent, before));
    const std::string zeros(32, '0');
    for (const std::string& text :
         {std::string(), std::string("00"), kParent.substr(0, 54),
          "00-" + zeros + kParent.substr(35), kParent.substr(0, 36) + zeros.substr(16) + "-01",
          "0x" + kParent.substr(2),
          "00-" + std::string("0AF7651916CD43DD8448EB211C80319C") + kParent.substr(35),
          "00_" + kParent.substr(3), kParent.substr(0, 35) + "_" + kParent.substr(36),
          kParent.substr(0, 53) + "0g", kParent.substr(0, 20) + "," + kParent.substr(21)}) {
        TraceContext context = before;
        INFO(text);
        REQUIRE_FALSE(ParseTraceparent(text, context));
        REQUIRE(context == before);
    }
}

TEST_CASE("uber-trace-id: short ids are filled up in front") {
    TraceContext context;
    REQUIRE(ParseJaeger(kTrace + ":" + kSpan + ":0:1", context));
    REQUIRE(Traceparent(context) == kParent);
    const auto written = WriteJaeger(context);
    REQUIRE(std::string(written.data(), written.size()) == kTrace + ":" + kSpan + ":0:1");
    REQUIRE(ParseJaeger("ABC:1:ffffffffffffffff:2", context));
    REQUIRE(Traceparent(context) == "00-" + std::string(29, '0') + "abc-0000000000000001-00");
    for (const char* text : {"", ":::", "1:2:3", "0:1:0:1", "1:0:0:1", "1:2:3:4:5", "1:2::x",
                             "1:11111111111111111:0:1"}) {
        INFO(text);
        REQUIRE_FALSE(ParseJaeger(text, context));
    }
}

TEST_CASE("tracestate: keys and values have their letters") {
    REQUIRE(IsTracestate("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"));
    REQUIRE(IsTracestate("fw529a3039@dt=FfffMAA , a_b-c*d/e=1 2,"));
    REQUIRE(IsTracestate("1a@b=x"));
    for (const char* text : {"", ",", "a", "a=", "=b", "A=b", "a=b=c", "1a=b", "a@=b", "a@1=x",
                             "a@b@c=d", "a=b,a=c", "a=\x7f", "a =b"}) {
        INFO(text);
        REQUIRE_FALSE(IsTracestate(text));
    }
    std::string many = "k0=v";
    for (int i = 1; i < 32; ++i) {
        many += ",k" + std::to_string(i) + "=v";
    }
    REQUIRE(IsTracestate(many));
    REQUIRE_FALSE(IsTracestate(many + ",k32=v"));
}

TEST_CASE("baggage: what is right passes as it is, what is not is left out") {
    for (const char* text : {"a=1", "key1=value1;property1;property2, key2 = value2, k3=v;p=1",
                             "serverNode=DF%2028,isProduction=false", "empty="}) {
        std::string kept = "untouched";
        INFO(text);
        REQUIRE(CheckBaggage(text, kept));
        REQUIRE(kept == "untouched");
    }
    REQUIRE(Baggage("a=1,b,c=3") == "a=1,c=3");
    REQUIRE(Baggage("a=1,,=2,c=\"x\",d=1;,e=a\\b,f=\x80") == "a=1");
    REQUIRE(Baggage("nothing right") == "");
    REQUIRE(Baggage("a=" + std::string(9000, 'x') + ",b=1") == "b=1");
    std::string many;
    for (int i = 0; i < 200; ++i) {
        many += "k" + std::to_string(i) + "=v,";
    }
    const std::string kept = Baggage(many);
    REQUIRE(kept.ends_with("k179=v"));
    REQUIRE(Baggage(kept) == kept);
}

}  // namespace rr::otel
