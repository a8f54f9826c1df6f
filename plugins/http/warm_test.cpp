// A request on a warm connection allocates nothing: counted here for the byte logic as a whole.
#include <cstdlib>
#include <string>

#include <catch2/catch.hpp>

#include "core/base/allocations_for_test.hpp"
#include "plugins/http/answer.hpp"
#include "plugins/http/context.hpp"
#include "plugins/http/head.hpp"
#include "plugins/http/response.hpp"
#include "plugins/http/wire_for_test.hpp"

using namespace rr::http;

namespace {

// What a connection and its loop keep between requests.
struct Warm {
    HeadGuard guard{HeadLimits{}};
    RequestHead head;
    ContextWriter context;
    AnswerDecoder decoder;
    Answer answer;
    ResponseWriter response;
    rr::Buffer job;
    WireForTest wire;
    rr::Buffer trailers;

    void Serve(rr::Bytes request, Codec codec, rr::Bytes worker) {
        guard.Reset();
        bool fine = guard.Scan(request) == HeadGuard::Status::kComplete &&
                    ParseHead(request, guard, head) == HeadFault::kNone;
        job.Clear();
        context.Write(codec, head, {"127.0.0.1"}, job);
        fine = fine && decoder.DecodeCopy(0x08, worker, 12, answer) == AnswerFault::kNone;
        ResponseFacts facts;
        facts.whole = true;
        facts.body_size = 12;
        facts.body_start = "Hello World!";
        wire.out.Clear();
        response.WriteHead(answer, facts, nullptr, wire, trailers);
        if (!fine || wire.out.empty()) {
            std::abort();
        }
    }
};

}  // namespace

TEST_CASE("http: a warm request allocates nothing from its first byte to its answer's head") {
    const std::string request =
        "GET /path/to?x=1&y=%20z HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: wrk\r\n"
        "Accept: */*\r\nAccept-Encoding: gzip, deflate\r\nX-Forwarded-For: 1\r\nx-forwarded-for: "
        "2\r\n"
        "Cookie: a=1; b=%20x; session=abcdef0123456789\r\n\r\n";
    const std::string worker =
        R"({"status":200,"headers":{"Content-Type":["text/html"],"X-A":["1","2"],"Set-Cookie":["a=1"]}})";
    for (Codec codec : {Codec::kJson, Codec::kProtobuf}) {
        Warm warm;
        warm.Serve(request, codec, worker);
        warm.Serve(request, codec, worker);
        size_t before = rr::AllocationsSoFar();
        for (int i = 0; i < 100; ++i) {
            warm.Serve(request, codec, worker);
        }
        size_t during = rr::AllocationsSoFar() - before;
        REQUIRE(during == 0);
    }
}
