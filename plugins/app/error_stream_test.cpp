#include "plugins/app/error_stream.hpp"

#include <condition_variable>
#include <mutex>
#include <string>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::app;

namespace {

// An output whose reader may hold it up.
class Slow final : public log::Output {
public:
    Result<void> Write(std::string_view text) override {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return open_; });
        text_ += text;
        return {};
    }
    void Open(bool open) {
        const std::lock_guard lock(mutex_);
        open_ = open;
        wake_.notify_all();
    }
    std::string text() {
        const std::lock_guard lock(mutex_);
        return text_;
    }

private:
    std::mutex mutex_;
    std::condition_variable wake_;
    bool open_ = true;
    std::string text_;
};

class Warnings final : public log::Channel {
public:
    Warnings() { SetLevel(log::Level::kDebug); }
    void Write(log::Level, std::string_view message, const log::Field* fields, size_t) override {
        text += message;
        text += " " + std::to_string(std::get<uint64_t>(fields[0].value));
    }
    std::string text;
};

void Finish(Loop& loop, ErrorStream& stream) {
    bool done = false;
    stream.Finish([&] { done = true; });
    REQUIRE_FALSE(done);
    REQUIRE(loop.RunUntil([&] { return done; }));
}

}  // namespace

TEST_CASE("app: texts come out byte for byte, in order, before the end") {
    Loop loop("main");
    auto output = std::make_shared<Slow>();
    ErrorStream stream(loop, {}, output);
    stream.Write("a");
    stream.Write("b\n");
    stream.Write(std::string("\0\xff", 2));
    Finish(loop, stream);
    REQUIRE(output->text() == std::string("ab\n\0\xff", 5));
}

TEST_CASE("app: a reader who does not read holds up nobody, and what is dropped is counted") {
    Loop loop("main");
    auto output = std::make_shared<Slow>();
    Warnings warnings;
    ErrorStream stream(loop, log::Logger(&warnings), output);
    output->Open(false);
    stream.Write("first ");  // on its way
    stream.Write(std::string(ErrorStream::kMost, 'x'));
    stream.Write("dropped");
    stream.Write("dropped");
    output->Open(true);
    Finish(loop, stream);
    REQUIRE(output->text() == "first " + std::string(ErrorStream::kMost, 'x'));
    REQUIRE(warnings.text == "texts for standard error were dropped, it is not read fast enough 2");
}
