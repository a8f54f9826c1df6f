#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "plugins/http/fcgi_params.hpp"
#include "plugins/http/fcgi_records.hpp"

namespace rr::http {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct ReadParams {
    explicit ReadParams(const Pairs& pairs, const HeadLimits& limits = {}) {
        for (const auto& [name, value] : pairs) {
            AppendFcgiPair(name, value, bytes);
        }
        status = ReadFcgiParams(bytes, limits, head, peer);
    }

    Buffer bytes;
    RequestHead head;
    std::string peer = "gateway";
    int status;
};

Pairs With(const Pairs& more) {
    Pairs all{{"REQUEST_METHOD", "GET"}, {"REQUEST_URI", "/a%20b?c=d"}, {"HTTP_HOST", "site:81"}};
    all.insert(all.end(), more.begin(), more.end());
    return all;
}

TEST_CASE("fcgi: parameters become a head") {
    ReadParams r(With({{"SERVER_PROTOCOL", "HTTP/2.0"},
                       {"HTTPS", "on"},
                       {"REMOTE_ADDR", "10.0.0.1"},
                       {"REMOTE_PORT", "4000"},
                       {"CONTENT_TYPE", "text/plain"},
                       {"CONTENT_LENGTH", "12"},
                       {"HTTP_CONTENT_TYPE", "text/html"},
                       {"HTTP_CONTENT_LENGTH", "13"},
                       {"HTTP_TRANSFER_ENCODING", "chunked"},
                       {"HTTP_X_A", " 1 "},
                       {"HTTP_X_A", "2"},
                       {"SCRIPT_FILENAME", "/index.php"}}));
    REQUIRE(r.status == 0);
    REQUIRE(r.head.method == "GET");
    REQUIRE(r.head.verb == Method::kGet);
    REQUIRE(r.head.target == "/a%20b?c=d");
    REQUIRE(r.head.host == "site:81");
    REQUIRE(r.head.protocol == "HTTP/2.0");
    REQUIRE(r.head.secure);
    REQUIRE(r.peer == "10.0.0.1:4000");
    REQUIRE(r.head.has_content_length);
    REQUIRE(r.head.content_length == 12);
    REQUIRE(r.head.Find(HeaderId::kContentType) == "text/plain");
    REQUIRE(r.head.Find(HeaderId::kContentLength) == "12");
    REQUIRE(r.head.Find(HeaderId::kTransferEncoding).empty());
    REQUIRE(r.head.Find(HeaderId::kHost) == "site:81");
    REQUIRE(r.head.fields.size() == 5);
    REQUIRE(r.head.fields[3].name == "X-A");
    REQUIRE(r.head.fields[3].value == "1");
    REQUIRE(r.head.fields[4].value == "2");
}

TEST_CASE("fcgi: https is what the gateway says") {
    REQUIRE_FALSE(ReadParams(With({})).head.secure);
    REQUIRE_FALSE(ReadParams(With({{"HTTPS", ""}})).head.secure);
    REQUIRE_FALSE(ReadParams(With({{"HTTPS", "Off"}})).head.secure);
    REQUIRE(ReadParams(With({{"HTTPS", "1"}})).head.secure);
}

TEST_CASE("fcgi: the client's address") {
    REQUIRE(ReadParams(With({})).peer == "gateway");
    REQUIRE(ReadParams(With({{"REMOTE_ADDR", "::1"}, {"REMOTE_PORT", "9"}})).peer == "[::1]:9");
    REQUIRE(ReadParams(With({{"REMOTE_ADDR", "1.2.3.4"}})).peer == "1.2.3.4:0");
    REQUIRE(ReadParams(With({{"REMOTE_ADDR", "1.2.3.4"}, {"REMOTE_PORT", "x"}})).peer ==
            "1.2.3.4:0");
    REQUIRE(ReadParams(With({{"REMOTE_ADDR", "unix:"}})).peer == "@");
    REQUIRE(ReadParams(With({{"REMOTE_ADDR", "evil\n"}})).peer == "gateway");
}

TEST_CASE("fcgi: without REQUEST_URI the target is put together") {
    ReadParams r({{"REQUEST_METHOD", "GET"},
                  {"SCRIPT_NAME", "/app"},
                  {"PATH_INFO", "/x"},
                  {"QUERY_STRING", "a=1"},
                  {"HTTP_A", "b"}});
    REQUIRE(r.status == 0);
    REQUIRE(r.head.target == "/app/x?a=1");
    REQUIRE(r.head.method == "GET");
    REQUIRE(r.head.Find(Bytes("A")) == "b");
    REQUIRE(r.head.host.empty());
}

TEST_CASE("fcgi: what no HTTP request could have is refused") {
    REQUIRE(ReadParams(Pairs{}).status == 400);
    REQUIRE(ReadParams(Pairs{{"REQUEST_METHOD", "GET"}}).status == 400);
    REQUIRE(ReadParams(Pairs{{"REQUEST_METHOD", "G T"}, {"REQUEST_URI", "/"}}).status == 400);
    REQUIRE(ReadParams(Pairs{{"REQUEST_METHOD", "GET"}, {"REQUEST_URI", "/ x"}}).status == 400);
    REQUIRE(ReadParams(Pairs{{"REQUEST_METHOD", "GET"}, {"REQUEST_URI", "x"}}).status == 400);
    REQUIRE(ReadParams(With({{"HTTP_HOST", "a/b"}})).status == 400);
    REQUIRE(ReadParams(With({{"HTTP_X", "a\r\nb"}})).status == 400);
    REQUIRE(ReadParams(With({{"HTTP_X Y", "a"}})).status == 400);
    REQUIRE(ReadParams(With({{"HTTP_", "a"}})).status == 400);
    REQUIRE(ReadParams(With({{"CONTENT_LENGTH", "-1"}})).status == 400);
    REQUIRE(ReadParams(With({{"CONTENT_LENGTH", "1x"}})).status == 400);
    REQUIRE(ReadParams(With({{"CONTENT_LENGTH", "99999999999999999999"}})).status == 400);
    REQUIRE(ReadParams(With({{"CONTENT_LENGTH", ""}})).status == 0);
}

TEST_CASE("fcgi: a target that is refused leaves no form behind") {
    ReadParams r(Pairs{{"REQUEST_METHOD", "GET"}, {"REQUEST_URI", "nothing"}});
    REQUIRE(r.status == 400);
    REQUIRE(r.head.target.empty());
    REQUIRE(r.head.form == TargetForm::kOrigin);
}

TEST_CASE("fcgi: the limits of heads hold") {
    HeadLimits limits;
    limits.target = 16;
    limits.head = 256;
    limits.headers = 2;
    REQUIRE(ReadParams(With({{"HTTP_A", "1"}}), limits).status == 0);
    REQUIRE(ReadParams(With({{"HTTP_A", "1"}, {"HTTP_B", "1"}}), limits).status == 431);
    REQUIRE(ReadParams(With({{"HTTP_A", std::string(300, 'a')}}), limits).status == 431);
    REQUIRE(ReadParams(With({{"OTHER", std::string(300, 'a')}}), limits).status == 0);
    ReadParams r({{"REQUEST_METHOD", "GET"}, {"REQUEST_URI", "/" + std::string(16, 'a')}}, limits);
    REQUIRE(r.status == 414);
}

TEST_CASE("fcgi: pairs with long names and values, and cut ones") {
    Buffer out;
    std::string name(200, 'n');
    std::string value(70000, 'v');
    AppendFcgiPair(name, value, out);
    AppendFcgiPair("a", "", out);
    Bytes in = out.view();
    FcgiPair pair;
    REQUIRE(TakeFcgiPair(in, pair));
    REQUIRE(pair.name == name);
    REQUIRE(pair.value == value);
    REQUIRE(TakeFcgiPair(in, pair));
    REQUIRE(pair.name == "a");
    REQUIRE(pair.value.empty());
    REQUIRE(in.empty());
    REQUIRE_FALSE(TakeFcgiPair(in, pair));
    for (Bytes cut :
         {Bytes("\x05"), Bytes("\x05\x01z"), Bytes("\xff\xff\xff\xff\x01", 5), Bytes("\x80\x00", 2),
          Bytes("\x01\xff\xff\xff\xff"
                "a",
                6)}) {
        Bytes rest = cut;
        REQUIRE_FALSE(TakeFcgiPair(rest, pair));
        REQUIRE(rest == cut);
    }
}

TEST_CASE("fcgi: an answer goes into as many records as it takes") {
    Buffer out;
    AppendFcgiStdout(258, std::string(70000, 'x'), out);
    REQUIRE(out.size() == 70000 + 16);
    AppendFcgiStdout(258, {}, out);
    REQUIRE(out.size() == 70000 + 16);
    FcgiReader reader;
    Bytes in = out.view();
    size_t content = 0;
    for (FcgiReader::Step step = reader.Next(in); step.event != FcgiReader::Event::kNeedMore;
         step = reader.Next(in)) {
        in.remove_prefix(step.consumed);
        REQUIRE(reader.type() == FcgiType::kStdout);
        REQUIRE(reader.id() == 258);
        content += step.content.size();
    }
    REQUIRE(content == 70000);
}

TEST_CASE("fcgi: padding is skipped, another version is not read") {
    FcgiReader reader;
    Bytes in("\x01\x05\x00\x01\x00\x02\x03\x00hiPAD\x01\x05\x00\x01\x00\x00\x00\x00\x02", 22);
    std::string seen;
    while (true) {
        FcgiReader::Step step = reader.Next(in);
        in.remove_prefix(step.consumed);
        seen.append(step.content);
        if (step.event == FcgiReader::Event::kEnd) {
            seen += '.';
        }
        if (step.event == FcgiReader::Event::kBad) {
            seen += '!';
            break;
        }
        REQUIRE(step.event != FcgiReader::Event::kNeedMore);
    }
    REQUIRE(seen == "hi..!");
}

}  // namespace
}  // namespace rr::http
