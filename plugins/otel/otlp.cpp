#include <algorithm>
#include <cstring>
#include <string>

#include "core/base/json_text.hpp"
#include "core/rpc/proto.hpp"
#include "plugins/otel/encoders.hpp"

namespace rr::otel {
namespace {

constexpr uint32_t kSampled = 0x01;
constexpr uint32_t kKnowsRemote = 0x100;
constexpr uint32_t kRemote = 0x200;
constexpr uint64_t kError = 2;
constexpr size_t kUsualSpan = 512;

bool IsAscii(std::string_view text) {
    uint64_t high = 0;
    size_t at = 0;
    for (uint64_t eight = 0; at + sizeof eight <= text.size(); at += sizeof eight) {
        std::memcpy(&eight, text.data() + at, sizeof eight);
        high |= eight;
    }
    for (; at < text.size(); ++at) {
        high |= static_cast<unsigned char>(text[at]);
    }
    return (high & 0x8080808080808080) == 0;
}

constexpr size_t VarintSize(uint64_t number) {
    size_t size = 1;
    for (; number > 0x7f; number >>= 7) {
        ++size;
    }
    return size;
}

char* PutVarint(uint64_t number, char* to) {
    for (; number > 0x7f; number >>= 7) {
        *to++ = static_cast<char>(number | 0x80);
    }
    *to++ = static_cast<char>(number);
    return to;
}

// A field below number 16 that holds bytes.
char* PutBytes(uint32_t field, std::string_view bytes, char* to) {
    *to++ = static_cast<char>(field << 3 | 2);
    to = PutVarint(bytes.size(), to);
    if (!bytes.empty()) {
        std::memcpy(to, bytes.data(), bytes.size());
    }
    return to + bytes.size();
}
size_t BytesSize(size_t bytes) { return 1 + VarintSize(bytes) + bytes; }

// Proto: writes fields of a message, and of messages in it, behind each other (otlp.proto has the
// names). The generated code would allocate 25 times for a span, and what is sent here is little.
class Proto {
public:
    explicit Proto(Buffer& out) : out_(out) {}

    void Bytes(uint32_t field, std::string_view bytes) {
        out_.Reserve(bytes.size() + kMostOfOne);
        char* to = PutVarint(field << 3 | 2, out_.tail());
        to = PutVarint(bytes.size(), to);
        if (!bytes.empty()) {
            std::memcpy(to, bytes.data(), bytes.size());
        }
        Commit(to + bytes.size());
    }
    template <class Id>
    void Identity(uint32_t field, const Id& id) {
        Bytes(field, {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()});
    }
    void Text(uint32_t field, std::string_view text) {
        if (IsAscii(text)) {
            Bytes(field, text);
        } else {
            Bytes(field, Utf8(text));
        }
    }
    void Number(uint32_t field, uint64_t number) {
        out_.Reserve(kMostOfOne);
        Commit(PutVarint(number, PutVarint(field << 3, out_.tail())));
    }
    void Fixed64(uint32_t field, uint64_t number) { Fixed(field << 3 | 1, number); }
    void Fixed32(uint32_t field, uint32_t number) { Fixed(field << 3 | 5, number); }

    // guess: bytes that its length is going to have. A wrong one costs a move of the message.
    template <class Write>
    void Message(uint32_t field, size_t guess, Write write) {
        out_.Reserve(kMostOfOne);
        Commit(PutVarint(field << 3 | 2, out_.tail()) + guess);
        const size_t start = out_.size();
        write();
        const size_t size = out_.size() - start;
        const size_t length = VarintSize(size);
        if (length != guess) {
            out_.Reserve(length);
            std::memmove(out_.data() + start - guess + length, out_.data() + start, size);
            out_.Truncate(start - guess);
            out_.Commit(length + size);
        }
        PutVarint(size, out_.data() + start - guess);
    }

    // A KeyValue with a text, and one with a number.
    void Attribute(uint32_t field, std::string_view key, std::string_view value) {
        if (!IsAscii(key) || !IsAscii(value)) {
            AsciiAttribute(field, Utf8(key), Utf8(value));
        } else {
            AsciiAttribute(field, key, value);
        }
    }
    void Attribute(uint32_t field, std::string_view key, int64_t value) {
        const auto number = static_cast<uint64_t>(value);
        const size_t inner = 1 + VarintSize(number);
        char* to = BeginAttribute(field, key, inner);
        *to++ = 3 << 3;  // int_value
        Commit(PutVarint(number, to));
    }

private:
    // Of a field's number, a length and a number; and of an attribute's around key and value.
    static constexpr size_t kMostOfOne = 32;
    static constexpr size_t kMostOfAttribute = 64;

    void AsciiAttribute(uint32_t field, std::string_view key, std::string_view value) {
        Commit(PutBytes(1, value, BeginAttribute(field, key, BytesSize(value.size()))));
    }
    // All but what stands in the value. Makes room for that, too.
    char* BeginAttribute(uint32_t field, std::string_view key, size_t value) {
        const size_t size = BytesSize(key.size()) + BytesSize(value);
        out_.Reserve(size + kMostOfAttribute);
        char* to = out_.tail();
        *to++ = static_cast<char>(field << 3 | 2);
        to = PutBytes(1, key, PutVarint(size, to));
        *to++ = 2 << 3 | 2;
        return PutVarint(value, to);
    }
    template <class Number>
    void Fixed(uint32_t tag, Number number) {
        out_.Reserve(kMostOfOne);
        char* to = PutVarint(tag, out_.tail());
        for (size_t i = 0; i < sizeof number; ++i) {
            to[i] = static_cast<char>(number >> (8 * i));
        }
        Commit(to + sizeof number);
    }
    void Commit(const char* end) { out_.Commit(static_cast<size_t>(end - out_.tail())); }

    Buffer& out_;
};

void WriteSpan(const Span& span, Proto& proto) {
    proto.Message(2, 2, [&] {
        proto.Identity(1, span.trace);
        proto.Identity(2, span.id);
        if (!span.state.empty()) {
            proto.Text(3, span.state);
        }
        if (span.parent.valid()) {
            proto.Identity(4, span.parent);
        }
        proto.Text(5, span.name);
        proto.Number(6, static_cast<uint64_t>(span.kind));
        proto.Fixed64(7, static_cast<uint64_t>(span.start_ns));
        proto.Fixed64(8, static_cast<uint64_t>(span.end_ns));
        for (const auto& [key, value] : span.attributes) {
            if (const auto* text = std::get_if<std::string_view>(&value)) {
                proto.Attribute(9, key, *text);
            } else {
                proto.Attribute(9, key, std::get<int64_t>(value));
            }
        }
        if (span.error) {
            proto.Message(15, 1, [&] { proto.Number(3, kError); });
        }
        proto.Fixed32(16, kSampled | kKnowsRemote | (span.remote_parent ? kRemote : 0));
    });
}

constexpr RpcField kPartialFields[] = {
    {"rejected_spans", {}, RpcKind::kInt, 1},
    {"error_message", {}, RpcKind::kText, 2},
};
constexpr RpcShape kPartial{"PartialSuccess", kPartialFields, true};
constexpr RpcField kAnswerFields[] = {
    {"partial_success", {}, RpcKind::kShape, 1, false, false, &kPartial},
};
constexpr RpcShape kAnswer{"ExportTraceServiceResponse", kAnswerFields, true};

}  // namespace

void EncodeOtlp(const Resource& resource, const Batch& batch, Buffer& out) {
    out.Reserve((batch.spans + 1) * kUsualSpan);
    Proto proto(out);
    proto.Message(1, 3, [&] {
        proto.Message(1, 2, [&] {
            for (const auto& [key, value] : resource.attributes) {
                proto.Attribute(1, key, std::string_view(value));
            }
        });
        proto.Message(2, 3, [&] {
            proto.Message(1, 1, [&] {
                proto.Text(1, kScope);
                proto.Text(2, resource.scope_version);
            });
            EachSpan(batch, [&proto](const Span& span) { WriteSpan(span, proto); });
            proto.Text(3, kSchema);
        });
        proto.Text(3, kSchema);
    });
}

int64_t ReadOtlpRejected(Bytes answer, std::string& reason) {
    RpcValue value;
    if (!rpc::ReadMessage(kAnswer, answer, value)) {
        return 0;
    }
    const RpcValue& partial = value[0];
    reason = partial[1].text();
    return std::max<int64_t>(0, partial[0].integer());
}

std::string Utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const size_t size = Utf8Sequence(text);
        out.append(size > 0 ? text.substr(0, size) : std::string_view("\xEF\xBF\xBD"));
        text.remove_prefix(size > 0 ? size : 1);
    }
    return out;
}

}  // namespace rr::otel
