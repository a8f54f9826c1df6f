// ServerContainer: the plugins, their loops and their lives.
//
//   Init     every plugin, in order; problems are collected, not thrown up at the first
//   Start    data threads; then Serve, one plugin after another
//   Stop     Drain, all at once; then Stop, one after another backwards, everything under one
//            deadline; then the data threads end
//
// Thread: main; Fail, RequestStop and draining() also from others.
// Owns:   the plugins, the data loops and their threads. Borrows the main loop.
// Fails:  Start with the error of the first plugin that could not serve.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cmd/rr/plugin_table.hpp"
#include "core/api/container.hpp"
#include "core/base/time.hpp"
#include "core/net/timer.hpp"

namespace rr::cmd {

class ServerContainer final : public Container {
public:
    // How a stop went.
    struct Outcome {
        bool lost = false;       // the deadline cut accepted work short
        bool abandoned = false;  // a plugin never finished its Stop: destroying it is not safe
    };
    using Loggers = Callback<log::Logger(std::string_view)>;

    // order: of SortPlugins. data_loops: at least 1.
    ServerContainer(Loop& main, size_t data_loops, Loggers loggers,
                    const std::vector<const PluginRow*>& order);
    // Waits for the data threads: a program with an abandoned plugin had better exit instead.
    ~ServerContainer();

    // Runs every Init. What plugins could not accept comes back as `plugin: text`, one per plugin;
    // a plugin that needs such a one is passed over.
    std::vector<std::string> Init(config::Config& config);

    // started: once, on the main loop.
    void Start(Callback<void(Result<void>)> started);

    // Ends what Start began, finished or not. stopped: once, on the main loop, soon after the
    // deadline at the latest. Nothing but the destructor may be called afterwards.
    void Stop(Duration grace, Callback<void(Outcome)> stopped);

    // For the program around it. Both on the main loop, at most once each, set before Start.
    void OnFail(Callback<void(const std::string&, const Error&)> failed);
    void OnStopRequest(Callback<void()> requested);

    // Names of the plugins that run, in order.
    std::vector<std::string_view> Running() const;
    const std::vector<std::string>& announcements() const { return announcements_; }

    Loop& MainLoop() override { return main_; }
    Loop& DataLoop(size_t index) override { return *data_[index % data_.size()]; }
    size_t DataLoops() const override { return data_.size(); }
    log::Logger Log(std::string_view name) override { return loggers_(name); }
    EventBus& Events() override { return events_; }
    void Fail(std::string_view plugin, Error error) override;
    void RequestStop() override;
    bool draining() const override { return draining_; }
    void Announce(std::string_view line) override { announcements_.emplace_back(line); }

private:
    enum class State : uint8_t {
        kBuilt,
        kStarting,
        kStarted,
        kStartFailed,
        kAborting,  // a stop was asked for while a Serve is pending
        kDraining,
        kStopping,
        kStopped,
    };
    struct Entry {
        const PluginRow* row;
        std::unique_ptr<Plugin> plugin;
        bool enabled = false;
        bool failed = false;   // its Init did not accept the configuration
        bool serving = false;  // its Serve was called: its Stop must be
        bool served = false;   // its Serve succeeded: it may have accepted work
    };

    void PublishAs(std::type_index type, void* object) override;
    std::vector<void*> Find(std::type_index type) override;

    const std::string_view* MissingNeed(const PluginRow& row) const;
    bool DependsOnFailed(const PluginRow& row) const;
    void ServeNext();
    void OnServed(Result<void> served);
    void DrainAll();
    void OnDrained();
    void StopNext();
    void OnStopped(size_t index);
    void OnAlarm();
    void Finish();
    void EndThreads();

    Loop& main_;  // constant after construction, like loggers_
    Loggers loggers_;
    EventBus events_;
    std::vector<std::unique_ptr<Loop>> data_;
    std::vector<Entry> entries_;  // in order of Init
    std::vector<std::thread> threads_;
    std::map<std::type_index, std::vector<void*>> published_;
    std::vector<std::string> announcements_;

    State state_ = State::kBuilt;
    size_t next_ = 0;  // Serve: the entry being served; Stop: one behind the entry being stopped
    size_t undrained_ = 0;
    bool serve_pending_ = false;
    Outcome outcome_;
    Deadline deadline_{};
    std::unique_ptr<net::Timer> alarm_;
    Callback<void(Result<void>)> started_;
    Callback<void(Outcome)> stopped_;
    Callback<void(const std::string&, const Error&)> on_fail_;
    Callback<void()> on_stop_request_;
    std::atomic<bool> draining_{false};
};

}  // namespace rr::cmd
