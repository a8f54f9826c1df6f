// ProgramConfig: what the program itself reads from the configuration: the `endure` section and
// `http.loops`. Names are RoadRunner's, but for loops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/base/time.hpp"

namespace rr::config {
class Config;
}

namespace rr::cmd {

struct ProgramConfig {
    Duration grace_period = std::chrono::seconds(30);  // for everything from stop signal to exit
    bool print_graph = false;                          // plugin graph to standard error
    std::string bad_log_level;                         // endure.log_level, if it is no level
    int64_t watchdog_sec = 0;                          // 0: off
    size_t loops = 1;                                  // http.loops: data threads
};

// cores: of this machine, for `http.loops: auto` (one per 4).
ProgramConfig ReadProgramConfig(config::Config& config, unsigned cores);

}  // namespace rr::cmd
