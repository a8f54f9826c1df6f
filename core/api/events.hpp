// EventBus: what happens in the server, for whoever wants to know.
//
//   bus.worker.Subscribe([this](const WorkerEvent& e) { ... });       // in Init
//   if (bus.request) { bus.request.Emit({...}); }                     // one branch if nobody listens
//
// Thread: Subscribe on the main thread before Serve; Emit from any thread. Subscribers run inside
//         Emit, on the emitting thread: they copy what they need and Post to their own loop.
// Owns:   the subscriptions. Views in an event are valid during the call.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/callback.hpp"

namespace rr {

enum class ServerPhase : uint8_t { kStarting, kStarted, kStopping };

struct ServerEvent {
    ServerPhase phase;
};

enum class WorkerChange : uint8_t {
    kSpawned,   // the process exists
    kReady,     // it answered the handshake
    kStopped,   // it obeyed a stop that we asked for
    kExited,    // it ended by itself: exit_code or signal say how
    kFailed,    // it could not be started; reason, output and command say why
    kRecycled,  // it will be replaced; reason: max_jobs, ttl, idle_ttl, max_worker_memory, exec_ttl,
                // protocol, replace_me, reset, removed, shrink
};

struct WorkerEvent {
    WorkerChange change;
    std::string_view pool{};  // plugin name: http, tcp ...
    int64_t pid = 0;
    int exit_code = -1;  // -1: none
    int signal = 0;      // 0: none
    uint64_t execs = 0;
    std::string_view reason{};   // a word for programs, or the error text of kFailed
    std::string_view output{};   // kFailed: what the process wrote before it died
    std::string_view command{};  // kFailed: the command line
};

enum class ResetPhase : uint8_t { kBegun, kDone, kFailed };

struct ResetEvent {
    ResetPhase phase;
    std::string_view pool{};
    int64_t elapsed_ns = 0;
    std::string_view reason{};  // of a failure
};

enum class RequestPhase : uint8_t { kBegun, kFinished };

struct RequestEvent {
    RequestPhase phase;
    std::string_view plugin{};
    std::string_view method{};
    std::string_view uri{};
    std::string_view remote_address{};
    int status = 0;  // kFinished
    int64_t start_unix_ns = 0;
    int64_t elapsed_ns = 0;  // kFinished
    uint64_t read_bytes = 0;
    uint64_t write_bytes = 0;
    bool no_worker = false;  // kFinished: the queue was full, or none was free in time
};

enum class ConnectionPhase : uint8_t { kOpened, kClosed };

struct ConnectionEvent {
    ConnectionPhase phase;
    std::string_view plugin{};
    std::string_view remote_address{};
};

template <class Event>
class EventChannel {
public:
    using Subscriber = Callback<void(const Event&)>;

    void Subscribe(Subscriber subscriber) { subscribers_.push_back(std::move(subscriber)); }
    explicit operator bool() const { return !subscribers_.empty(); }
    void Emit(const Event& event) {
        for (auto& subscriber : subscribers_) {
            subscriber(event);
        }
    }

private:
    std::vector<Subscriber> subscribers_;  // constant once Serve begins
};

struct EventBus {
    EventChannel<ServerEvent> server;
    EventChannel<WorkerEvent> worker;
    EventChannel<ResetEvent> reset;
    EventChannel<RequestEvent> request;
    EventChannel<ConnectionEvent> connection;
};

}  // namespace rr
