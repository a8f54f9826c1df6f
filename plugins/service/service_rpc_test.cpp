// The service in front of the supervisor: messages, errors.
#include "plugins/service/service_rpc.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <catch2/catch.hpp>

#include "service.pb.h"

using namespace rr;
using namespace rr::service;
using namespace std::chrono_literals;
namespace v1 = ::service::v1;

namespace {

class Call final : public RpcCall {
public:
    void Answer(const RpcValue&) override { FAIL("not a message"); }
    void AnswerMessage(const google::protobuf::MessageLite& message) override {
        body = message.SerializeAsString();
    }
    void AnswerBytes(Bytes) override { FAIL("not a message"); }
    void AnswerError(std::string_view text) override { error = std::string(text); }
    std::optional<std::string> body;
    std::optional<std::string> error;
};

class Server {
public:
    Server()
        : spawner(pool::Spawner::Make(main)),
          supervisor(main, *spawner, {}, [](std::string_view) { return log::Logger(); }),
          rpc(supervisor) {
        rpc.Describe(methods);
    }
    ~Server() {
        bool done = false;
        supervisor.Stop(Clock::now() + 5s, [&] { done = true; });
        main.RunUntil([&] { return done; });
    }

    // The answer's bytes, or `error: ` and its text.
    std::string Send(std::string_view name, const std::string& bytes) {
        for (RpcMethod& method : methods) {
            if (method.name == name) {
                RpcArgument argument;
                argument.bytes = bytes;
                calls.emplace_back();
                Call& call = calls.back();
                method.call(argument, RpcReply(call));
                REQUIRE(main.RunUntil([&] { return call.body || call.error; }));
                return call.error ? "error: " + *call.error : *call.body;
            }
        }
        return "no such method";
    }
    template <class Message>
    Message Ask(std::string_view name, const std::string& service) {
        v1::Service request;
        request.set_name(service);
        Message answer;
        REQUIRE(answer.ParseFromString(Send(name, request.SerializeAsString())));
        return answer;
    }

    Loop main{"main"};
    std::deque<Call> calls;
    std::unique_ptr<pool::Spawner> spawner;
    Supervisor supervisor;
    ServiceRpc rpc;
    std::vector<RpcMethod> methods;
};

v1::Create Make(const std::string& name, const std::string& command) {
    v1::Create create;
    create.set_name(name);
    create.set_command(command);
    create.set_process_num(1);
    return create;
}

}  // namespace

TEST_CASE("service: created, listed, looked at, restarted and terminated over RPC") {
    Server server;
    v1::Create create = Make("a", "sh -c 'exec sleep 1000'");
    create.set_process_num(2);
    (*create.mutable_env())["some_name"] = "x";
    v1::Response response;
    REQUIRE(response.ParseFromString(server.Send("Create", create.SerializeAsString())));
    REQUIRE(response.ok());
    REQUIRE(server.Ask<v1::List>("List", "").services_size() == 1);
    REQUIRE(server.Ask<v1::List>("List", "").services(0) == "a");

    // The kernel gives a process its memory after exec.
    REQUIRE(server.main.RunUntil(
        [&] { return (*server.supervisor.StatusOf("a"))[0].memory_bytes > 0; }));
    const auto statuses = server.Ask<v1::Statuses>("Statuses", "a");
    REQUIRE(statuses.status_size() == 2);
    REQUIRE(statuses.status(0).pid() > 0);
    REQUIRE(statuses.status(0).memory_usage() > 0);
    REQUIRE(statuses.status(0).command().ends_with("sh -c exec sleep 1000"));
    REQUIRE_FALSE(statuses.status(0).has_status());
    REQUIRE(server.Ask<v1::Status>("Status", "a").pid() == statuses.status(1).pid());

    REQUIRE(server.Ask<v1::Response>("Restart", "a").ok());
    REQUIRE(server.Ask<v1::Statuses>("Statuses", "a").status(0).pid() != statuses.status(0).pid());
    REQUIRE(server.Ask<v1::Response>("Terminate", "a").ok());
    REQUIRE(server.Ask<v1::List>("List", "").services_size() == 0);
}

TEST_CASE("service: a process that ended is still listed, with the reason") {
    Server server;
    server.Send("Create", Make("a", "true").SerializeAsString());
    REQUIRE(server.main.RunUntil([&] { return !(*server.supervisor.StatusOf("a"))[0].alive; }));
    const auto status = server.Ask<v1::Statuses>("Statuses", "a").status(0);
    REQUIRE(status.pid() > 0);
    REQUIRE(status.command().ends_with("true"));
    REQUIRE(status.status().code() == 0);
    REQUIRE(status.status().message() == "process_state: open /proc/" +
                                             std::to_string(status.pid()) +
                                             "/statm: no such file or directory");
}

TEST_CASE("service: errors over RPC") {
    Server server;
    const std::string none = "error: the service with x name doesn't exist";
    const std::string x("\x0a\x01x", 3);
    for (const char* method : {"Terminate", "Restart", "Statuses", "Status"}) {
        REQUIRE(server.Send(method, x) == none);
        REQUIRE(server.Send(method, "\x0a\x05") ==
                "error: goridge_read_request_body: proto: cannot parse invalid wire-format data");
    }
    REQUIRE(server.Send("Create", x) ==
            "error: the service with x name should have at least 1 process");
    REQUIRE(server.Send("Create", Make("x", "sh -c 'a").SerializeAsString()) ==
            "error: the command of the service with x name: a quote (') is not closed");
    v1::Create negative = Make("x", "true");
    negative.set_exec_timeout(-1);
    REQUIRE(server.Send("Create", negative.SerializeAsString()) ==
            "error: the service with x name has a negative exec_timeout");
    negative.set_exec_timeout(INT64_MAX);
    negative.set_restart_sec(UINT64_MAX);
    negative.set_timeout_stop_sec(UINT64_MAX);
    REQUIRE_FALSE(server.Send("Create", negative.SerializeAsString()).starts_with("error"));
}
