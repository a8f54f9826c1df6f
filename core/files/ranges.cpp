#include "core/files/ranges.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/api/http_text.hpp"

namespace rr::files {
namespace {

using http_text::Trim;

// Digits only. Numbers that no file reaches are the largest one.
std::optional<uint64_t> Number(Bytes text) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || end != text.data() + text.size() || error == std::errc::invalid_argument) {
        return std::nullopt;
    }
    return error == std::errc::result_out_of_range ? UINT64_MAX : value;
}

enum class Fit : uint8_t { kBroken, kOutside, kInside };

// `first-last`, `first-`, `-last so many`.
Fit ParseOne(Bytes text, uint64_t size, ByteRange& out) {
    const size_t dash = text.find('-');
    if (dash == Bytes::npos) {
        return Fit::kBroken;
    }
    const Bytes first = Trim(text.substr(0, dash));
    const Bytes last = Trim(text.substr(dash + 1));
    if (first.empty()) {
        const auto count = Number(last);
        if (!count) {
            return Fit::kBroken;
        }
        out.size = std::min(*count, size);
        out.offset = size - out.size;
        return out.size == 0 ? Fit::kOutside : Fit::kInside;
    }
    const auto begin = Number(first);
    const auto end = last.empty() ? std::optional<uint64_t>(UINT64_MAX) : Number(last);
    if (!begin || !end || *begin > *end) {
        return Fit::kBroken;
    }
    if (*begin >= size) {
        return Fit::kOutside;
    }
    out.offset = *begin;
    out.size = std::min(*end, size - 1) - *begin + 1;
    return Fit::kInside;
}

}  // namespace

Ranges Ranges::Parse(Bytes text, uint64_t size) {
    constexpr Bytes kUnit = "bytes=";
    Ranges ranges;
    text = Trim(text);
    // An empty file has no parts, and units that are not ours are to be passed over.
    if (text.substr(0, kUnit.size()) != kUnit || size == 0) {
        return ranges;
    }
    text.remove_prefix(kUnit.size());
    bool outside = false;
    uint64_t total = 0;
    for (bool more = true; more;) {
        const size_t comma = text.find(',');
        const Bytes one = Trim(text.substr(0, comma));
        more = comma != Bytes::npos;
        text.remove_prefix(more ? comma + 1 : text.size());
        if (one.empty()) {
            continue;
        }
        ByteRange part;
        switch (ParseOne(one, size, part)) {
            case Fit::kBroken:
                ranges.kind_ = Kind::kBroken;
                ranges.count_ = 0;
                return ranges;
            case Fit::kOutside: outside = true; continue;
            case Fit::kInside: break;
        }
        if (ranges.count_ == kMost || part.size > size - total) {
            ranges.kind_ = Kind::kWhole;
            ranges.count_ = 0;
            return ranges;
        }
        total += part.size;
        ranges.parts_[ranges.count_++] = part;
    }
    if (ranges.count_ > 0) {
        ranges.kind_ = Kind::kParts;
    } else if (outside) {
        ranges.kind_ = Kind::kNoOverlap;
    }
    return ranges;
}

}  // namespace rr::files
