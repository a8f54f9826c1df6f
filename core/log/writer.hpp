// Writer: the log's queue and thread. Lines wait in memory until the thread writes them, as many
// as there are in one piece.
//
// A record that meets an idle thread is written at once. After that the thread gathers for a few
// milliseconds, so that a busy server costs it some hundred wake-ups a second and not one per
// request. 512 records may wait; what finds the queue full is dropped and counted.
//
// Thread: Push, Flush, Reopen from any; Add before the first Push of that output.
// Owns:   the outputs, what waits for them, the thread.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/time.hpp"
#include "core/log/line.hpp"
#include "core/log/output.hpp"

namespace rr::log {

class Writer {
public:
    static constexpr size_t kRecords = 512;        // that may wait
    static constexpr size_t kBytes = 1024 * 1024;  // ... and their size together

    struct Target;  // an output and the lines that wait for it

    // Lines for several targets that are one record.
    struct Copy {
        std::span<Target* const> targets;
        std::string_view line;
    };

    // Where records come from. Has its own count of what was dropped. Outlives the Writer.
    class Source {
    public:
        // Appends the record that says how many were dropped. On the log's thread.
        virtual void DescribeDropped(uint64_t count, Line& plain, Line& coloured) = 0;
        std::span<Target* const> plain_targets() const { return plain_targets_; }
        std::span<Target* const> coloured_targets() const { return coloured_targets_; }

    protected:
        virtual ~Source() = default;
        std::vector<Target*> plain_targets_;  // constant once records are pushed
        std::vector<Target*> coloured_targets_;

    private:
        friend class Writer;
        uint64_t dropped_ = 0;  // guarded by the Writer's mutex, like the next one
        Source* next_dropper_ = nullptr;
    };

    Writer();
    // Writes what waits, for two seconds at most, then ends the thread.
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // troubles: where to say that this output fails; may be empty.
    Target* Add(std::unique_ptr<Output> output, std::vector<Target*> troubles);

    void Push(Source& source, std::span<const Copy> copies);

    // Waits until everything pushed so far is written. False if that took longer than limit.
    bool Flush(Duration limit);

    // Files are opened anew by the thread, before it writes the next record.
    void Reopen();

    uint64_t dropped() const;

private:
    enum class State : uint8_t { kIdle, kGathering, kWriting };

    void Run();
    bool Enough() const;
    void Turn(std::unique_lock<std::mutex>& lock);
    void TakeDropped();
    void WriteTo(Target& target);
    void Complain(Target& target, std::string_view what, const Error& error);

    mutable std::mutex mutex_;  // guards all below but `writing` in targets
    std::condition_variable wake_;
    std::condition_variable written_;
    std::vector<std::unique_ptr<Target>> targets_;
    State state_ = State::kWriting;
    size_t waiting_ = 0;  // records
    size_t waiting_bytes_ = 0;
    uint64_t pushed_count_ = 0;
    uint64_t written_count_ = 0;
    uint64_t dropped_count_ = 0;
    Source* droppers_ = nullptr;  // sources with dropped_ > 0
    bool hurry_ = false;          // somebody flushes
    bool reopen_ = false;
    bool stopping_ = false;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace rr::log
