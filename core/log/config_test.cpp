#include "core/log/config.hpp"

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

using namespace rr;
using namespace rr::log;

namespace {

struct Parsed {
    std::unique_ptr<config::Config> config;
    LogConfig log;
};

Parsed Parse(std::string_view yaml) {
    auto config = config::Config::FromText("version: '3'\n" + std::string(yaml));
    REQUIRE(config);
    LogConfig log = ParseLogConfig((*config)->Get("logs"));
    return {std::move(*config), std::move(log)};
}

}  // namespace

TEST_CASE("log config: without a section it is development at debug on stderr") {
    const auto parsed = Parse("");
    const ChannelConfig& base = parsed.log.base;
    REQUIRE(base.mode == Mode::kDevelopment);
    REQUIRE(base.level == Level::kDebug);
    REQUIRE(base.encoding == Encoding::kConsole);
    REQUIRE(base.output == std::vector<std::string>{"stderr"});
    REQUIRE(base.line_ending == "\n");
    REQUIRE_FALSE(base.file);
    REQUIRE(parsed.log.channels.empty());
    REQUIRE(parsed.config->problems().empty());
}

TEST_CASE("log config: production speaks JSON, at debug unless a level is named") {
    const auto parsed = Parse("logs: {mode: production}\n");
    REQUIRE(parsed.log.base.encoding == Encoding::kJson);
    REQUIRE(parsed.log.base.level == Level::kDebug);
}

TEST_CASE("log config: an unknown level gives the mode's own, with a warning") {
    const auto parsed = Parse("logs: {mode: production, level: loud}\n");
    REQUIRE(parsed.log.base.level == Level::kInfo);
    REQUIRE(parsed.config->warnings().size() == 1);
    REQUIRE(Parse("logs: {level: WARN}\n").log.base.level == Level::kWarn);
    REQUIRE(Parse("logs: {level: panic}\n").log.base.level == Level::kOff);
}

TEST_CASE("log config: a channel fills no defaults of the section in") {
    const auto parsed = Parse(
        "logs:\n"
        "  mode: production\n"
        "  level: error\n"
        "  channels:\n"
        "    http: {mode: raw, output: [stdout]}\n"
        "    Server: {level: info}\n");
    const auto& channels = parsed.log.channels;
    REQUIRE(channels.at("http").mode == Mode::kRaw);
    REQUIRE(channels.at("http").level == Level::kInfo);
    REQUIRE(channels.at("http").output == std::vector<std::string>{"stdout"});
    REQUIRE(channels.at("server").mode == Mode::kDevelopment);
    REQUIRE(channels.at("server").level == Level::kInfo);
    REQUIRE(channels.at("server").encoding == Encoding::kConsole);
}

TEST_CASE("log config: a file with rotation, zeros mean the defaults") {
    const auto parsed = Parse(
        "logs:\n"
        "  file_logger_options: {log_output: /tmp/a.log, max_size: 5, max_age: 0, compress: "
        "true}\n");
    REQUIRE(parsed.log.base.file);
    const RotationConfig& file = *parsed.log.base.file;
    REQUIRE(file.log_output == "/tmp/a.log");
    REQUIRE(file.max_size == 5);
    REQUIRE(file.max_age == 24);
    REQUIRE(file.max_backups == 10);
    REQUIRE(file.compress);
    REQUIRE(Parse("logs: {file_logger_options: {max_size: 1}}\n")
                .log.base.file->log_output.ends_with("/rr-lumberjack.log"));
}

TEST_CASE("log config: an unknown encoding is a problem, an unknown mode is not") {
    const auto parsed = Parse("logs: {encoding: xml}\n");
    REQUIRE(parsed.config->problems().size() == 1);
    REQUIRE(parsed.config->problems()[0].find("no encoder registered for name \"xml\"") !=
            std::string::npos);
    const auto other = Parse("logs: {mode: shouting}\n");
    REQUIRE(other.log.base.mode == Mode::kOther);
    REQUIRE(other.config->problems().empty());
    REQUIRE(Parse("logs: {mode: 'off'}\n").log.base.mode == Mode::kNone);
}
