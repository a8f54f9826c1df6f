// Slow log (`http.slow_log`): a record of a request that a worker has had for long, while it still
// has it, and one more at its end.
//
// Thread: any; the logger is.
#pragma once

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"
#include "core/log/logger.hpp"
#include "core/pool/job.hpp"
#include "plugins/http/access_log.hpp"

namespace rr::config {
class Section;
}

namespace rr::http {

// The key `threshold` of a section slow_log; 0: off.
Duration ReadSlowAfter(const config::Section& slow_log, Duration fallback);

// doing: the worker, in words.
void LogSlow(const log::Logger& log, const AccessRecord& record, const pool::JobReport& report,
             Bytes doing);
void LogSlowEnd(const log::Logger& log, const AccessRecord& record, const pool::JobReport& report);

}  // namespace rr::http
