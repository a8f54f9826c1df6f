// PerThread: one T for each thread that asks, made when it asks first. For what every loop keeps for
// itself although its owner is shared by all of them.
//
// Thread: any; no locks. A thread's own T is its alone.
// Owns:   all of them, until it dies itself; by then no thread may be at work in one.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

namespace rr {

template <class T>
class PerThread {
public:
    // make: on any thread, several at once.
    explicit PerThread(std::function<std::unique_ptr<T>()> make) : make_(std::move(make)) {}
    PerThread(const PerThread&) = delete;
    PerThread& operator=(const PerThread&) = delete;
    ~PerThread() {
        for (Node* node = first_.load(std::memory_order_acquire); node != nullptr;) {
            Node* next = node->next;
            delete node;
            node = next;
        }
    }

    // Loops are few: a walk along their list costs less than a lookup in a table.
    T& Here() {
        const std::thread::id self = std::this_thread::get_id();
        for (Node* node = first_.load(std::memory_order_acquire); node != nullptr;
             node = node->next) {
            if (node->thread == self) {
                return *node->mine;
            }
        }
        auto* node = new Node{self, make_(), first_.load(std::memory_order_relaxed)};
        while (!first_.compare_exchange_weak(node->next, node, std::memory_order_release,
                                             std::memory_order_relaxed)) {
        }
        return *node->mine;
    }

private:
    struct Node {
        std::thread::id thread;
        std::unique_ptr<T> mine;
        Node* next;
    };

    const std::function<std::unique_ptr<T>()> make_;
    std::atomic<Node*> first_ = nullptr;
};

}  // namespace rr
