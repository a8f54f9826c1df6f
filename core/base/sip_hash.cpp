#include "core/base/sip_hash.hpp"

#include <random>

namespace rr {

SipKey SipKey::Random() {
    std::random_device device;
    const auto word = [&] { return uint64_t{device()} << 32 | device(); };
    return {word(), word()};
}

}  // namespace rr
