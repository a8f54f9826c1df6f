#include "plugins/http/chunked.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace rr::http;

namespace {

struct Decoded {
    ChunkedDecoder::Status status;
    std::string body;
    size_t left;  // bytes that were not consumed
};

Decoded Run(std::string_view in, size_t piece, ChunkedDecoder decoder = ChunkedDecoder()) {
    Decoded d{ChunkedDecoder::Status::kNeedMore, "", in.size()};
    while (!in.empty()) {
        std::string_view part = in.substr(0, piece);
        size_t consumed = 0;
        while (true) {
            ChunkedDecoder::Step step = decoder.Next(part.substr(consumed));
            consumed += step.consumed;
            d.status = step.status;
            if (step.status != ChunkedDecoder::Status::kData) {
                break;
            }
            d.body += step.data;
        }
        in.remove_prefix(consumed);
        d.left = in.size();
        if (d.status != ChunkedDecoder::Status::kNeedMore) {
            break;
        }
        REQUIRE(consumed == part.size());
    }
    return d;
}

bool Bad(const std::string& in) {
    for (size_t piece : {size_t{1}, in.size()}) {
        if (Run(in, piece).status != ChunkedDecoder::Status::kBad) {
            return false;
        }
    }
    return true;
}

}  // namespace

TEST_CASE("chunked: chunks become bytes, whatever the pieces they come in") {
    std::string in =
        "4\r\nWiki\r\n6;name=\"v;1\";x\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\n\r\nGET";
    for (size_t piece : {1, 2, 3, 5, 7, 100}) {
        Decoded d = Run(in, static_cast<size_t>(piece));
        REQUIRE(d.status == ChunkedDecoder::Status::kDone);
        REQUIRE(d.body == "Wikipedia in \r\n\r\nchunks.");
        REQUIRE(d.left == 3);
    }
}

TEST_CASE("chunked: trailers are read and dropped") {
    Decoded d = Run("1\r\na\r\n000\r\nX-A: 1\r\nB:\r\n\r\n", 3);
    REQUIRE(d.status == ChunkedDecoder::Status::kDone);
    REQUIRE(d.body == "a");
    REQUIRE(d.left == 0);
}

TEST_CASE("chunked: framing is strict") {
    for (const char* bad : {"\r\n",
                            "g\r\n",
                            " 1\r\na\r\n",
                            "1 \r\na\r\n",
                            "+1\r\na\r\n",
                            "-1\r\na\r\n",
                            "0x1\r\na\r\n",
                            "1\na\r\n",
                            "1\r\nab\r\n",
                            "1\r\na\n",
                            "1\r\na\r\r\n",
                            "1\ra\r\n",
                            "1;a\nb\r\na\r\n",
                            ";a\r\n",
                            "0\r\n\n",
                            "0\r\nX\r\n\r\n",
                            "0\r\n: v\r\n\r\n",
                            "0\r\nX Y: v\r\n\r\n",
                            "0\r\nX: v\n\r\n",
                            "0\r\n X: v\r\n\r\n",
                            "0\r\nX: a\x01\r\n\r\n"}) {
        INFO(bad);
        REQUIRE(Bad(bad));
    }
    REQUIRE(Bad(std::string("1;\0\r\na\r\n", 8)));
}

TEST_CASE("chunked: sizes beyond 63 bits or 16 digits are refused") {
    REQUIRE(Run("7fffffffffffffff\r\nx", 100).status == ChunkedDecoder::Status::kNeedMore);
    REQUIRE(Bad("8000000000000000\r\n"));
    REQUIRE(Bad("ffffffffffffffff\r\n"));
    REQUIRE(Bad("10000000000000000\r\n"));
    REQUIRE(Bad("00000000000000001\r\n"));
}

TEST_CASE("chunked: extensions and trailers are bounded") {
    REQUIRE(Run("1;" + std::string(4000, 'e') + "\r\na\r\n0\r\n\r\n", 9999).status ==
            ChunkedDecoder::Status::kDone);
    REQUIRE(Bad("1;" + std::string(5000, 'e') + "\r\na\r\n0\r\n\r\n"));
    std::string many;
    for (int i = 0; i < 10; ++i) {
        many += "1;" + std::string(4000, 'e') + "\r\na\r\n";
    }
    REQUIRE(Bad(many));
    std::string tiny;
    for (int i = 0; i < 50000; ++i) {
        tiny += "1\r\na\r\n";  // tiny but plain chunks are nobody's fault
    }
    REQUIRE(Run(tiny + "0\r\n\r\n", 4096).status == ChunkedDecoder::Status::kDone);
    REQUIRE(Bad("0\r\nX: " + std::string(17000, 'v') + "\r\n\r\n"));
}
