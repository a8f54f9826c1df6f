#include "plugins/kv/timeout.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace rr::kv {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMostSeconds = INT64_MAX / kSecond;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Reads along Go's layout; what it says when something does not fit names the part of the layout.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text), rest_(text) {}

    Result<int64_t> Read() {
        int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
        if (!Number(4, "2006", year) || !Mark('-', "-") || !Number(2, "01", month) ||
            !InRange(month, 1, 12, "month") || !Mark('-', "-") || !Number(2, "02", day) ||
            !Mark('T', "T") || !Number(2, "15", hour) || !InRange(hour, 0, 23, "hour") ||
            !Mark(':', ":") || !Number(2, "04", minute) || !InRange(minute, 0, 59, "minute") ||
            !Mark(':', ":") || !Number(2, "05", second) || !InRange(second, 0, 59, "second")) {
            return Failed();
        }
        const int64_t fraction = Fraction();
        int64_t offset = 0;
        if (!Offset(offset) || !Ended()) {
            return Failed();
        }
        const year_month_day date{std::chrono::year(year),
                                  std::chrono::month(static_cast<unsigned>(month)),
                                  std::chrono::day(static_cast<unsigned>(day))};
        if (!date.ok()) {
            problem_ = ": day out of range";
            return Failed();
        }
        const int64_t seconds = sys_days(date).time_since_epoch().count() * int64_t{86400} +
                                hour * 3600 + minute * 60 + second - offset;
        if (seconds >= kMostSeconds) {
            return INT64_MAX;
        }
        if (seconds <= -kMostSeconds) {
            return INT64_MIN;
        }
        const int64_t at = seconds * kSecond + fraction;
        return at == 0 ? 1 : at;
    }

private:
    bool Number(size_t digits, const char* part, int& out) {
        if (rest_.size() < digits || !std::all_of(rest_.begin(), rest_.begin() + digits, IsDigit)) {
            return Misfit(part);
        }
        out = 0;
        for (size_t i = 0; i < digits; ++i) {
            out = out * 10 + (rest_[i] - '0');
        }
        rest_.remove_prefix(digits);
        return true;
    }

    bool Mark(char mark, const char* part) {
        if (!rest_.starts_with(mark)) {
            return Misfit(part);
        }
        rest_.remove_prefix(1);
        return true;
    }

    int64_t Fraction() {
        if (rest_.size() < 2 || (rest_[0] != '.' && rest_[0] != ',') || !IsDigit(rest_[1])) {
            return 0;
        }
        int64_t value = 0;
        size_t digits = 0;
        for (rest_.remove_prefix(1); !rest_.empty() && IsDigit(rest_[0]); rest_.remove_prefix(1)) {
            if (digits < 9) {
                value = value * 10 + (rest_[0] - '0');
                ++digits;
            }
        }
        for (; digits < 9; ++digits) {
            value *= 10;
        }
        return value;
    }

    bool Offset(int64_t& seconds) {
        constexpr const char* kPart = "Z07:00";
        if (rest_.starts_with('Z')) {
            rest_.remove_prefix(1);
            return true;
        }
        const std::string_view all = rest_;
        if (all.size() < 6 || (all[0] != '+' && all[0] != '-') || all[3] != ':') {
            return Misfit(kPart);
        }
        int hours = 0, minutes = 0;
        rest_.remove_prefix(1);
        bool good = Number(2, kPart, hours) && Mark(':', kPart) && Number(2, kPart, minutes);
        if (!good) {
            rest_ = all;
            return Misfit(kPart);
        }
        if (!InRange(hours, 0, 24, "time zone offset hour") ||
            !InRange(minutes, 0, 60, "time zone offset minute")) {
            return false;
        }
        seconds = (hours * 3600 + minutes * 60) * (all[0] == '-' ? -1 : 1);
        return true;
    }

    bool Ended() {
        if (rest_.empty()) {
            return true;
        }
        problem_ = ": extra text: " + Quoted(rest_);
        return false;
    }

    bool InRange(int value, int least, int most, const char* what) {
        if (value >= least && value <= most) {
            return true;
        }
        problem_ = std::string(": ") + what + " out of range";
        return false;
    }

    bool Misfit(const char* part) {
        problem_ = " as \"2006-01-02T15:04:05Z07:00\": cannot parse " + Quoted(rest_) + " as \"" +
                   part + "\"";
        return false;
    }

    // What a client sent may be long, or unfit for a log.
    static std::string Quoted(std::string_view text) {
        std::string out = "\"";
        for (char c : text.substr(0, 64)) {
            if (c == '"' || c == '\\') {
                out += '\\';
            }
            out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
        }
        return out + "\"";
    }

    tl::unexpected<Error> Failed() const {
        return Fail(Errc::kInvalid, "parsing time " + Quoted(text_) + problem_);
    }

    std::string_view text_;
    std::string_view rest_;
    std::string problem_;
};

}  // namespace

Result<int64_t> ParseTimeout(std::string_view text) { return Reader(text).Read(); }

std::string FormatTimeout(int64_t unix_nanoseconds) {
    const std::chrono::sys_time<std::chrono::nanoseconds> at{
        std::chrono::nanoseconds(unix_nanoseconds)};
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
    const auto date = std::chrono::floor<days>(seconds);
    const year_month_day day(date);
    const std::chrono::hh_mm_ss time(seconds - date);
    char text[64];
    std::snprintf(text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02d+00:00",
                  static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                  static_cast<unsigned>(day.day()), static_cast<int>(time.hours().count()),
                  static_cast<int>(time.minutes().count()),
                  static_cast<int>(time.seconds().count()));
    return text;
}

}  // namespace rr::kv
