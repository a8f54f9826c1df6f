#include "core/rpc/gob.hpp"

#include <bit>
#include <cstdint>
#include <vector>

#include "core/rpc/typed.hpp"
#include "core/rpc/value.hpp"

namespace rr::rpc {
namespace {

// Go's numbers of the types that need no definition; -1 in RpcKind's order: has none.
enum BasicType : int64_t { kBool = 1, kInt = 2, kUint = 3, kFloat = 4, kBytes = 5, kText = 6 };
constexpr int64_t kFirstDefined = 64;

// Positions in Go's wireType, from 1.
constexpr uint64_t kSliceType = 2;
constexpr uint64_t kStructType = 3;
constexpr uint64_t kMapType = 4;

int64_t BasicTypeOf(RpcKind kind) {
    switch (kind) {
        case RpcKind::kBool: return kBool;
        case RpcKind::kInt: return kInt;
        case RpcKind::kUint: return kUint;
        case RpcKind::kDouble:
        case RpcKind::kFloat: return kFloat;
        case RpcKind::kBytes: return kBytes;
        case RpcKind::kText: return kText;
        case RpcKind::kNothing:
        case RpcKind::kShape: break;
    }
    return -1;
}

// ---- reading -----------------------------------------------------------------------------------

bool TakeUint(Bytes& in, uint64_t& out) {
    if (in.empty()) {
        return false;
    }
    auto first = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    if (first < 0x80) {
        out = first;
        return true;
    }
    size_t count = 256U - first;
    if (count > sizeof(out) || count > in.size()) {
        return false;
    }
    out = 0;
    for (size_t i = 0; i < count; ++i) {
        out = out << 8 | static_cast<unsigned char>(in[i]);
    }
    in.remove_prefix(count);
    return true;
}

int64_t SignedOf(uint64_t bits) {
    auto half = static_cast<int64_t>(bits >> 1);
    return (bits & 1) != 0 ? ~half : half;
}

bool TakeScalar(Bytes& in, int64_t type, const RpcType& wanted, RpcValue& out) {
    uint64_t number = 0;
    if (!TakeUint(in, number)) {
        return false;
    }
    switch (wanted.kind) {
        case RpcKind::kBool:
            out = RpcValue(number != 0);
            return type == kBool && number <= 1 && in.empty();
        case RpcKind::kInt: out = RpcValue(SignedOf(number)); return type == kInt && in.empty();
        case RpcKind::kUint: out = RpcValue(number); return type == kUint && in.empty();
        case RpcKind::kText:
        case RpcKind::kBytes:
            out = RpcValue(in);
            return type == BasicTypeOf(wanted.kind) && number == in.size();
        default: return false;
    }
}

// ---- writing -----------------------------------------------------------------------------------

void PutUint(uint64_t value, Buffer& out) {
    if (value < 0x80) {
        out.Append(static_cast<char>(value));
        return;
    }
    int count = (64 - std::countl_zero(value) + 7) / 8;
    out.Append(static_cast<char>(-count));
    for (int i = count - 1; i >= 0; --i) {
        out.Append(static_cast<char>(value >> (8 * i) & 0xFF));
    }
}

void PutInt(int64_t value, Buffer& out) {
    auto bits = static_cast<uint64_t>(value) << 1;
    PutUint(value < 0 ? ~bits : bits, out);
}

void PutText(std::string_view text, Buffer& out) {
    PutUint(text.size(), out);
    out.Append(text);
}

void PutMessage(const Buffer& content, Buffer& out) {
    PutUint(content.size(), out);
    out.Append(content.view());
}

// A type that needs a definition: a struct, or a list or map of something.
struct Defined {
    RpcField field;  // list, map or shape
    int64_t id = 0;
    std::string name;
    std::vector<int64_t> parts;  // struct: the fields' types; list, map: the item's
    bool sent = false;
};

// The definitions that go in front of a value, with the numbers and in the order that Go gives.
class Definitions {
public:
    // Number of the type; defines what it needs.
    int64_t Define(const RpcField& field, const std::string& name) {
        if (!field.list && !field.map && field.kind != RpcKind::kShape) {
            return BasicTypeOf(field.kind);
        }
        for (const Defined& known : types_) {
            if (Same(known.field, field)) {
                return known.id;
            }
        }
        size_t index = types_.size();
        types_.push_back({field, 0, name, {}, false});
        if (!field.list && !field.map) {
            // A struct has its number before its fields, a list behind its item.
            types_[index].id = next_++;
            for (const RpcField& part : field.shape->fields) {
                int64_t id = Define(part, NameInStruct(part));
                types_[index].parts.push_back(id);
            }
            return types_[index].id;
        }
        int64_t item = Define(Single(field), "");
        types_[index].parts.push_back(item);
        types_[index].id = next_++;
        return types_[index].id;
    }

    void Write(int64_t id, Buffer& out) {
        for (size_t i = 0; i < types_.size(); ++i) {
            if (types_[i].id != id || types_[i].sent) {
                continue;
            }
            types_[i].sent = true;
            WriteOne(types_[i], out);
            for (int64_t part : std::vector<int64_t>(types_[i].parts)) {
                Write(part, out);
            }
        }
    }

private:
    static bool Same(const RpcField& a, const RpcField& b) {
        return a.kind == b.kind && a.list == b.list && a.map == b.map && a.shape == b.shape;
    }

    // As Go writes the type of a field without a name of its own.
    static std::string NameInStruct(const RpcField& field) {
        bool shape = field.kind == RpcKind::kShape;
        std::string item(shape ? field.shape->name : std::string_view(NameOf(field.kind)));
        if (field.list) {
            return (shape ? "[]*" : "[]") + item;
        }
        return field.map ? (shape ? "map[string]*" : "map[string]") + item : item;
    }

    static void WriteOne(const Defined& type, Buffer& out) {
        Buffer content;
        PutInt(-type.id, content);
        PutUint(type.field.list ? kSliceType : type.field.map ? kMapType : kStructType, content);
        WriteCommon(type, content);
        if (type.field.list || type.field.map) {
            if (type.field.map) {
                PutUint(1, content);
                PutInt(kText, content);
            }
            PutUint(1, content);
            PutInt(type.parts.front(), content);
        } else if (!type.parts.empty()) {
            WriteFields(type, content);
        }
        PutUint(0, content);  // end of the definition
        PutUint(0, content);  // end of wireType
        PutMessage(content, out);
    }

    static void WriteCommon(const Defined& type, Buffer& out) {
        PutUint(1, out);
        if (!type.name.empty()) {
            PutUint(1, out);
            PutText(type.name, out);
        }
        PutUint(type.name.empty() ? 2 : 1, out);
        PutInt(type.id, out);
        PutUint(0, out);
    }

    static void WriteFields(const Defined& type, Buffer& out) {
        PutUint(1, out);
        PutUint(type.parts.size(), out);
        for (size_t i = 0; i < type.parts.size(); ++i) {
            PutUint(1, out);
            PutText(GoName(type.field.shape->fields[i]), out);
            PutUint(1, out);
            PutInt(type.parts[i], out);
            PutUint(0, out);
        }
    }

    std::vector<Defined> types_;
    int64_t next_ = kFirstDefined;
};

void PutValue(const RpcValue& value, const RpcField& field, Buffer& out);

void PutStruct(const RpcValue& value, const RpcShape& shape, Buffer& out) {
    size_t before = 0;
    for (size_t i = 0; i < shape.fields.size(); ++i) {
        if (IsZero(value[i], shape.fields[i])) {
            continue;
        }
        PutUint(i + 1 - before, out);
        before = i + 1;
        PutValue(value[i], shape.fields[i], out);
    }
    PutUint(0, out);
}

void PutValue(const RpcValue& value, const RpcField& field, Buffer& out) {
    if (field.list || field.map) {
        PutUint(value.list().size(), out);
        for (const RpcValue& item : value.list()) {
            if (field.map) {
                PutText(item[0].text(), out);
            }
            PutValue(field.map ? item[1] : item, Single(field), out);
        }
        return;
    }
    switch (field.kind) {
        case RpcKind::kNothing: return;
        case RpcKind::kBool: PutUint(value.flag() ? 1 : 0, out); return;
        case RpcKind::kInt: PutInt(value.integer(), out); return;
        case RpcKind::kUint: PutUint(value.natural(), out); return;
        case RpcKind::kDouble:
        case RpcKind::kFloat:
            PutUint(__builtin_bswap64(std::bit_cast<uint64_t>(value.number())), out);
            return;
        case RpcKind::kText:
        case RpcKind::kBytes: PutText(value.text(), out); return;
        case RpcKind::kShape: PutStruct(value, *field.shape, out); return;
    }
}

}  // namespace

bool ReadGob(Bytes body, const RpcType& type, RpcValue& out, std::string& problem) {
    uint64_t size = 0;
    uint64_t id = 0;
    if (!TakeUint(body, size) || size != body.size() || !TakeUint(body, id)) {
        problem = "gob: the bytes are no gob message";
        return false;
    }
    // A value that is no struct has a zero in front.
    bool scalar = !type.list && SignedOf(id) > 0 && SignedOf(id) <= kText && body.starts_with('\0');
    if (scalar) {
        body.remove_prefix(1);
    }
    if (!scalar || !TakeScalar(body, SignedOf(id), type, out)) {
        problem = std::string("gob: the argument is no ") + NameOf(type.kind) +
                  "; use JSON for what is neither bool, number nor text";
        return false;
    }
    return true;
}

void WriteGob(const RpcValue& value, const RpcType& type, Buffer& out) {
    RpcField whole = AsField(type);
    Definitions definitions;
    bool is_struct = whole.kind == RpcKind::kShape && !whole.list;
    int64_t id = definitions.Define(whole, is_struct ? std::string(whole.shape->name) : "");
    definitions.Write(id, out);
    Buffer content;
    PutInt(id, content);
    if (!is_struct) {
        PutUint(0, content);
    }
    PutValue(value, whole, content);
    PutMessage(content, out);
}

}  // namespace rr::rpc
