// Logger: a named channel into the log.
//
//   log.Warn("worker died", {{"pid", pid}, {"status", status}});
//
// The message is constant and lower case, facts are fields. A level that is off costs one branch,
// but its fields are still built: guard the hot path with `if (log.Enabled(Level::kDebug))`.
//
// Thread: any. Records go into a bounded queue (512) and are written by the log's own thread; a
//         full queue drops the record, counts it, and the next record that fits says how many.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace rr::log {

enum class Level : uint8_t { kDebug, kInfo, kWarn, kError, kOff };

// Field: a key and a value that is copied into the record when it is written.
struct Field {
    using Value = std::variant<std::string_view, int64_t, uint64_t, double, bool>;
    std::string_view key;
    Value value;

    Field(std::string_view k, std::string_view v) : key(k), value(v) {}
    Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
    Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
    Field(std::string_view k, bool v) : key(k), value(v) {}
    Field(std::string_view k, double v) : key(k), value(v) {}
    template <class T>
        requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
    Field(std::string_view k, T v) : key(k) {
        if constexpr (std::is_signed_v<T>) {
            value = static_cast<int64_t>(v);
        } else {
            value = static_cast<uint64_t>(v);
        }
    }
};

// Channel: where the records of one name go; owned by the Log. The base alone swallows everything.
//
// Thread: any.
class Channel {
public:
    constexpr Channel() = default;
    constexpr virtual ~Channel() = default;
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    Level level() const { return level_.load(std::memory_order_relaxed); }
    void SetLevel(Level level) { level_.store(level, std::memory_order_relaxed); }

    // Only called for levels that are on. The views live until it returns.
    virtual void Write(Level level, std::string_view message, const Field* fields, size_t count) {
        (void)level, (void)message, (void)fields, (void)count;
    }

private:
    std::atomic<Level> level_{Level::kOff};
};

extern Channel silent_channel;  // what a default-constructed Logger writes to

// A cheap, copyable handle. A default-constructed one drops everything.
class Logger {
public:
    using Fields = std::initializer_list<Field>;

    Logger() = default;
    explicit Logger(Channel* channel) : channel_(channel) {}

    bool Enabled(Level level) const { return level >= channel_->level(); }

    void Write(Level level, std::string_view message, const Field* fields, size_t count) const {
        if (Enabled(level)) {
            channel_->Write(level, message, fields, count);
        }
    }

    void Debug(std::string_view message, Fields fields = {}) const {
        Write(Level::kDebug, message, fields.begin(), fields.size());
    }
    void Info(std::string_view message, Fields fields = {}) const {
        Write(Level::kInfo, message, fields.begin(), fields.size());
    }
    void Warn(std::string_view message, Fields fields = {}) const {
        Write(Level::kWarn, message, fields.begin(), fields.size());
    }
    void Error(std::string_view message, Fields fields = {}) const {
        Write(Level::kError, message, fields.begin(), fields.size());
    }

private:
    Channel* channel_ = &silent_channel;  // outlives every Logger: the Log dies last
};

}  // namespace rr::log
