// Access log: the one record per request, in RoadRunner's words and order.
//
// Thread: any; the logger is. Builds nothing when the level is off.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/base/time.hpp"
#include "core/log/logger.hpp"
#include "core/pool/meter.hpp"

namespace rr::http {

struct AccessRecord {
    int status = 0;
    std::string_view method;
    std::string_view target;          // as the client sent it
    std::string_view url;             // FastCGI: all of it; `URI` is empty then
    std::string_view remote_address;  // with its port
    std::string_view host;
    std::string_view user_agent;
    std::string_view referer;
    int64_t content_length = 0;  // declared; -1: chunked
    uint64_t read_bytes = 0;     // of the body
    uint64_t write_bytes = 0;    // of the answer's body
    int64_t start_unix_ns = 0;
    int64_t elapsed_ns = 0;
    // Of the worker during this request (`http.access_log_usage`).
    Duration cpu = pool::kUnknownTime;
    uint64_t peak_memory = 0;  // bytes; 0: unknown
};

// With three digits behind the point.
double Milliseconds(Duration duration);

// full: the form of `http.access_logs: true`.
void LogAccess(const log::Logger& log, bool full, const AccessRecord& record);

}  // namespace rr::http
