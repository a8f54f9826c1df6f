#include "cmd/rr/cells.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rr::cmd {

namespace {

constexpr int64_t kMinute = 60;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kWeek = 7 * kDay;
constexpr int64_t kMonth = 30 * kDay;
constexpr int64_t kYear = 12 * kMonth;

bool Continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::string WithCommas(uint64_t number) {
    std::string digits = std::to_string(number);
    for (size_t at = digits.size(); at > 3; at -= 3) {
        digits.insert(at - 3, ",");
    }
    return digits;
}

std::string MemorySize(uint64_t bytes) {
    constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    char text[32];
    if (bytes < 10) {
        std::snprintf(text, sizeof(text), "%u B", static_cast<unsigned>(bytes));
        return text;
    }
    size_t unit = 0;
    auto value = static_cast<double>(bytes);
    while (value >= 1000 && unit + 1 < std::size(kUnits)) {
        value /= 1000;
        ++unit;
    }
    value = std::floor(value * 10 + 0.5) / 10;
    std::snprintf(text, sizeof(text), value < 10 ? "%.1f %s" : "%.0f %s", value, kUnits[unit]);
    return text;
}

std::string Age(Duration age) {
    int64_t seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
    struct Step {
        int64_t below;
        int64_t unit;
        const char* text;  // with unit: how many of them
    };
    constexpr Step kSteps[] = {
        {1, 0, "now"},
        {2, 0, "1 second ago"},
        {kMinute, 1, "seconds ago"},
        {2 * kMinute, 0, "1 minute ago"},
        {kHour, kMinute, "minutes ago"},
        {2 * kHour, 0, "1 hour ago"},
        {kDay, kHour, "hours ago"},
        {2 * kDay, 0, "1 day ago"},
        {kWeek, kDay, "days ago"},
        {2 * kWeek, 0, "1 week ago"},
        {kMonth, kWeek, "weeks ago"},
        {2 * kMonth, 0, "1 month ago"},
        {kYear, kMonth, "months ago"},
        {18 * kMonth, 0, "1 year ago"},
        {2 * kYear, 0, "2 years ago"},
        {37 * kYear, kYear, "years ago"},
    };
    for (const Step& step : kSteps) {
        if (seconds < step.below) {
            return step.unit == 0 ? step.text
                                  : std::to_string(seconds / step.unit) + " " + step.text;
        }
    }
    return "a long while ago";
}

std::string Percent(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.2f", value);
    return text;
}

std::string Lasting(Duration time) {
    auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    char text[48];
    if (milliseconds < 1000) {
        std::snprintf(text, sizeof(text), "%lldms", static_cast<long long>(milliseconds));
        return text;
    }
    int64_t seconds = milliseconds / 1000;
    if (seconds < kMinute) {
        std::snprintf(text, sizeof(text), "%.1fs",
                      std::floor(static_cast<double>(milliseconds) / 100) / 10);
    } else if (seconds < kHour) {
        std::snprintf(text, sizeof(text), "%lldm%02llds", static_cast<long long>(seconds / kMinute),
                      static_cast<long long>(seconds % kMinute));
    } else {
        std::snprintf(text, sizeof(text), "%lldh%02lldm", static_cast<long long>(seconds / kHour),
                      static_cast<long long>(seconds % kHour / kMinute));
    }
    return text;
}

std::string Harmless(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        auto byte = static_cast<unsigned char>(text[i]);
        // C1 controls are two bytes in UTF-8: C2 80 to C2 9F.
        bool high =
            byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
        if (high) {
            ++i;
        }
        out += high || byte < 0x20 || byte == 0x7F ? '?' : text[i];
    }
    return out;
}

std::string OneLine(std::string_view text) {
    std::string out;
    for (char c : text) {
        bool blank = c == '\n' || c == '\t' || c == '\r' || c == ' ';
        if (!blank) {
            out += c;
        } else if (!out.empty() && out.back() != ' ') {
            out += ' ';
        }
    }
    while (out.ends_with(' ')) {
        out.pop_back();
    }
    return Harmless(out);
}

size_t DisplayWidth(std::string_view text) {
    size_t width = 0;
    for (char c : text) {
        width += Continues(c) ? 0 : 1;
    }
    return width;
}

std::vector<std::string> Broken(std::string_view text, size_t columns) {
    std::vector<std::string_view> words;
    for (size_t at = 0; at < text.size();) {
        size_t end = std::min(text.find(' ', at), text.size());
        if (end > at) {
            words.push_back(text.substr(at, end - at));
            columns = std::max(columns, DisplayWidth(words.back()));
        }
        at = end + 1;
    }
    std::vector<std::string> lines(1);
    for (std::string_view word : words) {
        std::string& line = lines.back();
        if (line.empty()) {
            line = word;
        } else if (DisplayWidth(line) + 1 + DisplayWidth(word) <= columns) {
            line.append(" ").append(word);
        } else {
            lines.emplace_back(word);
        }
    }
    return lines;
}

std::string Shortened(std::string_view text, size_t columns) {
    if (DisplayWidth(text) <= columns) {
        return std::string(text);
    }
    if (columns == 0) {
        return "";
    }
    size_t width = 0;
    size_t at = 0;
    while (at < text.size()) {
        if (!Continues(text[at]) && ++width == columns) {
            break;
        }
        ++at;
    }
    return std::string(text.substr(0, at)) + "…";
}

std::string Clipped(std::string_view line, size_t columns) {
    std::string out;
    size_t width = 0;
    bool coloured = false;
    for (size_t at = 0; at < line.size();) {
        if (line[at] == '\x1b') {
            size_t end = std::min(line.find('m', at), line.size() - 1) + 1;
            out += line.substr(at, end - at);
            coloured = true;
            at = end;
            continue;
        }
        if (!Continues(line[at]) && ++width > columns) {
            return coloured ? out + "\x1b[0m" : out;
        }
        out += line[at++];
    }
    return out;
}

}  // namespace rr::cmd
