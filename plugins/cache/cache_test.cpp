#include "plugins/cache/cache.hpp"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"
#include "core/api/rpc_for_test.hpp"

namespace rr::cache {
namespace {

using Step = HttpBodyFilter::Step;
using Fields = FieldsForTest::Pairs;

Instant now_for_test{std::chrono::seconds(1000)};
Instant TestNow() { return now_for_test; }
void Pass(int seconds) { now_for_test += std::chrono::seconds(seconds); }

// A server with nothing but the cache and a worker that the test plays.
struct Bench {
    explicit Bench(CacheConfig config = {}) : cache(config, log::Logger(), &TestNow) {}

    // A request that the worker answers: true if it was asked.
    bool Ask(RequestForTest& request, Fields headers, std::string_view body = "page",
             bool complete = true, int status = 200) {
        answer = HttpAnswer();
        if (!cache.OnRequest(request, answer)) {
            cache.OnFinished(request, {.status = answer.status, .complete = true});
            return false;
        }
        ResponseForTest response(std::move(headers));
        response.code = status;
        response.body_comes = !body.empty() && request.method() != "HEAD";
        response.size = static_cast<int64_t>(body.size());
        cache.OnResponse(request, response);
        sent = response.fields;
        filtered = !response.filters.empty();
        if (filtered) {
            passed = response.Run(body.substr(0, body.size() / 2), Step::kMore);
            passed += response.Run(body.substr(body.size() / 2), Step::kLast);
        }
        cache.OnFinished(request, {.status = status, .complete = complete, .start_unix_ns = begun});
        request.kept.reset();
        return true;
    }
    bool Ask(Fields headers, std::string_view body = "page") {
        RequestForTest request;
        return Ask(request, std::move(headers), body);
    }
    // True: answered from the cache.
    bool Hits(RequestForTest&& request = RequestForTest()) { return Hits(request); }
    bool Hits(RequestForTest& request) {
        answer = HttpAnswer();
        return !cache.OnRequest(request, answer);
    }
    std::string_view Told(std::string_view name) const { return answer.headers.Get(name); }

    Cache cache;
    HttpAnswer answer;
    FieldsForTest sent{Fields{}};
    bool filtered = false;
    std::string passed;
    int64_t begun = UnixNanoseconds();
};

const Fields kFor5 = {{"X-Cache-For", "5"}, {"Content-Type", "text/html"}};

Fields And(std::string name, std::string value) {
    Fields fields = kFor5;
    fields.emplace_back(std::move(name), std::move(value));
    return fields;
}

RequestForTest With(Fields headers, std::string method = "GET") {
    RequestForTest request(std::move(headers));
    request.method_text = std::move(method);
    return request;
}

}  // namespace

TEST_CASE("cache: a page that its worker allows is answered again without him") {
    Bench bench;
    REQUIRE(bench.Ask(And("Content-Length", "4")));
    REQUIRE(bench.passed == "page");
    REQUIRE(bench.sent.Get("X-Cache-For").empty());
    Pass(3);
    REQUIRE(bench.Hits());
    REQUIRE(bench.answer.status == 200);
    REQUIRE(bench.answer.body == "page");
    REQUIRE(bench.Told("Content-Type") == "text/html");
    REQUIRE(bench.Told("Content-Length").empty());
    REQUIRE(bench.Told("X-Cache-For").empty());
    REQUIRE(bench.Told("Age") == "3");

    SECTION("HEAD is answered from it too") {
        REQUIRE(bench.Hits(With({}, "HEAD")));
        REQUIRE(bench.answer.body == "page");
    }
    SECTION("never when its time is over") {
        Pass(2);
        REQUIRE_FALSE(bench.Hits());
        REQUIRE(bench.Ask(kFor5));
    }
}

TEST_CASE("cache: without the worker's word nothing is kept") {
    Bench bench;
    for (Fields headers : {Fields{}, Fields{{"Cache-Control", "s-maxage=60"}},
                           Fields{{"X-Cache-For", "0"}}, Fields{{"X-Cache-For", "soon"}}}) {
        REQUIRE(bench.Ask(headers));
        REQUIRE_FALSE(bench.filtered);
        REQUIRE(bench.sent.Get("X-Cache-For").empty());
        REQUIRE_FALSE(bench.Hits());
    }
}

TEST_CASE("cache: some answers are kept on no word") {
    Bench bench;
    for (Fields headers : {And("Set-Cookie", "a=1"), And("Vary", "*"), And("Vary", "Cookie, *"),
                           And("Content-Range", "bytes 0-1/2"), And("Trailer", "X-Sum"),
                           And("Vary", "a,b,c,d,e,f,g,h,i")}) {
        REQUIRE(bench.Ask(headers));
        REQUIRE(bench.cache.store().empty());
    }
    for (int status : {201, 206, 304, 500, 503}) {
        RequestForTest request;
        REQUIRE(bench.Ask(request, kFor5, "page", true, status));
        REQUIRE(bench.cache.store().empty());
    }
    for (const char* method : {"POST", "HEAD", "PUT", "OPTIONS"}) {
        RequestForTest request = With({}, method);
        REQUIRE(bench.Ask(request, kFor5));
        REQUIRE(bench.cache.store().empty());
        REQUIRE(bench.sent.Get("X-Cache-For").empty());
    }
}

TEST_CASE("cache: an answer that was not complete is not kept") {
    Bench bench;
    RequestForTest request;
    REQUIRE(bench.Ask(request, kFor5, "page", false));
    REQUIRE(bench.cache.store().empty());

    SECTION("a stream that ended early") {
        ResponseForTest response(kFor5);
        bench.cache.OnResponse(request, response);
        response.Run("half", Step::kFlush);
        bench.cache.OnFinished(request, {.complete = true, .start_unix_ns = bench.begun});
        REQUIRE(bench.cache.store().empty());
    }
}

TEST_CASE("cache: one that is too large only passes") {
    CacheConfig config;
    config.max_entry = 1000;
    Bench bench(config);
    const std::string body(1001, 'x');
    REQUIRE(bench.Ask(kFor5, body));
    REQUIRE_FALSE(bench.filtered);  // known before
    RequestForTest request;
    ResponseForTest stream(kFor5);
    bench.cache.OnResponse(request, stream);
    REQUIRE(stream.Run(body.substr(0, 600), Step::kFlush) == body.substr(0, 600));
    REQUIRE(stream.Run(body.substr(600), Step::kLast) == body.substr(600));
    bench.cache.OnFinished(request, {.complete = true, .start_unix_ns = bench.begun});
    REQUIRE(bench.cache.store().empty());
    REQUIRE(bench.Ask(kFor5, body.substr(1)));
    REQUIRE(bench.Hits());
}

TEST_CASE("cache: copies of what passes take no more than max_memory") {
    CacheConfig config;
    config.max_memory = 10000;
    config.max_entry = 8000;
    Bench bench(config);
    RequestForTest first;
    RequestForTest second;
    ResponseForTest one(kFor5);
    ResponseForTest two(kFor5);
    bench.cache.OnResponse(first, one);
    bench.cache.OnResponse(second, two);
    one.Run(std::string(6000, 'x'), Step::kFlush);
    two.Run(std::string(6000, 'x'), Step::kLast);  // no room: only passes
    bench.cache.OnFinished(second, {.complete = true, .start_unix_ns = bench.begun});
    REQUIRE(bench.cache.store().empty());
    one.Run("", Step::kLast);
    bench.cache.OnFinished(first, {.complete = true, .start_unix_ns = bench.begun});
    REQUIRE(bench.cache.store().entries() == 1);
}

TEST_CASE("cache: requests with Authorization go past it, unless a key says otherwise") {
    RequestForTest request = With({{"Authorization", "Basic x"}});
    Bench bench;
    REQUIRE(bench.Ask(kFor5));
    REQUIRE_FALSE(bench.Hits(With({{"authorization", "Basic x"}})));
    bench.cache.Clear("");
    bench.begun = UnixNanoseconds();
    REQUIRE(bench.Ask(request, kFor5));
    REQUIRE(bench.cache.store().empty());

    CacheConfig config;
    config.authorization = true;
    Bench open(config);
    REQUIRE(open.Ask(request, kFor5));
    REQUIRE(open.Hits(With({{"Authorization", "other"}})));
}

TEST_CASE("cache: what runs in the debug pool goes past it") {
    Bench b;
    RequestForTest debugged;
    debugged.in_debugger = true;
    REQUIRE(b.Ask(debugged, {{"X-Cache-For", "60"}}));
    REQUIRE(b.sent.Get("X-Cache-For").empty());
    REQUIRE_FALSE(b.Hits());
    REQUIRE(b.Ask({{"X-Cache-For", "60"}}));
    REQUIRE(b.Hits());
    REQUIRE_FALSE(b.Hits(debugged));
}

TEST_CASE("cache: what only the worker can do goes to him") {
    Bench bench;
    REQUIRE(bench.Ask(kFor5));
    for (Fields headers : {Fields{{"Range", "bytes=0-1"}}, Fields{{"If-Match", "\"a\""}},
                           Fields{{"If-Unmodified-Since", "x"}}, Fields{{"Content-Length", "3"}},
                           Fields{{"Transfer-Encoding", "chunked"}}, Fields{{"Upgrade", "x"}}}) {
        REQUIRE_FALSE(bench.Hits(With(headers)));
    }
    REQUIRE_FALSE(bench.Hits(With({}, "POST")));
    REQUIRE(bench.Hits(With({{"Content-Length", "0"}, {"Cookie", "a=1"}})));
}

TEST_CASE("cache: a client that has the page is told so") {
    Bench bench;
    Fields headers = And("ETag", "\"v1\"");
    headers.emplace_back("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    headers.emplace_back("Cache-Control", "max-age=5");
    REQUIRE(bench.Ask(headers));
    for (Fields has : {Fields{{"If-None-Match", "W/\"v1\""}}, Fields{{"If-None-Match", "*"}},
                       Fields{{"If-None-Match", "\"x\""}, {"If-None-Match", "\"v1\""}},
                       Fields{{"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}}}) {
        REQUIRE(bench.Hits(With(has)));
        REQUIRE(bench.answer.status == 304);
        REQUIRE(bench.answer.body.empty());
        REQUIRE(bench.Told("ETag") == "\"v1\"");
        REQUIRE(bench.Told("Cache-Control") == "max-age=5");
        REQUIRE(bench.Told("Content-Type").empty());
        REQUIRE(bench.Told("Age") == "0");
    }
    for (Fields has_not : {Fields{{"If-None-Match", "\"v2\""}},
                           Fields{{"If-None-Match", "\"v2\""},
                                  {"If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"}},
                           Fields{{"If-Modified-Since", "Sun, 06 Nov 1994 08:49:38 GMT"}}}) {
        REQUIRE(bench.Hits(With(has_not)));
        REQUIRE(bench.answer.status == 200);
    }
}

TEST_CASE("cache: answers that vary are kept for each wish") {
    Bench bench;
    RequestForTest german = With({{"Accept-Language", "de"}});
    REQUIRE(bench.Ask(german, And("Vary", "Accept-Language, Origin"), "Seite"));
    REQUIRE(bench.Hits(german));
    REQUIRE(bench.answer.body == "Seite");
    REQUIRE_FALSE(bench.Hits(With({{"Accept-Language", "en"}})));
    REQUIRE_FALSE(bench.Hits(With({{"Accept-Language", "de"}, {"Origin", "http://a"}})));
    REQUIRE_FALSE(bench.Hits());
}

TEST_CASE("cache: honour_cache_control takes s-maxage for a word") {
    CacheConfig config;
    config.honour_cache_control = true;
    Bench bench(config);
    REQUIRE(bench.Ask({{"Cache-Control", "public"}, {"Cache-Control", "s-maxage=60, max-age=1"}}));
    REQUIRE(bench.Hits());
    Pass(60);
    REQUIRE_FALSE(bench.Hits());
    REQUIRE(bench.Ask({{"Cache-Control", "s-maxage=60"}, {"Cache-Control", "private"}}));
    REQUIRE_FALSE(bench.Hits());
    // X-Cache-For is for us alone and counts more.
    REQUIRE(bench.Ask({{"Cache-Control", "no-cache, private"}, {"X-Cache-For", "5"}}));
    REQUIRE(bench.Hits());
}

TEST_CASE("cache: an empty answer is kept with its status") {
    Bench bench;
    RequestForTest request;
    REQUIRE(bench.Ask(request, {{"X-Cache-For", "5"}, {"Location", "/new"}}, "", true, 301));
    REQUIRE(bench.Hits());
    REQUIRE(bench.answer.status == 301);
    REQUIRE(bench.Told("Location") == "/new");
}

TEST_CASE("cache: Clear drops what is kept and what is on its way, over RPC too") {
    Bench bench;
    REQUIRE(bench.Ask(kFor5));
    RequestForTest late;
    ResponseForTest response(kFor5);
    bench.cache.OnResponse(late, response);
    response.Run("old");
    std::vector<RpcMethod> methods;
    bench.cache.Describe(methods);
    REQUIRE(methods.size() == 1);
    REQUIRE(methods[0].name == "Clear");
    for (auto [prefix, count] : {std::pair{"/other", 0}, {"/", 1}, {"", 0}}) {
        Recorded call;
        methods[0].call({.bytes = prefix}, RpcReply(call));
        REQUIRE(call.answer.natural() == static_cast<uint64_t>(count));
    }
    bench.cache.OnFinished(late, {.complete = true, .start_unix_ns = bench.begun});
    REQUIRE(bench.cache.store().empty());
}

TEST_CASE("cache: a page is dropped when its target was posted to") {
    const auto post = [](Bench& bench, std::string method, int status, std::string target = "/") {
        RequestForTest request = With({}, std::move(method));
        request.target_text = std::move(target);
        REQUIRE(bench.Ask(request, {}, "done", true, status));
    };
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
        for (int status : {200, 204, 303}) {
            Bench bench;
            REQUIRE(bench.Ask(kFor5));
            post(bench, method, status, "/other");
            REQUIRE(bench.Hits());
            post(bench, method, status);
            REQUIRE_FALSE(bench.Hits());
        }
    }
    Bench bench;
    REQUIRE(bench.Ask(kFor5));
    post(bench, "POST", 422);
    post(bench, "POST", 500);
    post(bench, "OPTIONS", 200);
    REQUIRE(bench.Hits());
    // What a worker began to say before is of yesterday.
    RequestForTest late;
    ResponseForTest response(kFor5);
    bench.cache.OnResponse(late, response);
    post(bench, "POST", 200);
    response.Run("old", Step::kLast);
    bench.cache.OnFinished(late, {.complete = true, .start_unix_ns = bench.begun});
    REQUIRE_FALSE(bench.Hits());
}

TEST_CASE("cache: the limits of one client are not told to the next") {
    Bench bench;
    Fields headers = And("RateLimit-Remaining", "3");
    headers.emplace_back("Retry-After", "7");
    REQUIRE(bench.Ask(headers));
    REQUIRE(bench.sent.Get("RateLimit-Remaining") == "3");
    REQUIRE(bench.Hits());
    REQUIRE(bench.Told("RateLimit-Remaining").empty());
    REQUIRE(bench.Told("Retry-After").empty());
}

TEST_CASE("cache: numbers for the metrics") {
    Bench bench;
    REQUIRE(bench.Ask(kFor5));
    REQUIRE(bench.Hits());
    REQUIRE(bench.Hits());
    std::vector<MetricFamily> families;
    bench.cache.Collect(families);
    auto value = [&families](std::string_view name) {
        for (const MetricFamily& family : families) {
            if (family.name == name) {
                return family.samples.at(0).value;
            }
        }
        return -1.0;
    };
    REQUIRE(value("rr_http_cache_hits_total") == 2);
    REQUIRE(value("rr_http_cache_misses_total") == 1);
    REQUIRE(value("rr_http_cache_entries") == 1);
    REQUIRE(value("rr_http_cache_bytes") > 4);
    REQUIRE(value("rr_http_cache_evicted_total") == 0);
}

}  // namespace rr::cache
