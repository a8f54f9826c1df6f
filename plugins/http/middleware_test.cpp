#include "plugins/http/middleware.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "plugins/http/head_for_test.hpp"
#include "plugins/http/middleware_for_test.hpp"

namespace rr::http {
namespace {

constexpr const char* kRequest =
    "GET /p?q=1 HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\nUser-Agent: test\r\n\r\n";

void Respond(MiddlewareRun& run, int status, std::vector<AnswerField>& fields) {
    DraftForTest bench;
    AnswerDraft draft{.status = status,
                      .fields = fields,
                      .filters = bench.filters,
                      .body = bench.body,
                      .file = bench.file};
    run.Response(draft);
}

}  // namespace

TEST_CASE("middleware: the last one listed sees a request first and its answer last") {
    ScriptedMiddleware a("a");
    ScriptedMiddleware b("b");
    std::string calls;
    for (ScriptedMiddleware* each : {&a, &b}) {
        each->on_request = [each, &calls](HttpRequest&, HttpAnswer&) {
            calls.append(each->name).append(">");
            return true;
        };
        each->on_response = [each, &calls](const HttpRequest&, HttpResponse& response) {
            calls.append("<").append(each->name).append(std::to_string(response.status()));
        };
    }
    MiddlewareChain chain = SelectMiddleware({"a", "missing", "b"}, {&a, &b});
    REQUIRE(chain == MiddlewareChain{&b, &a});
    ReadHead r(kRequest);
    MiddlewareRun run;
    std::vector<AnswerField> fields;
    REQUIRE(run.Request(chain, r.head, "::1"));
    Respond(run, 201, fields);
    REQUIRE(calls == "b>a><a201<b201");

    SECTION("one that answers keeps those behind it from seeing the request and the answer") {
        calls.clear();
        b.on_request = nullptr;
        a.on_request = [](HttpRequest&, HttpAnswer& answer) {
            answer.status = 403;
            answer.body = "no";
            return false;
        };
        run.Reset();
        REQUIRE_FALSE(run.Request(chain, r.head, "::1"));
        REQUIRE(run.answered());
        REQUIRE(run.answer().body == "no");
        Respond(run, run.answer().status, fields);
        REQUIRE(calls == "<b403");
        run.Reset();
        REQUIRE_FALSE(run.answered());
    }
}

TEST_CASE("middleware: what it sets on a request stands in the head") {
    ScriptedMiddleware m("m");
    m.on_request = [](HttpRequest& request, HttpAnswer&) {
        REQUIRE(request.method() == "GET");
        REQUIRE(request.target() == "/p?q=1");
        REQUIRE(request.host() == "h");
        REQUIRE(request.remote_address() == "10.0.0.1");
        REQUIRE(request.headers() == 4);
        REQUIRE(request.Header("X-a") == "1");
        REQUIRE(request.Header("X-None").empty());
        request.SetHeader("X-A", request.Header("user-agent"));
        request.RemoveHeader("USER-AGENT");
        request.AddHeader("X-New", "n");
        request.SetHeader("host", "other");
        request.SetAttribute("user", "1");
        request.SetAttribute("empty", "");
        request.SetAttribute("user", "42");
        request.SetRemoteAddress("192.0.2.7");
        return true;
    };
    MiddlewareChain chain{&m};
    ReadHead r(kRequest);
    MiddlewareRun run;
    REQUIRE_FALSE(run.moved());
    REQUIRE(run.Request(chain, r.head, "10.0.0.1"));
    REQUIRE(r.head.fields.size() == 3);
    REQUIRE(r.head.Find("x-a") == "test");
    REQUIRE(r.head.Find(HeaderId::kUserAgent).empty());
    REQUIRE(r.head.Find("x-new") == "n");
    REQUIRE(r.head.host == "other");
    REQUIRE(run.remote_address() == "192.0.2.7");
    REQUIRE(run.moved());
    REQUIRE(run.attributes().size() == 2);
    REQUIRE(run.attributes()[0].value == "42");
    REQUIRE(run.attributes()[1].value.empty());
}

TEST_CASE("middleware: headers of an answer are set, added and removed in any case") {
    ScriptedMiddleware m("m");
    m.on_response = [](const HttpRequest& request, HttpResponse& response) {
        REQUIRE(request.method() == "GET");
        REQUIRE(response.Header("CONTENT-TYPE") == "text/plain");
        response.SetHeader("content-type", "text/html");
        response.AddHeader("Vary", "Origin");
        response.AddHeader("Vary", "Accept");
        response.RemoveHeader("x-powered-by");
        REQUIRE(response.headers() == 3);
        REQUIRE(response.header(2).value == "Accept");
    };
    MiddlewareChain chain{&m};
    ReadHead r(kRequest);
    MiddlewareRun run;
    std::vector<AnswerField> fields{{"Content-Type", "text/plain"}, {"X-Powered-By", "PHP"}};
    REQUIRE(run.Request(chain, r.head, {}));
    Respond(run, 200, fields);
    REQUIRE(fields.size() == 3);
    REQUIRE(fields[0].name == "content-type");
    REQUIRE(fields[0].value == "text/html");
}

TEST_CASE("middleware: values may be large and many") {
    ScriptedMiddleware m("m");
    const std::string large(100'000, 'x');
    m.on_request = [&large](HttpRequest& request, HttpAnswer&) {
        for (int i = 0; i < 100; ++i) {
            request.SetAttribute("a" + std::to_string(i), large);
        }
        return true;
    };
    MiddlewareChain chain{&m};
    MiddlewareRun run;
    for (int i = 0; i < 3; ++i) {
        ReadHead r(kRequest);
        REQUIRE(run.Request(chain, r.head, {}));
        REQUIRE(run.attributes().size() == 100);
        REQUIRE(run.attributes()[99].value == large);
        run.Reset();
        REQUIRE(run.attributes().empty());
    }
}

TEST_CASE("middleware: a name that nobody has is told with its nearest") {
    ScriptedMiddleware stamp("stamp");
    REQUIRE(MiddlewareWarning("stamp", {&stamp}).empty());
    REQUIRE(MiddlewareWarning("stanp", {&stamp}) ==
            "requested middleware does not exist: stanp; did you mean stamp?");
    REQUIRE(MiddlewareWarning("sttic", {}) ==
            "requested middleware does not exist: sttic; did you mean static?");
    REQUIRE(MiddlewareWarning("static", {}) ==
            "static: does nothing, it needs the section http.static");
    REQUIRE(MiddlewareWarning("http_metrics", {}) ==
            "http_metrics: does nothing, it needs the section metrics");
    REQUIRE(MiddlewareWarning("something", {&stamp}) ==
            "requested middleware does not exist: something; there are cache, gzip, headers, "
            "http_metrics, otel, proxy_ip_parser, rate_limit, sendfile, stamp, static");
}

}  // namespace rr::http
