#include "plugins/kv/store.hpp"

namespace rr::kv {
namespace {

size_t VarintSize(uint64_t value) {
    size_t size = 1;
    for (; value >= 0x80; value >>= 7) {
        ++size;
    }
    return size;
}

void AppendVarint(uint64_t value, Buffer& out) {
    for (; value >= 0x80; value >>= 7) {
        out.Append(static_cast<char>(value | 0x80));
    }
    out.Append(static_cast<char>(value));
}

// A protobuf field of length and bytes; an empty one is left out.
size_t FieldSize(std::string_view bytes) {
    return bytes.empty() ? 0 : 1 + VarintSize(bytes.size()) + bytes.size();
}

void AppendField(uint32_t number, std::string_view bytes, Buffer& out) {
    if (!bytes.empty()) {
        out.Append(static_cast<char>(number << 3 | 2));
        AppendVarint(bytes.size(), out);
        out.Append(bytes);
    }
}

}  // namespace

//   Response { repeated Item items = 1; }   Item { string key = 1; bytes value = 2; string timeout = 3; }
void Found::Append(std::string_view key, uint32_t field, std::string_view bytes) {
    const size_t size = FieldSize(key) + FieldSize(bytes);
    wire_.Reserve(1 + VarintSize(size) + size);
    wire_.Append(static_cast<char>(1 << 3 | 2));
    AppendVarint(size, wire_);
    AppendField(kKey, key, wire_);
    AppendField(field, bytes, wire_);
    ++count_;
}

}  // namespace rr::kv
