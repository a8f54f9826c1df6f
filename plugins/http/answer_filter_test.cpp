// Answers whose body a middleware changes, replaces, or brings from files.
#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

#include "plugins/http/middleware_for_test.hpp"
#include "plugins/http/server_for_test.hpp"

namespace rr::http {
namespace {

constexpr const char* kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
using Step = HttpBodyFilter::Step;

// Says what it was told: `a` + flush -> `<a!>`; fails at `#`.
struct Marking final : HttpBodyFilter {
    bool Filter(std::string_view in, Step step, Buffer& out) override {
        out.Append('<');
        out.Append(in);
        out.Append(step == Step::kMore ? "" : step == Step::kFlush ? "!" : ".");
        out.Append('>');
        return in.find('#') == std::string_view::npos;
    }
};

// Passes all, and counts; or keeps all to itself.
struct Counting final : HttpBodyFilter {
    Counting(int& count, bool passes) : calls(count), passing(passes) {}
    bool Filter(std::string_view in, Step, Buffer& out) override {
        ++calls;
        out.Append(passing ? in : std::string_view());
        return true;
    }
    bool KeepsSize() const override { return passing; }
    int& calls;
    const bool passing;
};

HttpFile MakeFile(std::string_view text, uint64_t size) {
    auto file = File::CreateUnlinked(TemporaryDirectory());
    REQUIRE(file);
    REQUIRE(file->Write(text));
    return {std::make_shared<const File>(std::move(*file)), 0, size};
}

struct Filtering : Fixture {
    Filtering() {
        bool closed = false;
        server->Close(Clock::now(), [&closed] { closed = true; });
        REQUIRE(loop.RunUntil([&closed] { return closed; }));
        middleware = {&outer};
        Start();
    }
    std::string Body(TestClient& client, Bytes end) {
        Until([&] { return EndsWith(client.seen, end) || client.closed; });
        return client.seen.substr(client.seen.find("\r\n\r\n") + 4);
    }

    ScriptedMiddleware outer{"outer"};
};

}  // namespace

TEST_CASE_METHOD(Filtering, "http filter: a whole answer is filtered at once and has its length") {
    outer.on_response = [](const HttpRequest&, HttpResponse& response) {
        REQUIRE(response.has_body());
        REQUIRE(response.body_size() == 5);
        REQUIRE(response.body_start() == "hello");
        response.AddFilter(std::make_unique<Marking>());
        response.AddFilter(std::make_unique<Marking>());
    };
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Answer("hello");
    REQUIRE(Body(client, ">") == "<<hello.>.>");
    REQUIRE(client.seen.find("Content-Length: 11\r\n") != std::string::npos);
}

TEST_CASE_METHOD(Filtering, "http filter: frames of a stream are flushed, and the end is told") {
    outer.on_response = [](const HttpRequest&, HttpResponse& response) {
        REQUIRE(response.body_size() == -1);
        response.AddFilter(std::make_unique<Marking>());
    };
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Head(R"({"status":200,"headers":{"Content-Length":["3"]}})", 2, true);
    pool->Chunk("ab");
    Until([&] { return client.seen.find("<ab!>") != std::string::npos; });
    pool->Head("", 1, false);
    pool->Chunk("c");
    pool->Done();
    REQUIRE(Body(client, "0\r\n\r\n") == "5\r\n<ab!>\r\n3\r\n<c>\r\n3\r\n<.>\r\n0\r\n\r\n");
    REQUIRE(client.seen.find("Content-Length") == std::string::npos);
}

TEST_CASE_METHOD(Filtering,
                 "http filter: a stream that breaks its Content-Length is cut all the same") {
    bool complete = true;
    outer.on_response = [](const HttpRequest&, HttpResponse& response) {
        response.AddFilter(std::make_unique<Marking>());
    };
    outer.on_finished = [&complete](const HttpRequest&, const HttpOutcome& outcome) {
        complete = outcome.complete;
    };
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Head(R"({"status":200,"headers":{"Content-Length":["10"]}})", 2, true);
    pool->Chunk("ab");
    pool->Head("", 1, false);
    pool->Chunk("c");
    pool->Done();
    Until([&] { return client.closed; });
    REQUIRE_FALSE(complete);
    REQUIRE(client.seen.find(".>") == std::string::npos);  // the filter was not told of an end
    REQUIRE_FALSE(Fixture::EndsWith(client.seen, "0\r\n\r\n"));

    TestClient& other = Connect();
    other.stream.Queue(kGet);
    Jobs(1);
    pool->Head(R"({"status":200,"headers":{"Content-Length":["2"]}})", 3, true);
    pool->Chunk("abc");
    pool->Head("", 1, false);
    pool->Chunk("d");
    pool->Done();
    REQUIRE(Body(other, "0\r\n\r\n") == "5\r\n<ab!>\r\n2\r\n<>\r\n3\r\n<.>\r\n0\r\n\r\n");
    REQUIRE(complete);
}

TEST_CASE_METHOD(Filtering, "http filter: one that keeps the size leaves the Content-Length") {
    int calls = 0;
    outer.on_response = [&calls](const HttpRequest&, HttpResponse& response) {
        response.AddFilter(std::make_unique<Counting>(calls, true));
    };
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Head(R"({"status":200,"headers":{"Content-Length":["3"]}})", 2, true);
    pool->Chunk("ab");
    pool->Head("", 1, false);
    pool->Chunk("c");
    pool->Done();
    REQUIRE(Body(client, "c") == "abc");
    REQUIRE(client.seen.find("Content-Length: 3\r\n") != std::string::npos);
    REQUIRE(client.seen.find("chunked") == std::string::npos);
    REQUIRE(calls == 3);
}

TEST_CASE_METHOD(Filtering,
                 "http filter: one that fails cuts a stream and refuses a whole answer") {
    outer.on_response = [](const HttpRequest&, HttpResponse& response) {
        if (response.status() == 200) {
            response.AddFilter(std::make_unique<Marking>());
        }
    };
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Answer("a#");
    Until([&] { return EndsWith(client.seen, "\r\n\r\n"); });
    REQUIRE(client.seen.find("HTTP/1.1 502") == 0);
    client.seen.clear();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Head(R"({"status":200,"headers":{}})", 1, true);
    pool->Chunk("a");
    pool->Chunk("#");
    pool->Done();
    Until([&] { return client.closed; });
    REQUIRE_FALSE(Fixture::EndsWith(client.seen, "0\r\n\r\n"));
}

TEST_CASE_METHOD(Filtering, "http file: an answer of texts and files, whole and to HEAD") {
    bool worker = false;
    outer.on_request = [](HttpRequest&, HttpAnswer& answer) {
        answer.body = "[";
        answer.pieces.push_back({"a", MakeFile("0123456789", 10)});
        answer.pieces.back().file.offset = 2;
        answer.pieces.back().file.size = 3;
        answer.pieces.push_back({"]", {}});
        return false;
    };
    outer.on_finished = [&worker](const HttpRequest&, const HttpOutcome& outcome) {
        worker = worker || outcome.worker || !outcome.complete || outcome.status != 200;
    };
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    REQUIRE(Body(client, "]") == "[a234]");
    REQUIRE(client.seen.find("Content-Length: 6\r\n") != std::string::npos);
    client.seen.clear();
    client.stream.Queue("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(Body(client, "\r\n\r\n").empty());
    REQUIRE(client.seen.find("Content-Length: 6\r\n") != std::string::npos);
    REQUIRE_FALSE(worker);
}

TEST_CASE_METHOD(Filtering,
                 "http file: a large one waits for its client and frees what it borrowed") {
    std::string text;
    for (int i = 0; i < 500000; ++i) {
        text += std::to_string(i) + ",";
    }
    std::weak_ptr<const File> open;
    outer.on_request = [&](HttpRequest&, HttpAnswer& answer) {
        answer.pieces.push_back({"", MakeFile(text, text.size())});
        open = answer.pieces.back().file.file;
        return false;
    };
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    REQUIRE(Body(client, "499999,") == text);
    Until([&] { return open.expired(); });

    // The client goes in the middle.
    TestClient& leaving = Connect();
    leaving.stream.StopReading();
    leaving.stream.Queue(kGet);
    Until([&] { return !open.expired(); });
    leaving.stream.Abort();
    clients.pop_back();
    Until([&] { return open.expired(); });
}

TEST_CASE_METHOD(Filtering, "http file: one that became shorter cuts the answer") {
    outer.on_request = [](HttpRequest&, HttpAnswer& answer) {
        answer.pieces.push_back({"", MakeFile("short", 100000)});
        return false;
    };
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Until([&] { return client.closed; });
    REQUIRE(client.seen.find("Content-Length: 100000\r\n") != std::string::npos);
}

TEST_CASE_METHOD(Filtering, "http file: files pass filters, large ones piece by piece") {
    outer.on_response = [](const HttpRequest&, HttpResponse& response) {
        response.AddFilter(std::make_unique<Marking>());
    };
    std::string text(300 * 1024, 'x');
    bool large = false;
    outer.on_request = [&](HttpRequest&, HttpAnswer& answer) {
        answer.pieces.push_back({"", large ? MakeFile(text, text.size()) : MakeFile("tiny", 4)});
        return false;
    };
    // A middleware's own answer is not seen by itself, but by those outside of it.
    ScriptedMiddleware inner{"inner"};
    std::swap(inner.on_request, outer.on_request);
    bool closed = false;
    server->Close(Clock::now(), [&closed] { closed = true; });
    REQUIRE(loop.RunUntil([&closed] { return closed; }));
    middleware = {&outer, &inner};
    Start();
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    REQUIRE(Body(client, ">") == "<tiny.>");
    REQUIRE(client.seen.find("Content-Length: 7\r\n") != std::string::npos);
    client.seen.clear();
    large = true;
    client.stream.Queue(kGet);
    std::string body = Body(client, "0\r\n\r\n");
    REQUIRE(client.seen.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
    REQUIRE(static_cast<size_t>(std::count(body.begin(), body.end(), 'x')) == text.size());
    REQUIRE(body.find("<.>") != std::string::npos);
}

TEST_CASE_METHOD(Filtering,
                 "http file: one on its way through a filter lets others have their turn") {
    constexpr int kBlocks = 64;
    const std::string text(kBlocks * 64 * 1024, 'x');
    int calls = 0;
    outer.on_response = [&calls](const HttpRequest& request, HttpResponse& response) {
        if (request.target() == "/a") {
            response.AddFilter(std::make_unique<Counting>(calls, false));
        }
    };
    ScriptedMiddleware inner{"inner"};
    inner.on_request = [&](HttpRequest& request, HttpAnswer& answer) {
        answer.body = "all";
        if (request.target() == "/a") {
            answer.pieces.push_back({"", MakeFile(text, text.size())});
        }
        return false;
    };
    bool closed = false;
    server->Close(Clock::now(), [&closed] { closed = true; });
    REQUIRE(loop.RunUntil([&closed] { return closed; }));
    middleware = {&outer, &inner};
    Start();
    TestClient& large = Connect();
    TestClient& small = Connect();
    large.stream.Queue(kGet);
    small.stream.Queue("GET /b HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(Body(small, "all") == "all");
    REQUIRE(calls > 0);
    REQUIRE(calls < kBlocks / 2);
    REQUIRE(Body(large, "0\r\n\r\n") == "0\r\n\r\n");
    REQUIRE(calls >= kBlocks);
}

TEST_CASE_METHOD(Filtering,
                 "http replace: what an inner filter would have encoded is not said to be") {
    outer.on_response = [](const HttpRequest&, HttpResponse& response) {
        const bool body = response.has_body();
        response.SetHeader("Content-Encoding", "marks");
        response.AddFilter(std::make_unique<Marking>());
        response.Replace(200, "", MakeFile("the file", 8));
        REQUIRE(response.has_body() == body);
    };
    TestClient& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Answer("small");
    REQUIRE(Body(client, "file") == "the file");
    REQUIRE(client.seen.find("Content-Encoding") == std::string::npos);
    client.seen.clear();
    client.stream.Queue("HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n");
    Jobs(1);
    pool->Answer("");
    REQUIRE(Body(client, "\r\n\r\n").empty());
    REQUIRE(client.seen.find("Content-Length: 8\r\n") != std::string::npos);
}

TEST_CASE_METHOD(Filtering, "http replace: another body takes the place of the worker's") {
    outer.on_response = [](const HttpRequest&, HttpResponse& response) {
        response.RemoveHeader("X-Sendfile");
        response.Replace(206, "from: ", MakeFile("the file", 8));
    };
    for (bool stream : {false, true}) {
        TestClient& client = Connect();
        client.stream.Queue(kGet);
        Jobs(1);
        if (stream) {
            pool->Head(R"({"status":200,"headers":{"X-Sendfile":["f"],"X-A":["1"]}})", 3, true);
            pool->Chunk("one");
            pool->Head("", 3, false);
            pool->Chunk("two");
            pool->Done();
        } else {
            pool->Head(R"({"status":200,"headers":{"X-Sendfile":["f"],"X-A":["1"]}})", 3, false,
                       true);
            pool->Chunk("one");
            pool->Done();
        }
        REQUIRE(Body(client, "file") == "from: the file");
        REQUIRE(client.seen.find("HTTP/1.1 206") == 0);
        REQUIRE(client.seen.find("X-A: 1\r\n") != std::string::npos);
        REQUIRE(client.seen.find("Content-Length: 14\r\n") != std::string::npos);
        client.seen.clear();
        client.stream.Queue(kGet);  // the connection goes on
        Jobs(1);
        pool->Head(R"({"status":200,"headers":{}})", 0, true);
        pool->Head("", 0, false);
        pool->Done();
        REQUIRE(Body(client, "file") == "from: the file");
    }
}

TEST_CASE_METHOD(Filtering, "http replace: the worker is free while a slow client takes the file") {
    std::string text(8 << 20, 'y');
    outer.on_response = [&](const HttpRequest&, HttpResponse& response) {
        response.Replace(200, "", MakeFile(text, text.size()));
    };
    TestClient& client = Connect();
    client.stream.StopReading();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Answer("small");  // ends the job
    REQUIRE(pool->jobs.empty());
    client.stream.StartReading();
    Until([&] { return client.seen.size() > text.size(); });
    REQUIRE(std::count(client.seen.begin(), client.seen.end(), 'y') ==
            static_cast<std::ptrdiff_t>(text.size()));

    // ... and if the client goes, nothing is left of it.
    TestClient& leaving = Connect();
    leaving.stream.StopReading();
    leaving.stream.Queue(kGet);
    Jobs(1);
    pool->Answer("small");
    leaving.stream.Abort();
    clients.pop_back();
    Until([&] { return server->connections() == 1; });
}

}  // namespace rr::http
