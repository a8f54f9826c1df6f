#include "plugins/http/slow_log.hpp"

#include <vector>

#include "core/config/section.hpp"

namespace rr::http {

namespace {

int64_t Whole(Duration duration) { return duration / std::chrono::milliseconds(1); }

// What both records begin with.
std::vector<log::Field> Fields(const AccessRecord& r, const pool::JobReport& report) {
    std::vector<log::Field> fields = {{"method", r.method},
                                      {"URI", r.url.empty() ? r.target : std::string_view()},
                                      {"URL", r.url.empty() ? r.target : r.url},
                                      {"remote_address", r.remote_address},
                                      {"pool", report.pool},
                                      {"pid", report.pid},
                                      {"start", r.start_unix_ns},
                                      {"queued_ms", Whole(report.queued)},
                                      {"run_ms", Whole(report.run)}};
    if (report.cpu >= Duration::zero()) {
        fields.emplace_back("cpu_ms", Milliseconds(report.cpu));
    }
    return fields;
}

void Write(const log::Logger& log, Bytes message, const std::vector<log::Field>& fields) {
    log.Write(log::Level::kWarn, message, fields.data(), fields.size());
}

}  // namespace

Duration ReadSlowAfter(const config::Section& s, Duration fallback) {
    return s.Time("threshold", fallback);
}

void LogSlow(const log::Logger& log, const AccessRecord& record, const pool::JobReport& report,
             Bytes doing) {
    std::vector<log::Field> fields = Fields(record, report);
    fields.emplace_back("doing", doing);
    Write(log, "slow request", fields);
}

void LogSlowEnd(const log::Logger& log, const AccessRecord& record, const pool::JobReport& report) {
    std::vector<log::Field> fields = Fields(record, report);
    fields.emplace_back("status", record.status);
    fields.emplace_back("elapsed", record.elapsed_ns / 1'000'000);
    fields.emplace_back("write_bytes", record.write_bytes);
    if (report.memory > 0) {
        fields.emplace_back("memory", report.memory);
    }
    if (report.peak_memory > 0) {
        fields.emplace_back("peak_memory", report.peak_memory);
    }
    Write(log, "slow request ended", fields);
}

}  // namespace rr::http
