#include "core/log/log.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "core/log/format.hpp"
#include "core/log/writer.hpp"

namespace rr::log {

class Log::NamedChannel final : public Channel, public Writer::Source {
public:
    NamedChannel(Writer& writer, const ChannelConfig& config, std::string_view name, bool colours)
        : writer_(writer), plain_(config, name, false), coloured_(config, name, colours) {}

    void AddPlain(Writer::Target* target) { plain_targets_.push_back(target); }
    void AddColoured(Writer::Target* target) { coloured_targets_.push_back(target); }

    void Write(Level level, std::string_view message, const Field* fields, size_t count) override {
        const Format::Record record{UnixNanoseconds(), level, message, fields, count};
        std::array<Writer::Copy, 2> copies;
        size_t used = 0;
        Line plain;
        Line coloured;
        if (!plain_targets_.empty()) {
            plain_.Write(plain, record);
            copies[used++] = {plain_targets_, plain.view()};
        }
        if (!coloured_targets_.empty()) {
            coloured_.Write(coloured, record);
            copies[used++] = {coloured_targets_, coloured.view()};
        }
        writer_.Push(*this, {copies.data(), used});
    }

    void DescribeDropped(uint64_t count, Line& plain, Line& coloured) override {
        const Field field("count", count);
        const Format::Record record{UnixNanoseconds(), Level::kWarn, "log records were dropped",
                                    &field, 1};
        plain_.Write(plain, record);
        coloured_.Write(coloured, record);
    }

private:
    Writer& writer_;
    const Format plain_;
    const Format coloured_;
};

struct Log::State {
    LogConfig config;
    bool colours = false;
    std::mutex mutex;  // guards the maps
    std::map<std::string, std::unique_ptr<NamedChannel>, std::less<>> channels;
    std::map<std::string, Writer::Target*, std::less<>> targets;  // by path, or `stderr`, `stdout`
    std::optional<Level> level;                                   // of SetLevel
    Writer writer;  // last: its thread ends before the channels go

    const ChannelConfig& ConfigOf(std::string_view name) const;
    Result<Writer::Target*> Stream(const std::string& name, std::vector<Writer::Target*> troubles);
    Result<Writer::Target*> Rotated(const RotationConfig& rotation,
                                    std::vector<Writer::Target*> troubles);
    Result<void> OpenOutputs(const ChannelConfig& channel);
    void Connect(NamedChannel& channel, const ChannelConfig& channel_config);
};

const ChannelConfig& Log::State::ConfigOf(std::string_view name) const {
    const auto own = config.channels.find(name);
    return own == config.channels.end() ? config.base : own->second;
}

namespace {
bool IsStream(std::string_view name) { return name == "stderr" || name == "stdout"; }
}  // namespace

Result<Writer::Target*> Log::State::Stream(const std::string& name,
                                           std::vector<Writer::Target*> troubles) {
    if (const auto known = targets.find(name); known != targets.end()) {
        return known->second;
    }
    std::unique_ptr<Output> output;
    if (IsStream(name)) {
        output = OpenStream(name == "stderr" ? STDERR_FILENO : STDOUT_FILENO);
    } else {
        auto opened = OpenFile(name);
        if (!opened) {
            return Forward(opened, "logs");
        }
        output = std::move(*opened);
    }
    return targets[name] = writer.Add(std::move(output), std::move(troubles));
}

Result<Writer::Target*> Log::State::Rotated(const RotationConfig& rotation,
                                            std::vector<Writer::Target*> troubles) {
    // Two channels may share a rotated file; the settings of the first count.
    if (const auto known = targets.find(rotation.log_output); known != targets.end()) {
        return known->second;
    }
    auto opened = OpenRotated(rotation);
    if (!opened) {
        return Forward(opened, "logs");
    }
    return targets[rotation.log_output] = writer.Add(std::move(*opened), std::move(troubles));
}

Result<void> Log::State::OpenOutputs(const ChannelConfig& channel) {
    if (channel.mode == Mode::kNone) {
        return {};
    }
    std::vector<Writer::Target*> troubles;
    for (const std::string& name : channel.err_output) {
        auto target = Stream(name, {});
        if (!target) {
            return Forward(target);
        }
        troubles.push_back(*target);
    }
    if (channel.file) {
        auto target = Rotated(*channel.file, troubles);
        return target ? Result<void>() : Result<void>(Forward(target));
    }
    for (const std::string& name : channel.output) {
        if (auto target = Stream(name, troubles); !target) {
            return Forward(target);
        }
    }
    return {};
}

void Log::State::Connect(NamedChannel& channel, const ChannelConfig& channel_config) {
    if (channel_config.mode == Mode::kNone) {
        return;
    }
    if (channel_config.file) {
        channel.AddPlain(targets.at(channel_config.file->log_output));
    } else {
        for (const std::string& name : channel_config.output) {
            Writer::Target* target = targets.at(name);
            if (colours && IsStream(name)) {
                channel.AddColoured(target);
            } else {
                channel.AddPlain(target);
            }
        }
    }
    channel.SetLevel(level.value_or(channel_config.level));
}

Log::Log() : state_(std::make_unique<State>()) {}

Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::Open(LogConfig config, bool colours) {
    std::unique_ptr<Log> log(new Log());
    State& state = *log->state_;
    state.config = std::move(config);
    state.colours = colours;
    if (auto opened = state.OpenOutputs(state.config.base); !opened) {
        return Forward(opened);
    }
    for (const auto& [name, channel] : state.config.channels) {
        if (auto opened = state.OpenOutputs(channel); !opened) {
            return Forward(opened);
        }
    }
    return log;
}

Logger Log::Get(std::string_view name) {
    const std::lock_guard lock(state_->mutex);
    const auto known = state_->channels.find(name);
    if (known != state_->channels.end()) {
        return Logger(known->second.get());
    }
    const ChannelConfig& config = state_->ConfigOf(name);
    auto channel = std::make_unique<NamedChannel>(state_->writer, config, name, state_->colours);
    state_->Connect(*channel, config);
    const Logger logger(channel.get());
    state_->channels.emplace(name, std::move(channel));
    return logger;
}

void Log::SetLevel(Level level) {
    const std::lock_guard lock(state_->mutex);
    state_->level = level;
    for (auto& [name, channel] : state_->channels) {
        if (state_->ConfigOf(name).mode != Mode::kNone) {
            channel->SetLevel(level);
        }
    }
}

void Log::SetLevel(std::string_view name, Level level) {
    Get(name);
    const std::lock_guard lock(state_->mutex);
    if (state_->ConfigOf(name).mode != Mode::kNone) {
        state_->channels.find(name)->second->SetLevel(level);
    }
}

bool Log::Flush(Duration limit) { return state_->writer.Flush(limit); }

void Log::Reopen() { state_->writer.Reopen(); }

uint64_t Log::dropped() const { return state_->writer.dropped(); }

bool ColoursWanted() {
    const char* no_color = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    return isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0') &&
           (term == nullptr || std::string_view(term) != "dumb");
}

}  // namespace rr::log
