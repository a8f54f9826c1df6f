// Accept-Encoding: which codings a client takes, and how gladly.
//
//   AcceptEncoding accept;
//   accept.Add("gzip, br;q=0.5, *;q=0");      // each header line
//   accept.Choose({kBrotli, kGzip});          // kGzip
//
// Thread: a plain value. Fails: never; an item that is malformed is skipped.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace rr::files {

enum class Encoding : uint8_t { kIdentity, kGzip, kBrotli, kZstd };
inline constexpr size_t kEncodings = 4;

// The name in headers and in the configuration.
std::string_view NameOf(Encoding encoding);

class AcceptEncoding {
public:
    // A weight in thousandths; kNone: not named.
    static constexpr int16_t kNone = -1;

    // The value of one header line.
    void Add(std::string_view value);

    // `*` stands for gzip alone: who does not say what he knows knows that one soonest.
    int16_t weight(Encoding encoding) const;

    // The one of `offered` with the greatest weight, of equal ones the first. kIdentity: the client
    // wants none of them, or likes the plain body better.
    Encoding Choose(std::span<const Encoding> offered) const;

private:
    void AddItem(std::string_view item);

    std::array<int16_t, kEncodings> weights_{kNone, kNone, kNone, kNone};
    int16_t any_ = kNone;
};

}  // namespace rr::files
