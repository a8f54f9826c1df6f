#include "plugins/service/output_log.hpp"

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/pool/spawner.hpp"

using namespace rr;
using namespace rr::service;

namespace {

class Lines final : public log::Channel {
public:
    Lines() { SetLevel(log::Level::kInfo); }
    void Write(log::Level, std::string_view message, const log::Field*, size_t) override {
        lines.emplace_back(message);
    }
    std::vector<std::string> lines;
};

// What a shell command writes to its standard output.
std::vector<std::string> LinesOf(const std::string& script) {
    Loop loop("main");
    Lines lines;
    auto spawner = pool::Spawner::Make(loop);
    pool::ServerSettings settings;
    auto plan = pool::Resolve(settings, {"sh", "-c", script}, {});
    REQUIRE(plan);
    std::unique_ptr<OutputLog> out;
    bool exited = false;
    spawner->Spawn(
        loop, {.plan = *plan, .pipes = true, .whole_group = true},
        [&](Result<pool::Spawned> spawned) {
            REQUIRE(spawned);
            out = std::make_unique<OutputLog>(loop, spawned->out, log::Logger(&lines));
            const net::Stream in(loop, net::Stream::Kind::kPipe, spawned->in, nullptr);
            const net::Stream err(loop, net::Stream::Kind::kPipe, spawned->err, nullptr);
        },
        [&](pool::ExitStatus) {
            out->Finish();
            exited = true;
        });
    REQUIRE(loop.RunUntil([&] { return exited; }));
    return lines.lines;
}

}  // namespace

TEST_CASE("service: a line of output is a record, blanks at its end and empty lines are left out") {
    REQUIRE(LinesOf("printf 'one\\n  two \\t\\r\\n\\n\\nlast'") ==
            std::vector<std::string>{"one", "  two", "last"});
}

TEST_CASE("service: a very long line comes in pieces, and nothing is lost") {
    const auto lines = LinesOf("head -c 20000 /dev/zero | tr '\\0' x; echo; echo end");
    REQUIRE(lines.size() == 4);
    REQUIRE(lines[0].size() == OutputLog::kLongestLine);
    REQUIRE(lines[2].size() == 20000 - 2 * OutputLog::kLongestLine);
    REQUIRE(lines[3] == "end");
}

TEST_CASE("service: output that is read at a pace is complete in the end") {
    const auto lines = LinesOf("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done");
    REQUIRE(lines.size() == 5000);
    REQUIRE(lines.back() == "line 4999");
}
