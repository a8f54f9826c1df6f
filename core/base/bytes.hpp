// Bytes: a borrowed run of bytes, text or not. Buffer: an owned, growing one.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "core/base/check.hpp"

namespace rr {

using Bytes = std::string_view;

// Buffer: bytes that are appended at the end and consumed from the front.
//
// Thread: a plain value, movable, not copyable.
// Owns:   its memory. Growing moves it: views into it are gone after Reserve, Append, Grow.
// Unlike std::string it never writes zeros into memory that is about to be overwritten, and
// consuming from the front costs nothing until room is needed.
class Buffer {
public:
    Buffer() = default;
    explicit Buffer(size_t capacity) { Reserve(capacity); }
    Buffer(Buffer&& other) noexcept { Swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        Buffer taken(std::move(other));
        Swap(taken);
        return *this;
    }

    size_t size() const { return end_ - begin_; }
    bool empty() const { return end_ == begin_; }
    size_t capacity() const { return capacity_; }
    char* data() { return memory_.get() + begin_; }
    const char* data() const { return memory_.get() + begin_; }
    Bytes view() const { return {data(), size()}; }

    // Room behind the last byte without growing.
    char* tail() { return memory_.get() + end_; }
    size_t room() const { return capacity_ - end_; }

    // Makes room() at least n.
    void Reserve(size_t n) {
        if (room() < n) {
            Grow(n);
        }
    }

    // Declares n bytes that were written at tail().
    void Commit(size_t n) {
        RR_ASSERT(n <= room());
        end_ += n;
    }

    void Append(Bytes bytes) {
        if (bytes.empty()) {
            return;
        }
        Reserve(bytes.size());
        std::memcpy(tail(), bytes.data(), bytes.size());
        end_ += bytes.size();
    }
    void Append(char c) {
        Reserve(1);
        *tail() = c;
        ++end_;
    }

    void Consume(size_t n) {
        RR_ASSERT(n <= size());
        begin_ += n;
        if (begin_ == end_) {
            begin_ = end_ = 0;
        }
    }

    // Cuts the end off, so that size() becomes n.
    void Truncate(size_t n) {
        RR_ASSERT(n <= size());
        end_ = begin_ + n;
    }

    // Empties it; memory above `keep` bytes is given back.
    void Clear(size_t keep = SIZE_MAX) {
        begin_ = end_ = 0;
        if (capacity_ > keep) {
            memory_.reset();
            capacity_ = 0;
        }
    }

private:
    void Grow(size_t n);

    void Swap(Buffer& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(capacity_, other.capacity_);
        std::swap(begin_, other.begin_);
        std::swap(end_, other.end_);
    }

    std::unique_ptr<char[]> memory_;
    size_t capacity_ = 0;
    size_t begin_ = 0;
    size_t end_ = 0;
};

}  // namespace rr
