#include "core/files/accept_encoding.hpp"

#include "core/api/http_text.hpp"

namespace rr::files {

using http_text::Equal;
using http_text::Next;

namespace {

constexpr int16_t kBest = 1000;

// `0`, `0.5`, `1.000` in thousandths; -1: no weight of RFC 9110.
int16_t ParseWeight(std::string_view text) {
    if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1') ||
        (text.size() > 1 && text[1] != '.')) {
        return -1;
    }
    int weight = (text[0] - '0') * kBest;
    int place = kBest / 10;
    for (char digit : text.substr(text.size() > 1 ? 2 : 1)) {
        if (digit < '0' || digit > '9') {
            return -1;
        }
        weight += (digit - '0') * place;
        place /= 10;
    }
    return weight <= kBest ? static_cast<int16_t>(weight) : int16_t{-1};
}

}  // namespace

std::string_view NameOf(Encoding encoding) {
    switch (encoding) {
        case Encoding::kGzip: return "gzip";
        case Encoding::kBrotli: return "br";
        case Encoding::kZstd: return "zstd";
        case Encoding::kIdentity: break;
    }
    return "identity";
}

void AcceptEncoding::Add(std::string_view value) {
    for (std::string_view item; Next(value, ',', item);) {
        AddItem(item);
    }
}

void AcceptEncoding::AddItem(std::string_view item) {
    std::string_view name;
    if (!Next(item, ';', name)) {
        return;
    }
    int16_t weight = kBest;
    for (std::string_view parameter; Next(item, ';', parameter);) {
        if (parameter.size() >= 2 && Equal(parameter.substr(0, 2), "q=")) {
            weight = ParseWeight(parameter.substr(2));
        }
    }
    if (weight < 0) {
        return;
    }
    if (name == "*") {
        any_ = weight;
        return;
    }
    if (Equal(name, "x-gzip")) {
        name = NameOf(Encoding::kGzip);
    }
    for (size_t i = 0; i < kEncodings; ++i) {
        if (Equal(name, NameOf(static_cast<Encoding>(i)))) {
            weights_[i] = weight;
        }
    }
}

int16_t AcceptEncoding::weight(Encoding encoding) const {
    int16_t named = weights_[static_cast<size_t>(encoding)];
    return named == kNone && encoding == Encoding::kGzip ? any_ : named;
}

Encoding AcceptEncoding::Choose(std::span<const Encoding> offered) const {
    Encoding best = Encoding::kIdentity;
    int16_t most = 0;
    for (Encoding encoding : offered) {
        if (weight(encoding) > most) {
            most = weight(encoding);
            best = encoding;
        }
    }
    return weight(Encoding::kIdentity) > most ? Encoding::kIdentity : best;
}

}  // namespace rr::files
