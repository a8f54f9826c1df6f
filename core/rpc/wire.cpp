#include "core/rpc/wire.hpp"

#include <algorithm>
#include <cstring>

#include "relay/frame.hpp"
#include "relay/frame_v2.hpp"

namespace rr::rpc {
namespace {

namespace v2 = relay::v2;
namespace v2_flag = relay::v2::flag;
using relay::FrameHeader;
using relay::FrameStatus;
namespace flag = relay::flag;

constexpr char kFirstOfV2 = 0x14;  // CONTROL|RAW; as a v3 frame it would have one option: no call
constexpr size_t kV2Id = 8;
constexpr size_t kV3Options = 2;
constexpr size_t kV3Head = relay::kFrameBase + 4 * kV3Options;
constexpr uint64_t kMaxV3Payload = UINT32_MAX;

Scan NeedMore(size_t whole = 0) { return {ScanStatus::kNeedMore, whole, ""}; }
Scan Bad(const char* problem) { return {ScanStatus::kBad, 0, problem}; }
Scan Found(size_t size) { return {ScanStatus::kRequest, size, ""}; }

// Several bits may be set: the orders for body and answer differ.
Codec BodyCodec(uint8_t flags) {
    return (flags & flag::kProto) != 0     ? Codec::kProto
           : (flags & flag::kJson) != 0    ? Codec::kJson
           : (flags & flag::kGob) != 0     ? Codec::kGob
           : (flags & flag::kRaw) != 0     ? Codec::kRaw
           : (flags & flag::kMsgpack) != 0 ? Codec::kMsgpack
                                           : Codec::kNone;
}

Codec AnswerCodec(uint8_t flags) {
    return (flags & flag::kProto) != 0     ? Codec::kProto
           : (flags & flag::kJson) != 0    ? Codec::kJson
           : (flags & flag::kRaw) != 0     ? Codec::kRaw
           : (flags & flag::kMsgpack) != 0 ? Codec::kMsgpack
                                           : Codec::kGob;
}

uint8_t FlagOf(Codec codec) {
    switch (codec) {
        case Codec::kProto: return flag::kProto;
        case Codec::kJson: return flag::kJson;
        case Codec::kRaw: return flag::kRaw;
        case Codec::kMsgpack: return flag::kMsgpack;
        case Codec::kGob:
        case Codec::kNone: break;
    }
    return flag::kGob;
}

Scan ScanV3(Bytes in, uint32_t max_payload, Request& out) {
    FrameHeader header;
    auto scan = relay::ScanFrameHeader(in, max_payload, header);
    if (scan.status == FrameStatus::kBad) {
        return Bad(relay::Describe(scan.error));
    }
    if (scan.status == FrameStatus::kNeedMore) {
        return NeedMore();
    }
    if (header.options != kV3Options) {
        return Bad("a request has two options: id, and length of the method's name");
    }
    uint32_t name = header.option[1];
    if (name > header.payload) {
        return Bad("the method's name is longer than the payload");
    }
    size_t whole = header.size() + header.payload;
    if (in.size() < whole) {
        return NeedMore(whole);
    }
    out.dialect = Dialect::kV3;
    out.body_codec = BodyCodec(header.flags);
    out.answer_codec = AnswerCodec(header.flags);
    out.id = header.option[0];
    out.method = in.substr(header.size(), name);
    out.body = in.substr(header.size() + name, header.payload - name);
    return Found(whole);
}

// The prefix of one v2 message whose bytes begin at `at`.
Scan ScanV2Message(Bytes in, size_t at, uint32_t max_payload, v2::Prefix& prefix) {
    switch (v2::ScanPrefix(in.substr(at), max_payload, prefix)) {
        case v2::Scan::kNeedMore: return NeedMore();
        case v2::Scan::kMismatch: return Bad("the two lengths of a message differ");
        case v2::Scan::kTooLarge: return Bad("the payload of a message is larger than allowed");
        case v2::Scan::kPrefix: break;
    }
    return Found(at + v2::kPrefixSize + prefix.payload);
}

uint64_t LoadU64(const char* in) {
    uint64_t value = 0;
    for (size_t i = kV2Id; i-- > 0;) {
        value = value << 8 | static_cast<unsigned char>(in[i]);
    }
    return value;
}

void StoreU64(uint64_t value, char* out) {
    for (size_t i = 0; i < kV2Id; ++i) {
        out[i] = static_cast<char>(value >> (8 * i) & 0xFF);
    }
}

Scan ScanV2(Bytes in, uint32_t max_payload, Request& out) {
    constexpr uint8_t kHeadFlags = v2_flag::kControl | v2_flag::kRaw;
    v2::Prefix head;
    Scan first = ScanV2Message(in, 0, max_payload, head);
    if (first.status != ScanStatus::kRequest) {
        return first;
    }
    if ((head.flags & kHeadFlags) != kHeadFlags || head.payload < kV2Id) {
        return Bad("a call begins with a message CONTROL|RAW of name and id");
    }
    if (in.size() < first.size + v2::kPrefixSize) {
        return NeedMore(first.size + v2::kPrefixSize);
    }
    v2::Prefix body;
    Scan second = ScanV2Message(in, first.size, max_payload, body);
    if (second.status != ScanStatus::kRequest) {
        return second;
    }
    if (in.size() < second.size) {
        return NeedMore(second.size);
    }
    out.dialect = Dialect::kV2;
    out.body_codec = Codec::kJson;
    out.answer_codec = Codec::kNone;
    out.method = in.substr(v2::kPrefixSize, head.payload - kV2Id);
    out.id = LoadU64(in.data() + first.size - kV2Id);
    out.body = in.substr(first.size + v2::kPrefixSize, body.payload);
    return Found(second.size);
}

size_t HeadSize(const AnswerHead& head) {
    return head.dialect == Dialect::kV2 ? 2 * v2::kPrefixSize + head.method.size() + kV2Id
                                        : kV3Head + head.method.size();
}

}  // namespace

Dialect DialectOf(char first) { return first == kFirstOfV2 ? Dialect::kV2 : Dialect::kV3; }

Scan ScanRequest(Dialect dialect, Bytes in, uint32_t max_payload, Request& out) {
    return dialect == Dialect::kV2 ? ScanV2(in, max_payload, out) : ScanV3(in, max_payload, out);
}

AnswerWriter::AnswerWriter(Buffer& out, const AnswerHead& head)
    : out_(out), head_(head), start_(out.size()), body_(start_ + HeadSize(head)) {
    out_.Reserve(body_ - start_);
    out_.Commit(body_ - start_);
}

bool AnswerWriter::End(Codec codec) {
    return Finish(FlagOf(codec), codec == Codec::kRaw ? v2_flag::kRaw : 0);
}

void AnswerWriter::Fail(std::string_view text) {
    out_.Truncate(body_);
    out_.Append(text.substr(0, size_t{1} << 20));
    // An error is short enough for any frame.
    (void)Finish(FlagOf(head_.codec) | flag::kError, v2_flag::kError | v2_flag::kRaw);
}

bool AnswerWriter::Finish(uint8_t v3_flags, uint8_t v2_flags) {
    char* at = out_.data() + start_;
    uint64_t body = out_.size() - body_;
    if (head_.dialect == Dialect::kV2) {
        v2::EncodePrefix({v2_flag::kControl | v2_flag::kRaw, head_.method.size() + kV2Id}, at);
        at += v2::kPrefixSize;
        std::copy(head_.method.begin(), head_.method.end(), at);
        at += head_.method.size();
        StoreU64(head_.id, at);
        v2::EncodePrefix({v2_flags, body}, at + kV2Id);
        return true;
    }
    if (body + head_.method.size() > kMaxV3Payload) {
        return false;
    }
    FrameHeader header;
    header.flags = v3_flags;
    header.options = kV3Options;
    header.payload = static_cast<uint32_t>(head_.method.size() + body);
    header.option[0] = static_cast<uint32_t>(head_.id);
    header.option[1] = static_cast<uint32_t>(head_.method.size());
    relay::EncodeFrameHeader(header, at);
    std::copy(head_.method.begin(), head_.method.end(), at + kV3Head);
    return true;
}

}  // namespace rr::rpc
