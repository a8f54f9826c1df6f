#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include "core/base/json_text.hpp"
#include "core/rpc/base64.hpp"
#include "core/rpc/json.hpp"
#include "core/rpc/value.hpp"

namespace rr::rpc {
namespace {

template <class T>
void WriteWhole(T value, Buffer& out) {
    std::array<char, 24> digits;
    auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
    (void)error;  // 24 bytes hold every 64-bit number
    out.Append(Bytes(digits.data(), static_cast<size_t>(end - digits.data())));
}

// Go: the shortest digits that read back as the same number, with an exponent only for the very
// small and the very large, and without a leading zero in a negative one.
template <class T>
void WriteReal(T value, Buffer& out) {
    if (!std::isfinite(value)) {
        out.Append("0");  // JSON has no word for it
        return;
    }
    T size = std::fabs(value);
    bool scientific = size != 0 && (size < T(1e-6) || size >= T(1e21));
    std::array<char, 64> text;
    auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), value,
                      scientific ? std::chars_format::scientific : std::chars_format::fixed);
    if (error != std::errc()) {
        out.Append("0");
        return;
    }
    size_t length = static_cast<size_t>(end - text.data());
    if (scientific && length > 4 && std::memcmp(end - 4, "e-0", 3) == 0) {
        text[length - 2] = text[length - 1];
        --length;
    }
    out.Append(Bytes(text.data(), length));
}

void WriteAny(const RpcValue& value, const RpcField& field, Buffer& out);

// Go writes maps with their keys sorted; ours come in the order of the sender.
void WritePairs(const RpcValue& value, const RpcField& field, Buffer& out) {
    out.Append('{');
    bool first = true;
    for (const RpcValue& pair : value.list()) {
        if (!first) {
            out.Append(',');
        }
        first = false;
        AppendJsonString(pair[0].text(), out);
        out.Append(':');
        WriteAny(pair[1], Single(field), out);
    }
    out.Append('}');
}

void WriteItems(const RpcValue& value, const RpcField& field, Buffer& out) {
    out.Append('[');
    bool first = true;
    for (const RpcValue& item : value.list()) {
        if (!first) {
            out.Append(',');
        }
        first = false;
        WriteAny(item, Single(field), out);
    }
    out.Append(']');
}

void WriteShape(const RpcValue& value, const RpcShape& shape, Buffer& out) {
    out.Append('{');
    bool first = true;
    for (size_t i = 0; i < shape.fields.size(); ++i) {
        const RpcField& field = shape.fields[i];
        if (shape.message && IsZero(value[i], field)) {
            continue;
        }
        if (!first) {
            out.Append(',');
        }
        first = false;
        AppendJsonString(field.name, out);
        out.Append(':');
        WriteAny(value[i], field, out);
    }
    out.Append('}');
}

void WriteAny(const RpcValue& value, const RpcField& field, Buffer& out) {
    if (field.list || field.map) {
        if (value.null()) {
            out.Append("null");
            return;
        }
        field.map ? WritePairs(value, field, out) : WriteItems(value, field, out);
        return;
    }
    switch (field.kind) {
        case RpcKind::kNothing: out.Append("{}"); return;
        case RpcKind::kBool: out.Append(value.flag() ? "true" : "false"); return;
        case RpcKind::kInt: WriteWhole(value.integer(), out); return;
        case RpcKind::kUint: WriteWhole(value.natural(), out); return;
        case RpcKind::kDouble: WriteReal(value.number(), out); return;
        case RpcKind::kFloat: WriteReal(static_cast<float>(value.number()), out); return;
        case RpcKind::kText: AppendJsonString(value.text(), out); return;
        case RpcKind::kBytes: WriteJsonBase64(value.text(), out); return;
        case RpcKind::kShape: WriteShape(value, *field.shape, out); return;
    }
}

}  // namespace

void WriteJsonBase64(Bytes bytes, Buffer& out) {
    out.Append('"');
    WriteBase64(bytes, out);
    out.Append('"');
}

void WriteJson(const RpcValue& value, const RpcType& type, Buffer& out) {
    WriteAny(value, AsField(type), out);
}

}  // namespace rr::rpc
