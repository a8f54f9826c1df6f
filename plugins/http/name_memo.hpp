// NameMemo: what is known of the header names of answers, which are few and come again and again:
// their canonical form, and which of rr's own names they are.
//
// Thread: one.
// Owns:   64 places for names of up to 40 bytes. A new name takes the place of another one; what is
//         longer, or meets a place in use, is worked out each time.
// Fails:  never.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/bytes.hpp"
#include "plugins/http/canonical.hpp"

namespace rr::http {

class NameMemo {
public:
    struct Name {
        Bytes canonical;  // empty: not a token, no header
        HeaderId id = HeaderId::kOther;
        // The first bytes of `canonical` as a number: where two differ, the smaller one is that of
        // the name which comes first.
        uint64_t start = 0;
    };

    // Names found from here on are other ones' than those found before, whose views end.
    void Begin(Buffer& scratch) {
        ++turn_;
        scratch_ = &scratch;
    }
    // Valid until Begin, as long as `scratch` does not grow: it has room for all names.
    Name Find(Bytes name);

private:
    static constexpr size_t kLongest = 40;
    struct Place {
        uint64_t turn = 0;  // that used it last
        uint64_t start = 0;
        uint8_t size = 0;
        bool token = false;
        HeaderId id = HeaderId::kOther;
        std::array<char, kLongest> name;
        std::array<char, kLongest> canonical;
    };

    static size_t PlaceOf(Bytes name);
    Name WorkOut(Bytes name, char* canonical);

    std::array<Place, 64> places_{};
    uint64_t turn_ = 0;
    Buffer* scratch_ = nullptr;
};

}  // namespace rr::http
