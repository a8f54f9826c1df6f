// Log: all log output of the process: channels by name, the outputs they share, one thread.
//
//   auto log = Log::Open(ParseLogConfig(config.Get("logs")));
//   log::Logger http = (*log)->Get("http");
//
// Thread: Get, SetLevel, Flush, Reopen from any; Loggers from any. Nothing here is safe in a
//         signal handler.
// Owns:   channels and outputs; outlives every Logger it handed out.
// Fails:  Open, if a file cannot be opened. Later troubles go to err_output.
#pragma once

#include <memory>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/log/config.hpp"
#include "core/log/logger.hpp"

namespace rr::log {

class Log {
public:
    // colours: of the console encoding on standard streams.
    static Result<std::unique_ptr<Log>> Open(LogConfig config, bool colours);
    // Writes what waits, for two seconds at most.
    ~Log();

    // The same channel for the same name.
    Logger Get(std::string_view name);

    // Overrides what the configuration says, for every channel (`serve -v`) or for one. Channels
    // of mode none stay silent.
    void SetLevel(Level level);
    void SetLevel(std::string_view name, Level level);

    // To be called on every way out of the process that skips the destructor. False: gave up.
    bool Flush(Duration limit = std::chrono::seconds(2));

    // After log files were moved away (SIGHUP).
    void Reopen();

    // Records that found the queue full, since the start.
    uint64_t dropped() const;

private:
    class NamedChannel;
    struct State;
    Log();
    std::unique_ptr<State> state_;
};

// True if standard output is a terminal that wants colours: NO_COLOR is empty, TERM is not dumb.
// This one decision also governs what goes to standard error.
bool ColoursWanted();

}  // namespace rr::log
