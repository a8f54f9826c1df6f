#include <algorithm>
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
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Proto: writes fields of a message, and of messages in it, behind each other (otlp.proto has the
// names). The generated code would allocate 25 times for a span, and what is sent here is little.
class Proto {
public:
    explicit Proto(std::string& out) : out_(out) {}

    void Bytes(uint32_t field, std::string_view bytes) {
        Key(field, 2);
        Varint(bytes.size());
        out_.append(bytes);
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
        Key(field, 0);
        Varint(number);
    }
    void Fixed64(uint32_t field, uint64_t number) {
        Key(field, 1);
        Little(number, 8);
    }
    void Fixed32(uint32_t field, uint32_t number) {
        Key(field, 5);
        Little(number, 4);
    }
    template <class Write>
    void Message(uint32_t field, Write write) {
        Key(field, 2);
        const size_t start = out_.size();
        write();
        char length[10];
        out_.insert(start, length, Varint(out_.size() - start, length));
    }

private:
    void Key(uint32_t field, uint32_t type) { Varint(field << 3 | type); }
    void Varint(uint64_t number) {
        char bytes[10];
        out_.append(bytes, Varint(number, bytes));
    }
    static size_t Varint(uint64_t number, char* bytes) {
        size_t size = 0;
        for (; number > 0x7f; number >>= 7) {
            bytes[size++] = static_cast<char>(number | 0x80);
        }
        bytes[size++] = static_cast<char>(number);
        return size;
    }
    void Little(uint64_t number, int bytes) {
        for (; bytes > 0; --bytes, number >>= 8) {
            out_ += static_cast<char>(number);
        }
    }

    std::string& out_;
};

void WriteAttribute(uint32_t field, std::string_view key,
                    const std::variant<std::string_view, int64_t>& value, Proto& proto) {
    proto.Message(field, [&] {
        proto.Text(1, key);
        proto.Message(2, [&] {
            if (const auto* text = std::get_if<std::string_view>(&value)) {
                proto.Text(1, *text);
            } else {
                proto.Number(3, static_cast<uint64_t>(std::get<int64_t>(value)));
            }
        });
    });
}

void WriteSpan(const Span& span, Proto& proto) {
    proto.Message(2, [&] {
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
        for (const Attribute& attribute : span.attributes) {
            WriteAttribute(9, attribute.key, attribute.value, proto);
        }
        if (span.error) {
            proto.Message(15, [&] { proto.Number(3, kError); });
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

std::string EncodeOtlp(const Resource& resource, const Batch& batch) {
    std::string out;
    out.reserve((batch.spans + 1) * kUsualSpan);
    Proto proto(out);
    proto.Message(1, [&] {
        proto.Message(1, [&] {
            for (const auto& [key, value] : resource.attributes) {
                WriteAttribute(1, key, std::string_view(value), proto);
            }
        });
        proto.Message(2, [&] {
            proto.Message(1, [&] {
                proto.Text(1, kScope);
                proto.Text(2, resource.scope_version);
            });
            for (const auto& recording : batch.recordings) {
                EachSpan(*recording, [&proto](const Span& span) { WriteSpan(span, proto); });
            }
            proto.Text(3, kSchema);
        });
        proto.Text(3, kSchema);
    });
    return out;
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
