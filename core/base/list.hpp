// List: objects in the order in which they were touched, without memory of its own.
//
// A timeout that is the same for everyone needs no timer per object: the list stays sorted by the
// last touch, so only its front can be overdue.
//
// Thread: its users' loop. Owns: nothing; an object takes itself out before it dies.
#pragma once

#include "core/base/check.hpp"

namespace rr {

class Linked {
public:
    Linked() = default;
    Linked(const Linked&) = delete;
    Linked& operator=(const Linked&) = delete;

    bool linked() const { return next_ != nullptr; }
    void Unlink() {
        if (next_ != nullptr) {
            previous_->next_ = next_;
            next_->previous_ = previous_;
            previous_ = next_ = nullptr;
        }
    }

protected:
    ~Linked() { Unlink(); }

private:
    template <class T>
    friend class List;

    Linked* previous_ = nullptr;
    Linked* next_ = nullptr;
};

// T derives from Linked and is in one List at most.
template <class T>
class List {
public:
    List() { head_.previous_ = head_.next_ = &head_; }
    ~List() {
        RR_ASSERT(empty());
        head_.previous_ = head_.next_ = nullptr;
    }
    List(const List&) = delete;
    List& operator=(const List&) = delete;

    bool empty() const { return head_.next_ == &head_; }
    // The one that was touched longest ago. REQUIRES: not empty.
    T& front() { return *static_cast<T*>(head_.next_); }

    // Moves object here, behind all others.
    void Touch(T& object) {
        Linked& link = object;
        link.Unlink();
        link.previous_ = head_.previous_;
        link.next_ = &head_;
        head_.previous_->next_ = &link;
        head_.previous_ = &link;
    }

    // Calls fn(object) for each; fn may take that object out or destroy it, but no other.
    template <class F>
    void Each(F fn) {
        for (Linked* link = head_.next_; link != &head_;) {
            Linked* next = link->next_;
            fn(*static_cast<T*>(link));
            link = next;
        }
    }

private:
    struct Head final : Linked {};
    Head head_;
};

}  // namespace rr
