// A wire that keeps what an answer becomes.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "plugins/http/wire.hpp"

namespace rr::http {

struct WireForTest final : private Buffer, public Wire {
    explicit WireForTest(WireForm protocol = WireForm::kHttp1)
        : Wire(protocol, static_cast<Buffer&>(*this)) {}
    void Flushed() override {}
    size_t queued() const override { return out.size(); }
    void Head(int status, std::span<const AnswerField> fields, bool) override {
        heads.push_back(std::to_string(status));
        for (const AnswerField& field : fields) {
            heads.back().append("|").append(field.name).append(": ").append(field.value);
        }
    }
    void End(Bytes lines) override {
        ended = true;
        trailers = lines;
    }
    std::string text() const { return std::string(out.view()); }

    std::vector<std::string> heads;
    std::string trailers;
    bool ended = false;
};

}  // namespace rr::http
