// The service in front of its table: messages, errors, time by the loop's timer.
#include "plugins/lock/lock_service.hpp"

#include <chrono>
#include <deque>
#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "lock.pb.h"

using namespace rr;
using namespace rr::lock;
using namespace std::chrono_literals;

namespace {

// One call and its answer: `ok`, `no`, or an error's text.
class Call final : public RpcCall {
public:
    void Answer(const RpcValue&) override { FAIL("not a message"); }
    void AnswerMessage(const google::protobuf::MessageLite& message) override {
        AnswerBytes(message.SerializeAsString());
    }
    void AnswerBytes(Bytes bytes) override {
        ::lock::v1beta1::Response response;
        REQUIRE(response.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
        REQUIRE_FALSE(answer);
        answer = response.ok() ? "ok" : "no";
    }
    void AnswerError(std::string_view text) override {
        REQUIRE_FALSE(answer);
        answer = std::string(text);
    }
    std::optional<std::string> answer;
};

class Warnings final : public log::Channel {
public:
    Warnings() { SetLevel(log::Level::kDebug); }
    void Write(log::Level, std::string_view message, const log::Field* fields, size_t) override {
        REQUIRE(message.starts_with("many callers wait for one lock"));
        REQUIRE(std::get<std::string_view>(fields[0].value) == "r");
        REQUIRE(std::get<uint64_t>(fields[1].value) == LockService::kCrowd);
        REQUIRE(std::get<std::string_view>(fields[2].value) == "first");
        ++count;
    }
    int count = 0;
};

class Server {
public:
    Server() : service(main, log::Logger(&warnings)) { service.Describe(methods); }

    Call& Send(std::string_view method, const ::lock::v1beta1::Request& request) {
        return SendBytes(method, request.SerializeAsString());
    }
    Call& SendBytes(std::string_view method, const std::string& bytes) {
        for (RpcMethod& one : methods) {
            if (one.name == method) {
                RpcArgument argument;
                argument.bytes = bytes;
                calls.emplace_back();
                one.call(argument, RpcReply(calls.back()));
                return calls.back();
            }
        }
        FAIL("no such method");
        return calls.back();
    }
    std::string Wait(Call& call) {
        REQUIRE(main.RunUntil([&] { return call.answer.has_value(); }));
        return *call.answer;
    }

    Loop main{"main"};
    Warnings warnings;
    std::deque<Call> calls;
    LockService service;
    std::vector<RpcMethod> methods;
};

::lock::v1beta1::Request Make(const char* resource, const char* id, int64_t ttl = 0,
                              int64_t wait = 0) {
    ::lock::v1beta1::Request request;
    request.set_resource(resource);
    request.set_id(id);
    request.set_ttl(ttl);
    request.set_wait(wait);
    return request;
}

}  // namespace

TEST_CASE("lock: the methods under RoadRunner's names") {
    Server server;
    std::string names;
    for (const RpcMethod& method : server.methods) {
        names.append(method.name).append(" ");
    }
    REQUIRE(server.service.rpc_name() == "lock");
    REQUIRE(names == "Lock LockRead Release ForceRelease Exists UpdateTTL ");
}

TEST_CASE("lock: the captured request of the PHP client") {
    Server server;
    const std::string bytes("\x0a\x03res\x12\x02id\x18\x80\x89\x7a", 13);
    REQUIRE(server.Wait(server.SendBytes("Lock", bytes)) == "ok");
    REQUIRE(server.Wait(server.Send("Exists", Make("res", "id"))) == "ok");
    REQUIRE(server.Wait(server.Send("Exists", Make("res", "*"))) == "ok");
    REQUIRE(server.Wait(server.Send("Exists", Make("res", "x"))) == "no");
    REQUIRE(server.Wait(server.Send("UpdateTTL", Make("res", "id", 1000000))) == "ok");
    REQUIRE(server.Wait(server.Send("Release", Make("res", "id"))) == "ok");
    REQUIRE(server.Wait(server.Send("Release", Make("res", "id"))) == "no");
    REQUIRE(server.Wait(server.Send("ForceRelease", Make("res", ""))) == "ok");
    REQUIRE(server.Wait(server.Send("ForceRelease", Make("new", ""))) == "no");
}

TEST_CASE("lock: what is wrong with a request is said, and nothing is locked") {
    Server server;
    for (const char* method : {"Lock", "LockRead", "Release", "Exists", "UpdateTTL"}) {
        REQUIRE(server.Wait(server.SendBytes(method, "")) == "empty ID is not allowed");
    }
    REQUIRE(server.Wait(server.Send("Lock", Make("r", "a", -1))) == "negative TTL is not allowed");
    REQUIRE(server.Wait(server.Send("Lock", Make("r", "a", 0, -1))) ==
            "negative wait is not allowed");
    REQUIRE(server.Wait(server.Send("UpdateTTL", Make("r", "a", INT64_MIN))) ==
            "negative TTL is not allowed");
    REQUIRE(server.Wait(server.SendBytes("Lock", "\x0a\xff")) ==
            "goridge_read_request_body: proto: cannot parse invalid wire-format data");
    REQUIRE(server.service.table().held() == 0);
}

TEST_CASE("lock: the timer ends locks and patience") {
    Server server;
    REQUIRE(server.Wait(server.Send("Lock", Make("r", "a"))) == "ok");
    Call& impatient = server.Send("Lock", Make("r", "b"));
    Call& patient = server.Send("Lock", Make("r", "c", 0, 30'000'000));
    REQUIRE(server.Wait(impatient) == "no");
    REQUIRE(server.Wait(server.Send("UpdateTTL", Make("r", "a", 20'000))) == "ok");
    REQUIRE(server.Wait(patient) == "ok");
    REQUIRE(server.Wait(server.Send("Lock", Make("r", "d", INT64_MAX))) == "no");
    Call& endless = server.Send("Lock", Make("r", "e", INT64_MAX, INT64_MAX));
    REQUIRE_FALSE(endless.answer);
    server.service.StopWaiting();
    REQUIRE(endless.answer == "no");
}

TEST_CASE("lock: a thousand calls wait and none is forgotten") {
    Server server;
    REQUIRE(server.Wait(server.Send("Lock", Make("r", "first"))) == "ok");
    std::vector<Call*> storm;
    for (int i = 0; i < 1000; ++i) {
        const std::string id = "w" + std::to_string(i);
        storm.push_back(&server.Send("Lock", Make("r", id.c_str(), 0, 60'000'000)));
    }
    REQUIRE(server.service.table().waiting() == 1000);
    REQUIRE(server.warnings.count == 1);
    server.Wait(server.Send("Release", Make("r", "first")));
    for (int i = 0; i < 999; ++i) {
        REQUIRE(server.Wait(*storm[static_cast<size_t>(i)]) == "ok");
        REQUIRE_FALSE(storm[static_cast<size_t>(i) + 1]->answer);
        const std::string id = "w" + std::to_string(i);
        REQUIRE(server.Wait(server.Send("Release", Make("r", id.c_str()))) == "ok");
    }
    REQUIRE(server.service.table().waiting() == 0);
}
