#include "plugins/lock/lock_table.hpp"

#include <algorithm>
#include <memory>

namespace rr::lock {
namespace {

// Far beyond every use, and far from the end of the clock.
constexpr Duration kLongest = std::chrono::hours(24 * 365 * 100);

Instant After(Instant now, Duration time) { return now + std::min(time, kLongest); }

Duration OrForever(Duration ttl) { return ttl == Duration::zero() ? LockTable::kForever : ttl; }

}  // namespace

LockTable::Resource* LockTable::Find(std::string_view name) {
    auto found = resources_.find(name);
    return found == resources_.end() ? nullptr : found->second.get();
}

LockTable::Resource& LockTable::FindOrAdd(std::string_view name) {
    if (Resource* known = Find(name)) {
        if (known->holders.empty() && known->line.empty()) {
            idle_.erase(known->idle);
        }
        return *known;
    }
    auto made = std::make_unique<Resource>();
    made->name = name;
    Resource& resource = *made;
    resources_.emplace(resource.name, std::move(made));
    return resource;
}

// A free resource is kept for ForceRelease's sake, but not without bound.
void LockTable::ForgetIfIdle(Resource& resource) {
    if (!resource.holders.empty() || !resource.line.empty()) {
        return;
    }
    if (resource.name.size() > kLongestRemembered) {
        resources_.erase(resources_.find(resource.name));
        return;
    }
    resource.idle = idle_.insert(idle_.end(), &resource);
    if (idle_.size() > kRemembered) {
        Resource* oldest = idle_.front();
        idle_.pop_front();
        resources_.erase(resources_.find(oldest->name));
    }
}

// Whether the holders leave room; the line is another matter.
bool LockTable::MayHave(const Resource& resource, std::string_view id, Mode mode) const {
    if (resource.holders.empty()) {
        return true;
    }
    if (resource.exclusive) {
        return false;
    }
    return mode == Mode::kShared ||
           (resource.holders.size() == 1 && resource.holders.begin()->first == id);
}

void LockTable::Acquire(const AcquireRequest& request, Instant now, Answer answer) {
    Advance(now);
    Resource& resource = FindOrAdd(request.resource);
    const std::string id(request.id);
    const bool holds = resource.holders.contains(id);
    // Who holds it already stands in nobody's way: everybody in line waits for him anyway.
    const bool first = resource.line.empty() || holds;
    if (first && MayHave(resource, id, request.mode)) {
        Grant(resource, id, request.mode, request.ttl, now);
        decided_.emplace_back(std::move(answer), true);
        return;
    }
    if (!waits_) {
        decided_.emplace_back(std::move(answer), false);
        return;
    }
    auto waiter = resource.line.insert(
        resource.line.end(), Waiter{id, request.mode, request.ttl, std::move(answer), {}});
    const When when{After(now, std::max(request.wait, kShortestWait)), true, next_number_++};
    waiter->end = agenda_.emplace(when, Event{&resource, {}, waiter}).first;
    ++waiting_;
}

void LockTable::Grant(Resource& resource, const std::string& id, Mode mode, Duration ttl,
                      Instant now) {
    Instant end = After(now, OrForever(ttl));
    auto [holder, added] = resource.holders.try_emplace(id);
    if (added) {
        holder->second.end = agenda_.end();
        ++held_;
    } else if (mode == Mode::kShared) {
        end = std::max(end, holder->second.end->first.at);  // reads on: never shorter than before
    }
    resource.exclusive = mode == Mode::kExclusive;
    SetEnd(resource, holder, end);
}

void LockTable::SetEnd(Resource& resource, Holders::iterator holder, Instant end) {
    if (holder->second.end != agenda_.end()) {
        agenda_.erase(holder->second.end);
    }
    const When when{end, false, next_number_++};
    holder->second.end = agenda_.emplace(when, Event{&resource, holder, {}}).first;
}

void LockTable::Drop(Resource& resource, Holders::iterator holder) {
    agenda_.erase(holder->second.end);
    resource.holders.erase(holder);
    resource.exclusive = resource.exclusive && !resource.holders.empty();
    --held_;
}

LockTable::Line::iterator LockTable::Leave(Resource& resource, Line::iterator waiter, bool ok) {
    agenda_.erase(waiter->end);
    decided_.emplace_back(std::move(waiter->answer), ok);
    --waiting_;
    return resource.line.erase(waiter);
}

// Lets in whom the holders leave room for, in line.
void LockTable::Serve(Resource& resource, Instant now) {
    while (!resource.line.empty()) {
        auto first = resource.line.begin();
        if (!MayHave(resource, first->id, first->mode)) {
            return;
        }
        Grant(resource, first->id, first->mode, first->ttl, now);
        Leave(resource, first, true);
    }
}

// The last reader who waits to write, wherever in line: everybody before him waits for him. Only
// after a holder left can there be one.
void LockTable::ServePromotion(Resource& resource, Instant now) {
    if (resource.exclusive || resource.holders.size() != 1) {
        return;
    }
    const std::string& id = resource.holders.begin()->first;
    auto waiter = std::find_if(resource.line.begin(), resource.line.end(), [&](const Waiter& w) {
        return w.mode == Mode::kExclusive && w.id == id;
    });
    if (waiter != resource.line.end()) {
        Grant(resource, waiter->id, waiter->mode, waiter->ttl, now);
        Leave(resource, waiter, true);
    }
}

bool LockTable::Release(std::string_view resource, std::string_view id, Instant now) {
    Advance(now);
    Resource* found = Find(resource);
    if (found == nullptr) {
        return false;
    }
    auto holder = found->holders.find(id);
    if (holder == found->holders.end()) {
        return false;
    }
    Drop(*found, holder);
    ServePromotion(*found, now);
    Serve(*found, now);
    ForgetIfIdle(*found);
    return true;
}

bool LockTable::ForceRelease(std::string_view resource, Instant now) {
    Advance(now);
    Resource* found = Find(resource);
    if (found == nullptr) {
        return false;
    }
    if (found->holders.empty()) {
        return true;
    }
    while (!found->holders.empty()) {
        Drop(*found, found->holders.begin());
    }
    Serve(*found, now);
    ForgetIfIdle(*found);
    return true;
}

bool LockTable::Exists(std::string_view resource, std::string_view id, Instant now) {
    Advance(now);
    const Resource* found = Find(resource);
    if (found == nullptr) {
        return false;
    }
    return id == "*" ? !found->holders.empty() : found->holders.find(id) != found->holders.end();
}

bool LockTable::UpdateTtl(std::string_view resource, std::string_view id, Duration ttl,
                          Instant now) {
    Advance(now);
    Resource* found = Find(resource);
    if (found == nullptr) {
        return false;
    }
    auto holder = found->holders.find(id);
    if (holder == found->holders.end()) {
        return false;
    }
    SetEnd(*found, holder, After(now, OrForever(ttl)));
    return true;
}

void LockTable::StopWaiting() {
    waits_ = false;
    for (auto& [name, resource] : resources_) {
        for (auto waiter = resource->line.begin(); waiter != resource->line.end();) {
            waiter = Leave(*resource, waiter, false);
        }
    }
}

void LockTable::Advance(Instant now) {
    while (!agenda_.empty() && agenda_.begin()->first.at <= now) {
        const auto [when, event] = *agenda_.begin();
        Resource& resource = *event.resource;
        if (when.patience) {
            Leave(resource, event.waiter, false);
        } else {
            Drop(resource, event.holder);
            ServePromotion(resource, now);
        }
        // From now on, not from then on: whoever gets the lock learns of it now.
        Serve(resource, now);
        ForgetIfIdle(resource);
    }
}

std::optional<Instant> LockTable::NextDue() const {
    return agenda_.empty() ? std::nullopt : std::optional<Instant>(agenda_.begin()->first.at);
}

LockTable::Crowd LockTable::At(std::string_view resource) const {
    const auto found = resources_.find(resource);
    if (found == resources_.end() || found->second->holders.empty()) {
        return {};
    }
    const auto& [id, holder] = *found->second->holders.begin();
    return {found->second->line.size(), id, holder.end->first.at};
}

void LockTable::Deliver() {
    // An answer may ask for the next lock: those are delivered by whoever asks.
    std::vector<std::pair<Answer, bool>> decided = std::exchange(decided_, {});
    for (auto& [answer, ok] : decided) {
        answer(ok);
    }
}

}  // namespace rr::lock
