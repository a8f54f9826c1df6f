#include "core/files/checksum.hpp"

#include <array>
#include <cstddef>

namespace rr::files {
namespace {

constexpr size_t kSlices = 8;  // bytes a step
using Table = std::array<std::array<uint32_t, 256>, kSlices>;

constexpr Table MakeTable(uint32_t polynomial) {
    Table table{};
    for (uint32_t i = 0; i < 256; ++i) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ polynomial : crc >> 1;
        }
        table[0][i] = crc;
    }
    for (size_t slice = 1; slice < kSlices; ++slice) {
        for (size_t i = 0; i < 256; ++i) {
            const uint32_t before = table[slice - 1][i];
            table[slice][i] = before >> 8 ^ table[0][before & 0xff];
        }
    }
    return table;
}

constexpr Table kStaticTable = MakeTable(0x48D90782);
constexpr Table kFileserverTable = MakeTable(0xD5828281);

}  // namespace

uint32_t Checksum(Polynomial polynomial, Bytes bytes, uint32_t crc) {
    const Table& t = polynomial == Polynomial::kStatic ? kStaticTable : kFileserverTable;
    crc = ~crc;
    const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
    size_t left = bytes.size();
    for (; left >= kSlices; left -= kSlices, at += kSlices) {
        crc ^= static_cast<uint32_t>(at[0]) | static_cast<uint32_t>(at[1]) << 8 |
               static_cast<uint32_t>(at[2]) << 16 | static_cast<uint32_t>(at[3]) << 24;
        crc = t[7][crc & 0xff] ^ t[6][crc >> 8 & 0xff] ^ t[5][crc >> 16 & 0xff] ^ t[4][crc >> 24] ^
              t[3][at[4]] ^ t[2][at[5]] ^ t[1][at[6]] ^ t[0][at[7]];
    }
    for (; left > 0; --left, ++at) {
        crc = t[0][(crc ^ *at) & 0xff] ^ crc >> 8;
    }
    return ~crc;
}

}  // namespace rr::files
