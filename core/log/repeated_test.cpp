#include "core/log/repeated.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::log;
using namespace std::chrono_literals;

namespace {

class Recorder final : public Channel {
public:
    Recorder() { SetLevel(Level::kDebug); }
    void Write(Level, std::string_view message, const Field* fields, size_t count) override {
        std::string text(message);
        for (size_t i = 0; i < count; ++i) {
            text.append(" ").append(fields[i].key);
            if (const auto* number = std::get_if<uint64_t>(&fields[i].value)) {
                text.append("=").append(std::to_string(*number));
            }
        }
        records.push_back(std::move(text));
    }
    std::vector<std::string> records;
};

}  // namespace

TEST_CASE("repeated: the first is logged, the rest are counted once a second") {
    Recorder recorder;
    const Instant start = Instant(1000s);
    {
        Repeated trouble(Logger(&recorder), Level::kError, "cannot accept");
        trouble.Report(start, {{"error", "x"}});
        trouble.Report(start + 1ms, {{"error", "x"}});
        trouble.Report(start + 2ms, {{"error", "x"}});
        REQUIRE(recorder.records == std::vector<std::string>{"cannot accept error"});
        trouble.Settle(start + 500ms);
        REQUIRE(recorder.records.size() == 1);
        trouble.Settle(start + 1s);
        REQUIRE(recorder.records.back() == "cannot accept repeated=2");
        trouble.Settle(start + 3s);
        REQUIRE(recorder.records.size() == 2);
        trouble.Report(start + 3s, {{"error", "x"}});
        REQUIRE(recorder.records.back() == "cannot accept error");
        trouble.Report(start + 3500ms, {{"error", "x"}});
        trouble.Report(start + 4s, {{"error", "x"}});
        REQUIRE(recorder.records.back() == "cannot accept error repeated=1");
        trouble.Report(start + 4100ms);
        REQUIRE(recorder.records.size() == 4);
    }
    REQUIRE(recorder.records.back() == "cannot accept repeated=1");
}

TEST_CASE("logger: a default-constructed one drops everything") {
    const Logger logger;
    REQUIRE_FALSE(logger.Enabled(Level::kError));
    logger.Error("nobody hears this", {{"k", 1}});
}
