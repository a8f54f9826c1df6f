// A call that keeps what it is answered with; for tests of services.
#pragma once

#include <string>
#include <string_view>

#include "core/api/rpc.hpp"

namespace rr {

class Recorded final : public RpcCall {
public:
    void Answer(const RpcValue& value) override {
        ++answers;
        answer = value;
    }
    void AnswerMessage(const google::protobuf::MessageLite&) override { ++answers; }
    void AnswerBytes(Bytes) override { ++answers; }
    void AnswerError(std::string_view text) override {
        ++answers;
        error = text;
    }
    int answers = 0;
    RpcValue answer;
    std::string error;
};

}  // namespace rr
