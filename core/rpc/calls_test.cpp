#include "core/rpc/calls.hpp"

#include <memory>
#include <optional>

#include <catch2/catch.hpp>

#include "core/rpc/hex_for_test.hpp"
#include "core/rpc/sample_for_test.hpp"

using namespace rr;
using namespace rr::rpc;

namespace {

// A service with a method of each kind; `later` keeps its replies.
class TestService final : public RpcService {
public:
    std::string_view rpc_name() const override { return "test"; }
    void Describe(std::vector<RpcMethod>& methods) override {
        methods.push_back(
            {"Echo", RpcType::Text(), RpcType::Text(),
             [](const RpcArgument& in, RpcReply reply) { reply.SendBytes(in.bytes); }});
        methods.push_back({"Not", RpcType::Bool(), RpcType::Bool(),
                           [](const RpcArgument& in, RpcReply reply) { reply.Send(!in.flag); }});
        methods.push_back(
            {"Blob", RpcType::ByteString(), RpcType::ByteString(),
             [](const RpcArgument& in, RpcReply reply) { reply.SendBytes(in.bytes); }});
        methods.push_back(
            {"Message", RpcType::Message(sample::kRequest), RpcType::Message(sample::kRequest),
             [](const RpcArgument& in, RpcReply reply) { reply.SendBytes(in.bytes); }});
        methods.push_back(
            {"Later", RpcType::Text(), RpcType::Bool(),
             [this](const RpcArgument&, RpcReply reply) { later.push_back(std::move(reply)); }});
        methods.push_back(
            {"Labels", RpcType::Struct(sample::kMetric), RpcType::TextList(),
             [](const RpcArgument& in, RpcReply reply) { reply.Send((*in.value)[2]); }});
        methods.push_back(
            {"Drop", RpcType::Nothing(), RpcType::Nothing(),
             [](const RpcArgument&, RpcReply reply) { RpcReply gone(std::move(reply)); }});
        methods.push_back({"Nothing", RpcType::Nothing(), RpcType::Nothing(),
                           [](const RpcArgument&, RpcReply reply) { reply.SendBytes(""); }});
    }
    std::vector<RpcReply> later;
};

class TestCaller final : public Caller {
public:
    ~TestCaller() { ForgetCalls(); }
    Buffer* AnswerBuffer() override { return wanted ? &out : nullptr; }
    void OnAnswered() override { ++answered; }

    // Body of the one answer that is there, and its v3 flags.
    std::string Take() {
        REQUIRE(answered == 1);
        answered = 0;
        flags = static_cast<uint8_t>(out.data()[1]);
        auto name = static_cast<unsigned char>(out.data()[16]);
        std::string body(out.view().substr(20 + name));
        out.Clear();
        return body;
    }

    Buffer out;
    int answered = 0;
    uint8_t flags = 0;
    bool wanted = true;
};

struct Fixture {
    Fixture() { methods.Add(service); }
    std::string Call(std::string_view method, Bytes body, Codec codec = Codec::kJson) {
        Request request;
        request.method = method;
        request.body = body;
        request.body_codec = codec;
        request.answer_codec = codec == Codec::kNone ? Codec::kGob : codec;
        calls.Run(request, caller);
        return caller.Take();
    }
    TestService service;
    Methods methods;
    Calls calls{methods};
    TestCaller caller;
};

constexpr uint8_t kError = 0x40;

}  // namespace

TEST_CASE("rpc calls: the answer comes in the codec of the request") {
    Fixture f;
    REQUIRE(f.Call("test.Echo", "\"a\"") == "\"a\"");
    REQUIRE(f.Call("test.Echo", R"("\u00e9<")") == "\"é\\u003c\"");
    REQUIRE(f.Call("test.Not", "true") == "false");
    REQUIRE(f.Call("test.Echo", FromHex("a161"), Codec::kMsgpack) == FromHex("a161"));
    REQUIRE(f.Call("test.Echo", FromHex("040c000161"), Codec::kGob) == FromHex("040c000161"));
    REQUIRE(f.Call("test.Blob", "any\xff", Codec::kRaw) == "any\xff");
    REQUIRE(f.Call("test.Blob", "\"aGk=\"") == "\"aGk=\"");
    REQUIRE(f.Call("test.Labels", R"({"labels":["x"]})") == R"(["x"])");
    REQUIRE(f.Call("test.Nothing", "") == "{}");
    REQUIRE(f.Call("test.Nothing", "", Codec::kProto).empty());
}

TEST_CASE("rpc calls: a message is translated for JSON and passed on for protobuf") {
    Fixture f;
    std::string wire = FromHex("0a036d656d12030a016b");
    REQUIRE(f.Call("test.Message", wire, Codec::kProto) == wire);
    REQUIRE(f.Call("test.Message", R"({"Storage":"mem","items":[{"key":"k"}],"x":1})") ==
            R"({"storage":"mem","items":[{"key":"k"}]})");
    REQUIRE(f.Call("test.Message", "", Codec::kProto).empty());
    REQUIRE(f.Call("test.Message", "") == "{}");
    REQUIRE(f.Call("test.Message", FromHex("0a05"), Codec::kProto) ==
            "goridge_read_request_body: proto: cannot parse invalid wire-format data");
}

TEST_CASE("rpc calls: names are found, or the error says what is missing") {
    Fixture f;
    REQUIRE(f.Call("test.Nope", "") == "rpc: can't find method test.Nope");
    REQUIRE(f.caller.flags == (kError | 0x08));
    REQUIRE(f.Call("no.such.Foo", "") == "rpc: can't find service no.such.Foo");
    REQUIRE(f.Call("Test.Echo", "") == "rpc: can't find service Test.Echo");
    REQUIRE(f.Call("test", "") == "rpc: service/method request ill-formed: test");
    REQUIRE(f.Call("", "") == "rpc: service/method request ill-formed: ");
}

TEST_CASE("rpc calls: bodies that a codec cannot carry") {
    Fixture f;
    REQUIRE(f.Call("test.Echo", "", Codec::kNone) ==
            "goridge_read_request_body: unknown decoder used in frame");
    REQUIRE(f.caller.flags == (kError | 0x20));
    REQUIRE(f.Call("test.Echo", "x", Codec::kProto) ==
            "goridge_read_request_body: message type is not a proto");
    REQUIRE(f.Call("test.Echo", "", Codec::kProto) ==
            "goridge_write_response: message type is not a proto");
    REQUIRE(f.Call("test.Echo", "x", Codec::kRaw) == "unknown Raw payload type");
    REQUIRE(f.Call("test.Drop", "") == "the call was not answered: this is a bug of the server");
}

TEST_CASE("rpc calls: answers come in the order of completion, equal numbers included") {
    Fixture f;
    Request request;
    request.method = "test.Later";
    request.body_codec = request.answer_codec = Codec::kJson;
    request.id = 7;
    f.calls.Run(request, f.caller);
    f.calls.Run(request, f.caller);
    REQUIRE(f.caller.running() == 2);
    REQUIRE(f.Call("test.Not", "false") == "true");
    RpcReply second = std::move(f.service.later[1]);
    second.Send(true);
    REQUIRE(f.caller.Take() == "true");
    RpcReply first = std::move(f.service.later[0]);
    first.Fail("no");
    REQUIRE(f.caller.Take() == "no");
    REQUIRE(f.caller.running() == 0);
}

TEST_CASE("rpc calls: one caller has a bounded number of waiting calls") {
    Fixture f;
    Request request;
    request.method = "test.Later";
    request.body_codec = request.answer_codec = Codec::kJson;
    for (size_t i = 0; i < Calls::kMostRunning; ++i) {
        f.calls.Run(request, f.caller);
    }
    REQUIRE(f.Call("test.Not", "true") == "rpc: too many calls of one connection are waiting");
    RpcReply one = std::move(f.service.later.back());
    one.Send(true);
    REQUIRE(f.caller.Take() == "true");
    REQUIRE(f.Call("test.Not", "true") == "false");
    f.caller.ForgetCalls();
}

TEST_CASE("rpc calls: a caller that is gone gets nothing") {
    Fixture f;
    Request request;
    request.method = "test.Later";
    request.body_codec = request.answer_codec = Codec::kJson;
    f.calls.Run(request, f.caller);
    f.caller.ForgetCalls();
    REQUIRE(f.caller.running() == 0);
    f.service.later.clear();
    REQUIRE(f.caller.answered == 0);
    f.calls.Run(request, f.caller);
    f.caller.wanted = false;
    f.service.later.clear();
    REQUIRE(f.caller.answered == 0);
    f.caller.wanted = true;
    f.calls.Run(request, f.caller);
    f.caller.FailCalls("stopping");
    REQUIRE(f.caller.Take() == "stopping");
    f.service.later.clear();
    REQUIRE(f.caller.answered == 0);
}

TEST_CASE("rpc calls: a method may keep its reply longer than the server lives") {
    TestService service;
    TestCaller caller;
    {
        Methods methods;
        methods.Add(service);
        Calls calls(methods);
        Request request;
        request.method = "test.Later";
        request.body_codec = request.answer_codec = Codec::kJson;
        calls.Run(request, caller);
    }
    REQUIRE(caller.running() == 0);
    service.later.clear();
    REQUIRE(caller.answered == 0);
}
