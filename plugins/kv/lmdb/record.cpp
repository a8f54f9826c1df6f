#include "plugins/kv/lmdb/record.hpp"

#include <cstring>

namespace rr::kv {
namespace {

constexpr char kVersion = 1;
constexpr size_t kHead = 10;
constexpr uint64_t kSign = uint64_t{1} << 63;

}  // namespace

size_t RecordSize(const Record& record) {
    return kHead + record.timeout.size() + record.value.size();
}

void WriteRecord(const Record& record, char* out) {
    *out++ = kVersion;
    for (int i = 0; i < 8; ++i) {
        *out++ = static_cast<char>(static_cast<uint64_t>(record.expires) >> (8 * i));
    }
    *out++ = static_cast<char>(record.timeout.size());
    for (Bytes part : {Bytes(record.timeout), record.value}) {
        if (!part.empty()) {
            std::memcpy(out, part.data(), part.size());
            out += part.size();
        }
    }
}

bool ReadRecord(Bytes bytes, Record& record) {
    if (bytes.size() < kHead || bytes[0] != kVersion) {
        return false;
    }
    uint64_t expires = 0;
    for (size_t i = 0; i < 8; ++i) {
        expires |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[1 + i])) << (8 * i);
    }
    const size_t text = static_cast<unsigned char>(bytes[9]);
    if (bytes.size() < kHead + text) {
        return false;
    }
    record.expires = static_cast<int64_t>(expires);
    record.timeout = bytes.substr(kHead, text);
    record.value = bytes.substr(kHead + text);
    return true;
}

EndKey ToEndKey(int64_t expires) {
    const uint64_t ordered = static_cast<uint64_t>(expires) ^ kSign;
    EndKey key;
    for (size_t i = 0; i < 8; ++i) {
        key[i] = static_cast<char>(ordered >> (56 - 8 * i));
    }
    return key;
}

int64_t FromEndKey(Bytes key) {
    uint64_t ordered = 0;
    for (size_t i = 0; i < 8; ++i) {
        ordered = ordered << 8 | static_cast<unsigned char>(key[i]);
    }
    return static_cast<int64_t>(ordered ^ kSign);
}

}  // namespace rr::kv
