#include "plugins/status/service.hpp"

#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "status.pb.h"

using namespace rr;
using namespace rr::status;

namespace {

class Group final : public WorkerGroup {
public:
    std::string_view group_name() const override { return "http"; }
    const GroupPulse* pulse() const override { return &state; }
    void Status(StatusDone) override {}
    void AddWorker(Done) override {}
    void RemoveWorker(Done) override {}
    GroupPulse state;
};

class Box final : public Container {
public:
    Loop& MainLoop() override { return loop; }
    Loop& DataLoop(size_t) override { return loop; }
    size_t DataLoops() const override { return 1; }
    log::Logger Log(std::string_view) override { return {}; }
    EventBus& Events() override { return events; }
    void Fail(std::string_view, Error) override {}
    void RequestStop() override {}
    bool draining() const override { return stops; }
    void Announce(std::string_view) override {}

    Loop loop{"test"};
    EventBus events;
    bool stops = false;

private:
    void PublishAs(std::type_index, void*) override {}
    std::vector<void*> Find(std::type_index) override { return {}; }
};

class Call final : public RpcCall {
public:
    void Answer(const RpcValue&) override {}
    void AnswerMessage(const google::protobuf::MessageLite& message) override {
        response.ParseFromString(message.SerializeAsString());
    }
    void AnswerBytes(Bytes) override {}
    void AnswerError(std::string_view text) override { error = text; }
    ::status::v1::Response response;
    std::string error;
};

struct Fixture {
    Fixture() : probe({}, {&group}) {
        service.Open(probe, box);
        service.Describe(methods);
        group.state.ready = 1;
        group.state.can_serve = true;
    }
    Call Ask(std::string_view method, const std::string& plugin) {
        ::status::v1::Request request;
        request.set_plugin(plugin);
        const std::string wire = request.SerializeAsString();
        Call call;
        for (RpcMethod& one : methods) {
            if (one.name == method) {
                one.call({.bytes = wire}, RpcReply(call));
            }
        }
        return call;
    }
    Box box;
    Group group;
    Probe probe;
    StatusService service;
    std::vector<RpcMethod> methods;
};

}  // namespace

TEST_CASE("status service: 200 or 503 for a plugin with workers") {
    Fixture f;
    REQUIRE(f.service.rpc_name() == "status");
    REQUIRE(f.methods.size() == 2);
    REQUIRE(f.Ask("Status", "http").response.code() == 200);
    REQUIRE(f.Ask("Ready", "http").response.code() == 200);
    f.group.state.can_serve = false;
    REQUIRE(f.Ask("Ready", "http").response.code() == 503);
    f.group.state.ready = 0;
    REQUIRE(f.Ask("Status", "http").response.code() == 503);
    REQUIRE(f.Ask("Status", "http").response.message() == "no worker is alive");
}

TEST_CASE("status service: while draining nothing is ready, but healthy") {
    Fixture f;
    f.box.stops = true;
    REQUIRE(f.Ask("Ready", "http").response.code() == 503);
    REQUIRE(f.Ask("Status", "http").response.code() == 200);
}

TEST_CASE("status service: an unknown plugin is an error with RoadRunner's text") {
    Fixture f;
    REQUIRE(f.Ask("Status", "nosuch").error ==
            "checker_rpc_status:\n\tchecker_plugin_status: no such plugin: nosuch");
    REQUIRE(f.Ask("Ready", "").error ==
            "checker_rpc_ready:\n\tchecker_plugin_ready: no such plugin: ");
}
