#include "core/base/json_text.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace rr {
namespace {

constexpr std::array<bool, 256> MakePlainTable() {
    std::array<bool, 256> table{};
    for (size_t c = 0x20; c < 0x80; ++c) {
        table[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
    }
    return table;
}
constexpr auto kPlain = MakePlainTable();

#if defined(__SSE2__)
// A bit for each byte that needs an escape. Not a loop over the letters: that would stay one.
unsigned Stops(__m128i bytes) {
    const auto is = [bytes](char c) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c)); };
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    const __m128i quotes = _mm_or_si128(is('"'), is('\\'));
    const __m128i marks = _mm_or_si128(_mm_or_si128(is('<'), is('>')), is('&'));
    const __m128i all = _mm_or_si128(_mm_or_si128(low, quotes), _mm_or_si128(marks, bytes));
    return static_cast<unsigned>(_mm_movemask_epi8(all));  // the sign bit is byte >= 0x80
}

// Copies 16 bytes, and returns how many of them need no escape.
size_t CopySixteen(const char* p, char* to) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    return static_cast<size_t>(__builtin_ctz(Stops(bytes) | 0x10000U));
}

// Copies the 4 to 8, or 8 to 16 bytes from p to `end`: two words that overlap. Returns how many of
// them need no escape.
template <class Word>
size_t CopyTwo(const char* p, const char* end, char* to) {
    Word first;
    Word last;
    std::memcpy(&first, p, sizeof first);
    std::memcpy(&last, end - sizeof last, sizeof last);
    const auto size = static_cast<size_t>(end - p);
    std::memcpy(to, &first, sizeof first);
    std::memcpy(to + size - sizeof last, &last, sizeof last);
    char both[16] = {};
    std::memcpy(both, &first, sizeof first);
    std::memcpy(both + sizeof first, &last, sizeof last);
    const unsigned stops = Stops(_mm_loadu_si128(reinterpret_cast<const __m128i*>(both)));
    const unsigned of_first = stops & ((1U << sizeof first) - 1);
    if (of_first != 0) {
        return static_cast<size_t>(__builtin_ctz(of_first));
    }
    const unsigned of_last = (stops >> sizeof first) & ((1U << sizeof last) - 1);
    return of_last == 0 ? size : size - sizeof last + static_cast<size_t>(__builtin_ctz(of_last));
}
#endif

// Copies bytes that need no escape from p to `to`, and returns how many. More behind them may be
// written, up to the size of all.
size_t CopyPlain(const char* p, const char* end, char* to) {
    const char* start = p;
#if defined(__SSE2__)
    const auto size = static_cast<size_t>(end - p);
    if (size >= 16) {
        for (; end - p >= 16; p += 16, to += 16) {
            if (const size_t plain = CopySixteen(p, to); plain < 16) {
                return static_cast<size_t>(p - start) + plain;
            }
        }
        const auto left = static_cast<size_t>(end - p);
        const size_t before = size - 16;  // what is known to be plain, and some of the rest
        return left == 0 ? size : before + CopySixteen(start + before, to + left - 16);
    }
    if (size >= 4) {
        return size >= 8 ? CopyTwo<uint64_t>(p, end, to) : CopyTwo<uint32_t>(p, end, to);
    }
#endif
    while (p != end && kPlain[static_cast<unsigned char>(*p)]) {
        *to++ = *p++;
    }
    return static_cast<size_t>(p - start);
}

void AppendEscaped(unsigned char c, Buffer& out) {
    constexpr char kHex[] = "0123456789abcdef";
    switch (c) {
        case '"': return out.Append("\\\"");
        case '\\': return out.Append("\\\\");
        case '\b': return out.Append("\\b");
        case '\f': return out.Append("\\f");
        case '\n': return out.Append("\\n");
        case '\r': return out.Append("\\r");
        case '\t': return out.Append("\\t");
        default: {
            const char text[] = {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
            return out.Append({text, sizeof text});
        }
    }
}

}  // namespace

size_t Utf8Sequence(Bytes text) {
    auto at = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
    auto tail = [text, at](size_t i) { return i < text.size() && (at(i) & 0xc0) == 0x80; };
    if (text.empty()) {
        return 0;
    }
    unsigned char c = at(0);
    if (c < 0x80) {
        return 1;
    }
    if (c >= 0xc2 && c <= 0xdf) {
        return tail(1) ? 2 : 0;
    }
    if (c >= 0xe0 && c <= 0xef) {
        if (!tail(1) || !tail(2) || (c == 0xe0 && at(1) < 0xa0) || (c == 0xed && at(1) > 0x9f)) {
            return 0;
        }
        return 3;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        if (!tail(1) || !tail(2) || !tail(3) || (c == 0xf0 && at(1) < 0x90) ||
            (c == 0xf4 && at(1) > 0x8f)) {
            return 0;
        }
        return 4;
    }
    return 0;
}

void AppendJsonString(Bytes text, Buffer& out) {
    const char* p = text.data();
    const char* end = p + text.size();
    out.Reserve(text.size() + 2);
    out.Append('"');
    while (true) {
        size_t left = static_cast<size_t>(end - p);
        out.Reserve(left + 1);
        size_t run = CopyPlain(p, end, out.tail());
        out.Commit(run);
        p += run;
        if (p == end) {
            break;
        }
        unsigned char c = static_cast<unsigned char>(*p);
        if (c < 0x80) {
            AppendEscaped(c, out);
            ++p;
            continue;
        }
        Bytes rest(p, static_cast<size_t>(end - p));
        size_t sequence = Utf8Sequence(rest);
        if (sequence == 0) {
            out.Append("\\ufffd");
            ++p;
            continue;
        }
        Bytes rune = rest.substr(0, sequence);
        if (rune == "\xe2\x80\xa8") {
            out.Append("\\u2028");
        } else if (rune == "\xe2\x80\xa9") {
            out.Append("\\u2029");
        } else {
            out.Append(rune);
        }
        p += sequence;
    }
    out.Append('"');
}

void AppendDecimal(uint64_t value, Buffer& out) {
    out.Reserve(20);
    char* end = std::to_chars(out.tail(), out.tail() + 20, value).ptr;
    out.Commit(static_cast<size_t>(end - out.tail()));
}

}  // namespace rr
