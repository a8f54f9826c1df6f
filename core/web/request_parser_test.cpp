#include "core/web/request_parser.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::web;
using Status = RequestParser::Status;

namespace {

// Feeds `in` in pieces of `step` bytes; the requests that came out, and how it ended.
struct Fed {
    std::vector<Request> requests;
    Status last = Status::kNeedMore;
};
Fed FeedAll(RequestParser& parser, Bytes in, size_t step = SIZE_MAX) {
    Fed fed;
    size_t at = 0;
    while (at < in.size()) {
        size_t used = 0;
        const Bytes piece = in.substr(at, step);
        fed.last = parser.Feed(piece, used);
        if (fed.last == Status::kRequest) {
            fed.requests.push_back(parser.request());
        } else if (fed.last != Status::kNeedMore && fed.last != Status::kContinue) {
            return fed;
        }
        REQUIRE(used <= piece.size());
        at += used;
    }
    return fed;
}

Status StatusOf(Bytes in, Limits limits = {}) {
    RequestParser parser(limits);
    return FeedAll(parser, in).last;
}

}  // namespace

TEST_CASE("request parser: method, path and query come as they were sent") {
    RequestParser parser;
    const Fed fed = FeedAll(parser, "GET /ready?plugin=a%20b&x HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(fed.last == Status::kRequest);
    REQUIRE(fed.requests.at(0).method == "GET");
    REQUIRE(fed.requests.at(0).path == "/ready");
    REQUIRE(fed.requests.at(0).query == "plugin=a%20b&x");
    REQUIRE(parser.keep_alive());
    REQUIRE_FALSE(parser.in_request());
}

TEST_CASE("request parser: an absolute target keeps its path only") {
    RequestParser parser;
    const Fed fed = FeedAll(parser,
                            "GET http://host:1/metrics?a=1 HTTP/1.1\r\nHost: a\r\n\r\n"
                            "GET http://host HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(fed.requests.at(0).path == "/metrics");
    REQUIRE(fed.requests.at(0).query == "a=1");
    REQUIRE(fed.requests.at(1).path == "/");
}

TEST_CASE("request parser: pipelined requests come one by one, in pieces of any size") {
    const std::string in =
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
        "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        "HEAD /4 HTTP/1.1\r\nHost: a\r\n\r\n";
    for (size_t step = 1; step <= in.size(); ++step) {
        RequestParser parser;
        const Fed fed = FeedAll(parser, in, step);
        REQUIRE(fed.requests.size() == 4);
        REQUIRE(fed.requests[0].path == "/1");
        REQUIRE(fed.requests[1].method == "POST");
        REQUIRE(fed.requests[2].path == "/3");
        REQUIRE(fed.requests[3].method == "HEAD");
        REQUIRE_FALSE(parser.in_request());
    }
}

TEST_CASE("request parser: who does not want to go on is told apart") {
    RequestParser close;
    FeedAll(close, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    REQUIRE_FALSE(close.keep_alive());
    RequestParser old;
    FeedAll(old, "GET / HTTP/1.0\r\n\r\n");
    REQUIRE_FALSE(old.keep_alive());
    REQUIRE(old.old_version());
    RequestParser old_kept;
    FeedAll(old_kept, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    REQUIRE(old_kept.keep_alive());
}

TEST_CASE("request parser: an upgrade is a plain request here") {
    RequestParser parser;
    const Fed fed = FeedAll(parser,
                            "GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings"
                            "\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n"
                            "GET /ready HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(fed.requests.size() == 2);
    REQUIRE(fed.requests[1].path == "/ready");
}

TEST_CASE("request parser: a client that waits before its body is told apart") {
    RequestParser parser;
    const std::string head =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
    REQUIRE(FeedAll(parser, head).last == Status::kContinue);
    REQUIRE(parser.in_request());
    REQUIRE(FeedAll(parser, "ab").last == Status::kRequest);
    RequestParser eager;
    REQUIRE(FeedAll(eager, head + "ab").last == Status::kRequest);
}

TEST_CASE("request parser: heads and bodies have limits, exact to the byte") {
    const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    REQUIRE(StatusOf(head, {.head = head.size()}) == Status::kRequest);
    REQUIRE(StatusOf(head, {.head = head.size() - 1}) == Status::kHeadTooLarge);
    REQUIRE(StatusOf("GET /" + std::string(100, 'a'), {.head = 64}) == Status::kHeadTooLarge);
    const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ";
    REQUIRE(StatusOf(post + "4\r\n\r\nabcd", {.body = 4}) == Status::kRequest);
    REQUIRE(StatusOf(post + "5\r\n\r\n", {.body = 4}) == Status::kBodyTooLarge);
    REQUIRE(StatusOf("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nabc\r\n2\r\nde\r\n",
                     {.body = 4}) == Status::kBodyTooLarge);
}

TEST_CASE("request parser: garbage is refused") {
    REQUIRE(StatusOf("\x16\x03\x01\x02") == Status::kMalformed);
    REQUIRE(StatusOf("HELLO / HTTP/1.1\r\n\r\n") == Status::kMalformed);
    REQUIRE(StatusOf("GET / HTTP/1.1\r\nBad Name: x\r\n\r\n") == Status::kMalformed);
    REQUIRE(
        StatusOf("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") ==
        Status::kMalformed);
    REQUIRE(StatusOf("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n") == Status::kMalformed);
    REQUIRE(StatusOf("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == Status::kVersion);
}
