#include "plugins/kv/request.hpp"

namespace rr::kv {
namespace {

constexpr RpcField kItemFields[] = {
    {"key", {}, RpcKind::kText, 1},
    {"value", {}, RpcKind::kBytes, 2},
    {"timeout", {}, RpcKind::kText, 3},
};
constexpr RpcShape kItem{"Item", kItemFields, true};

constexpr RpcField kRequestFields[] = {
    {"storage", {}, RpcKind::kText, 1},
    {"items", {}, RpcKind::kShape, 2, true, false, &kItem},
};
constexpr RpcField kResponseFields[] = {
    {"items", {}, RpcKind::kShape, 1, true, false, &kItem},
};

enum class Wire : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

class Reader {
public:
    explicit Reader(Bytes in) : in_(in) {}

    bool done() const { return in_.empty(); }

    // The next field; `bytes` is its value if it has a length, else empty.
    bool Next(uint64_t& number, Wire& type, Bytes& bytes) {
        uint64_t tag = 0;
        if (!Varint(tag)) {
            return false;
        }
        number = tag >> 3;
        type = static_cast<Wire>(tag & 7);
        bytes = {};
        uint64_t length = 0;
        switch (type) {
            case Wire::kVarint: return Varint(length);
            case Wire::kFixed64: return Cut(8, bytes);
            case Wire::kFixed32: return Cut(4, bytes);
            case Wire::kBytes: return Varint(length) && Cut(length, bytes);
        }
        return false;
    }

private:
    bool Varint(uint64_t& value) {
        value = 0;
        for (int shift = 0; shift < 64 && !in_.empty(); shift += 7) {
            const auto byte = static_cast<unsigned char>(in_.front());
            in_.remove_prefix(1);
            value |= static_cast<uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) {
                return true;
            }
        }
        return false;
    }

    bool Cut(uint64_t size, Bytes& out) {
        if (size > in_.size()) {
            return false;
        }
        out = in_.substr(0, size);
        in_.remove_prefix(size);
        return true;
    }

    Bytes in_;
};

bool ReadItem(Bytes wire, Item& item) {
    Reader reader(wire);
    while (!reader.done()) {
        uint64_t number = 0;
        Wire type{};
        Bytes bytes;
        if (!reader.Next(number, type, bytes)) {
            return false;
        }
        if (type != Wire::kBytes) {
            continue;
        }
        switch (number) {
            case 1: item.key = bytes; break;
            case 2: item.value = bytes; break;
            case 3: item.timeout = bytes; break;
            default: break;
        }
    }
    return true;
}

}  // namespace

const RpcShape kRequestShape{"Request", kRequestFields, true};
const RpcShape kResponseShape{"Response", kResponseFields, true};

bool ReadRequest(Bytes wire, Request& request) {
    request.storage = {};
    request.items.clear();
    Reader reader(wire);
    while (!reader.done()) {
        uint64_t number = 0;
        Wire type{};
        Bytes bytes;
        if (!reader.Next(number, type, bytes)) {
            return false;
        }
        if (type != Wire::kBytes) {
            continue;
        }
        if (number == 1) {
            request.storage = bytes;
        } else if (number == 2 && !ReadItem(bytes, request.items.emplace_back())) {
            return false;
        }
    }
    return true;
}

}  // namespace rr::kv
