#include "relay/handshake.hpp"

#include <simdjson.h>

#include "relay/frame.hpp"
#include "relay/frame_v2.hpp"

namespace rr::relay {
namespace {

std::string Control(Dialect dialect, const std::string& payload) {
    if (dialect == Dialect::kV2) {
        std::string message(v2::kPrefixSize, '\0');
        v2::EncodePrefix({v2::flag::kControl, payload.size()}, message.data());
        return message + payload;
    }
    FrameHeader header;
    header.flags = flag::kControl | flag::kJson;
    header.payload = static_cast<uint32_t>(payload.size());
    std::string frame(header.size(), '\0');
    EncodeFrameHeader(header, frame.data());
    return frame + payload;
}

}  // namespace

std::string PidRequest(Dialect dialect, int64_t our_pid) {
    std::string payload = "{\"pid\":" + std::to_string(our_pid);
    payload += dialect == Dialect::kV3 ? ",\"rr\":1}" : "}";
    return Control(dialect, payload);
}

std::string StopCommand(Dialect dialect) { return Control(dialect, "{\"stop\":true}"); }

Result<PidReply> ParsePidReply(Bytes payload) {
    simdjson::ondemand::parser parser;
    simdjson::padded_string padded(payload);
    auto document = parser.iterate(padded);
    simdjson::ondemand::object object;
    PidReply reply;
    if (document.get_object().get(object) != simdjson::SUCCESS) {
        return Fail(Errc::kProtocol, "the answer to the pid request is no JSON object");
    }
    for (auto field : object) {
        simdjson::ondemand::value value;
        std::string_view key;
        if (field.unescaped_key().get(key) != simdjson::SUCCESS ||
            field.value().get(value) != simdjson::SUCCESS) {
            return Fail(Errc::kProtocol, "the answer to the pid request is broken JSON");
        }
        int64_t number = 0;
        if (key == "pid" && value.get_int64().get(number) == simdjson::SUCCESS) {
            reply.pid = number;
        } else if (key == "rr" && value.get_int64().get(number) == simdjson::SUCCESS) {
            reply.numbered = number == 1;
        }
    }
    if (reply.pid <= 0) {
        return Fail(Errc::kProtocol, "the answer to the pid request has no pid");
    }
    return reply;
}

}  // namespace rr::relay
