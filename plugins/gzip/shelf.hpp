// Shelf: a few objects that wait for their next use.
//
// Thread: any, several at once; nobody waits.
// Owns:   what lies on it.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>

namespace rr::gzip {

template <class T, size_t kPlaces>
class Shelf {
public:
    Shelf() = default;
    Shelf(const Shelf&) = delete;
    Shelf& operator=(const Shelf&) = delete;
    ~Shelf() {
        while (Take() != nullptr) {
        }
    }

    // Null: it is empty.
    std::unique_ptr<T> Take() {
        for (std::atomic<T*>& place : places_) {
            if (place.load(std::memory_order_relaxed) == nullptr) {
                continue;
            }
            if (T* object = place.exchange(nullptr, std::memory_order_acquire)) {
                return std::unique_ptr<T>(object);
            }
        }
        return nullptr;
    }

    // One that finds no place ends.
    void Put(std::unique_ptr<T> object) {
        for (std::atomic<T*>& place : places_) {
            T* none = nullptr;
            if (place.compare_exchange_strong(none, object.get(), std::memory_order_release,
                                              std::memory_order_relaxed)) {
                object.release();
                return;
            }
        }
    }

private:
    std::array<std::atomic<T*>, kPlaces> places_{};
};

}  // namespace rr::gzip
