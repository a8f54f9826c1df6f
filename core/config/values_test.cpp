#include "core/config/values.hpp"

#include <chrono>

#include <catch2/catch.hpp>

#include "core/config/expand.hpp"
#include "core/config/nearest.hpp"
#include "core/config/override.hpp"
#include "core/config/words.hpp"

namespace rr::config {

using namespace std::chrono_literals;

TEST_CASE("values: durations in Go's syntax") {
    REQUIRE(*ParseDuration("1h2m3.5s") == 1h + 2min + 3500ms);
    REQUIRE(*ParseDuration("500ms") == 500ms);
    REQUIRE(*ParseDuration("2.5h") == 150min);
    REQUIRE(*ParseDuration("1us") == 1us);
    REQUIRE(*ParseDuration("1\u00b5s") == 1us);
    REQUIRE(*ParseDuration("7ns") == 7ns);
    REQUIRE(*ParseDuration(".5s") == 500ms);
    REQUIRE(*ParseDuration("-1m") == -1min);
    REQUIRE(*ParseDuration("0") == 0s);
    REQUIRE(*ParseDuration("2562047h") == 2562047h);
    REQUIRE(ParseDuration("1d").error().message.find("unknown unit \"d\"") == 0);
    REQUIRE(ParseDuration("10").error().message.find("missing unit in duration \"10\"") == 0);
    for (const char* bad : {"", "-", "s", ".s", "1.2.3s", "1s2", "x", "2562048h", "1 s", "--1s",
                            "99999999999999999999999999999999h"}) {
        INFO(bad);
        REQUIRE_FALSE(ParseDuration(bad).has_value());
    }
}

TEST_CASE("values: durations are printed as Go prints them") {
    REQUIRE(FormatDuration(0s) == "0s");
    REQUIRE(FormatDuration(60s) == "1m0s");
    REQUIRE(FormatDuration(1500ms) == "1.5s");
    REQUIRE(FormatDuration(250ms) == "250ms");
    REQUIRE(FormatDuration(1250us) == "1.25ms");
    REQUIRE(FormatDuration(15ns) == "15ns");
    REQUIRE(FormatDuration(3723s) == "1h2m3s");
    REQUIRE(FormatDuration(-90s) == "-1m30s");
    for (const Duration d : {Duration(3723001000000), Duration(1), Duration(999999999)}) {
        REQUIRE(*ParseDuration(FormatDuration(d)) == d);
    }
}

TEST_CASE("values: sizes are powers of 1024") {
    REQUIRE(*ParseSize("0") == 0);
    REQUIRE(*ParseSize("4096") == 4096);
    REQUIRE(*ParseSize("16KB") == 16 << 10);
    REQUIRE(*ParseSize("16k") == 16 << 10);
    REQUIRE(*ParseSize("64 MiB") == 64 << 20);
    REQUIRE(*ParseSize("1GB") == 1 << 30);
    REQUIRE(*ParseSize("5b") == 5);
    for (const char* bad : {"", "KB", "1XB", "-1", "1.5MB", "1KBB", "9999999999TB", "8388608TB"}) {
        INFO(bad);
        REQUIRE_FALSE(ParseSize(bad).has_value());
    }
}

TEST_CASE("values: whole numbers in every notation of YAML") {
    REQUIRE(*ParseInteger("42") == 42);
    REQUIRE(*ParseInteger("-42") == -42);
    REQUIRE(*ParseInteger("+7") == 7);
    REQUIRE(*ParseInteger("0755") == 493);
    REQUIRE(*ParseInteger("0o755") == 493);
    REQUIRE(*ParseInteger("0xFF") == 255);
    REQUIRE(*ParseInteger("0b101") == 5);
    REQUIRE(*ParseInteger("1_000_000") == 1'000'000);
    REQUIRE(*ParseInteger("-9223372036854775808") == INT64_MIN);
    for (const char* bad : {"", "-", "1.5", "08", "1__0", "_1", "1_", "0x", "9223372036854775808",
                            "--1", "0x-1", "1 ", "abc"}) {
        INFO(bad);
        REQUIRE_FALSE(ParseInteger(bad).has_value());
    }
}

TEST_CASE("values: booleans in any case, with yes and no") {
    for (const char* yes : {"true", "TRUE", "t", "1", "yes", "On"}) {
        REQUIRE(*ParseBool(yes));
    }
    for (const char* no : {"false", "F", "0", "NO", "off"}) {
        REQUIRE_FALSE(*ParseBool(no));
    }
    REQUIRE(ParseBool("maybe").error().message == "expected true or false, got \"maybe\"");
}

TEST_CASE("values: a string key gets the text that RoadRunner would give it") {
    const auto plain = [](std::string text) {
        Node node = Node::Text(std::move(text), {});
        node.quoted = false;
        return ScalarText(node);
    };
    REQUIRE(plain("true") == "1");
    REQUIRE(plain("False") == "0");
    REQUIRE(plain("0755") == "493");
    REQUIRE(plain("1.10") == "1.1");
    REQUIRE(plain("yes") == "yes");
    REQUIRE(plain("8.1.2") == "8.1.2");
    REQUIRE(ScalarText(Node::Text("true", {})) == "true");
}

TEST_CASE("words: split as a shell does, without its other powers") {
    using Words = std::vector<std::string>;
    REQUIRE(*SplitWords("php  worker.php\targ ") == Words{"php", "worker.php", "arg"});
    REQUIRE(*SplitWords("php 'a b' \"c \\\" d\" e\\ f") == Words{"php", "a b", "c \" d", "e f"});
    REQUIRE(*SplitWords("x'y'z ''") == Words{"xyz", ""});
    REQUIRE(*SplitWords("--class=App\\Worker $HOME *,?") ==
            Words{"--class=App\\Worker", "$HOME", "*,?"});
    REQUIRE(SplitWords("")->empty());
    REQUIRE_FALSE(SplitWords("php 'x").has_value());
    REQUIRE(*SplitWords("x\\") == Words{"x\\"});
}

TEST_CASE("nearest: typing errors find their key, other words find nothing") {
    const std::vector<std::string_view> keys = {"num_workers", "max_jobs", "debug", "http"};
    REQUIRE(Nearest("num_worker", keys) == "num_workers");
    REQUIRE(Nearest("numworkers", keys) == "num_workers");
    REQUIRE(Nearest("max_job", keys) == "max_jobs");
    REQUIRE(Nearest("degub", keys) == "debug");
    REQUIRE(Nearest("htpp", keys) == "http");
    REQUIRE(Nearest("hxxp", keys).empty());
    REQUIRE(Nearest("address", keys).empty());
    REQUIRE(Nearest("", keys).empty());
    REQUIRE(Nearest("x", {"y"}).empty());
    REQUIRE(Nearest(std::string(10000, 'a'), keys).empty());
}

TEST_CASE("expand: variables as in RoadRunner's table, with two cells mended") {
    Environment environment = [](std::string_view name) -> std::optional<std::string> {
        if (name == "X") {
            return "val";
        }
        if (name == "E") {
            return "";
        }
        return std::nullopt;
    };
    const std::vector<std::pair<std::string, std::string>> table = {
        {"$X", "val"},
        {"${X}", "val"},
        {"${N}", ""},
        {"a$N", "a"},
        {"${N:-d}", "d"},
        {"${E:-d}", "d"},
        {"${N:-}", ""},
        {"${N-d}", ""},
        {"${N:=d}", ""},
        {"${N:?e}", ""},
        {"pa$$word", "paword"},
        {"a$1b", "ab"},
        {"a$*b", "ab"},
        {"abc$", "abc$"},
        {"a $ b", "a $ b"},
        {"x${}y", "xy"},
        {"x${X", "xX"},
        {"${X:-d}", "val"},
        {"tcp://${H:-h}:${P:-1}", "tcp://h:1"},
        {"${N:-a:-b}", "a:-b"},
        {"tcp://${X}:${P:-1}", "tcp://val:1"},
        {"$X.y", "val.y"},
        {"", ""},
    };
    for (const auto& [text, expected] : table) {
        INFO(text);
        REQUIRE(Expand(text, environment) == expected);
    }
}

TEST_CASE("override: key and value are cut and unquoted") {
    const auto read = [](std::string_view text) {
        Result<Override> parsed = ParseOverride(text);
        return parsed ? parsed->key + "|" + parsed->value : parsed.error().message;
    };
    REQUIRE(read("HTTP.Address=:80") == "http.address|:80");
    REQUIRE(read(" \"a = b=c ") == "a|b=c");
    REQUIRE(read("a=\"x y\"") == "a|x y");
    REQUIRE(read("a='it\\'s'") == "a|it's");
    REQUIRE(read("a=x\"") == "a|x\"");
    REQUIRE(read("a=\"\"") == "a|");
    REQUIRE(read("foo") == "invalid flag `foo`");
    REQUIRE(read("=1") == "key should not be empty");
    REQUIRE(read("a= ") == "value should not be empty");
}

TEST_CASE("override: quoted dotted keys of the file are found") {
    Node root(Node::Kind::kMap, {});
    root.Put("servers", Node(Node::Kind::kMap, {})).Put("a.b", Node(Node::Kind::kMap, {}));
    REQUIRE(root.PutPath("servers.a.b.addr", Node::Text("x", {})));
    REQUIRE(root.PutPath("servers.c.addr", Node::Text("y", {})));
    REQUIRE(ToJson(root) == R"({"servers":{"a.b":{"addr":"x"},"c":{"addr":"y"}}})");
    REQUIRE_FALSE(root.PutPath(std::string(500, '.'), Node::Text("x", {})));
    root.Put("list", Node::Text("5", {}));
    REQUIRE(root.PutPath("list.a", Node::Text("z", {})));
    REQUIRE(ToJson(*root.Find("list")) == R"({"a":"z"})");
}

}  // namespace rr::config
