// Callback<R(Args...)>: a move-only function object with inline storage.
//
// A completion callback runs exactly once and never inside the call that took it. Captures up to
// 64 bytes live inside; larger ones are boxed, which costs an allocation: keep them off the hot
// path, where `static_assert(Callback<...>::kFits<decltype(lambda)>)` says so.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "core/base/check.hpp"

namespace rr {

template <class Signature>
class Callback;

template <class R, class... Args>
class Callback<R(Args...)> {
public:
    static constexpr size_t kInline = 64;
    template <class F>
    static constexpr bool kFits =
        sizeof(std::decay_t<F>) <= kInline && std::is_nothrow_move_constructible_v<std::decay_t<F>>;

    Callback() = default;
    Callback(std::nullptr_t) {}  // NOLINT: as std::function

    template <class F>
        requires(!std::is_same_v<std::decay_t<F>, Callback> &&
                 std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
    Callback(F&& function) {  // NOLINT: as std::function
        using Given = std::decay_t<F>;
        if constexpr (kFits<Given>) {
            Store(std::forward<F>(function));
        } else {
            Store([boxed = std::make_unique<Given>(std::forward<F>(function))](Args... args) -> R {
                return (*boxed)(std::forward<Args>(args)...);
            });
        }
    }

    Callback(Callback&& other) noexcept { Take(other); }
    Callback& operator=(Callback&& other) noexcept {
        if (this != &other) {
            Reset();
            Take(other);
        }
        return *this;
    }
    ~Callback() { Reset(); }

    explicit operator bool() const { return operations_ != nullptr; }

    R operator()(Args... args) {
        RR_ASSERT(operations_ != nullptr);
        return operations_->call(storage_, std::forward<Args>(args)...);
    }

private:
    struct Operations {
        R (*call)(void*, Args...);
        void (*move)(void*, void*) noexcept;
        void (*destroy)(void*) noexcept;
    };

    template <class F>
    void Store(F&& function) {
        using Stored = std::decay_t<F>;
        static_assert(alignof(Stored) <= alignof(std::max_align_t));
        new (storage_) Stored(std::forward<F>(function));
        static constexpr Operations kOperations = {
            [](void* self, Args... args) -> R {  // NOLINT: what Args says is how they are passed
                return (*static_cast<Stored*>(self))(std::forward<Args>(args)...);
            },
            [](void* from, void* to) noexcept {
                new (to) Stored(std::move(*static_cast<Stored*>(from)));
                static_cast<Stored*>(from)->~Stored();
            },
            [](void* self) noexcept { static_cast<Stored*>(self)->~Stored(); },
        };
        operations_ = &kOperations;
    }

    void Take(Callback& other) noexcept {
        operations_ = other.operations_;
        if (operations_ != nullptr) {
            operations_->move(other.storage_, storage_);
            other.operations_ = nullptr;
        }
    }
    void Reset() noexcept {
        if (operations_ != nullptr) {
            operations_->destroy(storage_);
            operations_ = nullptr;
        }
    }

    alignas(std::max_align_t) unsigned char storage_[kInline];
    const Operations* operations_ = nullptr;
};

}  // namespace rr
