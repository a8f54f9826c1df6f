// Records: the log records of server, worker and reset events.
//
// Thread: any; a lock is taken for workers that fail or become ready, which is rare.
// Owns:   per pool the last kind of failure, so that retries of the same one are silent.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "core/api/events.hpp"
#include "core/log/logger.hpp"

namespace rr::logger {

class Records {
public:
    explicit Records(log::Logger log) : log_(log) {}

    void Write(const ServerEvent& event);
    void Write(const WorkerEvent& event);
    void Write(const ResetEvent& event);

private:
    struct Failure {
        std::string kind;
        uint64_t times = 0;
    };

    void WriteReady(const WorkerEvent& event);
    void WriteExited(const WorkerEvent& event);
    void WriteFailed(const WorkerEvent& event);
    void WriteRecycled(const WorkerEvent& event);

    const log::Logger log_;
    std::mutex mutex_;                                      // guards failures_
    std::map<std::string, Failure, std::less<>> failures_;  // by pool
};

}  // namespace rr::logger
