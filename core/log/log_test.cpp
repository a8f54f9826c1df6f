#include "core/log/log.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "core/log/test_folder.hpp"
#include "core/log/writer.hpp"

using namespace rr;
using namespace rr::log;
using namespace std::chrono_literals;

namespace {

ChannelConfig ToFile(const std::string& path, Mode mode = Mode::kRaw, Level level = Level::kDebug) {
    ChannelConfig config;
    config.mode = mode;
    config.level = level;
    config.output = {path};
    return config;
}

std::unique_ptr<Log> OpenLog(LogConfig config) {
    auto log = Log::Open(std::move(config), false);
    REQUIRE(log);
    return std::move(*log);
}

// Lets nothing pass until it is opened.
class Gate final : public Output {
public:
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        bool open = false;
        bool entered = false;
        std::string text;
    };
    explicit Gate(State& state) : state_(state) {}
    Result<void> Write(std::string_view lines) override {
        std::unique_lock lock(state_.mutex);
        state_.entered = true;
        state_.changed.notify_all();
        state_.changed.wait(lock, [this] { return state_.open; });
        state_.text.append(lines);
        return {};
    }

private:
    State& state_;
};

class Counter final : public Writer::Source {
public:
    void Aim(Writer::Target* target) { plain_targets_.push_back(target); }
    void DescribeDropped(uint64_t count, Line& plain, Line&) override {
        plain.Append("dropped ");
        plain.AppendInteger(count);
        plain.Append('\n');
    }
    void Push(Writer& writer, std::string_view line) {
        const Writer::Copy copy{plain_targets_, line};
        writer.Push(*this, {&copy, 1});
    }
};

class Broken final : public Output {
public:
    Result<void> Write(std::string_view) override { return Fail(Errc::kIo, "No space left"); }
};

}  // namespace

TEST_CASE("log: records reach their file in order, below the level they do not") {
    const TestFolder folder;
    LogConfig config;
    config.base = ToFile(folder / "a.log", Mode::kRaw, Level::kInfo);
    auto log = OpenLog(config);
    const Logger logger = log->Get("http");
    REQUIRE_FALSE(logger.Enabled(Level::kDebug));
    REQUIRE(logger.Enabled(Level::kInfo));
    logger.Debug("no");
    logger.Info("one", {{"n", 1}});
    logger.Error("two");
    REQUIRE(log->Flush());
    REQUIRE(folder.Read("a.log") == "one\t{\"n\": 1}\ntwo\n");
    log->SetLevel(Level::kDebug);
    logger.Debug("three");
    log->Get("rpc").Debug("four");
    log->SetLevel("rpc", Level::kError);
    log->Get("rpc").Warn("no");
    log.reset();  // flushes
    REQUIRE(folder.Read("a.log") == "one\t{\"n\": 1}\ntwo\nthree\nfour\n");
}

TEST_CASE("log: a channel has settings of its own and inherits nothing") {
    const TestFolder folder;
    LogConfig config;
    config.base = ToFile(folder / "base.log");
    config.channels["http"] = ToFile(folder / "http.log", Mode::kProduction, Level::kWarn);
    config.channels["http"].encoding = Encoding::kJson;
    config.channels["rpc"].mode = Mode::kNone;
    auto log = OpenLog(config);
    log->Get("http").Info("no");
    log->Get("http").Warn("yes");
    log->Get("rpc").Error("no");
    log->Get("server").Info("base");
    log->SetLevel(Level::kDebug);
    log->Get("rpc").Error("still no");
    log.reset();
    REQUIRE(folder.Read("base.log") == "base\n");
    const std::string http = folder.Read("http.log");
    REQUIRE(http.starts_with("{\"level\":\"warn\",\"ts\":"));
    REQUIRE(http.ends_with(",\"logger\":\"http\",\"msg\":\"yes\"}\n"));
    REQUIRE(folder.Files() == std::set<std::string>{"base.log", "http.log"});
}

TEST_CASE("log: one record may go to several outputs, channels may share one") {
    const TestFolder folder;
    LogConfig config;
    config.base = ToFile(folder / "a.log");
    config.base.output.push_back(folder / "b.log");
    config.channels["http"] = ToFile(folder / "b.log");
    auto log = OpenLog(config);
    log->Get("x").Info("both");
    log->Get("http").Info("second");
    log.reset();
    REQUIRE(folder.Read("a.log") == "both\n");
    REQUIRE(folder.Read("b.log") == "both\nsecond\n");
}

TEST_CASE("log: reopening writes to a new file after the old one was moved") {
    const TestFolder folder;
    LogConfig config;
    config.base = ToFile(folder / "a.log");
    auto log = OpenLog(config);
    log->Get("x").Info("one");
    REQUIRE(log->Flush());
    std::filesystem::rename(folder / "a.log", folder / "a.log.1");
    log->Get("x").Info("two");
    REQUIRE(log->Flush());
    log->Reopen();
    log->Get("x").Info("three");
    log.reset();
    REQUIRE(folder.Read("a.log.1") == "one\ntwo\n");
    REQUIRE(folder.Read("a.log") == "three\n");
}

TEST_CASE("log: an output that cannot be opened stops the start") {
    LogConfig config;
    config.base = ToFile("/no/such/folder/a.log");
    auto log = Log::Open(config, false);
    REQUIRE_FALSE(log);
    REQUIRE(log.error().message == "logs: open /no/such/folder/a.log: No such file or directory");
}

TEST_CASE("log: colours go to standard streams only") {
    const TestFolder folder;
    LogConfig config;
    config.base = ToFile(folder / "a.log", Mode::kDevelopment);
    auto log = Log::Open(config, true);
    REQUIRE(log);
    (*log)->Get("x").Info("plain");
    log->reset();
    REQUIRE(folder.Read("a.log").find('\x1b') == std::string::npos);
}

TEST_CASE("log: no colours without a terminal") {
    const int kept = dup(STDOUT_FILENO);
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(null, STDOUT_FILENO);
    const bool wanted = ColoursWanted();
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(null);
    REQUIRE_FALSE(wanted);
}

TEST_CASE("log: many threads lose nothing but what is counted") {
    const TestFolder folder;
    LogConfig config;
    config.base = ToFile(folder / "a.log");
    auto log = OpenLog(config);
    constexpr int kThreads = 4;
    constexpr int kEach = 2000;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&log, t] {
            const Logger logger = log->Get("t" + std::to_string(t));
            for (int i = 0; i < kEach; ++i) {
                logger.Info("r");
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    REQUIRE(log->Flush());
    const uint64_t dropped = log->dropped();
    log.reset();
    const std::string text = folder.Read("a.log");
    size_t records = 0;
    for (size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
        records += text.compare(at, 2, "r\n") == 0 ? 1 : 0;
    }
    REQUIRE(records + dropped == kThreads * kEach);
}

TEST_CASE("writer: a full queue drops, counts and reports, and never blocks") {
    Gate::State gate;
    {
        Counter source;  // outlives the writer
        Writer writer;
        source.Aim(writer.Add(std::make_unique<Gate>(gate), {}));
        source.Push(writer, "first\n");
        {
            std::unique_lock lock(gate.mutex);  // the thread holds "first" and nothing else
            REQUIRE(gate.changed.wait_for(lock, 10s, [&] { return gate.entered; }));
        }
        for (size_t i = 0; i < Writer::kRecords + 10; ++i) {
            source.Push(writer, "x\n");
        }
        REQUIRE(writer.dropped() == 10);
        REQUIRE_FALSE(writer.Flush(1ms));
        {
            const std::lock_guard lock(gate.mutex);
            gate.open = true;
            gate.changed.notify_all();
        }
        REQUIRE(writer.Flush(10s));
        source.Push(writer, "last\n");
    }
    std::string expected = "first\n";
    for (size_t i = 0; i < Writer::kRecords; ++i) {
        expected += "x\n";
    }
    REQUIRE(gate.text == expected + "dropped 10\nlast\n");
}

TEST_CASE("writer: the bytes that wait are bounded too") {
    Gate::State gate;
    Counter source;  // outlives the writer
    Writer writer;
    source.Aim(writer.Add(std::make_unique<Gate>(gate), {}));
    source.Push(writer, "first\n");
    {
        std::unique_lock lock(gate.mutex);
        REQUIRE(gate.changed.wait_for(lock, 10s, [&] { return gate.entered; }));
    }
    const std::string large(Writer::kBytes / 2, 'x');
    source.Push(writer, large);
    source.Push(writer, large);
    source.Push(writer, "y");
    REQUIRE(writer.dropped() == 1);
    const std::lock_guard lock(gate.mutex);
    gate.open = true;
    gate.changed.notify_all();
}

TEST_CASE("writer: an output that fails is complained about once a second") {
    Gate::State heard;
    heard.open = true;
    {
        Counter source;  // outlives the writer
        Writer writer;
        Writer::Target* troubles = writer.Add(std::make_unique<Gate>(heard), {});
        source.Aim(writer.Add(std::make_unique<Broken>(), {troubles}));
        source.Push(writer, "one\n");
        REQUIRE(writer.Flush(10s));
        source.Push(writer, "two\n");
        REQUIRE(writer.Flush(10s));
    }
    REQUIRE(heard.text.find(" write error: No space left\n") == 24);
    REQUIRE(heard.text.find("write error", 40) == std::string::npos);
}

TEST_CASE("writer: a pipe that nobody reads does not hang the end") {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    const auto begun = Clock::now();
    {
        Counter source;  // outlives the writer
        Writer writer;
        source.Aim(writer.Add(OpenStream(ends[1]), {}));
        source.Push(writer, std::string(256 * 1024, 'x'));
        REQUIRE_FALSE(writer.Flush(10ms));
    }
    REQUIRE(Clock::now() - begun < 10s);
    close(ends[0]);
    close(ends[1]);
}

TEST_CASE("writer: a closed pipe is an error and no signal") {
    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    close(ends[0]);
    Counter source;  // outlives the writer
    Writer writer;
    source.Aim(writer.Add(OpenStream(ends[1]), {}));
    source.Push(writer, "x\n");
    REQUIRE(writer.Flush(10s));
    close(ends[1]);
}
