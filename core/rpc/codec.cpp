#include "core/rpc/codec.hpp"

#include <climits>

#include <google/protobuf/message_lite.h>
#include <simdjson.h>

#include "core/base/json_text.hpp"
#include "core/rpc/gob.hpp"
#include "core/rpc/json.hpp"
#include "core/rpc/msgpack.hpp"
#include "core/rpc/proto.hpp"
#include "core/rpc/value.hpp"

namespace rr::rpc {
namespace {

constexpr size_t kKeepText = 64 * 1024;
constexpr const char* kBodyProblem = "goridge_read_request_body: ";

Bytes Trimmed(Bytes text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    size_t begin = text.find_first_not_of(kBlanks);
    return begin == Bytes::npos ? Bytes()
                                : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

// A JSON text that is its own value: no escapes.
bool IsPlainText(Bytes text) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') {
        return false;
    }
    text = text.substr(1, text.size() - 2);
    for (char c : text) {
        if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
            return false;
        }
    }
    return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace

// ---- arguments ---------------------------------------------------------------------------------

bool Argument::Decode(const Request& request, const RpcType& type, std::string& problem) {
    Clear();
    if (request.body_codec == Codec::kNone) {
        problem = std::string(kBodyProblem) + "unknown decoder used in frame";
        return false;
    }
    if (request.body.empty() || type.kind == RpcKind::kNothing) {
        Take(type);
        return true;
    }
    // RoadRunner 1.x takes a body for a byte string as it is, whatever its flags say.
    bool byte_string = type.kind == RpcKind::kBytes && !type.list;
    bool raw =
        request.body_codec == Codec::kRaw || (request.dialect == Dialect::kV2 && byte_string);
    if (raw) {
        if (byte_string) {
            view_.bytes = request.body;
        } else {
            Take(type);
        }
        return true;
    }
    switch (request.body_codec) {
        case Codec::kJson: return DecodeJson(request.body, type, problem);
        case Codec::kProto: return DecodeProto(request.body, type, problem);
        default: return DecodeTree(request.body_codec, request.body, type, problem);
    }
}

void Argument::Clear() {
    view_ = RpcArgument();
    value_ = RpcValue();
    if (text_.capacity() > kKeepText) {
        std::string().swap(text_);
    }
}

// The view of a value that was decoded into value_.
void Argument::Take(const RpcType& type) {
    if (type.list || (type.kind == RpcKind::kShape && !type.shape->message)) {
        view_.value = &value_;
        return;
    }
    if (type.kind == RpcKind::kShape) {
        Buffer wire;
        WriteMessage(*type.shape, value_, wire);
        text_.assign(wire.data(), wire.size());
        view_.bytes = text_;
        return;
    }
    view_.flag = value_.flag();
    view_.bytes = value_.text();
    view_.value = &value_;
}

// What is called most is read without a parser.
bool Argument::DecodeJson(Bytes body, const RpcType& type, std::string& problem) {
    if (!type.list && type.kind == RpcKind::kBool) {
        Bytes text = Trimmed(body);
        if (text == "true" || text == "false" || text == "null") {
            view_.flag = text == "true";
            return true;
        }
    }
    if (!type.list && type.kind == RpcKind::kText) {
        Bytes text = Trimmed(body);
        if (IsPlainText(text)) {
            view_.bytes = text.substr(1, text.size() - 2);
            return true;
        }
    }
    return DecodeTree(Codec::kJson, body, type, problem);
}

bool Argument::DecodeProto(Bytes body, const RpcType& type, std::string& problem) {
    if (!IsMessage(type)) {
        problem = std::string(kBodyProblem) + "message type is not a proto";
        return false;
    }
    if (!CheckMessage(*type.shape, body)) {
        problem = std::string(kBodyProblem) + "proto: cannot parse invalid wire-format data";
        return false;
    }
    view_.bytes = body;
    return true;
}

bool Argument::DecodeTree(Codec codec, Bytes body, const RpcType& type, std::string& problem) {
    bool good = codec == Codec::kJson      ? ReadJson(body, type, value_, problem)
                : codec == Codec::kMsgpack ? ReadMsgpack(body, type, value_, problem)
                                           : ReadGob(body, type, value_, problem);
    if (good) {
        Take(type);
    }
    return good;
}

// ---- answers -----------------------------------------------------------------------------------

bool MethodResult::Encode(Codec& codec, const RpcType& type, Buffer& out,
                          std::string& problem) const {
    bool byte_string = type.kind == RpcKind::kBytes && !type.list;
    if (codec == Codec::kNone) {
        codec = byte_string ? Codec::kRaw : Codec::kJson;
    }
    switch (codec) {
        case Codec::kProto: return EncodeProto(type, out, problem);
        case Codec::kRaw:
            if (!byte_string) {
                problem = "unknown Raw payload type";
                return false;
            }
            out.Append(value_ != nullptr ? value_->text() : bytes_);
            return true;
        case Codec::kJson:
            // The common ones, without a value in between.
            if (value_ == nullptr && type.kind == RpcKind::kText) {
                AppendJsonString(bytes_, out);
                return true;
            }
            if (value_ == nullptr && byte_string) {
                WriteJsonBase64(bytes_, out);
                return true;
            }
            break;
        default: break;
    }
    return EncodeFields(codec, type, out, problem);
}

bool MethodResult::EncodeProto(const RpcType& type, Buffer& out, std::string& problem) const {
    if (type.kind == RpcKind::kNothing) {
        return true;
    }
    if (!IsMessage(type)) {
        problem = "goridge_write_response: message type is not a proto";
        return false;
    }
    return EncodeWire(*type.shape, out, problem);
}

bool MethodResult::EncodeFields(Codec codec, const RpcType& type, Buffer& out,
                                std::string& problem) const {
    RpcValue storage;
    const RpcValue* value = nullptr;
    if (!AsValue(type, storage, value, problem)) {
        return false;
    }
    switch (codec) {
        case Codec::kMsgpack: WriteMsgpack(*value, type, out); return true;
        case Codec::kGob: WriteGob(*value, type, out); return true;
        default: WriteJson(*value, type, out); return true;
    }
}

bool MethodResult::EncodeWire(const RpcShape& shape, Buffer& out, std::string& problem) const {
    if (message_ == nullptr) {
        value_ != nullptr ? WriteMessage(shape, *value_, out) : out.Append(bytes_);
        return true;
    }
    size_t size = message_->ByteSizeLong();
    if (size > INT_MAX) {
        problem = "goridge_write_response: proto: message too large";
        return false;
    }
    out.Reserve(size);
    message_->SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(out.tail()));
    out.Commit(size);
    return true;
}

// The answer as a value, for the codecs that write field by field.
bool MethodResult::AsValue(const RpcType& type, RpcValue& storage, const RpcValue*& value,
                           std::string& problem) const {
    value = value_;
    if (value_ != nullptr) {
        return true;
    }
    value = &storage;
    if (!IsMessage(type)) {
        storage = RpcValue(bytes_);
        return true;
    }
    Buffer wire;
    if (!EncodeWire(*type.shape, wire, problem)) {
        return false;
    }
    if (!ReadMessage(*type.shape, wire.view(), storage)) {
        problem = "goridge_write_response: the method's answer is no valid message";
        return false;
    }
    return true;
}

}  // namespace rr::rpc
