#include "plugins/http/access_log.hpp"

#include <array>
#include <cmath>
#include <ctime>
#include <iterator>
#include <string>

namespace rr::http {

namespace {

// `21/Nov/26:01:58:12 +0000`: RoadRunner writes the year with two digits.
std::string_view LocalTime(int64_t unix_ns, std::array<char, 40>& out) {
    auto seconds = static_cast<std::time_t>(unix_ns / 1'000'000'000);
    std::tm local{};
    localtime_r(&seconds, &local);
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    size_t size = std::strftime(out.data(), out.size(), "%d/XXX/%y:%H:%M:%S %z", &local);
    std::string_view month = kMonths[local.tm_mon];
    month.copy(out.data() + 3, 3);
    return {out.data(), size};
}

// Values a client chose must not begin new lines. llhttp lets no CR or LF through in a header, but
// a target is only as clean as its reader; the copy is made only if there is something to remove.
std::string_view OneLine(std::string_view text, std::string& copy) {
    if (text.find_first_of("\r\n") == std::string_view::npos) {
        return text;
    }
    for (char c : text) {
        if (c != '\r' && c != '\n') {
            copy += c;
        }
    }
    return copy;
}

std::string_view QueryOf(std::string_view target) {
    size_t mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

}  // namespace

double Milliseconds(Duration duration) {
    return std::round(static_cast<double>(duration.count()) / 1e3) / 1e3;
}

void LogAccess(const log::Logger& log, bool full, const AccessRecord& r) {
    if (!log.Enabled(log::Level::kInfo)) {
        return;
    }
    int64_t elapsed_ms = r.elapsed_ns / 1'000'000;
    double cpu = Milliseconds(r.cpu);
    // The last fields are left out if there is nothing to say.
    size_t left_out = r.cpu < Duration::zero() ? 2 : r.peak_memory == 0 ? 1 : 0;
    if (!full) {
        const log::Field fields[] = {{"status", r.status},
                                     {"method", r.method},
                                     {"URI", r.url.empty() ? r.target : std::string_view()},
                                     {"URL", r.url.empty() ? r.target : r.url},
                                     {"remote_address", r.remote_address},
                                     {"read_bytes", r.read_bytes},
                                     {"write_bytes", r.write_bytes},
                                     {"start", r.start_unix_ns},
                                     {"elapsed", elapsed_ms},
                                     {"cpu_ms", cpu},
                                     {"peak_memory", r.peak_memory}};
        log.Write(log::Level::kInfo, "http log", fields, std::size(fields) - left_out);
        return;
    }
    std::array<char, 40> time;
    std::string query;
    std::string agent;
    std::string referer;
    const log::Field fields[] = {{"read_bytes", r.read_bytes},
                                 {"write_bytes", r.write_bytes},
                                 {"status", r.status},
                                 {"method", r.method},
                                 {"URI", r.url.empty() ? r.target : std::string_view()},
                                 {"URL", r.url.empty() ? r.target : r.url},
                                 {"remote_address", r.remote_address},
                                 {"query", OneLine(QueryOf(r.target), query)},
                                 {"content_len", r.content_length},
                                 {"host", r.host},
                                 {"user_agent", OneLine(r.user_agent, agent)},
                                 {"referer", OneLine(r.referer, referer)},
                                 {"time_local", LocalTime(r.start_unix_ns, time)},
                                 {"request_time", r.start_unix_ns + r.elapsed_ns},
                                 {"start", r.start_unix_ns},
                                 {"elapsed", elapsed_ms},
                                 {"cpu_ms", cpu},
                                 {"peak_memory", r.peak_memory}};
    log.Write(log::Level::kInfo, "http access log", fields, std::size(fields) - left_out);
}

}  // namespace rr::http
