#include "core/log/writer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "core/log/format.hpp"
#include "core/log/signals.hpp"

namespace rr::log {
namespace {

using namespace std::chrono_literals;

constexpr auto kGather = 5ms;                            // how long a burst is collected
constexpr size_t kEnoughRecords = Writer::kRecords / 2;  // ... unless this many wait
constexpr size_t kEnoughBytes = 32 * 1024;
constexpr size_t kKeep = 128 * 1024;  // memory that a burst grew beyond it is given back
constexpr auto kLastWords = 2s;

}  // namespace

struct Writer::Target {
    std::unique_ptr<Output> output;
    std::vector<Target*> troubles;
    Buffer waiting;
    Buffer writing;  // of the thread alone
    Instant last_complaint{};
    uint64_t complaints = 0;  // since then
};

Writer::Writer() {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { Run(); });
}

Writer::~Writer() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
    if (!written_.wait_for(lock, kLastWords, [this] { return ended_; })) {
        for (auto& target : targets_) {
            target->output->GiveUp();
        }
    }
    lock.unlock();
    thread_.join();
}

Writer::Target* Writer::Add(std::unique_ptr<Output> output, std::vector<Target*> troubles) {
    auto target = std::make_unique<Target>();
    target->output = std::move(output);
    target->troubles = std::move(troubles);
    const std::lock_guard lock(mutex_);
    targets_.push_back(std::move(target));
    return targets_.back().get();
}

void Writer::Push(Source& source, std::span<const Copy> copies) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        size_t bytes = 0;
        for (const Copy& copy : copies) {
            bytes += copy.line.size() * copy.targets.size();
        }
        if (waiting_ >= kRecords || (waiting_ > 0 && waiting_bytes_ + bytes > kBytes)) {
            ++dropped_count_;
            if (source.dropped_++ == 0) {
                source.next_dropper_ = std::exchange(droppers_, &source);
            }
            return;
        }
        for (const Copy& copy : copies) {
            for (Target* target : copy.targets) {
                target->waiting.Append(copy.line);
            }
        }
        ++waiting_;
        ++pushed_count_;
        waiting_bytes_ += bytes;
        wake = state_ == State::kIdle || (state_ == State::kGathering && Enough());
        if (wake) {
            state_ = State::kWriting;  // the next ones need not wake it again
        }
    }
    if (wake) {
        wake_.notify_one();
    }
}

bool Writer::Flush(Duration limit) {
    std::unique_lock lock(mutex_);
    const uint64_t goal = pushed_count_;
    hurry_ = true;
    wake_.notify_one();
    return written_.wait_for(lock, limit, [&] { return written_count_ >= goal; });
}

void Writer::Reopen() {
    const std::lock_guard lock(mutex_);
    reopen_ = true;
    wake_.notify_one();
}

uint64_t Writer::dropped() const {
    const std::lock_guard lock(mutex_);
    return dropped_count_;
}

void Writer::Run() {
    std::unique_lock lock(mutex_);
    while (true) {
        state_ = State::kIdle;
        wake_.wait(lock, [this] { return waiting_ > 0 || reopen_ || hurry_ || stopping_; });
        Turn(lock);
        if (stopping_ && waiting_ == 0) {
            break;
        }
        state_ = State::kGathering;
        wake_.wait_for(lock, kGather, [this] {
            return state_ == State::kWriting || Enough() || hurry_ || stopping_;
        });
    }
    ended_ = true;
    written_.notify_all();
}

bool Writer::Enough() const { return waiting_ >= kEnoughRecords || waiting_bytes_ >= kEnoughBytes; }

// Takes everything that waits and writes it without the lock.
void Writer::Turn(std::unique_lock<std::mutex>& lock) {
    state_ = State::kWriting;
    const bool reopen = std::exchange(reopen_, false);
    hurry_ = false;
    TakeDropped();
    const size_t count = targets_.size();  // more may be added meanwhile, without lines yet
    for (auto& target : targets_) {
        std::swap(target->waiting, target->writing);
    }
    const uint64_t goal = pushed_count_;
    waiting_ = 0;
    waiting_bytes_ = 0;
    for (size_t i = 0; i < count; ++i) {
        Target& target = *targets_[i];
        lock.unlock();
        if (reopen) {
            if (auto opened = target.output->Reopen(); !opened) {
                Complain(target, "reopen", opened.error());
            }
        }
        WriteTo(target);
        lock.lock();
    }
    written_count_ = goal;
    written_.notify_all();
}

void Writer::TakeDropped() {
    Line plain;
    Line coloured;
    while (droppers_ != nullptr) {
        Source& source = *droppers_;
        droppers_ = std::exchange(source.next_dropper_, nullptr);
        plain.Clear();
        coloured.Clear();
        source.DescribeDropped(std::exchange(source.dropped_, 0), plain, coloured);
        for (Target* target : source.plain_targets()) {
            target->waiting.Append(plain.view());
        }
        for (Target* target : source.coloured_targets()) {
            target->waiting.Append(coloured.view());
        }
    }
}

void Writer::WriteTo(Target& target) {
    if (target.writing.empty()) {
        return;
    }
    if (auto wrote = target.output->Write(target.writing.view()); !wrote) {
        Complain(target, "write", wrote.error());
    }
    target.writing.Clear(kKeep);
}

// Once a second at most, in the words of RoadRunner's logger.
void Writer::Complain(Target& target, std::string_view what, const Error& error) {
    const Instant now = Clock::now();
    ++target.complaints;
    if (now - target.last_complaint < 1s) {
        return;
    }
    Line line;
    AppendIsoTime(line, UnixNanoseconds());
    line.Append(' ');
    line.Append(what);
    line.Append(" error: ");
    line.Append(error.message);
    if (target.complaints > 1) {
        line.Append(" (");
        line.AppendInteger(target.complaints);
        line.Append(" times)");
    }
    line.Append('\n');
    target.last_complaint = now;
    target.complaints = 0;
    for (Target* other : target.troubles) {
        if (other != &target) {
            (void)other->output->Write(line.view());
        }
    }
}

}  // namespace rr::log
