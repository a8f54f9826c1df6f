#include "plugins/http/date.hpp"

#include <chrono>

namespace rr::http {
namespace {

void Put2(char* at, unsigned value) {
    at[0] = static_cast<char>('0' + value / 10 % 10);
    at[1] = static_cast<char>('0' + value % 10);
}

}  // namespace

Bytes HttpDate::At(int64_t unix_seconds) {
    if (unix_seconds == second_) {
        return {text_, kSize};
    }
    second_ = unix_seconds;
    using namespace std::chrono;
    sys_seconds now{seconds(unix_seconds)};
    sys_days day = floor<days>(now);
    year_month_day date(day);
    hh_mm_ss<seconds> time(now - day);
    constexpr Bytes kDays = "SunMonTueWedThuFriSat";
    constexpr Bytes kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    std::memcpy(text_, "Sun, 06 Nov 1994 08:49:37 GMT", kSize);
    std::memcpy(text_, kDays.data() + size_t{weekday(day).c_encoding()} * 3, 3);
    Put2(text_ + 5, static_cast<unsigned>(date.day()));
    std::memcpy(text_ + 8, kMonths.data() + (size_t{static_cast<unsigned>(date.month())} - 1) * 3,
                3);
    unsigned year = static_cast<unsigned>(static_cast<int>(date.year()));
    Put2(text_ + 12, year / 100);
    Put2(text_ + 14, year % 100);
    Put2(text_ + 17, static_cast<unsigned>(time.hours().count()));
    Put2(text_ + 20, static_cast<unsigned>(time.minutes().count()));
    Put2(text_ + 23, static_cast<unsigned>(time.seconds().count()));
    return {text_, kSize};
}

}  // namespace rr::http
