#include "plugins/server/on_init.hpp"

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::server;
using namespace std::chrono_literals;

namespace {

// A log channel that remembers.
class Recorder final : public log::Channel {
public:
    Recorder() { SetLevel(log::Level::kDebug); }
    void Write(log::Level, std::string_view message, const log::Field*, size_t) override {
        lines.emplace_back(message);
    }
    std::vector<std::string> lines;
};

Result<void> Run(const std::string& script, Duration limit, std::vector<std::string>& lines) {
    Loop loop("main");
    auto spawner = pool::Spawner::Make(loop);
    Recorder recorder;
    Result<void> result = Fail(Errc::kInternal, "never done");
    bool done = false;
    {
        OnInitRun run(loop, *spawner, log::Logger(&recorder));
        auto plan = pool::Resolve({}, {"sh", "-c", script}, {});
        REQUIRE(plan);
        run.Start(*plan, limit, [&done, &result](Result<void> r) {
            result = std::move(r);
            done = true;
        });
        REQUIRE(loop.RunUntil([&done] { return done; }, 20s));
    }
    lines = recorder.lines;
    return result;
}

}  // namespace

TEST_CASE("on_init: both outputs go to the log line by line, its end is awaited") {
    std::vector<std::string> lines;
    REQUIRE(Run("echo one; echo two; printf rest", 10s, lines));
    REQUIRE(lines == std::vector<std::string>{"one", "two", "rest"});
    REQUIRE(Run("echo problem >&2", 10s, lines));
    REQUIRE(lines == std::vector<std::string>{"problem"});
}

TEST_CASE("on_init: an exit code and a signal are told") {
    std::vector<std::string> lines;
    auto failed = Run("exit 7", 10s, lines);
    REQUIRE_FALSE(failed);
    REQUIRE(failed.error().message == "on_init: `sh -c exit 7` exited with code 7");
    auto killed = Run("kill -TERM $$", 10s, lines);
    REQUIRE_FALSE(killed);
    REQUIRE(killed.error().message == "on_init: `sh -c kill -TERM $$` was ended by signal 15");
}

TEST_CASE("on_init: after exec_timeout its whole group is killed") {
    std::vector<std::string> lines;
    auto slow = Run("sleep 60 & sleep 60; echo never", 100ms, lines);
    REQUIRE_FALSE(slow);
    REQUIRE(slow.error().code == Errc::kTimeout);
    REQUIRE(lines.empty());
}

TEST_CASE("on_init: long lines are cut, empty ones left out") {
    Recorder recorder;
    LineLog lines{log::Logger(&recorder)};
    lines.Take("a\r\n\n");
    lines.Take(std::string(20000, 'x'));
    lines.Take("\nb");
    lines.Finish();
    REQUIRE(recorder.lines.size() == 4);
    REQUIRE(recorder.lines[0] == "a");
    REQUIRE(recorder.lines[1].size() == 16384);
    REQUIRE(recorder.lines[2].size() == 20000 - 16384);
    REQUIRE(recorder.lines[3] == "b");
}
