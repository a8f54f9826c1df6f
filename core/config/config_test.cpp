#include "core/config/config.hpp"

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/config/config_for_test.hpp"
#include "core/config/file.hpp"

namespace rr::config {
namespace {

using Lines = std::vector<std::string>;

std::string ErrorOf(std::string_view text, std::vector<std::string> overrides = {}) {
    Result<std::unique_ptr<Config>> config =
        Config::FromText(text, ".rr.yaml", std::move(overrides));
    REQUIRE_FALSE(config.has_value());
    REQUIRE(config.error().code == Errc::kConfig);
    return config.error().message;
}

// Folder: a working directory of its own, left and removed at the end.
class Folder {
public:
    Folder() : before_(std::filesystem::current_path()) {
        std::string name = (std::filesystem::temp_directory_path() / "rr-config-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
        std::filesystem::current_path(path_);
    }
    ~Folder() {
        std::filesystem::current_path(before_);
        std::filesystem::remove_all(path_);
    }
    std::string Write(const std::string& name, std::string_view text) const {
        std::ofstream(path_ / name) << text;
        return (path_ / name).string();
    }

private:
    std::filesystem::path before_;
    std::filesystem::path path_;
};

}  // namespace

TEST_CASE("config: sections give typed values and defaults") {
    auto config = Read(R"(version: "3"
http:
  Address: 127.0.0.1:8080
  access_logs: yes
  max_request_size: 1_000
  middleware: [headers, gzip]
  pool:
    num_workers: "4"
    allocate_timeout: 1m30s
server:
  command: "php worker.php 'a b'"
  env:
    - A: 1
    - B: true
)");
    const Section http = config->Get("http");
    REQUIRE(http.present());
    REQUIRE(http.String("address", "") == "127.0.0.1:8080");
    REQUIRE(http.Bool("access_logs", false));
    REQUIRE(http.Integer("max_request_size", 0) == 1000);
    REQUIRE(http.List("middleware") == Lines{"headers", "gzip"});
    const Section pool = http.Sub("pool");
    REQUIRE(pool.path() == "http.pool");
    REQUIRE(pool.Integer("num_workers", 0, 0, 500) == 4);
    REQUIRE(pool.Time("allocate_timeout", {}) == std::chrono::seconds(90));
    REQUIRE(pool.Time("destroy_timeout", std::chrono::seconds(60)) == std::chrono::seconds(60));
    REQUIRE_FALSE(pool.Sub("supervisor").present());
    const Section server = config->Get("server");
    REQUIRE(server.Command("command") == Lines{"php", "worker.php", "a b"});
    REQUIRE(server.Pairs("env") ==
            std::vector<std::pair<std::string, std::string>>{{"a", "1"}, {"b", "1"}});
    REQUIRE_FALSE(config->Get("tcp").present());
    config->Finish();
    REQUIRE(config->problems().empty());
    REQUIRE(config->warnings().empty());
}

TEST_CASE("config: names with dots are read back as they were written") {
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    auto config = Read(
        "version: '3'\na: {q: {0.5: 0.05, 0.99: 1, 1: 0}, l: [{0.5: x}, {b.c.d: y}], bad: [1]}\n");
    Section a = config->Get("a");
    REQUIRE(a.DottedPairs("q") == Pairs{{"0.5", "0.05"}, {"0.99", "1"}, {"1", "0"}});
    REQUIRE(a.DottedPairs("l") == Pairs{{"0.5", "x"}, {"b.c.d", "y"}});
    REQUIRE(a.DottedPairs("none").empty());
    REQUIRE(config->problems().empty());
    REQUIRE(a.DottedPairs("bad").empty());
    REQUIRE(config->problems().size() == 1);
    config->Finish();
    REQUIRE(config->warnings().empty());
}

TEST_CASE("config: all problems come together, in file order") {
    auto config = Read(R"(version: "3"
http:
  pool:
    num_workers: 501
    allocate_timeout: 1d
  max_request_size: many
  access_logs: maybe
  loops: {a: 1}
)");
    const Section http = config->Get("http");
    http.Problem("address", "missing");
    http.Bool("access_logs", false);
    http.Integer("max_request_size", 0);
    http.Integer("loops", 1);
    const Section pool = http.Sub("pool");
    REQUIRE(pool.Time("allocate_timeout", std::chrono::seconds(60)) == std::chrono::seconds(60));
    pool.Integer("num_workers", 0, 0, 500);
    config->Get("server").Problem("command", "missing");
    REQUIRE(config->problems() ==
            Lines{".rr.yaml:1: server.command: missing", ".rr.yaml:2: http.address: missing",
                  ".rr.yaml:4: http.pool.num_workers: must be between 0 and 500, got 501",
                  ".rr.yaml:5: http.pool.allocate_timeout: unknown unit \"d\" in duration \"1d\" "
                  "(use h, m, s, ms, us or ns)",
                  ".rr.yaml:6: http.max_request_size: expected a whole number, got \"many\"",
                  ".rr.yaml:7: http.access_logs: expected true or false, got \"maybe\"",
                  ".rr.yaml:8: http.loops: expected a value, got a section"});
}

TEST_CASE("config: an unknown key is a warning with the nearest known one") {
    auto config = Read(R"(version: "3"
http:
  adress: ":80"
  pool:
    num_worker: 3
    x_y_z: 1
htpp: {}
kv: {a: 1}
)");
    const Section http = config->Get("http");
    http.String("address", "");
    http.Sub("pool").Integer("num_workers", 0);
    config->Finish();
    REQUIRE(config->warnings() ==
            Lines{".rr.yaml:3: http.adress: unknown key; did you mean address?",
                  ".rr.yaml:5: http.pool.num_worker: unknown key; did you mean num_workers?",
                  ".rr.yaml:6: http.pool.x_y_z: unknown key",
                  ".rr.yaml:7: htpp: unknown key; did you mean http?",
                  ".rr.yaml:8: kv: not served by this version of rr; the section has no effect"});
    REQUIRE(config->problems().empty());
    config->Finish(true);
    REQUIRE(config->problems().size() == 4);
}

TEST_CASE("config: ignored and known keys are no unknown keys") {
    auto config = Read("version: '3'\nserver: {relay_timeout: 60s, old: {a: 1}}\nrpc: {a: 1}\n");
    const Section server = config->Get("server");
    server.Ignored("relay_timeout", "has no effect");
    server.Ignored("old", "");
    config->Known("rpc");
    config->Finish();
    REQUIRE(config->warnings() == Lines{".rr.yaml:2: server.relay_timeout: has no effect"});
}

TEST_CASE("config: children are sections with names of the user's") {
    auto config = Read(R"(version: "3"
hooks:
  Worker.Exited: {command: a}
  "b.c": {command: x, tiemout: 1s}
  bad: 5
)");
    Lines names;
    for (const auto& [name, child] : config->Get("hooks").Children()) {
        names.push_back(child.path() + "=" + child.String("command", "") +
                        child.String("timeout", ""));
    }
    REQUIRE(names == Lines{"hooks.worker=", "hooks.b.c=x"});
    config->Finish();
    REQUIRE(config->problems() ==
            Lines{".rr.yaml:5: hooks.bad: expected a section (keys and values), got \"5\""});
    REQUIRE(config->warnings() ==
            Lines{".rr.yaml:3: hooks.worker.exited: unknown key",
                  ".rr.yaml:4: hooks.b.c.tiemout: unknown key; did you mean timeout?"});
}

TEST_CASE("config: a list of one-pair maps stands for a map of names") {
    auto config = Read("version: '3'\nservice:\n  - One: {command: a}\n  - two: {command: b}\n");
    Lines names;
    for (const auto& [name, child] : config->Get("service").Children()) {
        names.push_back(name + "=" + child.String("command", ""));
    }
    REQUIRE(names == Lines{"one=a", "two=b"});
    config->Finish();
    REQUIRE(config->warnings().empty());
}

TEST_CASE("config: a bare number of a duration is seconds and says so") {
    auto config = Read("version: '3'\na:\n  b: 90\n  c: 1500000000\n  d: 0\n  e: -5\n  f: '10'\n");
    const Section a = config->Get("a");
    REQUIRE(a.Time("b", {}) == std::chrono::seconds(90));
    REQUIRE(a.Time("c", {}) == std::chrono::milliseconds(1500));
    REQUIRE(a.Time("d", std::chrono::seconds(1)) == Duration::zero());
    a.Time("e", {});
    REQUIRE(a.Time("f", {}) == std::chrono::seconds(10));
    REQUIRE(config->warnings() ==
            Lines{".rr.yaml:3: a.b: a number without a unit is read as seconds; write 1m30s",
                  ".rr.yaml:4: a.c: a number without a unit is read as nanoseconds; write 1.5s",
                  ".rr.yaml:7: a.f: a number without a unit is read as seconds; write 10s"});
    REQUIRE(config->problems() == Lines{".rr.yaml:6: a.e: must be at least 0s, got -5"});
}

TEST_CASE("config: a scalar list is split at commas, a command never") {
    auto config = Read(
        "version: '3'\na: {l: 'x, y,z', c: 'php w.php a,b', d: [php, 'w x.php'],"
        " e: ['php w.php'], f: 'php \"x'}\n");
    const Section a = config->Get("a");
    REQUIRE(a.List("l") == Lines{"x", "y", "z"});
    REQUIRE(a.Command("c") == Lines{"php", "w.php", "a,b"});
    REQUIRE(a.Command("d") == Lines{"php", "w x.php"});
    REQUIRE(a.Command("e") == Lines{"php", "w.php"});
    REQUIRE(a.Command("f").empty());
    REQUIRE(a.Command("none").empty());
    REQUIRE(config->problems() == Lines{".rr.yaml:2: a.f: a quote (\") is not closed"});
}

TEST_CASE("config: one-of compares in lower case and names the nearest") {
    auto config = Read("version: '3'\nlogs: {mode: Production, level: degub, encoding: off}\n");
    const Section logs = config->Get("logs");
    REQUIRE(logs.OneOf("mode", "x", {"development", "production"}) == "production");
    REQUIRE(logs.OneOf("level", "info", {"debug", "info"}) == "info");
    REQUIRE(logs.OneOf("encoding", "on", {"on", "off"}) == "off");
    REQUIRE(config->problems() ==
            Lines{".rr.yaml:2: logs.level: \"degub\" is not one of debug, info; "
                  "did you mean debug?"});
}

TEST_CASE("config: a wrong kind of section is a problem, an empty one is absent") {
    auto config = Read("version: '3'\nhttp: 5\nrpc: {}\nserver: {on_init: {}, pool: [1]}\nlogs:\n");
    REQUIRE_FALSE(config->Get("http").present());
    REQUIRE(config->Get("rpc").present());
    REQUIRE_FALSE(config->Get("logs").present());
    REQUIRE_FALSE(config->Get("server").Sub("on_init").present());
    REQUIRE_FALSE(config->Get("server").Sub("pool").present());
    REQUIRE(config->problems() ==
            Lines{".rr.yaml:2: http: expected a section (keys and values), got \"5\"",
                  ".rr.yaml:4: server.pool: expected a section (keys and values), got a list"});
}

TEST_CASE("config: the version is checked") {
    const std::string missing = "rr configuration file should contain a version e.g: version: 3";
    REQUIRE(ErrorOf("http: {}\n") == ".rr.yaml:1: version: " + missing);
    REQUIRE(ErrorOf("") == ".rr.yaml:1: version: " + missing);
    REQUIRE(ErrorOf("\nversion: 3\n") ==
            ".rr.yaml:2: version: version should be a string: `version: \"3\"`, actual type is: "
            "int");
    REQUIRE(ErrorOf("version: 2.7\n").find("actual type is: float64") != std::string::npos);
    REQUIRE(ErrorOf("version: '9'\n") ==
            ".rr.yaml:1: version: unknown configuration version \"9\"; write version: \"3\"");
    REQUIRE(Read("version: '2.7'\n")->warnings().size() == 1);
    REQUIRE(Read("http: {}\n", {"version=3"})->warnings().empty());
}

TEST_CASE("config: overrides lie over the file and name themselves in problems") {
    auto config = Read("version: '3'\nhttp: {address: ':80', middleware: [gzip]}\n",
                       {"http.Address=:81", "http.middleware=headers,gzip", "http.pool.max_jobs=x",
                        "http.pool.debug='true'"});
    const Section http = config->Get("http");
    REQUIRE(http.String("address", "") == ":81");
    REQUIRE(http.List("middleware") == Lines{"headers", "gzip"});
    http.Sub("pool").Integer("max_jobs", 0);
    REQUIRE(http.Sub("pool").Bool("debug", false));
    REQUIRE(config->problems() ==
            Lines{"-o http.pool.max_jobs: expected a whole number, got \"x\""});
    REQUIRE(ErrorOf("version: '3'\n", {"foo", "=x", "a="}) ==
            "-o foo: invalid flag `foo`\n-o =x: key should not be empty\n"
            "-o a=: value should not be empty");
}

TEST_CASE("config: variables are expanded where they stand") {
    ::setenv("RR_TEST_PORT", "8123", 1);
    auto config = Read(
        "version: '3'\nhttp:\n  address: 127.0.0.1:${RR_TEST_PORT:-1}\n"
        "  loops: ${RR_TEST_PORT}x\n",
        {"http.dir=$RR_TEST_PORT"});
    const Section http = config->Get("http");
    REQUIRE(http.String("address", "") == "127.0.0.1:8123");
    REQUIRE(http.String("dir", "") == "8123");
    http.Integer("loops", 1);
    REQUIRE(config->problems() ==
            Lines{".rr.yaml:4: http.loops: expected a whole number, got \"8123x\""});
    ::unsetenv("RR_TEST_PORT");
}

TEST_CASE("config: an include replaces whole sections, and -o wins over it") {
    Folder folder;
    const std::string main = folder.Write(
        "main.yaml", "version: '3'\ninclude: [a.yaml, b.yaml]\nhttp: {pool: {max_jobs: 1}}\n");
    folder.Write("a.yaml", "version: '3'\nhttp:\n  address: ':1'\n");
    folder.Write("b.yaml", "version: '3'\ninclude: [none.yaml]\nrpc: {listen: bad}\n");
    LoadOptions options;
    options.file = main;
    options.overrides = {"http.address=:2"};
    auto config = std::move(*Config::Load(options));
    REQUIRE(config->Get("http").String("address", "") == ":2");
    REQUIRE_FALSE(config->Get("http").Sub("pool").present());
    config->Get("http").Problem("x", "missing");
    config->Get("rpc").Problem("listen", "bad");
    REQUIRE(config->problems() == Lines{"a.yaml:2: http.x: missing", "b.yaml:3: rpc.listen: bad"});
    REQUIRE(config->ToJson() ==
            R"({"http":{"address":":2"},"include":["a.yaml","b.yaml"],"rpc":{"listen":"bad"},)"
            R"("version":"3"})");
}

TEST_CASE("config: trouble with includes is named with the line that asks for them") {
    Folder folder;
    folder.Write("a.yaml", "http: {}\n");
    folder.Write("b.yaml", "version: '2.7'\n");
    folder.Write("c.yaml", "version: 3\n");
    REQUIRE(ErrorOf("version: '3'\ninclude:\n  - none.yaml\n  - a.yaml\n  - b.yaml\n  - c.yaml\n"
                    "  - d.toml\n") ==
            ".rr.yaml:3: include: open none.yaml: no such file or directory\n"
            ".rr.yaml:7: include: d.toml: Unsupported Config Type \"toml\" (supported are .yaml, "
            ".yml and .json)\n"
            "a.yaml:1: version: rr configuration file should contain a version e.g: version: 2.7\n"
            "b.yaml:1: version: version in included file must be the same as in root\n"
            "c.yaml:1: version: type of version should be string, actual: int");
    auto config = Read("version: '2.7'\n", {"include=b.yaml b.yaml"});
    REQUIRE(config->Get("x").present() == false);
}

TEST_CASE("config: files that cannot be read are named") {
    Folder folder;
    LoadOptions options;
    REQUIRE(Config::Load(options).error().message == "no configuration file provided");
    options.file = "/none/.rr.yaml";
    REQUIRE(Config::Load(options).error().message ==
            "open /none/.rr.yaml: no such file or directory");
    options.file = folder.Write("rr.toml", "a = 1\n");
    REQUIRE(Config::Load(options).error().message.find("Unsupported Config Type \"toml\"") !=
            std::string::npos);
    options.file =
        folder.Write("rr.json", "{\n\t\"version\": \"3\", \"http\": {\"address\": 5}\n}");
    auto config = std::move(*Config::Load(options));
    REQUIRE(config->Get("http").String("address", "") == "5");
    options.json = R"({"http": {"loops": 2}})";
    config = std::move(*Config::Load(options));
    REQUIRE(config->Get("http").Integer("loops", 0) == 2);
    REQUIRE(config->Get("http").Integer("address", 0) == 5);
}

TEST_CASE("config: an envfile is loaded with -e, from the file's folder") {
    Folder folder;
    folder.Write("my.env", "RR_TEST_ENVFILE=from-file\n");
    LoadOptions options;
    options.file =
        folder.Write("a.yaml", "version: '3'\nenvfile: my.env\nx: {y: $RR_TEST_ENVFILE}\n");
    ::unsetenv("RR_TEST_ENVFILE");
    auto config = std::move(*Config::Load(options));
    REQUIRE(config->warnings() ==
            Lines{"a.yaml:2: envfile: needs the flag -e and has no effect without it"});
    REQUIRE(config->Get("x").String("y", "") == "");
    options.experimental = true;
    config = std::move(*Config::Load(options));
    REQUIRE(config->Get("x").String("y", "") == "from-file");
    ::unsetenv("RR_TEST_ENVFILE");
}

TEST_CASE("config: syntax errors have their line") {
    REQUIRE(ErrorOf("version: '3'\nhttp:\n\taddress: x\n") ==
            ".rr.yaml:3: tabs cannot indent; use spaces");
    REQUIRE(ErrorOf("version: '3'\nhttp: {\n") == ".rr.yaml:2: a bracket is not closed");
    REQUIRE(ErrorOf("- a\n") == ".rr.yaml:1: expected sections (`name: ...`) at the top level");
}

TEST_CASE("config: what a plugin checks after all were initialised counts like the rest") {
    auto config = Read("version: '3'\nhttp:\n  middleware: [nobody]\n");
    Section http = config->Get("http");
    http.List("middleware");
    int runs = 0;
    config->AfterInit([http, &runs] {
        ++runs;
        http.Warning("middleware", "nobody has this name");
    });
    REQUIRE(config->warnings().empty());
    config->Finish(true);
    REQUIRE(runs == 1);
    REQUIRE(config->warnings() == Lines{".rr.yaml:3: http.middleware: nobody has this name"});
}

TEST_CASE("config: the sample with every key is a valid version 3 file") {
    const char* folder = ::getenv("RR_SOURCE_DIR");
    const std::string path =
        (folder == nullptr ? std::string(".") : std::string(folder)) + "/.rr.yaml.example";
    Result<std::string> text = ReadFile(path);
    INFO(path);
    REQUIRE(text.has_value());
    auto as_it_is = Read(*text);
    REQUIRE_FALSE(as_it_is->legacy());
    REQUIRE_FALSE(as_it_is->Get("server").Sub("on_init").present());
    REQUIRE(as_it_is->warnings().empty());
    // `#key:` is a key, `# text` is prose.
    for (size_t at = text->find('#'); at != std::string::npos; at = text->find('#', at + 1)) {
        if (text->substr(at + 1, 1).find_first_of(" \n") == std::string::npos) {
            text->erase(at, 1);
        }
    }
    auto config = Read(*text);
    REQUIRE(config->Get("server").Command("command") == Lines{"php", "worker.php"});
    REQUIRE(config->Get("server").Sub("on_init").Bool("exit_on_error", true) == false);
    REQUIRE(config->Get("http").Sub("timeouts").Time("idle", {}) == std::chrono::seconds(120));
    REQUIRE(config->Get("http").Sub("limits").Size("target", 0) == 16 << 10);
    REQUIRE(config->Get("hooks").Sub("server_started").String("fail", "") == "ignore");
    REQUIRE(config->problems().empty());
}

}  // namespace rr::config
