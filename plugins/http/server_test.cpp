#include "plugins/http/server.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/allocations_for_test.hpp"
#include "plugins/http/middleware_for_test.hpp"
#include "plugins/http/server_for_test.hpp"

namespace rr::http {
namespace {

using namespace std::chrono_literals;

constexpr const char* kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace

TEST_CASE_METHOD(Fixture, "http server: a whole answer has its length and the connection goes on") {
    TestClient& client = Connect();
    for (int i = 0; i < 3; ++i) {
        client.seen.clear();
        client.stream.Queue(kGet);
        Jobs(1);
        REQUIRE(pool->Context().find(R"("uri":"http://h/a")") != std::string::npos);
        pool->Answer("hello");
        Until([&client] { return EndsWith(client.seen, "\r\n\r\nhello"); });
        REQUIRE(client.seen.find("HTTP/1.1 200 OK\r\n") == 0);
        REQUIRE(client.seen.find("Content-Length: 5\r\n") != std::string::npos);
    }
    REQUIRE_FALSE(client.closed);
}

TEST_CASE_METHOD(Fixture,
                 "http server: a warm request allocates nothing between its first and last byte") {
    TestClient& client = Connect();
    size_t before = 0;
    for (int i = 0; i < 50; ++i) {
        client.seen.clear();
        client.stream.Queue(kGet);
        pool->jobs.clear();
        if (i == 40) {
            before = AllocationsSoFar();
        }
        Until([this] { return !pool->jobs.empty(); });
        pool->Answer("hello");
        Until([&client] { return EndsWith(client.seen, "hello"); });
    }
    // The fake pool's list and the loop of the test may allocate; the server must not: what is left
    // is far below one per request.
    REQUIRE(AllocationsSoFar() - before < 10);
}

TEST_CASE_METHOD(Fixture, "http server: a pipelined request waits for the answer before it") {
    TestClient& client = Connect();
    client.stream.Queue(std::string(kGet) +
                        "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    Jobs(1);
    REQUIRE(pool->jobs.size() == 1);
    pool->Answer("first");
    Jobs(1);
    REQUIRE(pool->Body() == "abc");
    pool->Answer("second");
    Until([&client] { return EndsWith(client.seen, "second"); });
    REQUIRE(client.seen.find("first") < client.seen.find("second"));
}

TEST_CASE_METHOD(Fixture, "http server: a body above the threshold reaches the pool as a file") {
    TestClient& client = Connect();
    std::string body(200'000, 'x');
    client.stream.Queue("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" + body);
    Jobs(1);
    const pool::Job& job = pool->jobs.front().job;
    REQUIRE(job.body_size == 0);
    REQUIRE(job.body_file >= 0);
    REQUIRE(job.body_file_size == body.size());
    pool->Answer("");
    Until([&client] { return EndsWith(client.seen, "\r\n\r\n"); });
}

TEST_CASE_METHOD(Fixture, "http server: a queued request of a client that went is cancelled") {
    pool->queues = true;
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    std::string context = pool->Context();
    clients.clear();
    Until([this] { return pool->jobs.front().cancelled; });
    Until([this] { return server->connections() == 0; });
    // The bytes are the pool's until OnDone, though the connection is gone.
    REQUIRE(pool->Context() == context);
    pool->Done(pool::JobEnd::kCancelled);
}

TEST_CASE_METHOD(Fixture, "http server: a running request of a half-closed client is answered") {
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    client.stream.ShutdownWhenSent();
    Jobs(1);
    loop.RunUntil([] { return false; }, 30ms);
    REQUIRE_FALSE(pool->jobs.front().cancelled);
    pool->Answer("late");
    Until([&client] { return client.closed; });
    REQUIRE(EndsWith(client.seen, "late"));
}

TEST_CASE_METHOD(Fixture,
                 "http server: a stream waits for a client that does not read, and goes on") {
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    client.stream.StopReading();
    std::string piece(64 * 1024, 'p');
    size_t sent = 0;
    bool room = true;
    while (room) {
        pool->Head(sent == 0 ? R"({"status":200})" : "", piece.size(), true);
        room = pool->Chunk(piece);
        sent += piece.size();
        loop.RunUntil([] { return true; });
        REQUIRE(sent < 16u << 20);
    }
    loop.RunUntil([] { return false; }, 30ms);
    REQUIRE(pool->jobs.front().resumed == 0);
    client.stream.StartReading();
    Until([this] { return pool->jobs.front().resumed == 1; });
    pool->Head("", 0, false, true);
    pool->Done();
    Until([&client] { return EndsWith(client.seen, "\r\n0\r\n\r\n"); });
    REQUIRE(client.seen.size() > sent);
}

TEST_CASE_METHOD(Fixture, "http server: pieces of one frame have a length, not chunks") {
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Head(R"({"status":200})", 6, false);
    pool->Chunk("abc");
    pool->Chunk("def");
    pool->Done();
    Until([&client] { return EndsWith(client.seen, "\r\n\r\nabcdef"); });
    REQUIRE(client.seen.find("Content-Length: 6\r\n") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "http server: a failure before the first byte is an answer") {
    TestClient& client = Connect();
    auto status = [this, &client](pool::JobEnd end) {
        client.seen.clear();
        client.stream.Queue(kGet);
        Jobs(1);
        pool->Done(end, "why");
        Until([&client] { return EndsWith(client.seen, "\r\n\r\n"); });
        return client.seen.substr(9, 3);
    };
    REQUIRE(status(pool::JobEnd::kSoftError) == "500");
    REQUIRE(status(pool::JobEnd::kWorkerDied) == "502");
    REQUIRE(status(pool::JobEnd::kProtocol) == "502");
    REQUIRE(status(pool::JobEnd::kNoWorker) == "503");
    REQUIRE(client.seen.find("Retry-After: 1\r\n") != std::string::npos);
    REQUIRE(status(pool::JobEnd::kExecTtl) == "504");
    REQUIRE(status(pool::JobEnd::kTooLarge) == "413");
    REQUIRE(status(pool::JobEnd::kDone) == "502");
}

TEST_CASE_METHOD(Fixture, "http server: a failure in mid-answer cuts the connection") {
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Head(R"({"status":200})", 3, true);
    pool->Chunk("abc");
    pool->Done(pool::JobEnd::kWorkerDied);
    Until([&client] { return client.closed; });
    REQUIRE(EndsWith(client.seen, "3\r\nabc\r\n"));
    REQUIRE(server->connections() == 0);
}

TEST_CASE_METHOD(Fixture, "http server: a head without a body at the stream's end has length 0") {
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Head(R"({"status":200})", 0, true);
    pool->Head("", 0, false, true);
    pool->Done();
    Until([&client] { return EndsWith(client.seen, "\r\n\r\n"); });
    REQUIRE(client.seen.find("Content-Length: 0\r\n") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "http server: draining closes idle connections and announces the close") {
    TestClient& busy = Connect();
    TestClient& idle = Connect();
    busy.stream.Queue(kGet);
    Jobs(1);
    bool drained = false;
    server->Drain(Clock::now() + 20s, [&drained] { drained = true; });
    pool->Answer("last");
    Until([&busy] { return busy.closed; });
    REQUIRE(busy.seen.find("Connection: close\r\n") != std::string::npos);
    busy.stream.ShutdownWhenSent();
    Until([&drained] { return drained; });
    REQUIRE(idle.closed);
}

TEST_CASE_METHOD(Fixture, "http server: requests and connections are told to whoever listens") {
    std::vector<std::string> told;
    bus.connection.Subscribe([&told](const ConnectionEvent& event) {
        told.push_back(event.phase == ConnectionPhase::kOpened ? "opened" : "closed");
    });
    bus.request.Subscribe([&told](const RequestEvent& event) {
        told.push_back(event.phase == RequestPhase::kBegun
                           ? "begun " + std::string(event.uri)
                           : "finished " + std::to_string(event.status));
    });
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Answer("x");
    clients.clear();
    Until([this] { return server->connections() == 0; });
    REQUIRE(told == std::vector<std::string>{"opened", "begun /a", "finished 200", "closed"});
}

TEST_CASE_METHOD(Fixture, "http server: who listens learns that no worker was free") {
    std::vector<bool> told;
    bus.request.Subscribe([&told](const RequestEvent& event) {
        if (event.phase == RequestPhase::kFinished) {
            told.push_back(event.no_worker);
        }
    });
    for (auto end : {pool::JobEnd::kQueueFull, pool::JobEnd::kNoWorker, pool::JobEnd::kClosed}) {
        TestClient& client = Connect();
        client.stream.Queue(kGet);
        Jobs(1);
        pool->Done(end);
        Until([&client] { return EndsWith(client.seen, "\r\n\r\n"); });
    }
    REQUIRE(told == std::vector<bool>{true, true, false});
}

namespace {

// A server with one middleware between its clients and the pool.
struct WithMiddleware : Fixture {
    WithMiddleware() { Restart(); }
    void Restart() {
        server->Close(Clock::now(), [] {});
        loop.RunUntil([this] { return server->connections() == 0; });
        server.reset();
        middleware = {&outer};
        Start();
    }
    std::string Ask(TestClient& client, std::string_view request, std::string_view end) {
        client.seen.clear();
        client.stream.Queue(request);
        Until([&client, end] { return EndsWith(client.seen, end); });
        return client.seen;
    }
    ScriptedMiddleware outer{"outer"};
};

bool Has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE_METHOD(WithMiddleware, "http server: a middleware changes the request and the answer") {
    outer.on_request = [](HttpRequest& request, HttpAnswer&) {
        request.SetHeader("X-Stamp", "in");
        request.SetAttribute("user", "42");
        request.SetRemoteAddress("192.0.2.7");
        return true;
    };
    outer.on_response = [](const HttpRequest& request, HttpResponse& response) {
        response.SetHeader("X-Stamp", std::string(request.Header("X-Stamp")) + "-out");
    };
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    REQUIRE(Has(pool->Context(), R"("X-Stamp":["in"])"));
    REQUIRE(Has(pool->Context(), R"("attributes":{"user":"42"})"));
    REQUIRE(Has(pool->Context(), R"({"remoteAddr":"192.0.2.7",)"));

    SECTION("of a worker") {
        pool->Answer("hello");
        Until([&client] { return EndsWith(client.seen, "\r\n\r\nhello"); });
        REQUIRE(Has(client.seen, "X-Stamp: in-out\r\n"));
        REQUIRE(Has(client.seen, "Content-Length: 5\r\n"));
    }
    SECTION("of a stream, with what an informational answer left") {
        pool->Head(R"({"status":103,"headers":{"Link":["a"],"X-Stamp":["early"]}})", 0, true);
        pool->Head(R"({"status":200,"headers":{}})", 2, true);
        pool->Chunk("ab");
        pool->Head("", 0, false);
        pool->Done();
        Until([&client] { return EndsWith(client.seen, "0\r\n\r\n"); });
        std::string last = client.seen.substr(client.seen.find("HTTP/1.1 200"));
        REQUIRE(Has(last, "Link: a\r\n"));
        REQUIRE(Has(last, "X-Stamp: in-out\r\n"));
        REQUIRE_FALSE(Has(last, "early"));
        REQUIRE(Has(last, "Transfer-Encoding: chunked\r\n"));
    }
    SECTION("of the server itself") {
        pool->Done(pool::JobEnd::kNoWorker);
        Until([&client] { return EndsWith(client.seen, "\r\n\r\n"); });
        REQUIRE(client.seen.find("HTTP/1.1 503 Service Unavailable\r\n") == 0);
        REQUIRE(Has(client.seen, "Retry-After: 1\r\n"));
        REQUIRE(Has(client.seen, "X-Stamp: in-out\r\n"));
        REQUIRE(Has(client.seen, "Content-Length: 0\r\n"));
    }
    SECTION("of a worker with a bad status") {
        pool->Head(R"({"status":99,"headers":{"X-Stamp":["w"]}})", 0, false, true);
        pool->Done();
        Until([&client] { return EndsWith(client.seen, "worker: 99\n"); });
        REQUIRE(Has(client.seen, "X-Stamp: in-out\r\n"));
    }
}

TEST_CASE_METHOD(WithMiddleware, "http server: a middleware's answer allocates nothing when warm") {
    const std::string body(1024, 'x');
    outer.on_request = [&body](HttpRequest&, HttpAnswer& answer) {
        answer.headers.Add("Last-Modified", "Sat, 28 Nov 2026 09:00:07 GMT");
        answer.headers.Add("Content-Type", "text/plain; charset=utf-8");
        answer.body.assign(body);
        return false;
    };
    outer.on_response = [](const HttpRequest& request, HttpResponse& response) {
        response.SetHeader("X-A-Header-That-Is-Long", request.target());
    };
    TestClient& client = Connect();
    size_t before = 0;
    for (int i = 0; i < 140; ++i) {
        client.seen.clear();
        client.stream.Queue(kGet);
        if (i == 40) {
            before = AllocationsSoFar();
        }
        Until([&client] { return EndsWith(client.seen, "xxx"); });
    }
    // The loop of the test may allocate.
    REQUIRE(AllocationsSoFar() - before < 20);
}

TEST_CASE_METHOD(WithMiddleware, "http server: a middleware's own answer needs no worker") {
    outer.on_request = [](HttpRequest& request, HttpAnswer& answer) {
        answer.status = request.target() == "/bad" ? 99 : request.target() == "/none" ? 204 : 403;
        answer.headers.Add("X-Why", "not today");
        answer.body = "go away";
        return false;
    };
    TestClient& client = Connect();
    std::string seen = Ask(client, kGet, "\r\n\r\ngo away");
    REQUIRE(seen.find("HTTP/1.1 403 Forbidden\r\nX-Why: not today\r\n") == 0);
    REQUIRE(Has(seen, "Content-Length: 7\r\n"));
    REQUIRE(Has(seen, "Content-Type: text/plain; charset=utf-8\r\n"));

    seen = Ask(client, "HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n");
    REQUIRE(Has(seen, "Content-Length: 7\r\n"));
    seen = Ask(client, "GET /none HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n");
    REQUIRE(seen.find("HTTP/1.1 204 No Content\r\n") == 0);
    REQUIRE_FALSE(Has(seen, "Content-Length"));
    seen = Ask(client, "GET /bad HTTP/1.1\r\nHost: h\r\n\r\n", "go away");
    REQUIRE(seen.find("HTTP/1.1 500 Internal Server Error\r\n") == 0);

    SECTION("a small body is dropped and the connection goes on") {
        Ask(client,
            "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /a HTTP/1.1\r\n"
            "Host: h\r\n\r\n",
            "go away");
        Until([&client] { return client.seen.find("go away") != client.seen.rfind("go away"); });
        REQUIRE_FALSE(client.closed);
    }
    SECTION("a large one is not waited for") {
        seen = Ask(client, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\nabc",
                   "go away");
        REQUIRE(Has(seen, "Connection: close\r\n"));
    }
    SECTION("nor one that the client has not sent yet") {
        seen = Ask(client,
                   "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"
                   "\r\n",
                   "go away");
        REQUIRE(seen.find("HTTP/1.1 403") == 0);
        REQUIRE(Has(seen, "Connection: close\r\n"));
    }
    SECTION("HTTP/1.0") {
        seen = Ask(client, "GET /a HTTP/1.0\r\n\r\n", "go away");
        REQUIRE(seen.find("HTTP/1.0 403 Forbidden\r\n") == 0);
        Until([&client] { return client.closed; });
    }
    REQUIRE(pool->jobs.empty());
}

TEST_CASE_METHOD(WithMiddleware, "http server: a request for the debugger goes to its pool") {
    config.debug.emplace();
    config.debug->header = "X-Debug";
    config.debug->trusts_unix = true;
    config.debug->pool.debug = true;
    bool debugged = false;
    outer.on_request = [&debugged](HttpRequest& request, HttpAnswer&) {
        debugged = request.debugged();
        request.SetHeader("X-Debug", "0");  // too late
        if (request.Header("X-Move") == "1") {
            request.SetRemoteAddress("192.0.2.7");
        }
        return true;
    };
    Restart();
    TestClient& client = Connect();
    auto ask = [&client](const std::string& fields) {
        client.seen.clear();
        client.stream.Queue("GET /a HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n");
    };
    ask("X-Debug: 1\r\n");
    Until([this] { return debug_pool->jobs.size() == 1; });
    REQUIRE(debugged);
    REQUIRE_FALSE(debug_pool->jobs.front().job.replayable);
    debug_pool->Done(pool::JobEnd::kWorkerDied, "the reason");
    Until([&client] { return Has(client.seen, "the reason"); });
    REQUIRE(client.seen.find("HTTP/1.1 502 ") == 0);

    ask("X-Debug: 0\r\n");
    Jobs(1);
    REQUIRE_FALSE(debugged);
    REQUIRE(pool->jobs.front().job.replayable);
    pool->Done(pool::JobEnd::kWorkerDied, "the reason");
    Until([&client] { return client.seen.find("\r\n\r\n") != std::string::npos; });
    REQUIRE_FALSE(Has(client.seen, "the reason"));

    // A middleware finds another client: it has the last word.
    ask("X-Debug: 1\r\nX-Move: 1\r\n");
    Jobs(1);
    pool->Answer("hello");
    Until([&client] { return EndsWith(client.seen, "hello"); });
    REQUIRE(debug_pool->jobs.empty());
}

TEST_CASE_METHOD(WithMiddleware, "http server: the server's own OPTIONS * meets no middleware") {
    outer.on_request = [](HttpRequest&, HttpAnswer&) { return false; };
    outer.on_response = [](const HttpRequest&, HttpResponse& r) { r.SetHeader("X-Seen", "1"); };
    TestClient& client = Connect();
    std::string seen = Ask(client, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "\r\n\r\n");
    REQUIRE(seen.find("HTTP/1.1 200 OK\r\n") == 0);
    REQUIRE_FALSE(Has(seen, "X-Seen"));
}

TEST_CASE_METHOD(WithMiddleware, "http server: a middleware costs a warm request no allocation") {
    outer.on_request = [](HttpRequest& request, HttpAnswer&) {
        request.SetHeader("X-Stamp", "in");
        request.SetAttribute("user", "42");
        return true;
    };
    outer.on_response = [](const HttpRequest&, HttpResponse& response) {
        response.SetHeader("X-Stamp", "out");
    };
    TestClient& client = Connect();
    size_t before = 0;
    for (int i = 0; i < 50; ++i) {
        client.seen.clear();
        client.stream.Queue(kGet);
        pool->jobs.clear();
        if (i == 40) {
            before = AllocationsSoFar();
        }
        Until([this] { return !pool->jobs.empty(); });
        pool->Answer("hello");
        Until([&client] { return EndsWith(client.seen, "hello"); });
    }
    REQUIRE(AllocationsSoFar() - before < 10);
}

TEST_CASE_METHOD(Fixture,
                 "http server: who pipelines and takes nothing is not answered without end") {
    const std::string large(AnswerWriter::kHighWater * 3, '#');
    TestClient& greedy = Connect();
    greedy.stream.StopReading();
    std::string requests;
    for (int i = 0; i < 20; ++i) {
        requests += "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
    }
    greedy.stream.Queue(requests);
    Jobs(1);
    pool->Answer(large);
    int answered = 1;
    for (int turn = 0; turn < 20; ++turn) {
        // Another client's request and answer: what was to come has come.
        TestClient& other = Connect();
        other.stream.Queue("GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
        Jobs(1);
        while (pool->Context().find("/b") == std::string::npos) {
            ++answered;
            pool->Answer(large);
            Jobs(1);
        }
        pool->Answer("other");
        Until([&other] { return EndsWith(other.seen, "other"); });
        clients.pop_back();
    }
    REQUIRE(answered < 4);

    // It goes on as the client takes what there is, and nothing is lost.
    greedy.stream.StartReading();
    while (answered < 20) {
        Jobs(1);
        pool->Answer(large);
        ++answered;
    }
    Until([&] { return greedy.seen.size() > 20 * large.size(); });
    REQUIRE(static_cast<size_t>(std::count(greedy.seen.begin(), greedy.seen.end(), '#')) ==
            20 * large.size());
}

TEST_CASE_METHOD(Fixture, "http server: a client that leaves a stream to HEAD stops its worker") {
    TestClient& client = Connect();
    client.stream.Queue("HEAD /events HTTP/1.1\r\nHost: h\r\n\r\n");
    Jobs(1);
    pool->Head(R"({"status":200,"headers":{}})", 3, true);
    pool->Chunk("one");
    Until([&] { return EndsWith(client.seen, "\r\n\r\n"); });
    REQUIRE_FALSE(pool->jobs.front().cancelled);
    client.stream.ShutdownWhenSent();
    Until([&] { return pool->jobs.front().cancelled; });
    pool->Done(pool::JobEnd::kCancelled);
}

TEST_CASE_METHOD(Fixture, "http server: Upgrade: h2c of HTTP/1.0 means nothing") {
    config.http2.h2c = true;
    TestClient& client = Connect();
    client.stream.Queue(
        "GET /a HTTP/1.0\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    Jobs(1);
    pool->Answer("plain");
    Until([&] { return EndsWith(client.seen, "plain"); });
    REQUIRE(client.seen.find(" 200 ") == 8);
}

}  // namespace rr::http
