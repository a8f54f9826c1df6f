#include "plugins/kv/store.hpp"

#include <cstring>

namespace rr::kv {
namespace {

size_t VarintSize(uint64_t value) {
    size_t size = 1;
    for (; value >= 0x80; value >>= 7) {
        ++size;
    }
    return size;
}

char* PutVarint(uint64_t value, char* at) {
    for (; value >= 0x80; value >>= 7) {
        *at++ = static_cast<char>(value | 0x80);
    }
    *at++ = static_cast<char>(value);
    return at;
}

char* PutHead(uint32_t number, size_t size, char* at) {
    *at++ = static_cast<char>(number << 3 | 2);
    return PutVarint(size, at);
}

// A protobuf field of length and bytes; an empty one is left out.
size_t FieldSize(std::string_view bytes) {
    return bytes.empty() ? 0 : 1 + VarintSize(bytes.size()) + bytes.size();
}

char* PutField(uint32_t number, std::string_view bytes, char* at) {
    if (bytes.empty()) {
        return at;
    }
    at = PutHead(number, bytes.size(), at);
    std::memcpy(at, bytes.data(), bytes.size());
    return at + bytes.size();
}

}  // namespace

//   Response { repeated Item items = 1; }   Item { string key = 1; bytes value = 2; string timeout = 3; }
void Found::Append(std::string_view key, uint32_t field, std::string_view bytes) {
    const size_t size = FieldSize(key) + FieldSize(bytes);
    const size_t whole = 1 + VarintSize(size) + size;
    wire_.Reserve(whole);
    PutField(field, bytes, PutField(kKey, key, PutHead(1, size, wire_.tail())));
    wire_.Commit(whole);
    ++count_;
}

}  // namespace rr::kv
