#include "core/files/http_date.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace rr::files {
namespace {

using namespace std::chrono;

constexpr Bytes kDays = "SunMonTueWedThuFriSat";
constexpr Bytes kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
constexpr Bytes kLongDays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                               "Thursday", "Friday", "Saturday"};
constexpr int64_t kFirst = -62167219200;  // of year 0
constexpr int64_t kLast = 253402300799;   // of year 9999

void Put2(char* at, unsigned value) {
    at[0] = static_cast<char>('0' + value / 10 % 10);
    at[1] = static_cast<char>('0' + value % 10);
}

// Reader: takes a date apart from the front; once something is missing, all else is.
class Reader {
public:
    explicit Reader(Bytes text) : text_(text) {}

    void Literal(Bytes expected) {
        if (text_.substr(0, expected.size()) != expected) {
            ok_ = false;
            return;
        }
        text_.remove_prefix(expected.size());
    }
    // `digits` of them; with `blank` the first may be a blank.
    int Number(size_t digits, bool blank = false) {
        if (text_.size() < digits) {
            ok_ = false;
            return 0;
        }
        int value = 0;
        for (size_t i = 0; i < digits; ++i) {
            const char c = i == 0 && blank && text_[0] == ' ' ? '0' : text_[i];
            if (c < '0' || c > '9') {
                ok_ = false;
                return 0;
            }
            value = value * 10 + (c - '0');
        }
        text_.remove_prefix(digits);
        return value;
    }
    // One of the names of three letters; which one, from 0.
    unsigned Name(Bytes names) {
        for (size_t i = 0; i < names.size(); i += 3) {
            if (text_.substr(0, 3) == names.substr(i, 3)) {
                text_.remove_prefix(3);
                return static_cast<unsigned>(i / 3);
            }
        }
        ok_ = false;
        return 0;
    }
    void LongDay() {
        for (Bytes day : kLongDays) {
            if (text_.substr(0, day.size()) == day) {
                text_.remove_prefix(day.size());
                return;
            }
        }
        ok_ = false;
    }
    bool Finished() const { return ok_ && text_.empty(); }

    struct Date {
        int year = 0;
        unsigned month = 0;  // from 0
        int day = 0;
        int hour = 0;
        int minute = 0;
        int second = 0;
    };
    void Time(Date& date) {
        date.hour = Number(2);
        Literal(":");
        date.minute = Number(2);
        Literal(":");
        date.second = Number(2);
    }

private:
    Bytes text_;
    bool ok_ = true;
};

Reader::Date ReadFixed(Reader& in) {
    Reader::Date date;
    in.Name(kDays);
    in.Literal(", ");
    date.day = in.Number(2);
    in.Literal(" ");
    date.month = in.Name(kMonths);
    in.Literal(" ");
    date.year = in.Number(4);
    in.Literal(" ");
    in.Time(date);
    in.Literal(" GMT");
    return date;
}

// Sunday, 06-Nov-94 08:49:37 GMT
Reader::Date ReadRfc850(Reader& in) {
    Reader::Date date;
    in.LongDay();
    in.Literal(", ");
    date.day = in.Number(2);
    in.Literal("-");
    date.month = in.Name(kMonths);
    in.Literal("-");
    const int year = in.Number(2);
    date.year = year + (year >= 69 ? 1900 : 2000);
    in.Literal(" ");
    in.Time(date);
    in.Literal(" GMT");
    return date;
}

// Sun Nov  6 08:49:37 1994
Reader::Date ReadAsctime(Reader& in) {
    Reader::Date date;
    in.Name(kDays);
    in.Literal(" ");
    date.month = in.Name(kMonths);
    in.Literal(" ");
    date.day = in.Number(2, true);
    in.Literal(" ");
    in.Time(date);
    in.Literal(" ");
    date.year = in.Number(4);
    return date;
}

}  // namespace

void WriteHttpDate(int64_t unix_seconds, char* out) {
    const sys_seconds now{seconds(std::clamp(unix_seconds, kFirst, kLast))};
    const sys_days day = floor<days>(now);
    const year_month_day date(day);
    const hh_mm_ss<seconds> time(now - day);
    std::memcpy(out, "Sun, 06 Nov 1994 08:49:37 GMT", kHttpDateSize);
    std::memcpy(out, kDays.data() + size_t{weekday(day).c_encoding()} * 3, 3);
    Put2(out + 5, static_cast<unsigned>(date.day()));
    std::memcpy(out + 8, kMonths.data() + (size_t{static_cast<unsigned>(date.month())} - 1) * 3, 3);
    const unsigned year = static_cast<unsigned>(static_cast<int>(date.year()));
    Put2(out + 12, year / 100);
    Put2(out + 14, year % 100);
    Put2(out + 17, static_cast<unsigned>(time.hours().count()));
    Put2(out + 20, static_cast<unsigned>(time.minutes().count()));
    Put2(out + 23, static_cast<unsigned>(time.seconds().count()));
}

std::optional<int64_t> ParseHttpDate(Bytes text) {
    for (const auto read : {&ReadFixed, &ReadRfc850, &ReadAsctime}) {
        Reader in(text);
        const Reader::Date date = read(in);
        if (!in.Finished()) {
            continue;
        }
        const year_month_day day(year(date.year), month(date.month + 1),
                                 std::chrono::day(static_cast<unsigned>(date.day)));
        if (!day.ok() || date.hour > 23 || date.minute > 59 || date.second > 60) {
            return std::nullopt;
        }
        return (sys_days(day).time_since_epoch() / seconds(1)) + date.hour * 3600 +
               date.minute * 60 + date.second;
    }
    return std::nullopt;
}

}  // namespace rr::files
