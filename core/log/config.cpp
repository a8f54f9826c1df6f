#include "core/log/config.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/config/section.hpp"

namespace rr::log {
namespace {

std::string Lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return text;
}

Mode ParseMode(const config::Section& section) {
    const std::string word = Lower(section.String("mode", "development"));
    if (word == "development" || word.empty()) {
        return Mode::kDevelopment;
    }
    if (word == "production") {
        return Mode::kProduction;
    }
    if (word == "raw") {
        return Mode::kRaw;
    }
    if (word == "none" || word == "off") {
        return Mode::kNone;
    }
    section.Warning("mode",
                    "unknown mode '" + word +
                        "', read as development (known: development, production, raw, none)");
    return Mode::kOther;
}

Encoding ParseEncoding(const config::Section& section, Mode mode) {
    const Encoding own = mode == Mode::kProduction ? Encoding::kJson : Encoding::kConsole;
    const std::string word = Lower(section.String("encoding", ""));
    if (word.empty()) {
        return own;
    }
    if (word == "json") {
        return Encoding::kJson;
    }
    if (word != "console") {
        section.Problem("encoding",
                        "no encoder registered for name \"" + word + "\" (known: console, json)");
    }
    return Encoding::kConsole;
}

Level ModeLevel(Mode mode) {
    return mode == Mode::kProduction || mode == Mode::kRaw ? Level::kInfo : Level::kDebug;
}

std::string DefaultRotated() {
    std::error_code error;
    const auto folder = std::filesystem::temp_directory_path(error);
    return (error ? std::filesystem::path("/tmp") : folder) / "rr-lumberjack.log";
}

RotationConfig ParseRotation(const config::Section& section) {
    RotationConfig rotation;
    rotation.log_output = section.String("log_output", "");
    if (rotation.log_output.empty()) {
        rotation.log_output = DefaultRotated();
    }
    // As in RoadRunner 0 is the default, not "without limit".
    const auto positive = [&](std::string_view key, int64_t fallback, int64_t max) {
        const int64_t value = section.Integer(key, fallback, 0, max);
        return value == 0 ? fallback : value;
    };
    rotation.max_size = positive("max_size", rotation.max_size, 1 << 20);
    rotation.max_age = positive("max_age", rotation.max_age, 36500);
    rotation.max_backups = positive("max_backups", rotation.max_backups, 1 << 20);
    rotation.compress = section.Bool("compress", rotation.compress);
    return rotation;
}

// `unset` is the level of a channel that names none: debug for the section itself, the mode's own
// for `channels` (RoadRunner fills its defaults into the section only).
ChannelConfig ParseChannel(const config::Section& section, std::optional<Level> unset) {
    ChannelConfig channel;
    channel.mode = ParseMode(section);
    channel.encoding = ParseEncoding(section, channel.mode);
    channel.level = unset.value_or(ModeLevel(channel.mode));
    const std::string level = Lower(section.String("level", ""));
    if (!level.empty()) {
        const auto known = ParseLevel(level);
        channel.level = known.value_or(ModeLevel(channel.mode));
        if (!known) {
            section.Warning("level", "unknown level '" + level +
                                         "' has no effect (known: debug, info, warn, error)");
        }
    }
    if (auto output = section.List("output"); !output.empty()) {
        channel.output = std::move(output);
    }
    for (const char* key : {"erroroutput", "err_output"}) {  // the first is RoadRunner 2.x's name
        if (auto output = section.List(key); !output.empty()) {
            channel.err_output = std::move(output);
        }
    }
    if (auto ending = section.String("line_ending", ""); !ending.empty()) {
        channel.line_ending = std::move(ending);
    }
    const config::Section file = section.Sub("file_logger_options");
    auto rotation = ParseRotation(file);  // also if absent: teaches the keys
    if (file.present()) {
        channel.file = std::move(rotation);
    }
    return channel;
}

}  // namespace

std::optional<Level> ParseLevel(std::string_view word) {
    const std::string level = Lower(std::string(word));
    if (level == "debug") {
        return Level::kDebug;
    }
    if (level == "info") {
        return Level::kInfo;
    }
    if (level == "warn" || level == "warning") {
        return Level::kWarn;
    }
    if (level == "error") {
        return Level::kError;
    }
    if (level == "dpanic" || level == "panic" || level == "fatal") {
        return Level::kOff;
    }
    return std::nullopt;
}

LogConfig ParseLogConfig(const config::Section& section) {
    LogConfig log;
    log.base = ParseChannel(section, Level::kDebug);
    for (const auto& [name, channel] : section.Sub("channels").Children()) {
        log.channels.emplace(name, ParseChannel(channel, std::nullopt));
    }
    return log;
}

}  // namespace rr::log
