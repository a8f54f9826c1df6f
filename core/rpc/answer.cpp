#include "core/rpc/answer.hpp"

#include "relay/frame.hpp"

namespace rr::rpc {

std::string EncodeCall(uint32_t number, std::string_view method, Bytes json) {
    relay::FrameHeader header;
    header.flags = relay::flag::kJson;
    header.options = 2;
    header.option[0] = number;
    header.option[1] = static_cast<uint32_t>(method.size());
    header.payload = static_cast<uint32_t>(method.size() + json.size());
    std::string frame(header.size(), '\0');
    relay::EncodeFrameHeader(header, frame.data());
    return frame.append(method).append(json);
}

AnswerScan ScanAnswer(Bytes in, uint32_t max_payload, Answer& answer) {
    relay::FrameHeader header;
    relay::FrameScan scan = relay::ScanFrameHeader(in, max_payload, header);
    if (scan.status == relay::FrameStatus::kBad) {
        bool large = scan.error == relay::FrameError::kTooLarge;
        return {AnswerStatus::kBad, 0,
                large ? "its answer is too large" : "its bytes are no frame"};
    }
    if (scan.status == relay::FrameStatus::kNeedMore) {
        return {};
    }
    if (header.options != 2 || header.option[1] > header.payload) {
        return {AnswerStatus::kBad, 0, "its frame is no answer to a call"};
    }
    size_t size = header.size() + header.payload;
    if (in.size() < size) {
        return {};
    }
    Bytes payload = in.substr(header.size(), header.payload);
    answer.number = header.option[0];
    answer.error = (header.flags & relay::flag::kError) != 0;
    answer.method = payload.substr(0, header.option[1]);
    answer.body = payload.substr(header.option[1]);
    return {AnswerStatus::kAnswer, size, ""};
}

}  // namespace rr::rpc
