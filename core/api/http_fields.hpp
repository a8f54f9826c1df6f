// HttpFields: header lines in their order, in memory that is used again.
//
// Thread: a plain value.
// Owns:   copies of all names and values.
// Fails:  never.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/http_text.hpp"

namespace rr {

struct HttpField {
    std::string_view name;  // as it was sent
    std::string_view value;
};

class HttpFields {
    struct Place {
        uint32_t begin;
        uint32_t name;
        uint32_t value;
    };

public:
    class Iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = HttpField;
        using difference_type = std::ptrdiff_t;
        using pointer = const HttpField*;
        using reference = HttpField;

        Iterator(const HttpFields* fields, size_t at) : fields_(fields), at_(at) {}
        HttpField operator*() const { return (*fields_)[at_]; }
        Iterator& operator++() {
            ++at_;
            return *this;
        }
        bool operator==(const Iterator&) const = default;

    private:
        const HttpFields* fields_;
        size_t at_;
    };

    // Views onto the fields themselves are not allowed, and the ones there are end.
    void Add(std::string_view name, std::string_view value) {
        places_.push_back({static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(name.size()),
                           static_cast<uint32_t>(value.size())});
        bytes_.append(name).append(value);
    }
    // Pairs of texts, one after the other.
    template <class Pairs>
    void AddAll(const Pairs& pairs) {
        for (const auto& [name, value] : pairs) {
            Add(name, value);
        }
    }
    // All of that name, without case.
    void Remove(std::string_view name) {
        std::erase_if(places_, [this, name](const Place& place) {
            return http_text::Equal(At(place).name, name);
        });
    }
    // The first value; empty if there is none.
    std::string_view Get(std::string_view name) const {
        const Iterator found = std::find_if(begin(), end(), [name](const HttpField& field) {
            return http_text::Equal(field.name, name);
        });
        return found == end() ? std::string_view() : (*found).value;
    }
    void Clear() {
        places_.clear();
        bytes_.clear();
        if (bytes_.capacity() > kKeep) {
            *this = HttpFields();
        }
    }

    size_t size() const { return places_.size(); }
    bool empty() const { return places_.empty(); }
    HttpField operator[](size_t i) const { return At(places_[i]); }
    Iterator begin() const { return {this, 0}; }
    Iterator end() const { return {this, places_.size()}; }

private:
    static constexpr size_t kKeep = 16 * 1024;

    HttpField At(const Place& place) const {
        const std::string_view both =
            std::string_view(bytes_).substr(place.begin, size_t{place.name} + place.value);
        return {both.substr(0, place.name), both.substr(place.name)};
    }

    std::string bytes_;
    std::vector<Place> places_;
};

}  // namespace rr
