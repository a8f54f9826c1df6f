#include "core/log/format.hpp"

#include <array>
#include <chrono>
#include <cmath>

#include "core/log/escape.hpp"
#include "core/log/utc.hpp"

namespace rr::log {
namespace {

struct LevelText {
    std::string_view lower, upper, coloured;
};
constexpr std::array<LevelText, 4> kLevels = {{
    {"debug", "DEBUG", "\x1b[97mDEBUG\x1b[0m"},
    {"info", "INFO", "\x1b[96mINFO\x1b[0m"},
    {"warn", "WARN", "\x1b[93mWARN\x1b[0m"},
    {"error", "ERROR", "\x1b[91mERROR\x1b[0m"},
}};

void AppendNumber(Line& line, double number) {
    if (!std::isfinite(number)) {  // as zap: JSON has no word for them
        line.Append(std::isnan(number) ? "\"NaN\"" : number > 0 ? "\"+Inf\"" : "\"-Inf\"");
        return;
    }
    char text[400];  // the longest one has 325 characters
    const auto end = std::to_chars(text, text + sizeof(text), number, std::chars_format::fixed);
    line.Append(std::string_view(text, static_cast<size_t>(end.ptr - text)));
}

void AppendValue(Line& line, const Field::Value& value) {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        line.Append('"');
        AppendJson(line, *text);
        line.Append('"');
    } else if (const auto* integer = std::get_if<int64_t>(&value)) {
        line.AppendInteger(*integer);
    } else if (const auto* natural = std::get_if<uint64_t>(&value)) {
        line.AppendInteger(*natural);
    } else if (const auto* truth = std::get_if<bool>(&value)) {
        line.Append(*truth ? "true" : "false");
    } else {
        AppendNumber(line, std::get<double>(value));
    }
}

std::string_view WithoutLineEnd(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.remove_suffix(1);
    }
    return text;
}

// 24 characters.
void AppendSecond(Line& line, int64_t unix_seconds) {
    AppendUtc(line, unix_seconds, ':');
    line.Append("+0000");
}

std::string Escaped(std::string_view text) {
    Line line;
    AppendJson(line, text);
    return std::string(line.view());
}

}  // namespace

void AppendIsoTime(Line& line, int64_t unix_ns) {
    // Most records share their second with the one before.
    constexpr int64_t kSecond = 1'000'000'000;
    struct Latest {
        int64_t second = INT64_MIN;
        char text[24];
    };
    static thread_local Latest latest;
    const int64_t second = unix_ns / kSecond;
    if (latest.second != second) {
        Line text;
        AppendSecond(text, second);
        text.view().copy(latest.text, sizeof(latest.text));
        latest.second = second;
    }
    line.Append({latest.text, sizeof(latest.text)});
}

Format::Format(const ChannelConfig& config, std::string_view name, bool colours)
    : encoding_(config.file ? Encoding::kJson : config.encoding), ending_(config.line_ending) {
    const bool json = encoding_ == Encoding::kJson;
    switch (config.mode) {
        case Mode::kProduction:
            time_ = Time::kNanoseconds;
            level_ = Case::kLower;
            break;
        case Mode::kRaw:
        case Mode::kNone: raw_ = true; break;
        case Mode::kDevelopment:
        case Mode::kOther:
            time_ = Time::kIso;
            level_ = Case::kUpper;
            colours_ = colours && !json;
            break;
    }
    if (raw_) {
        message_key_ = "\"message\":\"";
        return;
    }
    const bool short_keys = config.mode == Mode::kOther;
    level_key_ = short_keys ? "\"L\":\"" : "\"level\":\"";
    time_key_ = short_keys ? "\",\"T\":" : "\",\"ts\":";
    name_key_ = short_keys ? ",\"N\":\"" : ",\"logger\":\"";
    message_key_ = short_keys ? ",\"M\":\"" : ",\"msg\":\"";

    name_ = name;
    if (level_ == Case::kUpper && !name_.empty() && name_.size() < 12) {
        name_.append(12 - name_.size(), ' ');
    }
    name_ = Escaped(name_);
    if (colours_ && !name_.empty()) {
        name_ = "\x1b[92m" + name_ + "\x1b[0m";
    }
}

void Format::Write(Line& line, const Record& record) const {
    if (encoding_ == Encoding::kJson) {
        WriteJson(line, record);
    } else {
        WriteConsole(line, record);
    }
    line.Append(ending_);
}

void Format::WriteTime(Line& line, int64_t unix_ns) const {
    if (time_ == Time::kIso) {
        AppendIsoTime(line, unix_ns);
    } else {
        line.AppendInteger(unix_ns);
    }
}

void Format::WriteLevel(Line& line, Level level) const {
    const LevelText& text = kLevels[static_cast<size_t>(level) % kLevels.size()];
    line.Append(level_ == Case::kLower ? text.lower : colours_ ? text.coloured : text.upper);
}

void Format::WriteConsole(Line& line, const Record& record) const {
    if (raw_) {
        AppendRaw(line, WithoutLineEnd(record.message));
    } else {
        WriteTime(line, record.unix_ns);
        line.Append('\t');
        WriteLevel(line, record.level);
        line.Append('\t');
        if (!name_.empty()) {
            line.Append(name_);
            line.Append('\t');
        }
        AppendPlain(line, WithoutLineEnd(record.message));
    }
    if (record.count == 0) {
        return;
    }
    std::string_view before = "\t{\"";
    for (size_t i = 0; i < record.count; ++i) {
        line.Append(before);
        AppendJson(line, record.fields[i].key);
        line.Append("\": ");
        AppendValue(line, record.fields[i].value);
        before = ", \"";
    }
    line.Append('}');
}

void Format::WriteJson(Line& line, const Record& record) const {
    line.Append('{');
    if (!raw_) {
        line.Append(level_key_);
        WriteLevel(line, record.level);
        line.Append(time_key_);
        if (time_ == Time::kIso) {
            line.Append('"');
            WriteTime(line, record.unix_ns);
            line.Append('"');
        } else {
            WriteTime(line, record.unix_ns);
        }
        if (!name_.empty()) {
            line.Append(name_key_);
            line.Append(name_);
            line.Append('"');
        }
    }
    line.Append(message_key_);
    AppendJson(line, record.message);
    line.Append('"');
    for (size_t i = 0; i < record.count; ++i) {
        line.Append(",\"");
        AppendJson(line, record.fields[i].key);
        line.Append("\":");
        AppendValue(line, record.fields[i].value);
    }
    line.Append('}');
}

}  // namespace rr::log
