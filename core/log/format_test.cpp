#include "core/log/format.hpp"

#include <cmath>
#include <initializer_list>
#include <limits>
#include <string>

#include <catch2/catch.hpp>

#include "core/log/escape.hpp"

using namespace rr::log;

namespace {

constexpr int64_t kWhen = 1795225953511201122;  // 2026-11-21 01:52:33.511201122 UTC

std::string Text(const ChannelConfig& config, std::string_view name, Level level,
                 std::string_view message, std::initializer_list<Field> fields = {},
                 bool colours = false) {
    Line line;
    Format(config, name, colours)
        .Write(line, {kWhen, level, message, fields.begin(), fields.size()});
    return std::string(line.view());
}

ChannelConfig Of(Mode mode, Encoding encoding) {
    ChannelConfig config;
    config.mode = mode;
    config.encoding = encoding;
    return config;
}

const ChannelConfig kConsole = Of(Mode::kDevelopment, Encoding::kConsole);
const ChannelConfig kJson = Of(Mode::kProduction, Encoding::kJson);

}  // namespace

TEST_CASE("format: development is RoadRunner's console line") {
    REQUIRE(Text(kConsole, "rpc", Level::kDebug, "plugin was started", {{"address", "tcp://x"}}) ==
            "2026-11-21T01:52:33+0000\tDEBUG\trpc         \tplugin was started\t"
            "{\"address\": \"tcp://x\"}\n");
    REQUIRE(Text(kConsole, "server", Level::kInfo, "up") ==
            "2026-11-21T01:52:33+0000\tINFO\tserver      \tup\n");
    REQUIRE(Text(kConsole, "a.very.long.name", Level::kError, "x", {{"a", 1}, {"b", true}}) ==
            "2026-11-21T01:52:33+0000\tERROR\ta.very.long.name\tx\t{\"a\": 1, \"b\": true}\n");
    REQUIRE(Text(kConsole, "", Level::kWarn, "x") == "2026-11-21T01:52:33+0000\tWARN\tx\n");
}

TEST_CASE("format: colours of levels and names") {
    REQUIRE(Text(kConsole, "http", Level::kDebug, "m", {}, true) ==
            "2026-11-21T01:52:33+0000\t\x1b[97mDEBUG\x1b[0m\t\x1b[92mhttp        \x1b[0m\tm\n");
    REQUIRE(Text(kConsole, "http", Level::kInfo, "m", {}, true).find("\x1b[96mINFO\x1b[0m") !=
            std::string::npos);
    REQUIRE(Text(kConsole, "http", Level::kWarn, "m", {}, true).find("\x1b[93mWARN\x1b[0m") !=
            std::string::npos);
    REQUIRE(Text(kConsole, "http", Level::kError, "m", {}, true).find("\x1b[91mERROR\x1b[0m") !=
            std::string::npos);
    REQUIRE(Text(kJson, "http", Level::kInfo, "m", {}, true).find('\x1b') == std::string::npos);
}

TEST_CASE("format: production is JSON with nanoseconds") {
    REQUIRE(Text(kJson, "rpc", Level::kDebug, "m", {{"k", "v"}, {"n", -5}, {"u", UINT64_MAX}}) ==
            "{\"level\":\"debug\",\"ts\":1795225953511201122,\"logger\":\"rpc\",\"msg\":\"m\","
            "\"k\":\"v\",\"n\":-5,\"u\":18446744073709551615}\n");
}

TEST_CASE("format: a text without memory is an empty one") {
    REQUIRE(Text(kJson, "rpc", Level::kDebug, "m", {{"k", std::string_view()}})
                .ends_with("\"msg\":\"m\",\"k\":\"\"}\n"));
    REQUIRE(Text(Of(Mode::kRaw, Encoding::kConsole), "x", Level::kInfo, {}) == "\n");
}

TEST_CASE("format: raw is the message and its fields") {
    const auto raw = Of(Mode::kRaw, Encoding::kConsole);
    REQUIRE(Text(raw, "server", Level::kInfo, "{\"from\":\"php\"}\n") == "{\"from\":\"php\"}\n");
    REQUIRE(Text(raw, "server", Level::kInfo, "m", {{"k", 1}}) == "m\t{\"k\": 1}\n");
    REQUIRE(Text(raw, "server", Level::kInfo, "one\ntwo") == "one\\ntwo\n");
    REQUIRE(Text(Of(Mode::kRaw, Encoding::kJson), "server", Level::kInfo, "m", {{"k", 1}}) ==
            "{\"message\":\"m\",\"k\":1}\n");
}

TEST_CASE("format: the other combinations of mode and encoding") {
    REQUIRE(Text(Of(Mode::kDevelopment, Encoding::kJson), "rpc", Level::kInfo, "m") ==
            "{\"level\":\"INFO\",\"ts\":\"2026-11-21T01:52:33+0000\",\"logger\":\"rpc         \","
            "\"msg\":\"m\"}\n");
    REQUIRE(Text(Of(Mode::kProduction, Encoding::kConsole), "rpc", Level::kInfo, "m") ==
            "1795225953511201122\tinfo\trpc\tm\n");
    REQUIRE(Text(Of(Mode::kOther, Encoding::kJson), "rpc", Level::kInfo, "m") ==
            "{\"L\":\"INFO\",\"T\":\"2026-11-21T01:52:33+0000\",\"N\":\"rpc         \","
            "\"M\":\"m\"}\n");
}

TEST_CASE("format: a file with rotation always gets JSON, and line_ending is obeyed") {
    auto config = kConsole;
    config.file = RotationConfig{};
    config.line_ending = "\r\n";
    const std::string text = Text(config, "x", Level::kInfo, "m");
    REQUIRE(text.front() == '{');
    REQUIRE(text.ends_with("}\r\n"));
}

TEST_CASE("format: any bytes stay one line of valid JSON") {
    REQUIRE(
        Text(kJson, "x", Level::kInfo, "a\nb\r\t\x01\"\\/", {{"k\n", "\xFF\xC3\xA9\xED\xA0\x80"}})
            .ends_with("\"msg\":\"a\\nb\\r\\t\\u0001\\\"\\\\/\","
                       "\"k\\n\":\"\\ufffd\xC3\xA9\\ufffd\\ufffd\\ufffd\"}\n"));
    REQUIRE(Text(kConsole, "x", Level::kInfo, "a\nb\x1b[0m \"q\"\xFF\n")
                .ends_with("\ta\\nb\\u001b[0m \"q\"\xEF\xBF\xBD\n"));
}

TEST_CASE("format: every special byte is seen at every place of a long text") {
    for (size_t at = 0; at < 40; ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            std::string text(40, 'x');
            text[at] = static_cast<char>(byte);
            Line line;
            AppendJson(line, text);
            const bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
            REQUIRE((line.view() == text) == plain);
        }
    }
}

TEST_CASE("format: only true UTF-8 passes unchanged") {
    const auto escaped = [](std::string_view text) {
        Line line;
        AppendJson(line, text);
        return std::string(line.view());
    };
    for (const char* good :
         {"\x7f", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
          "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        REQUIRE(escaped(good) == good);
    }
    REQUIRE(escaped("\x80") == "\\ufffd");
    REQUIRE(escaped("\xC1\xBF") == "\\ufffd\\ufffd");             // overlong
    REQUIRE(escaped("\xE0\x9F\xBF") == "\\ufffd\\ufffd\\ufffd");  // overlong
    REQUIRE(escaped("\xF4\x90\x80\x80").size() == 24);            // above U+10FFFF
    REQUIRE(escaped("a\xE2\x82") == "a\\ufffd\\ufffd");           // cut off
    REQUIRE(escaped(std::string_view("\0", 1)) == "\\u0000");
}

TEST_CASE("format: numbers that JSON has no word for become strings") {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::string text = Text(kJson, "x", Level::kInfo, "m",
                                  {{"a", 0.5}, {"b", nan}, {"c", -HUGE_VAL}, {"d", 1e21}});
    REQUIRE(
        text.ends_with("\"a\":0.5,\"b\":\"NaN\",\"c\":\"-Inf\",\"d\":1000000000000000000000}\n"));
}

TEST_CASE("format: a record longer than the inline memory is whole") {
    const std::string value(100000, 'v');
    REQUIRE(Text(kJson, "x", Level::kInfo, "m", {{"k", value}}).ends_with(value + "\"}\n"));
}
