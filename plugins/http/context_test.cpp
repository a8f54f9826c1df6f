#include "plugins/http/context.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "context.pb.h"
#include "core/base/json_text.hpp"
#include "plugins/http/head_for_test.hpp"

using namespace rr::http;
using rr::Buffer;
using namespace std::string_literals;

namespace {

std::string Context(Codec codec, const std::string& request, ContextFacts facts = {"127.0.0.1"}) {
    ReadHead r(request);
    REQUIRE(r.fine());
    ContextWriter writer;
    Buffer out;
    writer.Write(codec, r.head, facts, out);
    return std::string(out.view());
}

std::string Json(const std::string& request, ContextFacts facts = {"127.0.0.1"}) {
    return Context(Codec::kJson, request, facts);
}

::http::v1::Request Proto(const std::string& request, ContextFacts facts = {"127.0.0.1"}) {
    ::http::v1::Request message;
    REQUIRE(message.ParseFromString(Context(Codec::kProtobuf, request, facts)));
    return message;
}

std::string Uri(const std::string& line, const std::string& host = "h", bool https = false) {
    ReadHead r(line + "\r\n" + (host.empty() ? "" : "Host: " + host + "\r\n") + "\r\n");
    REQUIRE(r.fine());
    Buffer out;
    AppendUri(r.head, https, out);
    return std::string(out.view());
}

std::string Quoted(std::string_view text) {
    Buffer out;
    AppendJsonString(text, out);
    return std::string(out.view());
}

}  // namespace

TEST_CASE("context: the JSON form of the record, byte for byte") {
    REQUIRE(
        Json("GET /a?x=1&y[]=<2> HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: curl/7.88.1\r\n"
             "Accept: */*\r\nCookie: a=1; b=%20x\r\n\r\n") ==
        R"({"remoteAddr":"127.0.0.1","protocol":"HTTP/1.1","method":"GET",)"
        R"("uri":"http://127.0.0.1:8080/a?x=1\u0026y[]=\u003c2\u003e",)"
        R"("headers":{"User-Agent":["curl/7.88.1"],"Accept":["*/*"],"Cookie":["a=1; b=%20x"]},)"
        R"("cookies":{"a":"1","b":" x"},"rawQuery":"x=1\u0026y[]=\u003c2\u003e",)"
        R"("parsed":false,"uploads":null,"attributes":{}})");
}

TEST_CASE("context: empty forms in JSON") {
    REQUIRE(
        Json("GET / HTTP/1.0\r\n\r\n", {""}) ==
        R"({"remoteAddr":"","protocol":"HTTP/1.0","method":"GET","uri":"http:///","headers":{},)"
        R"("cookies":{},"rawQuery":"","parsed":false,"uploads":null,"attributes":{}})");
}

TEST_CASE("context: parsed and uploads") {
    ContextFacts facts{"::1", true, true, R"({"f":{}})"};
    std::string json = Json("POST / HTTP/1.1\r\nHost: h\r\n\r\n", facts);
    REQUIRE(json.find(R"("parsed":true,"uploads":{"f":{}},)") != std::string::npos);
    REQUIRE(json.find(R"("uri":"https://h/")") != std::string::npos);
    ::http::v1::Request proto = Proto("POST / HTTP/1.1\r\nHost: h\r\n\r\n", facts);
    REQUIRE(proto.parsed());
    REQUIRE(proto.uploads() == R"({"f":{}})");
    REQUIRE(proto.remote_addr() == "::1");
}

TEST_CASE("context: attributes in both codecs") {
    const ContextAttribute list[] = {{"user", "4\"2"}, {"empty", ""}};
    ContextFacts facts{"::1"};
    facts.attributes = list;
    std::string json = Json("GET / HTTP/1.0\r\n\r\n", facts);
    REQUIRE(json.find(R"(,"attributes":{"user":"4\"2","empty":""}})") != std::string::npos);
    ::http::v1::Request proto = Proto("GET / HTTP/1.0\r\n\r\n", facts);
    REQUIRE(proto.attributes_size() == 2);
    REQUIRE(proto.attributes().at("user").value(0) == "4\"2");
    REQUIRE(proto.attributes().at("empty").value(0).empty());
}

TEST_CASE("context: it is appended behind the room left for a frame header") {
    ReadHead r("GET / HTTP/1.0\r\n\r\n");
    ContextWriter writer;
    Buffer out;
    out.Append("0123456789");
    writer.Write(Codec::kJson, r.head, {"@"}, out);
    REQUIRE(std::string(out.view()).substr(0, 30) == R"(0123456789{"remoteAddr":"@","p)");
}

TEST_CASE("context: the protobuf form of the record, byte for byte") {
    std::string bytes = Context(Codec::kProtobuf, "GET /x HTTP/1.0\r\n\r\n");
    REQUIRE(bytes ==
            "\x0a\x09"
            "127.0.0.1"
            "\x12\x08"
            "HTTP/1.0"
            "\x1a\x03"
            "GET"
            "\x22\x09"
            "http:///x");
    REQUIRE(bytes.size() == 37);
}

TEST_CASE("context: protobuf decodes with generated classes") {
    ::http::v1::Request m = Proto(
        "POST /p?a=1 HTTP/1.1\r\nHost: h\r\nX-multi: 1\r\nx-Multi: \xff"
        "2\r\n"
        "Cookie: a=%ff; b=" +
        std::string(300, 'v') + "\r\nEmpty:\r\n\r\n");
    REQUIRE(m.method() == "POST");
    REQUIRE(m.protocol() == "HTTP/1.1");
    REQUIRE(m.uri() == "http://h/p?a=1");
    REQUIRE(m.raw_query() == "a=1");
    REQUIRE(m.header().size() == 3);
    REQUIRE(m.header().at("X-Multi").value_size() == 2);
    REQUIRE(m.header().at("X-Multi").value(1) ==
            "\xff"
            "2");
    REQUIRE(m.header().at("Empty").value_size() == 1);
    REQUIRE(m.header().at("Empty").value(0).empty());
    REQUIRE(m.cookies().size() == 2);
    REQUIRE(m.cookies().at("a").value(0) == "\xff");
    REQUIRE(m.cookies().at("b").value(0).size() == 300);
    REQUIRE_FALSE(m.parsed());
    REQUIRE(m.attributes().empty());
}

TEST_CASE("context: values of one name stand together, in order of arrival") {
    std::string json =
        Json("GET / HTTP/1.1\r\nHost: h\r\nx-a: 1\r\nOther: o\r\nX-A: 2\r\nX-a: 3\r\n\r\n");
    REQUIRE(json.find(R"("headers":{"X-A":["1","2","3"],"Other":["o"]})") != std::string::npos);
}

TEST_CASE("context: Host, Transfer-Encoding and Trailer stay here, the rest goes to PHP") {
    std::string json = Json(
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\ntrailer: Y\r\n"
        "Connection: close\r\nTE: trailers\r\nKeep-Alive: 5\r\nExpect: 100-continue\r\n"
        "Authorization: b\r\nProxy-Authorization: p\r\nUpgrade: u\r\n\r\n");
    REQUIRE(json.find(R"("headers":{"Connection":["close"],"Te":["trailers"],"Keep-Alive":["5"],)"
                      R"("Expect":["100-continue"],"Authorization":["b"],)"
                      R"("Proxy-Authorization":["p"],"Upgrade":["u"]})") != std::string::npos);
    REQUIRE(Json("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n")
                .find(R"("headers":{"Content-Length":["3"]})") != std::string::npos);
}

TEST_CASE("context: uri keeps what was sent") {
    REQUIRE(Uri("GET /a/./../b//c%2F%41 HTTP/1.1") == "http://h/a/./../b//c%2F%41");
    REQUIRE(Uri("GET //a HTTP/1.1") == "http://h//a");
    REQUIRE(Uri("GET /p? HTTP/1.1") == "http://h/p?");
    REQUIRE(Uri("GET /caf\xc3\xa9/\xff HTTP/1.1") == "http://h/caf%C3%A9/%FF");
    REQUIRE(Uri("GET /?q=\xff#f HTTP/1.1") == "http://h/?q=%FF#f");
    REQUIRE(Uri("GET /\"<>\\^`{|}# HTTP/1.1") == "http://h/%22%3C%3E%5C%5E%60%7B%7C%7D%23");
    REQUIRE(Uri("GET /!$&'()*+,-.:;=@[]_~ HTTP/1.1") == "http://h/!$&'()*+,-.:;=@[]_~");
    REQUIRE(Uri("GET HTTP://u:p@Other:81/p?x HTTP/1.1") == "http://u:p@Other:81/p?x");
    REQUIRE(Uri("GET https://other HTTP/1.1", "h") == "https://other");
    REQUIRE(Uri("GET http://other?x=/ HTTP/1.1") == "http://other?x=/");
    REQUIRE(Uri("CONNECT foo:443 HTTP/1.1") == "//foo:443");
    REQUIRE(Uri("GET /x HTTP/1.0", "") == "http:///x");
    REQUIRE(Uri("GET /x HTTP/1.1", "h", true) == "https://h/x");
}

TEST_CASE("context: the query is everything behind the first question mark") {
    std::string json = Json("GET /a?b?c=\xe4&d=#e HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(json.find(R"("rawQuery":"b?c=%E4\u0026d=#e")") != std::string::npos);
    REQUIRE(Json("GET http://o/?a=1 HTTP/1.1\r\nHost: h\r\n\r\n").find(R"("rawQuery":"a=1")") !=
            std::string::npos);
}

TEST_CASE("context: bytes that are not UTF-8 are replaced in JSON") {
    std::string json =
        Json("GET / HTTP/1.1\r\nHost: h\r\nX: a\xff\xc3\xa4\r\nCookie: c=%ff\r\n\r\n");
    REQUIRE(json.find("\"X\":[\"a\\ufffd\xc3\xa4\"]") != std::string::npos);
    REQUIRE(json.find(R"("cookies":{"c":"\ufffd"})") != std::string::npos);
}

TEST_CASE("context: the host part of a peer's address") {
    auto host = [](std::string_view peer) {
        rr::Bytes out;
        return PeerHost(peer, out) ? std::string(out) : "bad" + std::string(out);
    };
    REQUIRE(host("127.0.0.1:4000") == "127.0.0.1");
    REQUIRE(host("[::1]:4000") == "::1");
    REQUIRE(host("@") == "@");
    REQUIRE(host("garbage") == "garbage");
    REQUIRE(host("") == "");
    REQUIRE(host("a:b:c") == "bad");
    REQUIRE(host("[::1]") == "bad");
    REQUIRE(host("[::1") == "bad");
    REQUIRE(host("]a:1") == "bad");
}

TEST_CASE("context: codec flags") {
    REQUIRE(CodecFlag(Codec::kJson) == 0x08);
    REQUIRE(CodecFlag(Codec::kProtobuf) == 0x80);
}

TEST_CASE("json: strings are escaped as Go escapes them") {
    REQUIRE(Quoted("plain text that is longer than sixteen bytes") ==
            "\"plain text that is longer than sixteen bytes\"");
    REQUIRE(Quoted("\"\\<>&") == R"("\"\\\u003c\u003e\u0026")");
    REQUIRE(Quoted("\b\f\n\r\t\x01\x1f\x7f"s) == "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
    REQUIRE(Quoted("\0"s) == R"("\u0000")");
    REQUIRE(Quoted("\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa") == "\"\\u2028\\u2029\xe2\x80\xaa\"");
    REQUIRE(Quoted("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80") ==
            "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
    REQUIRE(Quoted("0123456789abcde<0123456789abcde\xff") ==
            "\"0123456789abcde\\u003c0123456789abcde\\ufffd\"");
}

TEST_CASE("json: every byte of a broken sequence is replaced") {
    REQUIRE(Quoted("\x80") == R"("\ufffd")");
    REQUIRE(Quoted("\xc0\x80") == R"("\ufffd\ufffd")");            // overlong
    REQUIRE(Quoted("\xed\xa0\x80") == R"("\ufffd\ufffd\ufffd")");  // surrogate
    REQUIRE(Quoted("\xf4\x90\x80\x80") == R"("\ufffd\ufffd\ufffd\ufffd")");
    REQUIRE(Quoted("\xe2\x82") == R"("\ufffd\ufffd")");
    REQUIRE(Quoted("\xe2\x82x") == R"("\ufffd\ufffdx")");
}
