#include "plugins/otel/trace_context.hpp"

#include <algorithm>
#include <cstring>

#include "core/api/http_text.hpp"

namespace rr::otel {
namespace {

constexpr uint8_t kSampled = 1;
constexpr size_t kMostStates = 32;
constexpr size_t kMostBaggage = 8192;
constexpr size_t kMostMembers = 180;
constexpr size_t kLongestKey = 256;
constexpr size_t kLongestValue = 256;

// The two digits of each byte.
constexpr std::array<std::array<char, 2>, 256> MakePairs() {
    constexpr const char* kDigits = "0123456789abcdef";
    std::array<std::array<char, 2>, 256> pairs{};
    for (size_t i = 0; i < pairs.size(); ++i) {
        pairs[i] = {kDigits[i >> 4], kDigits[i & 15]};
    }
    return pairs;
}
constexpr auto kPairs = MakePairs();

// -1: none. W3C: lower case only.
int Digit(char c, bool upper) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return upper && c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Reads `text` into the last bytes of `out`; the ones before become zero.
template <size_t kSize>
bool ReadHex(std::string_view text, bool upper, std::array<uint8_t, kSize>& out) {
    if (text.empty() || text.size() > kSize * 2) {
        return false;
    }
    out = {};
    size_t nibble = kSize * 2 - text.size();
    for (char c : text) {
        const int digit = Digit(c, upper);
        if (digit < 0) {
            return false;
        }
        out[nibble / 2] = static_cast<uint8_t>(out[nibble / 2] | (nibble % 2 ? digit : digit << 4));
        ++nibble;
    }
    return true;
}

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// `key` or `tenant@system`.
bool IsStateKey(std::string_view key) {
    if (key.empty() || key.size() > kLongestKey || !IsLowerOrDigit(key[0])) {
        return false;
    }
    const size_t at = key.find('@');
    if (at == std::string_view::npos) {
        if (key[0] >= '0' && key[0] <= '9') {
            return false;
        }
    } else if (at + 1 >= key.size() || key[at + 1] < 'a' || key[at + 1] > 'z') {
        return false;
    }
    bool system = false;
    for (char c : key) {
        if (c == '@') {
            if (system) {
                return false;
            }
            system = true;
        } else if (!IsLowerOrDigit(c) && c != '_' && c != '-' && c != '*' && c != '/') {
            return false;
        }
    }
    return true;
}

bool IsStateValue(std::string_view value) {
    return !value.empty() && value.size() <= kLongestValue && value.back() != ' ' &&
           std::all_of(value.begin(), value.end(),
                       [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

bool IsToken(std::string_view text) {
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') ||
               kMarks.find(c) != std::string_view::npos;
    });
}

bool IsBaggageValue(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c <= '~' && c != '"' && c != ',' && c != ';' && c != '\\';
    });
}

// Cuts at every `mark`; quotes mean nothing here. False at the end.
bool Cut(std::string_view& text, char mark, bool& more, std::string_view& item) {
    if (!more) {
        return false;
    }
    const size_t end = text.find(mark);
    more = end != std::string_view::npos;
    item = http_text::Trim(text.substr(0, end));
    text.remove_prefix(more ? end + 1 : text.size());
    return true;
}

// `key=value`, `key=value;property;property=value`
bool IsMember(std::string_view member) {
    bool more = true;
    bool first = true;
    for (std::string_view part; Cut(member, ';', more, part); first = false) {
        const size_t equal = part.find('=');
        if (equal == std::string_view::npos) {
            if (first || !IsToken(part)) {
                return false;
            }
            continue;
        }
        if (!IsToken(http_text::Trim(part.substr(0, equal))) ||
            !IsBaggageValue(http_text::Trim(part.substr(equal + 1)))) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool ParseTraceparent(std::string_view text, TraceContext& out) {
    text = http_text::Trim(text);
    std::array<uint8_t, 1> version{};
    std::array<uint8_t, 1> flags{};
    if (text.size() < kTraceparentSize || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
        !ReadHex(text.substr(0, 2), false, version) || version[0] == 0xff) {
        return false;
    }
    if (text.size() > kTraceparentSize && (version[0] == 0 || text[kTraceparentSize] != '-')) {
        return false;
    }
    TraceContext read;
    if (!ReadHex(text.substr(3, 32), false, read.trace.bytes) ||
        !ReadHex(text.substr(36, 16), false, read.span.bytes) ||
        !ReadHex(text.substr(53, 2), false, flags) || !read.trace.valid() || !read.span.valid()) {
        return false;
    }
    read.sampled = (flags[0] & kSampled) != 0;
    out = read;
    return true;
}

bool ParseJaeger(std::string_view text, TraceContext& out) {
    text = http_text::Trim(text);
    std::array<std::string_view, 4> parts;
    bool more = true;
    for (std::string_view& part : parts) {
        if (!Cut(text, ':', more, part)) {
            return false;
        }
    }
    TraceContext read;
    std::array<uint8_t, 1> flags{};
    if (more || !ReadHex(parts[0], true, read.trace.bytes) ||
        !ReadHex(parts[1], true, read.span.bytes) || !ReadHex(parts[3], true, flags) ||
        !read.trace.valid() || !read.span.valid()) {
        return false;
    }
    read.sampled = (flags[0] & kSampled) != 0;
    out = read;
    return true;
}

bool IsTracestate(std::string_view text) {
    std::array<std::string_view, kMostStates> keys;
    size_t count = 0;
    bool more = true;
    for (std::string_view member; Cut(text, ',', more, member);) {
        if (member.empty()) {
            continue;  // allowed
        }
        const size_t equal = member.find('=');
        if (equal == std::string_view::npos || count == kMostStates) {
            return false;
        }
        const std::string_view key = member.substr(0, equal);
        if (!IsStateKey(key) || !IsStateValue(member.substr(equal + 1)) ||
            std::find(keys.begin(), keys.begin() + count, key) != keys.begin() + count) {
            return false;
        }
        keys[count++] = key;
    }
    return count > 0;
}

bool CheckBaggage(std::string_view text, std::string& kept) {
    const auto is_right = [](std::string_view member) { return IsMember(member); };
    size_t count = 0;
    bool right = text.size() <= kMostBaggage;
    bool more = true;
    std::string_view rest = text;
    for (std::string_view member; right && Cut(rest, ',', more, member);) {
        right = is_right(member) && ++count <= kMostMembers;
    }
    if (right) {
        return true;
    }
    kept.clear();
    count = 0;
    more = true;
    rest = text;
    for (std::string_view member; count < kMostMembers && Cut(rest, ',', more, member);) {
        if (is_right(member) && kept.size() + member.size() + 1 <= kMostBaggage) {
            kept.append(kept.empty() ? "" : ",").append(member);
            ++count;
        }
    }
    return false;
}

void WriteHex(const uint8_t* bytes, size_t size, char* out) {
    for (size_t i = 0; i < size; ++i) {
        std::memcpy(out + 2 * i, kPairs[bytes[i]].data(), 2);
    }
}

std::array<char, kTraceparentSize> WriteTraceparent(const TraceContext& context) {
    std::array<char, kTraceparentSize> out;
    std::memcpy(out.data(), "00-", 3);
    WriteHex(context.trace.bytes.data(), context.trace.bytes.size(), &out[3]);
    out[35] = '-';
    WriteHex(context.span.bytes.data(), context.span.bytes.size(), &out[36]);
    std::memcpy(&out[52], context.sampled ? "-01" : "-00", 3);
    return out;
}

std::array<char, kJaegerSize> WriteJaeger(const TraceContext& context) {
    std::array<char, kJaegerSize> out;
    WriteHex(context.trace.bytes.data(), context.trace.bytes.size(), out.data());
    out[32] = ':';
    WriteHex(context.span.bytes.data(), context.span.bytes.size(), &out[33]);
    std::memcpy(&out[49], context.sampled ? ":0:1" : ":0:0", 4);
    return out;
}

}  // namespace rr::otel
