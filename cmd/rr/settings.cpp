#include "cmd/rr/settings.hpp"

#include <algorithm>
#include <charconv>

#include "core/config/config.hpp"

namespace rr::cmd {

namespace {

constexpr size_t kMostLoops = 256;

size_t ReadLoops(const config::Section& http, unsigned cores) {
    std::string text = http.String("loops", "1");
    if (text == "auto") {
        return std::max(1u, cores / 4);
    }
    size_t loops = 0;
    auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), loops);
    if (problem != std::errc() || end != text.data() + text.size() || loops < 1 ||
        loops > kMostLoops) {
        http.Problem("loops", "expected a number from 1 to 256, or auto");
        return 1;
    }
    return loops;
}

}  // namespace

ProgramConfig ReadProgramConfig(config::Config& config, unsigned cores) {
    ProgramConfig c;
    config::Section endure = config.Get("endure");
    c.grace_period = endure.Time("grace_period", c.grace_period);
    c.print_graph = endure.Bool("print_graph", c.print_graph);
    c.watchdog_sec = endure.Integer("watchdog_sec", c.watchdog_sec, 0, 86400);
    std::string level = endure.String("log_level", "error");
    constexpr std::string_view kLevels[] = {"debug", "info", "warn", "warning", "error"};
    if (std::find(std::begin(kLevels), std::end(kLevels), level) == std::end(kLevels)) {
        c.bad_log_level = level;
    }
    c.loops = ReadLoops(config.Get("http"), cores);
    return c;
}

}  // namespace rr::cmd
