#include "plugins/http/response.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "plugins/http/date.hpp"
#include "plugins/http/wire_for_test.hpp"

using namespace rr::http;
using rr::Buffer;

namespace {

constexpr const char* kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

struct Written {
    ResponsePlan plan;
    std::string head;
    std::string trailers;
};

Written Head(const Answer& answer, ResponseFacts facts, const CarriedFields* carried = nullptr) {
    facts.date = kDate;
    ResponseWriter writer;
    WireForTest out;
    Buffer trailers;
    Written w;
    w.plan = writer.WriteHead(answer, facts, carried, out, trailers);
    w.head = out.text();
    w.trailers = trailers.view();
    return w;
}

ResponseFacts Whole(rr::Bytes body) {
    ResponseFacts facts;
    facts.whole = true;
    facts.body_size = body.size();
    facts.body_start = body;
    return facts;
}

ResponseFacts Streamed(rr::Bytes first) {
    ResponseFacts facts;
    facts.body_start = first;
    return facts;
}

ResponseFacts On10(ResponseFacts facts, bool keep_alive) {
    facts.minor = 0;
    facts.keep_alive = keep_alive;
    return facts;
}

const std::string kDateLine = std::string("Date: ") + kDate + "\r\n";

}  // namespace

TEST_CASE("response: a whole answer has sorted canonical names, then what we add") {
    Written w = Head({200, {{"x-b", "2"}, {"X-A", "1"}, {"X-b", "3"}}}, Whole("hello"));
    REQUIRE(w.head == "HTTP/1.1 200 OK\r\nX-A: 1\r\nX-B: 2\r\nX-B: 3\r\n" + kDateLine +
                          "Content-Length: 5\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
    REQUIRE(w.plan.framing == Framing::kLength);
    REQUIRE(w.plan.length == 5);
    REQUIRE(w.plan.keep_alive);
}

TEST_CASE("response: an empty answer has a length and no type") {
    Written w = Head({200, {}}, Whole(""));
    REQUIRE(w.head == "HTTP/1.1 200 OK\r\n" + kDateLine + "Content-Length: 0\r\n\r\n");
}

TEST_CASE("response: a stream is chunked, on HTTP/1.0 it ends with the connection") {
    Written w = Head({200, {{"X-F", "1"}}}, Streamed("one,"));
    REQUIRE(w.head == "HTTP/1.1 200 OK\r\nX-F: 1\r\n" + kDateLine +
                          "Content-Type: text/plain; charset=utf-8\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n");
    REQUIRE(w.plan.framing == Framing::kChunked);
    Written old = Head({200, {}}, On10(Streamed("x"), true));
    REQUIRE(old.head.find("HTTP/1.0 200 OK\r\n") == 0);
    REQUIRE(old.head.find("Transfer-Encoding") == std::string::npos);
    REQUIRE(old.head.find("keep-alive") == std::string::npos);
    REQUIRE(old.plan.framing == Framing::kClose);
    REQUIRE_FALSE(old.plan.keep_alive);
}

TEST_CASE("response: headers of informational answers come again") {
    CarriedFields carried;
    carried.Add({103, {{"Link", "</a.css>; rel=preload"}}});
    ResponseWriter writer;
    WireForTest out;
    writer.WriteInformational({103, {{"Link", "</a.css>; rel=preload"}, {"Content-Length", "0"}}},
                              1, out);
    REQUIRE(out.text() == "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
    Written w = Head({200, {{"X-F", "1"}}}, Streamed("final"), &carried);
    REQUIRE(w.head == "HTTP/1.1 200 OK\r\nLink: </a.css>; rel=preload\r\nX-F: 1\r\n" + kDateLine +
                          "Content-Type: text/plain; charset=utf-8\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n");
    WireForTest none;
    writer.WriteInformational({103, {}}, 0, none);
    REQUIRE(none.text().empty());
    carried.Clear();
    REQUIRE(carried.empty());
}

TEST_CASE("response: the worker's length is corrected on whole answers and kept on streams") {
    Answer says{200, {{"content-length", "3"}, {"Content-Length", "9"}}};
    Written whole = Head(says, Whole("hello"));
    REQUIRE(whole.head.find("Content-Length: 5\r\n") != std::string::npos);
    REQUIRE(whole.head.find("Content-Length", whole.head.find("Content-Length") + 5) ==
            std::string::npos);
    REQUIRE(whole.plan.length == 5);
    Written stream = Head(says, Streamed("hello"));
    REQUIRE(stream.plan.framing == Framing::kLength);
    REQUIRE(stream.plan.length == 3);
    for (const char* bad : {"", "x", "-1", "1,1", "99999999999999999999"}) {
        Written w = Head({200, {{"Content-Length", bad}}}, Streamed("hello"));
        REQUIRE(w.plan.framing == Framing::kChunked);
        REQUIRE(w.head.find("Content-Length") == std::string::npos);
    }
}

TEST_CASE("response: HEAD has the type but no body and no length of ours") {
    ResponseFacts facts = Whole("<html>");
    facts.head_request = true;
    Written w = Head({200, {}}, facts);
    REQUIRE(w.head ==
            "HTTP/1.1 200 OK\r\n" + kDateLine + "Content-Type: text/html; charset=utf-8\r\n\r\n");
    REQUIRE(w.plan.framing == Framing::kNone);
    REQUIRE(w.plan.drops_body);
    REQUIRE(w.plan.keep_alive);
    Written said = Head({200, {{"Content-Length", "42"}}}, facts);
    REQUIRE(said.head.find("Content-Length: 42\r\n") != std::string::npos);
}

TEST_CASE("response: 204 and 304 have no body") {
    Written none =
        Head({204, {{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}}, Whole("hello"));
    REQUIRE(none.head == "HTTP/1.1 204 No Content\r\n" + kDateLine + "\r\n");
    REQUIRE(none.plan.drops_body);
    Written same = Head({304, {{"Etag", "\"x\""}, {"Content-Length", "5"}}}, Whole(""));
    REQUIRE(same.head == "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nEtag: \"x\"\r\n" +
                             kDateLine + "\r\n");
    REQUIRE_FALSE(same.plan.drops_body);
}

TEST_CASE("response: Transfer-Encoding and Connection of the worker are honoured") {
    Written w = Head(
        {200, {{"Transfer-Encoding", "chunked"}, {"Connection", "close"}, {"Content-Length", "5"}}},
        Whole("hello"));
    REQUIRE(w.head == "HTTP/1.1 200 OK\r\nConnection: close\r\n" + kDateLine +
                          "Transfer-Encoding: chunked\r\n\r\n");
    REQUIRE(w.plan.framing == Framing::kChunked);
    REQUIRE_FALSE(w.plan.keep_alive);
    Written odd = Head({200, {{"Transfer-Encoding", "gzip"}}}, Whole("hello"));
    REQUIRE(odd.head.find("Transfer-Encoding") == std::string::npos);
    REQUIRE(odd.plan.framing == Framing::kLength);
    Written old = Head({200, {{"Transfer-Encoding", "chunked"}}}, On10(Whole("hello"), true));
    REQUIRE(old.plan.framing == Framing::kLength);
    REQUIRE(old.head.find("Transfer-Encoding") == std::string::npos);
}

TEST_CASE("response: Connection says what will happen") {
    ResponseFacts closing = Whole("x");
    closing.keep_alive = false;
    REQUIRE(Head({200, {}}, closing).head.find("Connection: close\r\n") != std::string::npos);
    Written w = Head({200, {{"Connection", "keep-alive"}}}, closing);
    REQUIRE(w.head.find("keep-alive") == std::string::npos);
    REQUIRE(w.head.find("Connection: close\r\n") != std::string::npos);
    REQUIRE(Head({200, {}}, On10(Whole("x"), true)).head.find("Connection: keep-alive\r\n") !=
            std::string::npos);
    REQUIRE(Head({200, {}}, On10(Whole("x"), false)).head.find("Connection") == std::string::npos);
    Written upgrade = Head({426, {{"Connection", "Upgrade"}, {"Upgrade", "h2c"}}}, Whole("x"));
    REQUIRE(upgrade.head.find("Connection: Upgrade\r\n") != std::string::npos);
    REQUIRE(upgrade.plan.keep_alive);
}

TEST_CASE("response: trailers leave the head and come after the body, names as written") {
    Answer answer{200,
                  {{"Trailer", "X-Sum, x-low"},
                   {"Trailer", " Third"},
                   {"X-Sum", "abc"},
                   {"x-low", "l"},
                   {"Third", "3"},
                   {"Kept", "k"}}};
    Written w = Head(answer, Whole("body"));
    REQUIRE(w.head == "HTTP/1.1 200 OK\r\nKept: k\r\n" + kDateLine +
                          "Content-Type: text/plain; charset=utf-8\r\n"
                          "Transfer-Encoding: chunked\r\n\r\n");
    Buffer end;
    AppendLastChunk(w.trailers, end);
    REQUIRE(std::string(end.view()) == "0\r\nThird: 3\r\nX-Sum: abc\r\nx-low: l\r\n\r\n");
    Written old = Head(answer, On10(Whole("body"), false));
    REQUIRE(old.trailers.empty());
    REQUIRE(old.head.find("X-Sum") == std::string::npos);
    Written unknown = Head({200, {{"Trailer", "Absent"}}}, Whole("body"));
    REQUIRE(unknown.plan.framing == Framing::kLength);
    Written framing =
        Head({200, {{"Trailer", "Content-Length"}, {"Content-Length", "4"}}}, Whole("body"));
    REQUIRE(framing.trailers.empty());
    REQUIRE(framing.plan.framing == Framing::kLength);
}

TEST_CASE("response: foreign names and values cannot break the head") {
    Written w = Head({200,
                      {{"X Bad", "1"},
                       {"", "2"},
                       {"A:B", "3"},
                       {"X-V", " a\r\nSet: x\n"},
                       {"Http2-Push", "/a"},
                       {"X-8", "\xc3\xa4"},
                       {"X-N", std::string_view("a\0b", 3)}}},
                     Whole(""));
    REQUIRE(w.head == "HTTP/1.1 200 OK\r\nX-8: \xc3\xa4\r\nX-N: a b\r\nX-V: a  Set: x\r\n" +
                          kDateLine + "Content-Length: 0\r\n\r\n");
}

TEST_CASE("response: the worker's Date and Server stand, its type stops sniffing") {
    Written w =
        Head({200, {{"date", "d"}, {"server", "s"}, {"content-type", "a/b"}}}, Whole("<b>"));
    REQUIRE(w.head ==
            "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nDate: d\r\nServer: s\r\n"
            "Content-Length: 3\r\n\r\n");
    Written encoded = Head({200, {{"Content-Encoding", "gzip"}}}, Whole("<b>"));
    REQUIRE(encoded.head.find("Content-Type") == std::string::npos);
}

TEST_CASE("response: HTTP/2 gets fields in lower case and nothing of a connection") {
    ResponseWriter writer;
    WireForTest wire(WireForm::kHttp2);
    Buffer trailers;
    ResponseFacts facts;
    facts.date = kDate;
    facts.body_start = "x";
    ResponsePlan plan = writer.WriteHead({200,
                                          {{"X-A", "1\r\n2"},
                                           {"Connection", "close"},
                                           {"Keep-Alive", "5"},
                                           {"Transfer-Encoding", "chunked"},
                                           {"Upgrade", "h2c"},
                                           {"Trailer", "X-Sum"},
                                           {"X-Sum", "abc"},
                                           {"content-type", "a/b"}}},
                                         facts, nullptr, wire, trailers);
    REQUIRE(plan.framing == Framing::kOuter);
    REQUIRE(wire.heads == std::vector<std::string>{"200|content-type: a/b|x-a: 1  2|date: " +
                                                   std::string(kDate)});
    REQUIRE(trailers.view() == "X-Sum: abc\r\n");
    REQUIRE(wire.text().empty());
    facts.whole = true;
    facts.body_size = 1;
    wire.heads.clear();
    plan = writer.WriteHead({204, {}}, facts, nullptr, wire, trailers);
    REQUIRE(plan.framing == Framing::kNone);
    plan = writer.WriteHead({200, {}}, facts, nullptr, wire, trailers);
    REQUIRE(plan.framing == Framing::kLength);
    REQUIRE(wire.heads[1].find("|content-length: 1") != std::string::npos);
}

TEST_CASE("response: FastCGI gets a Status and no framing") {
    ResponseWriter writer;
    WireForTest wire(WireForm::kFastCgi);
    Buffer trailers;
    ResponseFacts facts;
    facts.keep_alive = false;
    writer.WriteInformational({103, {{"Link", "x"}}}, 1, wire);
    REQUIRE(wire.text().empty());
    ResponsePlan plan = writer.WriteHead({404, {{"X-A", "1"}, {"Connection", "close"}}}, facts,
                                         nullptr, wire, trailers);
    REQUIRE(plan.framing == Framing::kOuter);
    REQUIRE(wire.text() == "Status: 404 Not Found\r\nX-A: 1\r\n\r\n");
}

TEST_CASE("response: status lines") {
    auto line = [](int status) {
        Buffer out;
        AppendStatusLine(status, 1, out);
        return std::string(out.view());
    };
    REQUIRE(line(404) == "HTTP/1.1 404 Not Found\r\n");
    REQUIRE(line(599) == "HTTP/1.1 599 status code 599\r\n");
    REQUIRE(StatusText(413) == "Request Entity Too Large");
    REQUIRE(StatusText(299).empty());
}

TEST_CASE("response: chunk heads are hexadecimal") {
    char out[kChunkHeadMost];
    REQUIRE(std::string(out, WriteChunkHead(4, out)) == "4\r\n");
    REQUIRE(std::string(out, WriteChunkHead(0x1a2b, out)) == "1a2b\r\n");
    REQUIRE(std::string(out, WriteChunkHead(UINT64_MAX, out)) == "ffffffffffffffff\r\n");
}

TEST_CASE("response: answers of our own") {
    auto own = [](OwnAnswer answer) {
        Buffer out;
        answer.date = kDate;
        AppendOwnAnswer(answer, out);
        return std::string(out.view());
    };
    OwnAnswer error;
    REQUIRE(own(error) ==
            "HTTP/1.1 500 Internal Server Error\r\n" + kDateLine + "Content-Length: 0\r\n\r\n");
    OwnAnswer busy;
    busy.status = 503;
    busy.retry_after = true;
    busy.close = true;
    REQUIRE(own(busy) == "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n" + kDateLine +
                             "Content-Length: 0\r\nConnection: close\r\n\r\n");
    OwnAnswer form;
    form.status = 400;
    form.text = "serve_http: x\n";
    form.nosniff = true;
    REQUIRE(own(form) ==
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "X-Content-Type-Options: nosniff\r\n" +
                kDateLine + "Content-Length: 14\r\n\r\nserve_http: x\n");
    form.head_request = true;
    form.minor = 0;
    REQUIRE(own(form).find("serve_http") == std::string::npos);
    REQUIRE(own(form).find("HTTP/1.0 400") == 0);
    OwnAnswer odd;
    odd.status = 599;
    REQUIRE(own(odd).find("HTTP/1.1 599 status code 599\r\n") == 0);
}

TEST_CASE("response: refusals close the connection") {
    Buffer out;
    AppendRefusal(400, "missing required Host header", out);
    REQUIRE(std::string(out.view()) ==
            "HTTP/1.1 400 Bad Request: missing required Host header\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 45\r\n"
            "Connection: close\r\n\r\n400 Bad Request: missing required Host header");
    Buffer plain;
    AppendRefusal(431, "", plain);
    REQUIRE(std::string(plain.view()) ==
            "HTTP/1.1 431 Request Header Fields Too Large\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 35\r\n"
            "Connection: close\r\n\r\n431 Request Header Fields Too Large");
}

TEST_CASE("date: formatted as HTTP wants it") {
    HttpDate date;
    REQUIRE(date.At(784111777) == kDate);
    REQUIRE(date.At(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
    REQUIRE(date.At(1709251199) == "Thu, 29 Feb 2024 23:59:59 GMT");
    REQUIRE(date.At(1709251199).data() == date.At(1709251199).data());
}
