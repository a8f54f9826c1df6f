// LockTable: who holds what until when, and who waits for it.
//
// A resource has one writer, or any number of readers, or nobody. Who must wait stands in line:
// first come, first served, and a waiting writer lets no later reader past. The one reader of a
// resource may become its writer; he goes before everybody in line, because nobody else could be
// served before him. A holder that asks again under the same id is a stranger like any other (not
// re-entrant), except that a reader may ask to read again: that only moves the end of his lock.
//
// Time is passed in, so that nothing here needs a clock. Every call first does what became due
// until `now`, in the order of time: a lock that ran out before a waiter's patience did is his.
//
//   table.Acquire(request, now, [](bool ok) { ... });
//   table.Deliver();                                  // calls what was decided
//   if (table.NextDue()) { timer.Arm(...); }          // then Advance(now), Deliver()
//
// Thread: one; no locks inside. Answers are called by Deliver only.
// Owns:   every lock and every waiter.
// Fails:  never. What is not possible is answered with false and leaves no trace.
#pragma once

#include <compare>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/callback.hpp"
#include "core/base/time.hpp"

namespace rr::lock {

enum class Mode : uint8_t { kShared, kExclusive };

struct AcquireRequest {
    std::string_view resource;
    std::string_view id;
    Mode mode = Mode::kExclusive;
    Duration ttl{};   // zero: a year
    Duration wait{};  // at least a millisecond is waited
};

class LockTable {
public:
    using Answer = Callback<void(bool ok)>;

    static constexpr Duration kForever = std::chrono::hours(24 * 365);
    static constexpr Duration kShortestWait = std::chrono::milliseconds(1);
    // Names of resources that are remembered though nobody holds them: ForceRelease tells a free
    // resource from one it never saw.
    static constexpr size_t kRemembered = 4096;
    static constexpr size_t kLongestRemembered = 256;

    LockTable() = default;
    LockTable(const LockTable&) = delete;
    LockTable& operator=(const LockTable&) = delete;

    // Answers true when the lock is held, false when the time to wait is over.
    void Acquire(const AcquireRequest& request, Instant now, Answer answer);

    // True if `id` held the resource.
    bool Release(std::string_view resource, std::string_view id, Instant now);
    // Takes the resource from all who hold it; who waits is served. False for a resource that was
    // never locked (or was forgotten, see kRemembered).
    bool ForceRelease(std::string_view resource, Instant now);
    // `*`: does anybody hold it?
    bool Exists(std::string_view resource, std::string_view id, Instant now);
    // The lock of `id` ends `ttl` from now; zero: in a year. False if it holds nothing.
    bool UpdateTtl(std::string_view resource, std::string_view id, Duration ttl, Instant now);

    // Nobody waits any more: those in line are answered false, and so is who comes later and
    // cannot be served at once.
    void StopWaiting();

    // Ends what ran out until `now`: locks and patience.
    void Advance(Instant now);
    // When Advance has something to do.
    std::optional<Instant> NextDue() const;

    // Calls the answers that were decided since the last time, in the order of the decisions.
    void Deliver();

    // Who stands in line for one resource, and the first of those who hold it.
    struct Crowd {
        size_t waiting = 0;
        std::string_view holder;  // until the next call
        Instant until;            // the end of its ttl
    };
    Crowd At(std::string_view resource) const;

    size_t waiting() const { return waiting_; }
    size_t held() const { return held_; }

private:
    struct Resource;
    struct Holder;
    struct Waiter;
    using Holders = std::map<std::string, Holder, std::less<>>;
    using Line = std::list<Waiter>;

    // What happens at a moment: a lock runs out, or a waiter's patience. At the same moment locks
    // come first, then whoever came first.
    struct When {
        Instant at;
        bool patience = false;
        uint64_t number = 0;
        auto operator<=>(const When&) const = default;
    };
    struct Event {
        Resource* resource = nullptr;
        Holders::iterator holder{};  // of a lock
        Line::iterator waiter{};     // of patience
    };
    using Agenda = std::map<When, Event>;

    struct Holder {
        Agenda::iterator end;
    };
    struct Waiter {
        std::string id;
        Mode mode;
        Duration ttl;
        Answer answer;
        Agenda::iterator end{};
    };
    struct Resource {
        std::string name;
        bool exclusive = false;
        Holders holders;
        Line line;
        std::list<Resource*>::iterator idle{};  // valid while nobody holds or waits
    };

    Resource* Find(std::string_view name);
    Resource& FindOrAdd(std::string_view name);
    bool MayHave(const Resource& resource, std::string_view id, Mode mode) const;
    void Grant(Resource& resource, const std::string& id, Mode mode, Duration ttl, Instant now);
    void SetEnd(Resource& resource, Holders::iterator holder, Instant end);
    void Drop(Resource& resource, Holders::iterator holder);
    Line::iterator Leave(Resource& resource, Line::iterator waiter, bool ok);
    void Serve(Resource& resource, Instant now);
    void ServePromotion(Resource& resource, Instant now);
    void ForgetIfIdle(Resource& resource);

    std::unordered_map<std::string_view, std::unique_ptr<Resource>> resources_;  // key: its name
    std::list<Resource*> idle_;  // free, oldest first
    Agenda agenda_;
    uint64_t next_number_ = 0;
    size_t waiting_ = 0;
    size_t held_ = 0;
    bool waits_ = true;
    std::vector<std::pair<Answer, bool>> decided_;
};

}  // namespace rr::lock
