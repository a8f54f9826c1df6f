#include "plugins/http/answer.hpp"

// Without exceptions simdjson offers no conversions that throw.
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include "plugins/http/canonical.hpp"
#include "relay/frame.hpp"

namespace rr::http {
namespace {

namespace od = simdjson::ondemand;
static_assert(AnswerDecoder::kPadding >= simdjson::SIMDJSON_PADDING);

constexpr size_t kParserKept = 512 * 1024;  // a parser grown beyond this is not kept

// Reads protobuf's wire format.
class Wire {
public:
    explicit Wire(Bytes bytes) : rest_(bytes) {}

    bool done() const { return rest_.empty(); }

    bool Varint(uint64_t& out) {
        out = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (rest_.empty()) {
                return false;
            }
            unsigned char byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            out |= uint64_t{byte & 0x7fU} << shift;
            if (byte < 0x80) {
                return true;
            }
        }
        return false;
    }

    bool Text(Bytes& out) {
        uint64_t size = 0;
        if (!Varint(size) || size > rest_.size()) {
            return false;
        }
        out = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
    }

    bool Skip(uint64_t tag) {
        uint64_t number = 0;
        Bytes text;
        switch (tag & 7) {
            case 0: return Varint(number);
            case 1: return Drop(8);
            case 2: return Text(text);
            case 5: return Drop(4);
            default: return false;
        }
    }

private:
    bool Drop(size_t size) {
        if (rest_.size() < size) {
            return false;
        }
        rest_.remove_prefix(size);
        return true;
    }

    Bytes rest_;
};

constexpr uint64_t kVarintField1 = 1 << 3 | 0;
constexpr uint64_t kTextField1 = 1 << 3 | 2;
constexpr uint64_t kTextField2 = 2 << 3 | 2;

// One entry of `headers`: {1: name, 2: HeaderValue {1: value, repeated}}.
bool ReadEntry(Bytes bytes, Answer& out) {
    Bytes name;
    Bytes values;
    Wire wire(bytes);
    while (!wire.done()) {
        uint64_t tag = 0;
        if (!wire.Varint(tag)) {
            return false;
        }
        bool fine = tag == kTextField1   ? wire.Text(name)
                    : tag == kTextField2 ? wire.Text(values)
                                         : wire.Skip(tag);
        if (!fine) {
            return false;
        }
    }
    Wire list(values);
    while (!list.done()) {
        uint64_t tag = 0;
        Bytes value;
        if (!list.Varint(tag) || !(tag == kTextField1 ? list.Text(value) : list.Skip(tag))) {
            return false;
        }
        if (tag == kTextField1) {
            out.fields.push_back({name, value});
        }
    }
    return true;
}

bool IsNull(od::value value) {
    bool null = false;
    return value.is_null().get(null) == simdjson::SUCCESS && null;
}

// `["1", "2"]`
bool ReadValues(Bytes name, od::value value, Answer& out) {
    Bytes text;
    od::array list;
    if (value.get_array().get(list) != simdjson::SUCCESS) {
        return false;
    }
    for (auto item : list) {
        if (item.get_string().get(text) != simdjson::SUCCESS) {
            return false;
        }
        out.fields.push_back({name, text});
    }
    return true;
}

bool ReadHeaders(od::value value, Answer& out) {
    od::json_type type;
    if (value.type().get(type) != simdjson::SUCCESS) {
        return false;
    }
    if (type == od::json_type::null) {
        return IsNull(value);
    }
    if (type == od::json_type::array) {  // PHP's json_encode of an empty array
        od::array list;
        size_t count = 0;
        return value.get_array().get(list) == simdjson::SUCCESS &&
               list.count_elements().get(count) == simdjson::SUCCESS && count == 0;
    }
    od::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
        return false;
    }
    for (auto field : object) {
        Bytes name;
        od::value values;
        if (field.unescaped_key().get(name) != simdjson::SUCCESS ||
            field.value().get(values) != simdjson::SUCCESS || !ReadValues(name, values, out)) {
            return false;
        }
    }
    return true;
}

bool ReadStatus(od::value value, Answer& out) {
    od::json_type type;
    if (value.type().get(type) != simdjson::SUCCESS) {
        return false;
    }
    if (type == od::json_type::null) {
        return IsNull(value);
    }
    return value.get_int64().get(out.status) == simdjson::SUCCESS;
}

}  // namespace

struct AnswerDecoder::Json {
    od::parser parser;
};

const char* Describe(AnswerFault fault) {
    switch (fault) {
        case AnswerFault::kNone: return "";
        case AnswerFault::kCodec: return "unknown payload type";
        case AnswerFault::kMalformed: return "malformed answer context";
    }
    return "";
}

AnswerDecoder::AnswerDecoder() : json_(std::make_unique<Json>()) {}
AnswerDecoder::~AnswerDecoder() = default;

AnswerFault AnswerDecoder::Decode(uint8_t flags, Bytes context, uint64_t body_size, Answer& out) {
    out.fields.clear();
    out.status = 200;
    bool json = flags == 0 || flags == relay::flag::kJson;
    bool protobuf = flags == relay::flag::kProto;
    if (context.empty() && body_size == 0) {
        return AnswerFault::kNone;  // SDKs end a failed stream so, without codec flags
    }
    if (!json && !protobuf) {
        return AnswerFault::kCodec;
    }
    if (context.empty()) {
        return AnswerFault::kNone;
    }
    out.status = 0;  // absent in the context
    return json ? DecodeJson(context, out) : DecodeProtobufAnswer(context, out);
}

AnswerFault AnswerDecoder::DecodeCopy(uint8_t flags, Bytes context, uint64_t body_size,
                                      Answer& out) {
    copy_.Clear(64 * 1024);
    copy_.Reserve(context.size() + kPadding);
    copy_.Append(context);
    std::memset(copy_.tail(), 0, kPadding);
    return Decode(flags, copy_.view(), body_size, out);
}

AnswerFault AnswerDecoder::DecodeJson(Bytes context, Answer& out) {
    if (json_->parser.capacity() > kParserKept) {
        json_ = std::make_unique<Json>();
    }
    size_t wanted = 4096;
    while (wanted < context.size()) {
        wanted *= 2;
    }
    if (json_->parser.capacity() < wanted && json_->parser.allocate(wanted) != simdjson::SUCCESS) {
        return AnswerFault::kMalformed;
    }
    od::document document;
    od::object object;
    simdjson::padded_string_view padded(context.data(), context.size(), context.size() + kPadding);
    if (json_->parser.iterate(padded).get(document) != simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS) {
        return AnswerFault::kMalformed;
    }
    for (auto field : object) {
        Bytes key;
        od::value value;
        if (field.unescaped_key().get(key) != simdjson::SUCCESS ||
            field.value().get(value) != simdjson::SUCCESS) {
            return AnswerFault::kMalformed;
        }
        bool fine = true;
        if (EqualsIgnoreCase(key, "status")) {  // Go matches keys without case
            fine = ReadStatus(value, out);
        } else if (EqualsIgnoreCase(key, "headers")) {
            fine = ReadHeaders(value, out);
        }
        if (!fine) {
            return AnswerFault::kMalformed;
        }
    }
    // At the end there is no location any more.
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS ? AnswerFault::kNone
                                                                          : AnswerFault::kMalformed;
}

AnswerFault DecodeProtobufAnswer(Bytes context, Answer& out) {
    out.fields.clear();
    out.status = 0;
    Wire wire(context);
    while (!wire.done()) {
        uint64_t tag = 0;
        uint64_t number = 0;
        Bytes entry;
        if (!wire.Varint(tag)) {
            return AnswerFault::kMalformed;
        }
        bool fine;
        if (tag == kVarintField1) {
            fine = wire.Varint(number);
            out.status = static_cast<int64_t>(number);
        } else if (tag == kTextField2) {
            fine = wire.Text(entry) && ReadEntry(entry, out);
        } else {
            fine = tag >> 3 != 0 && wire.Skip(tag);
        }
        if (!fine) {
            return AnswerFault::kMalformed;
        }
    }
    return AnswerFault::kNone;
}

}  // namespace rr::http
