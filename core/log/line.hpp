// Line: the text of one record while it is put together. Short ones never touch the heap.
//
// Thread: a local value.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace rr::log {

class Line {
public:
    Line() = default;
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    std::string_view view() const { return {data_, size_}; }
    void Clear() { size_ = 0; }

    void Append(std::string_view text) {
        if (text.empty()) {
            return;  // it may have no memory at all
        }
        Reserve(text.size());
        std::memcpy(data_ + size_, text.data(), text.size());
        size_ += text.size();
    }
    void Append(char c) {
        Reserve(1);
        data_[size_++] = c;
    }
    void AppendInteger(std::integral auto number) {
        Reserve(24);
        size_ = static_cast<size_t>(std::to_chars(data_ + size_, data_ + size_ + 24, number).ptr -
                                    data_);
    }
    // At least `width` digits, with zeros in front.
    void AppendPadded(unsigned number, int width) {
        Reserve(16);
        for (int i = width - 1; i >= 0; --i) {
            data_[size_ + static_cast<size_t>(i)] = static_cast<char>('0' + number % 10);
            number /= 10;
        }
        size_ += static_cast<size_t>(width);
    }

private:
    void Reserve(size_t n) {
        if (capacity_ - size_ >= n) {
            return;
        }
        const size_t capacity = (size_ + n) * 2;
        std::unique_ptr<char[]> heap(new char[capacity]);
        std::memcpy(heap.get(), data_, size_);
        heap_ = std::move(heap);
        data_ = heap_.get();
        capacity_ = capacity;
    }

    char inline_[1024];
    char* data_ = inline_;
    size_t size_ = 0;
    size_t capacity_ = sizeof(inline_);
    std::unique_ptr<char[]> heap_;
};

}  // namespace rr::log
