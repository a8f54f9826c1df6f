#include "core/rpc/proto.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

#include <simdjson.h>

#include "core/rpc/value.hpp"

namespace rr::rpc {
namespace {

constexpr int kMaxDepth = 100;  // protobuf's own limit
constexpr uint32_t kMapKey = 1;
constexpr uint32_t kMapValue = 2;

enum WireType : uint32_t {
    kVarint = 0,
    kFixed64 = 1,
    kDelimited = 2,
    kGroupBegin = 3,
    kGroupEnd = 4,
    kFixed32 = 5,
};

WireType WireTypeOf(const RpcField& field) {
    if (field.map) {
        return kDelimited;
    }
    switch (field.kind) {
        case RpcKind::kBool:
        case RpcKind::kInt:
        case RpcKind::kUint: return kVarint;
        case RpcKind::kDouble: return kFixed64;
        case RpcKind::kFloat: return kFixed32;
        case RpcKind::kNothing:
        case RpcKind::kText:
        case RpcKind::kBytes:
        case RpcKind::kShape: break;
    }
    return kDelimited;
}

bool IsAscii(Bytes text) {
    uint64_t bits = 0;
    for (; text.size() >= sizeof(bits); text.remove_prefix(sizeof(bits))) {
        uint64_t eight = 0;
        std::memcpy(&eight, text.data(), sizeof(eight));
        bits |= eight;
    }
    for (char c : text) {
        bits |= static_cast<unsigned char>(c);
    }
    return (bits & 0x8080808080808080) == 0;
}

// Most texts are short and ASCII: the library's way to the best code for this machine is longer.
bool IsUtf8(Bytes text) {
    constexpr size_t kShort = 64;
    return (text.size() <= kShort && IsAscii(text)) ||
           simdjson::validate_utf8(text.data(), text.size());
}

// The bytes of one message from front to back. Every call says whether it could.
class Cursor {
public:
    explicit Cursor(Bytes rest) : rest_(rest) {}

    bool empty() const { return rest_.empty(); }

    bool Varint(uint64_t& out) {
        if (!rest_.empty() && static_cast<unsigned char>(rest_.front()) < 0x80) {
            out = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            return true;
        }
        return LongVarint(out);
    }

    // The tag of a field: its number is not 0 and has 29 bits.
    bool Tag(uint32_t& number, uint32_t& type) {
        uint64_t tag = 0;
        if (!Varint(tag) || tag > UINT32_MAX || tag < 8) {
            return false;
        }
        number = static_cast<uint32_t>(tag >> 3);
        type = static_cast<uint32_t>(tag & 7);
        return true;
    }

    template <class T>
    bool Little(T& out) {
        if (rest_.size() < sizeof(T)) {
            return false;
        }
        out = 0;
        for (size_t i = sizeof(T); i-- > 0;) {
            out = out << 8 | static_cast<unsigned char>(rest_[i]);
        }
        rest_.remove_prefix(sizeof(T));
        return true;
    }

    bool Delimited(Bytes& out) {
        uint64_t size = 0;
        if (!Varint(size) || size > rest_.size()) {
            return false;
        }
        out = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
    }

    bool Skip(uint32_t number, uint32_t type, int depth) {
        uint64_t number64 = 0;
        uint32_t number32 = 0;
        Bytes bytes;
        switch (type) {
            case kVarint: return Varint(number64);
            case kFixed64: return Little(number64);
            case kDelimited: return Delimited(bytes);
            case kFixed32: return Little(number32);
            case kGroupBegin: return SkipGroup(number, depth + 1);
            default: return false;
        }
    }

private:
    bool LongVarint(uint64_t& out) {
        out = 0;
        for (size_t i = 0; i < 10 && i < rest_.size(); ++i) {
            auto byte = static_cast<unsigned char>(rest_[i]);
            if (i == 9 && byte > 1) {
                return false;  // beyond 64 bits
            }
            out |= uint64_t{byte & 0x7FU} << (7 * i);
            if (byte < 0x80) {
                rest_.remove_prefix(i + 1);
                return true;
            }
        }
        return false;
    }

    bool SkipGroup(uint32_t group, int depth) {
        uint32_t number = 0;
        uint32_t type = 0;
        while (depth <= kMaxDepth && Tag(number, type)) {
            if (type == kGroupEnd) {
                return number == group;
            }
            if (!Skip(number, type, depth)) {
                return false;
            }
        }
        return false;
    }

    Bytes rest_;
};

bool ReadFields(const RpcShape& shape, Bytes wire, RpcValue::List* out, int depth);

template <class T>
bool Set(RpcValue* out, T value) {
    if (out != nullptr) {
        *out = RpcValue(std::move(value));
    }
    return true;
}

bool ReadNested(const RpcShape& shape, Bytes wire, RpcValue* out, int depth) {
    RpcValue::List fields;
    return ReadFields(shape, wire, out == nullptr ? nullptr : &fields, depth + 1) &&
           Set(out, std::move(fields));
}

// A map's entry is a message of key and value; what is missing in it is zero.
bool ReadMapEntry(const RpcField& field, Bytes wire, RpcValue* out, int depth) {
    RpcField entry[2];
    entry[0].kind = RpcKind::kText;
    entry[0].number = kMapKey;
    entry[1] = Single(field);
    entry[1].number = kMapValue;
    return ReadNested(RpcShape{"", entry, true}, wire, out, depth);
}

bool ReadDelimited(Cursor& in, const RpcField& field, RpcValue* out, int depth) {
    Bytes bytes;
    if (!in.Delimited(bytes)) {
        return false;
    }
    if (field.map) {
        return ReadMapEntry(field, bytes, out, depth);
    }
    if (field.kind == RpcKind::kShape) {
        return ReadNested(*field.shape, bytes, out, depth);
    }
    return (field.kind != RpcKind::kText || IsUtf8(bytes)) && Set(out, bytes);
}

bool ReadOne(Cursor& in, const RpcField& field, RpcValue* out, int depth) {
    uint64_t number = 0;
    uint32_t bits = 0;
    switch (WireTypeOf(field)) {
        case kDelimited: return ReadDelimited(in, field, out, depth);
        case kFixed64: return in.Little(number) && Set(out, std::bit_cast<double>(number));
        case kFixed32:
            return in.Little(bits) && Set(out, static_cast<double>(std::bit_cast<float>(bits)));
        default: break;
    }
    if (!in.Varint(number)) {
        return false;
    }
    return field.kind == RpcKind::kBool  ? Set(out, number != 0)
           : field.kind == RpcKind::kInt ? Set(out, static_cast<int64_t>(number))
                                         : Set(out, number);
}

bool ReadKnown(Cursor& in, const RpcField& field, RpcValue* out, int depth) {
    if (out == nullptr) {
        return ReadOne(in, field, nullptr, depth);
    }
    if (!field.list && !field.map) {
        return ReadOne(in, field, out, depth);
    }
    RpcValue::List& items = out->MakeList();
    items.emplace_back();
    return ReadOne(in, field, &items.back(), depth);
}

// Repeated numbers may come as one run of bytes.
bool ReadPacked(Cursor& in, const RpcField& field, RpcValue* out, int depth) {
    Bytes run;
    if (!in.Delimited(run)) {
        return false;
    }
    Cursor items(run);
    while (!items.empty()) {
        if (!ReadKnown(items, field, out, depth)) {
            return false;
        }
    }
    return true;
}

// One walk over a message; with `out` it keeps what it sees.
bool ReadFields(const RpcShape& shape, Bytes wire, RpcValue::List* out, int depth) {
    if (depth > kMaxDepth) {
        return false;
    }
    if (out != nullptr) {
        out->resize(shape.fields.size());
    }
    Cursor in(wire);
    uint32_t number = 0;
    uint32_t type = 0;
    while (!in.empty()) {
        if (!in.Tag(number, type)) {
            return false;
        }
        const RpcField* field = nullptr;
        RpcValue* to = nullptr;
        for (size_t i = 0; i < shape.fields.size() && field == nullptr; ++i) {
            if (shape.fields[i].number == number) {
                field = &shape.fields[i];
                to = out == nullptr ? nullptr : &(*out)[i];
            }
        }
        bool good;
        if (field != nullptr && type == WireTypeOf(*field)) {
            good = ReadKnown(in, *field, to, depth);
        } else if (field != nullptr && field->list && type == kDelimited) {
            good = ReadPacked(in, *field, to, depth);
        } else {
            good = in.Skip(number, type, depth);
        }
        if (!good) {
            return false;
        }
    }
    return true;
}

void PutVarint(uint64_t value, Buffer& out) {
    while (value >= 0x80) {
        out.Append(static_cast<char>((value & 0x7F) | 0x80));
        value >>= 7;
    }
    out.Append(static_cast<char>(value));
}

void PutTag(const RpcField& field, Buffer& out) {
    PutVarint(uint64_t{field.number} << 3 | static_cast<uint64_t>(WireTypeOf(field)), out);
}

template <class T>
void PutLittle(T value, Buffer& out) {
    for (size_t i = 0; i < sizeof(T); ++i) {
        out.Append(static_cast<char>(value >> (8 * i) & 0xFF));
    }
}

void PutDelimited(Bytes bytes, Buffer& out) {
    PutVarint(bytes.size(), out);
    out.Append(bytes);
}

void WriteOne(const RpcValue& value, const RpcField& field, Buffer& out) {
    PutTag(field, out);
    switch (field.kind) {
        case RpcKind::kBool: PutVarint(value.flag() ? 1 : 0, out); return;
        case RpcKind::kInt: PutVarint(static_cast<uint64_t>(value.integer()), out); return;
        case RpcKind::kUint: PutVarint(value.natural(), out); return;
        case RpcKind::kDouble: PutLittle(std::bit_cast<uint64_t>(value.number()), out); return;
        case RpcKind::kFloat:
            PutLittle(std::bit_cast<uint32_t>(static_cast<float>(value.number())), out);
            return;
        case RpcKind::kNothing:
        case RpcKind::kText:
        case RpcKind::kBytes: PutDelimited(value.text(), out); return;
        case RpcKind::kShape: {
            Buffer nested;
            WriteMessage(*field.shape, value, nested);
            PutDelimited(nested.view(), out);
            return;
        }
    }
}

void WriteMapEntry(const RpcValue& pair, const RpcField& field, Buffer& out) {
    RpcField key;
    key.kind = RpcKind::kText;
    key.number = kMapKey;
    RpcField value = Single(field);
    value.number = kMapValue;
    Buffer entry;
    WriteOne(pair[0], key, entry);
    WriteOne(pair[1], value, entry);
    PutTag(field, out);
    PutDelimited(entry.view(), out);
}

}  // namespace

bool CheckMessage(const RpcShape& shape, Bytes wire) { return ReadFields(shape, wire, nullptr, 0); }

bool ReadMessage(const RpcShape& shape, Bytes wire, RpcValue& out) {
    return ReadNested(shape, wire, &out, 0);
}

void WriteMessage(const RpcShape& shape, const RpcValue& value, Buffer& out) {
    for (size_t i = 0; i < shape.fields.size(); ++i) {
        const RpcField& field = shape.fields[i];
        if (IsZero(value[i], field)) {
            continue;
        }
        if (!field.list && !field.map) {
            WriteOne(value[i], field, out);
            continue;
        }
        for (const RpcValue& item : value[i].list()) {
            field.map ? WriteMapEntry(item, field, out) : WriteOne(item, field, out);
        }
    }
}

}  // namespace rr::rpc
