#include "cmd/rr/watch_screen.hpp"

#include <utility>

namespace rr::cmd {
namespace {

// How a failed boot is shown: reason, command, output.
std::string Text(const WorkerEvent& event) {
    std::string text(event.reason);
    if (!event.command.empty()) {
        text.append("\n  command: ").append(event.command);
    }
    for (std::string_view left = event.output; !left.empty();) {
        size_t end = left.find('\n');
        text.append("\n    | ").append(left.substr(0, end));
        left = end == std::string_view::npos ? std::string_view() : left.substr(end + 1);
    }
    return text;
}

}  // namespace

WatchScreen::WatchScreen(Loop& main, const Console& console, EventBus& events)
    : main_(main), console_(console) {
    events.worker.Subscribe([this](const WorkerEvent& event) { OnWorker(event); });
    events.reset.Subscribe([this](const ResetEvent& event) { OnReset(event); });
}

void WatchScreen::OnWorker(const WorkerEvent& event) {
    std::string pool(event.pool);
    if (event.change == WorkerChange::kFailed) {
        main_.Post([this, pool = std::move(pool), text = Text(event)] { ShowFailure(pool, text); });
    } else if (event.change == WorkerChange::kReady) {
        main_.Post([this, pool = std::move(pool)] { ShowServing(pool, -1); });
    }
}

void WatchScreen::OnReset(const ResetEvent& event) {
    std::string pool(event.pool);
    switch (event.phase) {
        case ResetPhase::kBegun:
            main_.Post([this, pool = std::move(pool)] {
                if (auto found = shown_.find(pool); found != shown_.end()) {
                    found->second.again = true;
                }
            });
            return;
        case ResetPhase::kDone:
            main_.Post([this, pool = std::move(pool), ms = event.elapsed_ns / 1'000'000] {
                ShowServing(pool, ms);
            });
            return;
        case ResetPhase::kFailed:
            main_.Post([this, pool = std::move(pool), reason = std::string(event.reason)] {
                auto found = shown_.find(pool);
                if (found == shown_.end() || found->second.again) {
                    ShowFailure(pool, reason);  // it did not come as far as to start a worker
                }
            });
    }
}

void WatchScreen::ShowFailure(const std::string& pool, const std::string& text) {
    Shown& shown = shown_[pool];
    if (shown.again || shown.text != text) {
        shown = {text, false};
        Console::Error(pool + ": the workers do not start: " + text + "\n" + pool +
                       ": waiting for an edit");
    }
}

// elapsed_ms: of a reset; negative: a worker was ready without one.
void WatchScreen::ShowServing(const std::string& pool, int64_t elapsed_ms) {
    auto found = shown_.find(pool);
    if (elapsed_ms < 0) {
        if (found != shown_.end() && !found->second.again) {
            shown_.erase(found);
            console_.Line(pool + ": the workers start again");
        }
        return;
    }
    if (found != shown_.end()) {
        shown_.erase(found);
    }
    console_.Line(pool + ": new workers serve (" + std::to_string(elapsed_ms) + " ms)");
}

}  // namespace rr::cmd
