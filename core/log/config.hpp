// LogConfig: the `logs` section. Names and defaults are RoadRunner's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/log/logger.hpp"

namespace rr::config {
class Section;
}

namespace rr::log {

enum class Mode : uint8_t {
    kDevelopment,  // for people: time, level, padded name, message, fields
    kProduction,   // for programs: JSON with the time as an integer of nanoseconds
    kRaw,          // message and fields only
    kNone,         // nothing at all
    kOther,        // any unknown word: as development, with RoadRunner's short JSON keys
};
enum class Encoding : uint8_t { kConsole, kJson };

// A file with rotation (`file_logger_options`).
struct RotationConfig {
    std::string log_output;    // empty in the file: <temporary folder>/rr-lumberjack.log
    int64_t max_size = 100;    // MB (2^20 bytes) of one file
    int64_t max_age = 24;      // days that a backup is kept
    int64_t max_backups = 10;  // number of backups kept
    bool compress = false;     // backups become .gz
};

struct ChannelConfig {
    Mode mode = Mode::kDevelopment;
    Level level = Level::kDebug;
    Encoding encoding = Encoding::kConsole;
    std::vector<std::string> output = {"stderr"};      // stderr, stdout, paths
    std::vector<std::string> err_output = {"stderr"};  // troubles of the log itself
    std::string line_ending = "\n";
    std::optional<RotationConfig> file;  // replaces output; its lines are always JSON
};

struct LogConfig {
    ChannelConfig base;
    std::map<std::string, ChannelConfig, std::less<>>
        channels;  // by logger name; nothing is inherited
};

// debug, info, warn (or warning), error; RoadRunner's dpanic, panic and fatal have no records here
// and so mean off. Empty: an unknown word.
std::optional<Level> ParseLevel(std::string_view word);

LogConfig ParseLogConfig(const config::Section& section);

}  // namespace rr::log
