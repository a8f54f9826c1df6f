#include "core/files/conditions.hpp"

#include <algorithm>
#include <optional>

#include "core/api/http_text.hpp"
#include "core/files/http_date.hpp"

namespace rr::files {
namespace {

using http_text::Equal;
using http_text::Opaque;

bool IsWeak(Bytes etag) { return etag.substr(0, 2) == "W/"; }

// A list, or `*`. Strong: neither side may be weak.
bool Lists(Bytes list, Bytes etag, bool strong) {
    for (;;) {
        const size_t start = list.find_first_not_of(" \t,");
        if (start == Bytes::npos) {
            return false;
        }
        list.remove_prefix(start);
        if (list[0] == '*') {
            return true;
        }
        const Bytes one = TakeETag(list);
        if (one.empty()) {
            return false;
        }
        if (etag.empty()) {
            continue;
        }
        if (strong ? one == etag && !IsWeak(one) : Opaque(one) == Opaque(etag)) {
            return true;
        }
    }
}

// The list has a strong tag that begins so.
bool MayList(Bytes list, Bytes beginning) {
    while (!beginning.empty()) {
        const size_t start = list.find_first_not_of(" \t,");
        list.remove_prefix(std::min(start, list.size()));
        const Bytes one = TakeETag(list);
        if (one.empty()) {
            return false;
        }
        if (one.starts_with(beginning)) {
            return true;
        }
    }
    return false;
}

// Dates without a meaning count as absent, and so does every date if the file has none.
std::optional<int64_t> DateOf(Bytes text, const Validators& file) {
    return text.empty() || file.modified_seconds == 0 ? std::nullopt : ParseHttpDate(text);
}

}  // namespace

void ConditionFields::Take(Bytes name, Bytes value) {
    const char first = name.empty() ? '\0' : static_cast<char>(name[0] | 0x20);
    if (first != 'i' && first != 'r') {
        return;
    }
    const auto set = [this, value](Bytes& field) {
        if (field.empty()) {
            field = value;
            any_ |= !value.empty();
        }
    };
    switch (name.size()) {
        case 5:
            if (Equal(name, "range")) {
                set(range);
            }
            return;
        case 8:
            if (Equal(name, "if-match")) {
                set(if_match);
            } else if (Equal(name, "if-range")) {
                set(if_range);
            }
            return;
        case 13:
            if (Equal(name, "if-none-match")) {
                set(if_none_match);
            }
            return;
        case 17:
            if (Equal(name, "if-modified-since")) {
                set(if_modified_since);
            }
            return;
        case 19:
            if (Equal(name, "if-unmodified-since")) {
                set(if_unmodified_since);
            }
            return;
        default: return;
    }
}

Bytes TakeETag(Bytes& list) {
    const size_t start = list.substr(0, 2) == "W/" ? 2 : 0;
    if (start >= list.size() || list[start] != '"') {
        return {};
    }
    for (size_t i = start + 1; i < list.size(); ++i) {
        const auto c = static_cast<unsigned char>(list[i]);
        if (c == '"') {
            const Bytes etag = list.substr(0, i + 1);
            list.remove_prefix(i + 1);
            return etag;
        }
        if (c < 0x21 || c == 0x7f) {
            return {};
        }
    }
    return {};
}

Verdict Judge(const ConditionFields& fields, const Validators& file, bool safe) {
    if (!fields.if_match.empty()) {
        if (!Lists(fields.if_match, file.etag, true) && !MayList(fields.if_match, file.pending)) {
            return Verdict::kPreconditionFailed;
        }
    } else if (const auto date = DateOf(fields.if_unmodified_since, file);
               date && file.modified_seconds > *date) {
        return Verdict::kPreconditionFailed;
    }
    if (!fields.if_none_match.empty()) {
        if (Lists(fields.if_none_match, file.etag, false)) {
            return safe ? Verdict::kNotModified : Verdict::kPreconditionFailed;
        }
        return Verdict::kSend;
    }
    if (const auto date = DateOf(fields.if_modified_since, file);
        safe && date && file.modified_seconds <= *date) {
        return Verdict::kNotModified;
    }
    return Verdict::kSend;
}

bool RangeCounts(const ConditionFields& fields, const Validators& file) {
    Bytes text = fields.if_range;
    if (text.empty()) {
        // If-Match is not met before the tag is known.
        return fields.if_match.empty() || file.pending.empty();
    }
    if (const Bytes etag = TakeETag(text); !etag.empty()) {
        return text.empty() && etag == file.etag && !IsWeak(etag);
    }
    const auto date = DateOf(fields.if_range, file);
    return date && *date == file.modified_seconds;
}

}  // namespace rr::files
