// Format: turns records of one logger into lines, as RoadRunner writes them.
//
//   development   2026-11-21T01:52:36+0000<TAB>DEBUG<TAB>rpc         <TAB>message<TAB>{"key": "v"}
//   production    {"level":"debug","ts":1795225953511201122,"logger":"rpc","msg":"message","key":"v"}
//   raw           message<TAB>{"key": "v"}
//
// One record is one line whatever its bytes are.
//
// Thread: immutable after construction.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/log/config.hpp"
#include "core/log/line.hpp"
#include "core/log/logger.hpp"

namespace rr::log {

class Format {
public:
    struct Record {
        int64_t unix_ns;
        Level level;
        std::string_view message;
        const Field* fields;
        size_t count;
    };

    // colours: for the console encoding of development only.
    Format(const ChannelConfig& config, std::string_view name, bool colours);

    // Appends the line with its ending.
    void Write(Line& line, const Record& record) const;

private:
    enum class Time : uint8_t { kNone, kNanoseconds, kIso };
    enum class Case : uint8_t { kNone, kLower, kUpper };

    void WriteConsole(Line& line, const Record& record) const;
    void WriteJson(Line& line, const Record& record) const;
    void WriteTime(Line& line, int64_t unix_ns) const;
    void WriteLevel(Line& line, Level level) const;

    // All constant after construction.
    Encoding encoding_;
    Time time_ = Time::kNone;
    Case level_ = Case::kNone;
    bool raw_ = false;
    bool colours_ = false;
    std::string ending_;
    std::string name_;  // console: padded and coloured; JSON: escaped; empty: not written
    // `"level":` and the like, with the comma in front where one is needed.
    std::string level_key_, time_key_, name_key_, message_key_;
};

// `2026-11-21T01:52:36+0000`, UTC.
void AppendIsoTime(Line& line, int64_t unix_ns);

}  // namespace rr::log
