#include "plugins/tcp/framing.hpp"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace rr::tcp;
using rr::Bytes;

namespace {

constexpr uint64_t kMost = 1000;

// What a client's pieces become. A message ends the reading of a piece only where the piece ends,
// as in the connection: all of it is looked at before more is read.
std::vector<std::string> Cut(const Framing& framing, const std::vector<std::string>& pieces,
                             uint64_t most = kMost) {
    Splitter splitter;
    std::vector<std::string> messages;
    std::string input;
    for (const std::string& piece : pieces) {
        input += piece;
        while (!input.empty()) {
            Message message = splitter.Next(framing, input, most);
            if (message.status == Message::Status::kNone) {
                break;
            }
            if (message.status != Message::Status::kWhole) {
                messages.push_back(message.status == Message::Status::kTooLarge ? "(too large)"
                                                                                : "(broken)");
                return messages;
            }
            messages.push_back(input.substr(0, message.size));
            input.erase(0, message.size);
            splitter.Taken();
        }
    }
    if (!input.empty()) {
        messages.push_back("(rest)" + input);
    }
    return messages;
}

using List = std::vector<std::string>;

Framing Lines(bool split, std::string delimiter = "\r\n") {
    Framing f;
    f.split = split;
    f.delimiter = std::move(delimiter);
    return f;
}

Framing Length(uint8_t bytes, bool little = false, bool includes = false) {
    Framing f;
    f.kind = Framing::Kind::kLength;
    f.length_bytes = bytes;
    f.little_endian = little;
    f.length_includes_header = includes;
    return f;
}

}  // namespace

TEST_CASE(
    "framing: without split a message is what was read when the delimiter stands at its end") {
    Framing f = Lines(false);
    REQUIRE(Cut(f, {"hello\r\n"}) == List{"hello\r\n"});
    REQUIRE(Cut(f, {"abc", "def\r\n"}) == List{"abcdef\r\n"});
    REQUIRE(Cut(f, {"one\r\ntwo\r\n"}) == List{"one\r\ntwo\r\n"});
    REQUIRE(Cut(f, {"one\r\ntw", "o\r\n"}) == List{"one\r\ntwo\r\n"});
    REQUIRE(Cut(f, {"\r\n"}) == List{"\r\n"});
}

TEST_CASE("framing: a delimiter may come in pieces, and a short read harms nobody") {
    REQUIRE(Cut(Lines(false), {"abc\r", "\n"}) == List{"abc\r\n"});
    REQUIRE(Cut(Lines(false), {"abc\r", "\nxyz\r\n"}) == List{"abc\r\nxyz\r\n"});
    REQUIRE(Cut(Lines(false), {"a", "b", "\r", "\n"}) == List{"ab\r\n"});
    REQUIRE(Cut(Lines(true), {"abc\r", "\nx", "yz\r", "\n"}) == List{"abc\r\n", "xyz\r\n"});
    REQUIRE(Cut(Lines(true, "--end--"), {"a--en", "d--b--e", "nd-", "-c"}) ==
            List{"a--end--", "b--end--", "(rest)c"});
    REQUIRE(Cut(Lines(true, "aab"), {"aa", "aab"}) == List{"aaaab"});
}

TEST_CASE("framing: split gives one message per delimiter") {
    REQUIRE(Cut(Lines(true), {"one\r\ntwo\r\n\r\nthr"}) ==
            List{"one\r\n", "two\r\n", "\r\n", "(rest)thr"});
    REQUIRE(Cut(Lines(true, "\n"), {"a\nb\n"}) == List{"a\n", "b\n"});
}

TEST_CASE("framing: a limit holds in every kind, as early as it is known") {
    REQUIRE(Cut(Lines(false), {"12345\r\n"}, 7) == List{"12345\r\n"});
    REQUIRE(Cut(Lines(false), {"123456\r\n"}, 7) == List{"(too large)"});
    REQUIRE(Cut(Lines(false), {"12345678"}, 7) == List{"(too large)"});
    REQUIRE(Cut(Lines(true), {"1\r\n123456\r\n"}, 7) == List{"1\r\n", "(too large)"});
    REQUIRE(Cut(Lines(true), {"12345678"}, 7) == List{"(too large)"});
    REQUIRE(Cut(Length(4), {std::string("\0\0\0\x08", 4)}, 7) == List{"(too large)"});
    REQUIRE(Cut(Length(8), {"\xff\xff\xff\xff\xff\xff\xff\xff"}) == List{"(too large)"});
    REQUIRE(Cut(Length(8, false, true), {"\xff\xff\xff\xff\xff\xff\xff\xff"}) ==
            List{"(too large)"});
    Framing raw;
    raw.kind = Framing::Kind::kRaw;
    REQUIRE(Cut(raw, {"12345678"}, 7) == List{"(too large)"});
}

TEST_CASE("framing: a length may be of 1, 2, 4 or 8 bytes, in either order, and stays") {
    REQUIRE(Cut(Length(1), {"\x02"
                            "ab\x01"
                            "c"}) == List{"\x02"
                                          "ab",
                                          "\x01"
                                          "c"});
    std::string two(
        "\0\x02"
        "ab",
        4);
    REQUIRE(Cut(Length(2), {two}) == List{two});
    std::string little(
        "\x02\0"
        "ab",
        4);
    REQUIRE(Cut(Length(2, true), {little.substr(0, 1), little.substr(1)}) == List{little});
    std::string four("\0\0\0\x01z", 5);
    REQUIRE(Cut(Length(4), {four + four}) == List{four, four});
    std::string eight("\0\0\0\0\0\0\0\x03xyz", 11);
    REQUIRE(Cut(Length(8), {eight.substr(0, 9), eight.substr(9)}) == List{eight});
    std::string empty("\0\0", 2);
    REQUIRE(Cut(Length(2), {empty}) == List{empty});
}

TEST_CASE("framing: a length that counts itself can't be shorter than itself") {
    std::string message(
        "\0\x04"
        "ab",
        4);
    REQUIRE(Cut(Length(2, false, true), {message}) == List{message});
    REQUIRE(Cut(Length(2, false, true), {std::string("\0\x01", 2)}) == List{"(broken)"});
    std::string only("\0\x02", 2);
    REQUIRE(Cut(Length(2, false, true), {only}) == List{only});
}

TEST_CASE("framing: fixed and raw") {
    Framing fixed;
    fixed.kind = Framing::Kind::kFixed;
    fixed.size = 3;
    REQUIRE(Cut(fixed, {"ab", "cdefg"}) == List{"abc", "def", "(rest)g"});
    Framing raw;
    raw.kind = Framing::Kind::kRaw;
    REQUIRE(Cut(raw, {"ab", "c"}) == List{"ab", "c"});
}
