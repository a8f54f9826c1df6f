#include "plugins/otel/tracing.hpp"

#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"

namespace rr::otel {
namespace {

using Fields = FieldsForTest::Pairs;

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kSpan = "b7ad6b7169203331";
const std::string kParent = "00-" + kTrace + "-" + kSpan + "-01";

struct Bench {
    explicit Bench(Sampler sampler = {}, size_t batch = 1000, uint64_t limit = 1000)
        : budget(limit), tracing(sampler, batch, budget, [this](Batch full) {
              handed.push_back(std::move(full));
          }) {}

    std::string Ask(RequestForTest& request,
                    HttpOutcome outcome = {.status = 200, .worker = true}) {
        HttpAnswer answer;
        REQUIRE(tracing.OnRequest(request, answer));
        tracing.OnFinished(request, outcome);
        REQUIRE(request.kept == nullptr);
        return std::string(request.fields.Get("traceparent"));
    }
    // What PHP sees of a request with these headers.
    RequestForTest See(Fields headers) {
        RequestForTest request(std::move(headers));
        Ask(request);
        return request;
    }
    std::vector<std::unique_ptr<Recording>> Recorded() {
        tracing.HandOver();
        std::vector<std::unique_ptr<Recording>> all;
        for (Batch& batch : handed) {
            for (auto& recording : batch.recordings) {
                all.push_back(std::move(recording));
            }
        }
        handed.clear();
        return all;
    }

    Budget budget;
    std::vector<Batch> handed;
    Tracing tracing;
};

std::string Hex(const SpanId& id) {
    std::string text(16, '0');
    WriteHex(id.bytes.data(), id.bytes.size(), text.data());
    return text;
}

TraceContext Parse(std::string_view text) {
    TraceContext context;
    REQUIRE(ParseTraceparent(text, context));
    return context;
}

}  // namespace

TEST_CASE("tracing: a request without a trace begins one, and PHP is told the inner span") {
    Bench bench;
    RequestForTest request(Fields{{"User-Agent", "curl/8"}});
    request.target_text = "/x?y";
    const TraceContext seen = Parse(bench.Ask(request));
    REQUIRE(seen.sampled);
    const auto all = bench.Recorded();
    REQUIRE(all.size() == 1);
    const Recording::Facts& facts = all[0]->facts;
    REQUIRE(facts.trace == seen.trace);
    REQUIRE(facts.call == seen.span);
    REQUIRE_FALSE(facts.parent.valid());
    REQUIRE(facts.request.valid());
    REQUIRE_FALSE(facts.request == facts.call);
    REQUIRE(all[0]->Get(facts.target) == "/x?y");
    REQUIRE(all[0]->Get(facts.agent) == "curl/8");
    REQUIRE(all[0]->Get(facts.client) == "127.0.0.1");
    const auto jaeger = WriteJaeger(seen);
    REQUIRE(request.fields.Get("uber-trace-id") == std::string_view(jaeger.data(), jaeger.size()));
    REQUIRE(request.fields.Get("baggage").empty());
}

TEST_CASE("tracing: the caller's trace goes on") {
    Bench bench;
    RequestForTest seen = bench.See({{"traceparent", kParent},
                                     {"tracestate", "a=1"},
                                     {"tracestate", "b=2"},
                                     {"baggage", "user=7"},
                                     {"uber-trace-id", "1:2:0:1"}});
    const TraceContext inner = Parse(seen.fields.Get("traceparent"));
    REQUIRE(inner.trace == Parse(kParent).trace);
    REQUIRE(seen.fields.Count("traceparent") == 1);
    REQUIRE(seen.fields.Count("uber-trace-id") == 1);
    REQUIRE(seen.fields.Count("tracestate") == 2);
    REQUIRE(seen.fields.Get("baggage") == "user=7");
    const auto all = bench.Recorded();
    REQUIRE(Hex(all.at(0)->facts.parent) == kSpan);
    REQUIRE(all[0]->Get(all[0]->facts.state) == "a=1,b=2");
}

TEST_CASE("tracing: a trace that is not sampled goes on unrecorded") {
    Bench bench;
    RequestForTest seen = bench.See({{"Traceparent", kParent.substr(0, 53) + "00"}});
    const TraceContext inner = Parse(seen.fields.Get("traceparent"));
    REQUIRE(inner.trace == Parse(kParent).trace);
    REQUIRE_FALSE(Hex(inner.span) == kSpan);
    REQUIRE_FALSE(inner.sampled);
    REQUIRE(seen.fields.Get("uber-trace-id").ends_with(":0:0"));
    REQUIRE(bench.Recorded().empty());
    REQUIRE(bench.budget.dropped() == 0);
}

TEST_CASE("tracing: a malformed traceparent begins a new trace, without the old one's state") {
    for (const Fields& headers : {Fields{{"traceparent", "00-" + kTrace + "-0000000000000000-01"}},
                                  Fields{{"traceparent", kParent}, {"traceparent", kParent}},
                                  Fields{{"traceparent", ""}}}) {
        Bench bench;
        Fields all = headers;
        all.emplace_back("tracestate", "a=1");
        all.emplace_back("baggage", "user=7");
        RequestForTest seen = bench.See(all);
        const TraceContext inner = Parse(seen.fields.Get("traceparent"));
        REQUIRE_FALSE(inner.trace == Parse(kParent).trace);
        REQUIRE(seen.fields.Count("traceparent") == 1);
        REQUIRE(seen.fields.Count("tracestate") == 0);
        REQUIRE(seen.fields.Get("baggage") == "user=7");
        REQUIRE_FALSE(bench.Recorded().at(0)->facts.parent.valid());
    }
}

TEST_CASE("tracing: Jaeger's header counts where W3C's is none") {
    Bench bench;
    RequestForTest seen = bench.See({{"uber-trace-id", kTrace + ":" + kSpan + ":0:1"}});
    REQUIRE(Parse(seen.fields.Get("traceparent")).trace == Parse(kParent).trace);
    REQUIRE(Hex(bench.Recorded().at(0)->facts.parent) == kSpan);
}

TEST_CASE("tracing: a malformed tracestate is dropped, the trace goes on") {
    Bench bench;
    RequestForTest seen = bench.See({{"traceparent", kParent}, {"tracestate", "a=1,a=2"}});
    REQUIRE(Parse(seen.fields.Get("traceparent")).trace == Parse(kParent).trace);
    REQUIRE(seen.fields.Count("tracestate") == 0);
}

TEST_CASE("tracing: baggage loses what is malformed") {
    Bench bench;
    REQUIRE(bench.See({{"baggage", "a=1,broken"}}).fields.Get("baggage") == "a=1");
    REQUIRE(bench.See({{"baggage", "broken"}}).fields.Count("baggage") == 0);
    RequestForTest two = bench.See({{"baggage", "a=1"}, {"baggage", "broken,b=2"}});
    REQUIRE(two.fields.Get("baggage") == "a=1,b=2");
    REQUIRE(two.fields.Count("baggage") == 1);
}

TEST_CASE("tracing: the sampler decides for new traces, and for all if it is not by the parent") {
    Bench never(Sampler{true, 0});
    REQUIRE_FALSE(Parse(never.See({}).fields.Get("traceparent")).sampled);
    REQUIRE(Parse(never.See({{"traceparent", kParent}}).fields.Get("traceparent")).sampled);
    REQUIRE(never.Recorded().size() == 1);
    Bench off(Sampler{false, 0});
    REQUIRE_FALSE(Parse(off.See({{"traceparent", kParent}}).fields.Get("traceparent")).sampled);
    // As other SDKs decide: the upper 63 of the trace's last 64 bits.
    Sampler half{true, Sampler::kAlways / 2};
    REQUIRE(half.Sample(Parse("00-ffffffffffffffff7fffffffffffffff-" + kSpan + "-01").trace));
    REQUIRE_FALSE(half.Sample(Parse("00-00000000000000008000000000000000-" + kSpan + "-01").trace));
}

TEST_CASE("tracing: batches go out when they are full, each thread's its own") {
    Bench bench({}, 4);
    for (int i = 0; i < 3; ++i) {
        bench.See({});
    }
    REQUIRE(bench.handed.size() == 1);
    REQUIRE(bench.handed[0].spans == 4);
    REQUIRE(bench.handed[0].recordings.size() == 2);
    std::thread([&bench] {
        bench.See({});
        bench.tracing.HandOver();
    }).join();
    REQUIRE(bench.handed.size() == 2);
    REQUIRE(bench.handed[1].spans == 2);
    REQUIRE(bench.budget.waiting() == 8);
}

TEST_CASE("tracing: beyond the queue requests are served and not recorded") {
    Bench bench({}, 1000, 5);
    for (int i = 0; i < 4; ++i) {
        bench.See({});
    }
    REQUIRE(bench.Recorded().size() == 2);
    REQUIRE(bench.budget.waiting() == 4);
    REQUIRE(bench.budget.dropped() == 4);
    RequestForTest request;
    bench.Ask(request, {.status = 204});  // one span fits
    REQUIRE(bench.budget.waiting() == 5);
}

TEST_CASE("tracing: recordings are used again, and know nothing of the request before") {
    Bench bench;
    RequestForTest first(Fields{{"traceparent", kParent}, {"tracestate", "a=1"}});
    bench.Ask(first);
    bench.tracing.HandOver();
    Recording* memory = bench.handed.at(0).recordings.at(0).get();
    bench.tracing.TakeBack(std::move(bench.handed[0]));
    bench.handed.clear();
    bench.See({});
    const auto all = bench.Recorded();
    REQUIRE(all.at(0).get() == memory);
    REQUIRE_FALSE(all[0]->facts.parent.valid());
    REQUIRE(all[0]->Get(all[0]->facts.state).empty());
}

TEST_CASE("tracing: a request that never ends leaves nothing") {
    Bench bench;
    {
        RequestForTest request;
        HttpAnswer answer;
        REQUIRE(bench.tracing.OnRequest(request, answer));
    }
    REQUIRE(bench.Recorded().empty());
    REQUIRE(bench.budget.waiting() == 0);
}

TEST_CASE("tracing: a long tracestate is cut between its members") {
    const auto kept = [](const std::string& state) {
        Bench bench;
        RequestForTest seen = bench.See({{"traceparent", kParent}, {"tracestate", state}});
        REQUIRE(seen.fields.Get("tracestate") == state);  // PHP gets all of it
        const auto all = bench.Recorded();
        return std::string(all.at(0)->Get(all[0]->facts.state));
    };
    std::string state;
    std::string fits;
    for (int i = 0; i < 12; ++i) {
        state.append(i == 0 ? "" : ",").append("k" + std::to_string(i) + "=");
        state.append(200, 'v');
        fits = state.size() <= Recording::kLongestText ? state : fits;
    }
    REQUIRE(state.size() > Recording::kLongestText);
    REQUIRE(kept(state) == fits);
    REQUIRE(kept(fits) == fits);
}

TEST_CASE("tracing: long texts are cut") {
    Bench bench;
    RequestForTest request;
    request.target_text = "/" + std::string(5000, 'x');
    bench.Ask(request);
    const auto all = bench.Recorded();
    REQUIRE(all.at(0)->Get(all[0]->facts.target).size() == Recording::kLongestText);
}

}  // namespace rr::otel
