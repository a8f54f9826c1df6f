#include "core/config/values.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "core/config/node.hpp"

namespace rr::config {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string Quoted(std::string_view text) { return std::string("\"").append(text).append("\""); }

// Underscores go, but only between digits: 1_000. False for others.
bool DropUnderscores(std::string_view text, std::string& out) {
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '_') {
            out += text[i];
        } else if (i == 0 || i + 1 == text.size() || text[i - 1] == '_') {
            return false;
        }
    }
    return true;
}

// Any plain scalar that ParseNumber takes, without the words inf and nan.
bool LooksLikeFloat(std::string_view text) {
    bool digit = false;
    for (const char c : text) {
        digit = digit || IsDigit(c);
        if (!IsDigit(c) && std::string_view("+-._eE").find(c) == std::string_view::npos) {
            return false;
        }
    }
    return digit && ParseNumber(text).has_value();
}

}  // namespace

std::string LowerCase(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') {
            c = static_cast<char>(c - 'A' + 'a');
        }
    }
    return out;
}

std::string_view Trim(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

Type ScalarType(const Node& scalar) {
    if (!scalar.IsScalar()) {
        return scalar.IsNull() ? Type::kNull : Type::kString;
    }
    if (scalar.quoted || scalar.text.empty()) {
        return Type::kString;
    }
    const std::string& text = scalar.text;
    if (text == "true" || text == "True" || text == "TRUE" || text == "false" || text == "False" ||
        text == "FALSE") {
        return Type::kBool;
    }
    if (ParseInteger(text)) {
        return Type::kInteger;
    }
    return LooksLikeFloat(text) ? Type::kFloat : Type::kString;
}

std::string ScalarText(const Node& scalar) {
    switch (ScalarType(scalar)) {
        case Type::kBool: return *ParseBool(scalar.text) ? "1" : "0";
        case Type::kInteger: return std::to_string(*ParseInteger(scalar.text));
        case Type::kFloat: return FormatNumber(*ParseNumber(scalar.text));
        case Type::kNull:
        case Type::kString: break;
    }
    return scalar.text;
}

Result<bool> ParseBool(std::string_view text) {
    const std::string word = LowerCase(text);
    for (const char* yes : {"true", "t", "1", "yes", "on"}) {
        if (word == yes) {
            return true;
        }
    }
    for (const char* no : {"false", "f", "0", "no", "off"}) {
        if (word == no) {
            return false;
        }
    }
    return Fail(Errc::kInvalid, "expected true or false, got " + Quoted(text));
}

Result<int64_t> ParseInteger(std::string_view text) {
    std::string digits;
    std::string_view rest = text;
    bool negative = false;
    if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
        negative = rest[0] == '-';
        rest.remove_prefix(1);
    }
    int base = 10;
    if (rest.size() > 1 && rest[0] == '0') {
        const char mark = static_cast<char>(rest[1] | 0x20);
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        rest.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
    }
    uint64_t value = 0;
    bool good = !rest.empty() && rest[0] != '-' && rest[0] != '+' && DropUnderscores(rest, digits);
    if (good) {
        const char* end = digits.data() + digits.size();
        const auto [stop, error] = std::from_chars(digits.data(), end, value, base);
        good = error == std::errc() && stop == end;
    }
    const uint64_t limit = static_cast<uint64_t>(INT64_MAX) + (negative ? 1 : 0);
    if (!good || value > limit) {
        return Fail(Errc::kInvalid, "expected a whole number, got " + Quoted(text));
    }
    return static_cast<int64_t>(negative ? 0 - value : value);
}

Result<double> ParseNumber(std::string_view text) {
    if (Result<int64_t> whole = ParseInteger(text)) {
        return static_cast<double>(*whole);
    }
    std::string digits;
    double value = 0;
    bool good = DropUnderscores(text, digits);
    if (good) {
        const size_t skip = !digits.empty() && digits[0] == '+' ? 1 : 0;
        const char* begin = digits.data() + skip;
        const char* end = digits.data() + digits.size();
        const auto [stop, error] = std::from_chars(begin, end, value);
        good = begin != end && error == std::errc() && stop == end && std::isfinite(value) &&
               !(skip == 1 && *begin == '-');
    }
    if (!good) {
        return Fail(Errc::kInvalid, "expected a number, got " + Quoted(text));
    }
    return value;
}

std::string FormatNumber(double value) {
    std::array<char, 512> text{};
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    return error == std::errc() ? std::string(text.data(), end) : std::to_string(value);
}

namespace {

struct Unit {
    std::string_view name;
    int64_t nanoseconds;
};
constexpr Unit kUnits[] = {
    {"ns", 1},         {"us", 1000},         {"\u00b5s", 1000},     {"\u03bcs", 1000},
    {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000},
};

int64_t UnitOf(std::string_view name) {
    for (const Unit& unit : kUnits) {
        if (unit.name == name) {
            return unit.nanoseconds;
        }
    }
    return 0;
}

// One `number unit` group of a duration, taken from the front of rest. The sum is kept in long
// double: 64 bits of mantissa, so that every nanosecond of the range is exact.
Result<long double> TakeGroup(std::string_view& rest, std::string_view whole) {
    size_t n = 0;
    long double value = 0;
    long double scale = 0;  // 0: before the point
    bool digits = false;
    for (; n < rest.size() && (IsDigit(rest[n]) || (rest[n] == '.' && scale == 0)); ++n) {
        if (rest[n] == '.') {
            scale = 1;
            continue;
        }
        digits = true;
        value = value * 10 + (rest[n] - '0');
        scale *= 10;
    }
    if (!digits) {
        return Fail(Errc::kInvalid, "invalid duration " + Quoted(whole));
    }
    size_t end = n;
    while (end < rest.size() && !IsDigit(rest[end]) && rest[end] != '.') {
        ++end;
    }
    const std::string_view name = rest.substr(n, end - n);
    if (name.empty()) {
        return Fail(Errc::kInvalid,
                    "missing unit in duration " + Quoted(whole) + " (write h, m, s, ms, us or ns)");
    }
    const int64_t unit = UnitOf(name);
    if (unit == 0) {
        return Fail(Errc::kInvalid, "unknown unit " + Quoted(name) + " in duration " +
                                        Quoted(whole) + " (use h, m, s, ms, us or ns)");
    }
    rest.remove_prefix(end);
    return value * static_cast<long double>(unit) / (scale == 0 ? 1 : scale);
}

}  // namespace

Result<Duration> ParseDuration(std::string_view text) {
    std::string_view rest = text;
    const bool negative = !rest.empty() && rest[0] == '-';
    if (negative || (!rest.empty() && rest[0] == '+')) {
        rest.remove_prefix(1);
    }
    if (rest == "0") {
        return Duration::zero();
    }
    if (rest.empty()) {
        return Fail(Errc::kInvalid, "invalid duration " + Quoted(text));
    }
    long double sum = 0;
    while (!rest.empty()) {
        Result<long double> group = TakeGroup(rest, text);
        if (!group) {
            return Forward(group);
        }
        sum += *group;
        if (!(sum < static_cast<long double>(INT64_MAX))) {
            return Fail(Errc::kInvalid, "duration " + Quoted(text) + " is too long");
        }
    }
    const auto nanoseconds = static_cast<int64_t>(sum);
    return Duration(negative ? -nanoseconds : nanoseconds);
}

std::string FormatDuration(Duration value) {
    const int64_t count = value.count();
    if (count == 0) {
        return "0s";
    }
    uint64_t left = count < 0 ? 0 - static_cast<uint64_t>(count) : static_cast<uint64_t>(count);
    std::string out = count < 0 ? "-" : "";
    // The fraction of the last unit, without trailing zeros.
    const auto finish = [&out](uint64_t amount, uint64_t unit, std::string_view name) {
        out += std::to_string(amount / unit);
        std::string fraction = std::to_string(unit + amount % unit).substr(1);
        fraction.erase(fraction.find_last_not_of('0') + 1);
        if (!fraction.empty()) {
            out.append(".").append(fraction);
        }
        out += name;
    };
    if (left < 1'000'000'000) {
        const uint64_t unit = left < 1000 ? 1 : left < 1'000'000 ? 1000 : 1'000'000;
        finish(left, unit, unit == 1 ? "ns" : unit == 1000 ? "us" : "ms");
        return out;
    }
    constexpr uint64_t kMinute = 60'000'000'000;
    const bool hours = left >= 60 * kMinute;
    if (hours) {
        out.append(std::to_string(left / (60 * kMinute))).append("h");
        left %= 60 * kMinute;
    }
    if (hours || left >= kMinute) {
        out.append(std::to_string(left / kMinute)).append("m");
        left %= kMinute;
    }
    finish(left, 1'000'000'000, "s");
    return out;
}

Result<int64_t> ParseSize(std::string_view text) {
    const size_t digits = text.find_first_not_of("0123456789_");
    std::string_view number = text.substr(0, digits);
    std::string unit;
    if (digits != std::string_view::npos) {
        unit = LowerCase(Trim(text.substr(digits)));
    }
    Result<int64_t> value = ParseInteger(number);
    int shift = 0;
    if (!unit.empty() && unit != "b") {
        constexpr std::string_view kLetters = "kmgt";
        const size_t letter = kLetters.find(unit[0]);
        const std::string_view tail = std::string_view(unit).substr(1);
        shift = letter == std::string_view::npos || (!tail.empty() && tail != "b" && tail != "ib")
                    ? -1
                    : 10 * (static_cast<int>(letter) + 1);
    }
    if (!value || *value < 0 || shift < 0) {
        return Fail(Errc::kInvalid,
                    "expected a size such as 64KB, 16MB or 1GB, got " + Quoted(text));
    }
    if (*value > (INT64_MAX >> shift)) {
        return Fail(Errc::kInvalid, "size " + Quoted(text) + " is too large");
    }
    return *value << shift;
}

}  // namespace rr::config
