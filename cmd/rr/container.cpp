#include "cmd/rr/container.hpp"

#include "core/config/config.hpp"

namespace rr::cmd {

namespace {

// What a Stop may take beyond the deadline: at the deadline plugins kill, and even that needs a
// moment until the operating system reports it.
constexpr Duration kSlack = std::chrono::seconds(1);

}  // namespace

ServerContainer::ServerContainer(Loop& main, size_t data_loops, Loggers loggers,
                                 const std::vector<const PluginRow*>& order)
    : main_(main), loggers_(std::move(loggers)) {
    for (size_t i = 0; i < data_loops; ++i) {
        data_.push_back(std::make_unique<Loop>("data" + std::to_string(i)));
    }
    for (const PluginRow* row : order) {
        entries_.push_back(Entry{row, nullptr});
    }
}

ServerContainer::~ServerContainer() {
    alarm_.reset();
    EndThreads();
    while (!entries_.empty()) {
        entries_.pop_back();
    }
    data_.clear();
}

const std::string_view* ServerContainer::MissingNeed(const PluginRow& row) const {
    for (const std::string_view& need : row.needs) {
        bool found = false;
        for (const Entry& entry : entries_) {
            found = found || (entry.enabled && Offers(*entry.row, need));
        }
        if (!found) {
            return &need;
        }
    }
    return nullptr;
}

bool ServerContainer::DependsOnFailed(const PluginRow& row) const {
    for (std::string_view need : row.needs) {
        for (const Entry& entry : entries_) {
            if (entry.failed && Offers(*entry.row, need)) {
                return true;
            }
        }
    }
    return false;
}

std::vector<std::string> ServerContainer::Init(config::Config& config) {
    std::vector<std::string> problems;
    for (Entry& entry : entries_) {
        std::string name(entry.row->name);
        if (DependsOnFailed(*entry.row)) {
            entry.failed = true;
            config.Known(name);
            continue;
        }
        if (const std::string_view* missing = MissingNeed(*entry.row)) {
            config.Known(name);
            if (config::Section section = config.Get(name); section.present()) {
                section.Warning("", "has no effect, because " + std::string(*missing) +
                                        " does not run: is its section missing?");
            }
            loggers_("container")
                .Info("plugin disabled", {{"plugin", name}, {"missing", *missing}});
            continue;
        }
        entry.plugin = entry.row->make();
        Result<bool> enabled = entry.plugin->Init(config, *this);
        if (!enabled) {
            entry.failed = true;
            problems.push_back(name + ": " + enabled.error().message);
            continue;
        }
        entry.enabled = *enabled;
    }
    return problems;
}

std::vector<std::string_view> ServerContainer::Running() const {
    std::vector<std::string_view> names;
    for (const Entry& entry : entries_) {
        if (entry.enabled) {
            names.push_back(entry.row->name);
        }
    }
    return names;
}

void ServerContainer::PublishAs(std::type_index type, void* object) {
    published_[type].push_back(object);
}

std::vector<void*> ServerContainer::Find(std::type_index type) {
    auto found = published_.find(type);
    return found == published_.end() ? std::vector<void*>() : found->second;
}

void ServerContainer::OnFail(Callback<void(const std::string&, const Error&)> failed) {
    on_fail_ = std::move(failed);
}

void ServerContainer::OnStopRequest(Callback<void()> requested) {
    on_stop_request_ = std::move(requested);
}

void ServerContainer::Fail(std::string_view plugin, Error error) {
    main_.Post([this, name = std::string(plugin), problem = std::move(error)] {
        loggers_(name).Error("plugin failed", {{"error", problem.message}});
        if (on_fail_) {
            on_fail_(name, problem);
        }
    });
}

void ServerContainer::RequestStop() {
    main_.Post([this] {
        if (on_stop_request_) {
            on_stop_request_();
        }
    });
}

void ServerContainer::Start(Callback<void(Result<void>)> started) {
    RR_CHECK(state_ == State::kBuilt);
    state_ = State::kStarting;
    started_ = std::move(started);
    for (auto& loop : data_) {
        threads_.emplace_back([raw = loop.get()] { raw->Run(); });
    }
    events_.server.Emit({ServerPhase::kStarting});
    // Not inside this call: the completion of a callback never is.
    main_.Post([this] { ServeNext(); });
}

void ServerContainer::ServeNext() {
    if (state_ != State::kStarting) {
        return;
    }
    while (next_ < entries_.size() && !entries_[next_].enabled) {
        ++next_;
    }
    if (next_ == entries_.size()) {
        state_ = State::kStarted;
        events_.server.Emit({ServerPhase::kStarted});
        started_({});
        return;
    }
    entries_[next_].serving = true;
    serve_pending_ = true;
    entries_[next_].plugin->Serve([this](Result<void> served) {
        main_.Post([this, result = std::move(served)]() mutable { OnServed(std::move(result)); });
    });
}

void ServerContainer::OnServed(Result<void> served) {
    serve_pending_ = false;
    entries_[next_].served = served.has_value();
    if (state_ == State::kAborting) {
        DrainAll();
        return;
    }
    if (state_ != State::kStarting) {
        return;  // its Stop came first
    }
    if (!served) {
        state_ = State::kStartFailed;
        started_(Forward(served, entries_[next_].row->name));
        return;
    }
    ++next_;
    ServeNext();
}

void ServerContainer::Stop(Duration grace, Callback<void(Outcome)> stopped) {
    RR_CHECK(!stopped_);
    stopped_ = std::move(stopped);
    draining_ = true;
    deadline_ = Clock::now() + grace;
    alarm_ = std::make_unique<net::Timer>(main_, [this] { OnAlarm(); });
    alarm_->Arm(grace);
    events_.server.Emit({ServerPhase::kStopping});
    if (serve_pending_) {
        state_ = State::kAborting;
        return;
    }
    // Not inside this call: see Start.
    state_ = State::kAborting;
    main_.Post([this] {
        if (state_ == State::kAborting) {
            DrainAll();
        }
    });
}

void ServerContainer::DrainAll() {
    state_ = State::kDraining;
    // One more than the plugins, given back at the end: there may be none.
    undrained_ = 1;
    for (Entry& entry : entries_) {
        if (entry.served) {
            ++undrained_;
            entry.plugin->Drain(deadline_, [this] { main_.Post([this] { OnDrained(); }); });
        }
    }
    OnDrained();
}

void ServerContainer::OnDrained() {
    if (state_ != State::kDraining || --undrained_ > 0) {
        return;
    }
    // A drain that ends at the deadline was cut, whoever noticed first.
    outcome_.lost = Clock::now() >= deadline_;
    state_ = State::kStopping;
    next_ = entries_.size();
    StopNext();
}

void ServerContainer::OnAlarm() {
    switch (state_) {
        case State::kAborting:
        case State::kDraining:
            outcome_.lost = true;
            state_ = State::kStopping;
            next_ = entries_.size();
            break;
        case State::kStopping:
            loggers_(entries_[next_].row->name)
                .Error("plugin does not stop", {{"plugin", entries_[next_].row->name}});
            outcome_ = {true, true};
            entries_[next_].serving = false;
            break;
        default: return;
    }
    main_.Post([this] { StopNext(); });
}

void ServerContainer::StopNext() {
    while (next_ > 0) {
        --next_;
        if (!entries_[next_].serving) {
            continue;
        }
        Duration left = std::max(Duration::zero(), Duration(deadline_ - Clock::now()));
        alarm_->Arm(left + kSlack);
        entries_[next_].plugin->Stop(
            deadline_, [this, index = next_] { main_.Post([this, index] { OnStopped(index); }); });
        return;
    }
    Finish();
}

void ServerContainer::OnStopped(size_t index) {
    if (state_ == State::kStopping && index == next_ && entries_[index].serving) {
        entries_[index].serving = false;
        StopNext();
    }
}

void ServerContainer::Finish() {
    state_ = State::kStopped;
    alarm_->Disarm();
    if (!outcome_.abandoned) {
        EndThreads();
    }
    stopped_(outcome_);
}

void ServerContainer::EndThreads() {
    if (threads_.empty()) {
        return;
    }
    for (auto& loop : data_) {
        loop->Stop();
    }
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
    // From here on the data loops, and what still hangs on them, belong to this thread.
    for (auto& loop : data_) {
        loop->RunUntil([] { return true; });
    }
}

}  // namespace rr::cmd
