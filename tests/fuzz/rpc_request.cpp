// A connection's bytes: requests are found, run and answered, each once, with frames that are whole;
// in one piece and in two it is the same.
#include <cstdint>
#include <string>

#include "core/base/check.hpp"
#include "core/rpc/calls.hpp"
#include "relay/frame.hpp"
#include "relay/frame_v2.hpp"
#include "tests/fuzz/rpc_sample.hpp"

using namespace rr;
using namespace rr::rpc;

namespace {

constexpr uint32_t kMaxPayload = 1 << 16;

// test.M0, test.M1 ...: a method for each type, which gives back what it takes.
class Mirror final : public RpcService {
public:
    std::string_view rpc_name() const override { return "test"; }
    void Describe(std::vector<RpcMethod>& methods) override {
        static const char* const kNames[] = {"M0", "M1", "M2", "M3", "M4",  "M5",
                                             "M6", "M7", "M8", "M9", "M10", "M11"};
        for (size_t i = 0; i < sample::kTypes.size(); ++i) {
            const RpcType& type = sample::kTypes[i];
            bool message = type.kind == RpcKind::kShape && !type.list && type.shape->message;
            bool bytes = message || (!type.list &&
                                     (type.kind == RpcKind::kText || type.kind == RpcKind::kBytes));
            methods.push_back(
                {kNames[i], type, type, [bytes](const RpcArgument& in, RpcReply reply) {
                     if (bytes) {
                         reply.SendBytes(in.bytes);
                     } else if (in.value != nullptr) {
                         reply.Send(*in.value);
                     } else {
                         reply.Send(in.flag);
                     }
                 }});
        }
        methods.push_back({"Version", RpcType::Bool(), RpcType::Text(),
                           [](const RpcArgument&, RpcReply reply) { reply.SendBytes("3"); }});
        methods.push_back(
            {"Drop", RpcType::Nothing(), RpcType::Nothing(),
             [](const RpcArgument&, RpcReply reply) { RpcReply gone(std::move(reply)); }});
    }
};

class Client final : public Caller {
public:
    ~Client() { ForgetCalls(); }
    Buffer* AnswerBuffer() override { return &out; }
    void OnAnswered() override { ++answers; }
    Buffer out;
    size_t answers = 0;
};

struct Setup {
    Setup() { methods.Add(mirror); }
    Mirror mirror;
    Methods methods;
    Calls calls{methods};
};

size_t RunAll(Setup& setup, Client& client, Dialect dialect, Bytes& rest, bool& bad) {
    size_t requests = 0;
    while (!bad) {
        Request request;
        Scan scan = ScanRequest(dialect, rest, kMaxPayload, request);
        if (scan.status != ScanStatus::kRequest) {
            bad = scan.status == ScanStatus::kBad;
            break;
        }
        RR_CHECK(scan.size > 0 && scan.size <= rest.size());
        RR_CHECK(request.method.size() + request.body.size() < scan.size);
        setup.calls.Run(request, client);
        rest.remove_prefix(scan.size);
        ++requests;
    }
    return requests;
}

void CheckAnswers(Dialect dialect, Bytes out, size_t count) {
    for (; count > 0; --count) {
        if (dialect == Dialect::kV2) {
            for (int part = 0; part < 2; ++part) {
                relay::v2::Prefix prefix;
                RR_CHECK(relay::v2::ScanPrefix(out, UINT64_MAX, prefix) ==
                         relay::v2::Scan::kPrefix);
                RR_CHECK(out.size() >= relay::v2::kPrefixSize + prefix.payload);
                out.remove_prefix(relay::v2::kPrefixSize + prefix.payload);
            }
            continue;
        }
        relay::FrameHeader header;
        auto scan = relay::ScanFrameHeader(out, UINT32_MAX, header);
        RR_CHECK(scan.status == relay::FrameStatus::kHeader && header.options == 2);
        RR_CHECK(header.option[1] <= header.payload);
        RR_CHECK(out.size() >= header.size() + header.payload);
        out.remove_prefix(header.size() + header.payload);
    }
    RR_CHECK(out.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static Setup setup;
    Bytes input(reinterpret_cast<const char*>(data), size);
    if (input.empty()) {
        return 0;
    }
    Dialect dialect = DialectOf(input.front());
    Client whole;
    Bytes rest = input;
    bool bad = false;
    size_t requests = RunAll(setup, whole, dialect, rest, bad);
    RR_CHECK(whole.answers == requests && whole.running() == 0);
    CheckAnswers(dialect, whole.out.view(), requests);

    Client halves;
    Bytes part = input.substr(0, size / 2);
    bool part_bad = false;
    size_t found = RunAll(setup, halves, dialect, part, part_bad);
    if (!part_bad) {
        rest = input.substr(size / 2 - part.size());
        found += RunAll(setup, halves, dialect, rest, part_bad);
    }
    RR_CHECK(found == requests && part_bad == bad);
    RR_CHECK(halves.out.view() == whole.out.view());
    return 0;
}
