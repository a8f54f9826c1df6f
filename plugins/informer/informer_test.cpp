#include "plugins/informer/informer.hpp"

#include <functional>
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "core/api/rpc_for_test.hpp"
#include "plugins/informer/shapes.hpp"

using namespace rr;
using namespace rr::informer;

namespace {

// A group that answers when it is told to.
class Group final : public WorkerGroup {
public:
    explicit Group(std::string name) : name_(std::move(name)) {}
    std::string_view group_name() const override { return name_; }
    const GroupPulse* pulse() const override { return plain ? nullptr : &pulse_; }
    void Status(StatusDone done) override { waiting.push_back(std::move(done)); }
    bool resizable() const override { return !plain; }
    void AddWorker(Done done) override { Change("add", std::move(done)); }
    void RemoveWorker(Done done) override { Change("remove", std::move(done)); }

    void Report(const GroupStatus& status) {
        for (StatusDone& done : std::exchange(waiting, {})) {
            done(status);
        }
    }
    void Change(const char* what, Done done) {
        changes.emplace_back(what);
        if (refusal.empty()) {
            done({});
        } else {
            done(Fail(Errc::kBusy, refusal));
        }
    }

    bool plain = false;
    std::string refusal;
    GroupPulse pulse_;
    std::vector<std::string> changes;
    std::vector<StatusDone> waiting;

private:
    std::string name_;
};

class Methods {
public:
    explicit Methods(RpcService& service) {
        service.Describe(list_);
        for (RpcMethod& method : list_) {
            by_name_[std::string(method.name)] = &method;
        }
    }
    bool empty() const { return list_.empty(); }
    const RpcMethod& Of(const std::string& name) { return *by_name_.at(name); }
    void Call(const std::string& name, Bytes text, RpcCall& call) {
        RpcArgument argument;
        argument.bytes = text;
        by_name_.at(name)->call(argument, RpcReply(call));
    }

private:
    std::vector<RpcMethod> list_;
    std::map<std::string, RpcMethod*> by_name_;
};

GroupStatus TwoWorkers() {
    GroupStatus status;
    WorkerInfo one;
    one.pid = 7;
    one.state = WorkerState::kWorking;
    one.execs = 3;
    one.created_unix_ns = 1'000'000'000;
    one.memory_bytes = 4096;
    one.cpu_percent = 0.5;
    one.task = "GET /slow";
    one.task_ns = 2'000'000;
    WorkerInfo other;
    other.pid = 9;
    other.state = WorkerState::kReady;
    status.workers = {one, other};
    status.queued = 5;
    status.generation = 2;
    status.resetting = true;
    return status;
}

}  // namespace

TEST_CASE("informer: lists the plugins that have workers") {
    Group http("http");
    Group tcp("tcp");
    Informer informer([&] { return Groups{&http, &tcp}; });
    Methods methods(informer);
    Recorded call;
    methods.Call("List", "", call);
    REQUIRE(call.answer.list().size() == 2);
    REQUIRE(call.answer[0].text() == "http");
    REQUIRE(call.answer[1].text() == "tcp");
}

TEST_CASE("informer: a worker has the eight fields of RoadRunner in their order") {
    Group http("http");
    Informer informer([&] { return Groups{&http}; });
    Methods methods(informer);
    Recorded call;
    methods.Call("Workers", "http", call);
    REQUIRE(call.answers == 0);
    http.Report(TwoWorkers());
    REQUIRE(call.answers == 1);
    const RpcValue& worker = call.answer[0][0];
    REQUIRE(worker.list().size() == 8);
    REQUIRE(worker[0].integer() == 7);
    REQUIRE(worker[1].integer() == 2);
    REQUIRE(worker[2].natural() == 3);
    REQUIRE(worker[3].integer() == 1'000'000'000);
    REQUIRE(worker[4].natural() == 4096);
    REQUIRE(worker[5].number() == 0.5);
    REQUIRE(worker[6].text().empty());
    REQUIRE(worker[7].text() == "working");

    const RpcType& type = methods.Of("Workers").result;
    REQUIRE(type.shape->name == "WorkerList");
    REQUIRE(type.shape->fields[0].name == "workers");
    std::string names;
    std::string long_names;
    for (const RpcField& field : type.shape->fields[0].shape->fields) {
        names.append(field.name).append(" ");
        long_names.append(field.long_name).append(" ");
    }
    REQUIRE(names == "pid status numExecs created memoryUsage CPUPercent command statusStr ");
    REQUIRE(long_names == "Pid Status NumExecs Created MemoryUsage CPUPercent Command StatusStr ");
}

TEST_CASE("informer: an unknown plugin has null for workers and is no error") {
    Informer informer([] { return Groups{}; });
    Methods methods(informer);
    Recorded call;
    methods.Call("Workers", "nosuch", call);
    REQUIRE(call.answers == 1);
    REQUIRE(call.error.empty());
    REQUIRE(call.answer.list().size() == 1);
    REQUIRE(call.answer[0].null());
}

TEST_CASE("informer: a known plugin without workers has an empty list") {
    Group http("http");
    Informer informer([&] { return Groups{&http}; });
    Methods methods(informer);
    Recorded call;
    methods.Call("Workers", "http", call);
    http.Report({});
    REQUIRE_FALSE(call.answer[0].null());
    REQUIRE(call.answer[0].list().empty());
}

TEST_CASE("informer: a process without a protocol is ready and has no word for it") {
    Group service("service");
    service.plain = true;
    Informer informer([&] { return Groups{&service}; });
    Methods methods(informer);
    Recorded call;
    methods.Call("Workers", "service", call);
    GroupStatus status;
    WorkerInfo process;
    process.plain = true;
    process.command = "/bin/sleep 1";
    status.workers = {process};
    service.Report(status);
    const RpcValue& worker = call.answer[0][0];
    REQUIRE(worker[1].integer() == 1);
    REQUIRE(worker[6].text() == "/bin/sleep 1");
    REQUIRE(worker[7].text().empty());
}

TEST_CASE("informer: a pool that does not serve is an error") {
    Group http("http");
    Informer informer([&] { return Groups{&http}; });
    Methods methods(informer);
    Recorded call;
    methods.Call("Workers", "http", call);
    http.waiting[0](Fail(Errc::kClosed, "http is not serving"));
    REQUIRE(call.error == "http is not serving");
}

TEST_CASE("informer: AddWorker and RemoveWorker answer false for success") {
    Group http("http");
    Informer informer([&] { return Groups{&http}; });
    Methods methods(informer);
    Recorded added;
    methods.Call("AddWorker", "http", added);
    Recorded removed;
    methods.Call("RemoveWorker", "http", removed);
    REQUIRE(added.answers == 1);
    REQUIRE(added.error.empty());
    REQUIRE_FALSE(added.answer.null());
    REQUIRE_FALSE(added.answer.flag());
    REQUIRE(removed.error.empty());
    REQUIRE(http.changes == std::vector<std::string>{"add", "remove"});
}

TEST_CASE("informer: what cannot be resized says so, an unknown plugin too") {
    Group service("service");
    service.plain = true;
    Group http("http");
    http.refusal = "no more than 500 workers";
    Informer informer([&] { return Groups{&service, &http}; });
    Methods methods(informer);
    for (const char* name : {"service", "nosuch"}) {
        Recorded call;
        methods.Call("AddWorker", name, call);
        REQUIRE(call.error ==
                "plugin " + std::string(name) + " does not support workers management");
    }
    Recorded call;
    methods.Call("AddWorker", "http", call);
    REQUIRE(call.error == "no more than 500 workers");
    REQUIRE(service.changes.empty());
}

TEST_CASE("informer: pipelines are null while no plugin has any") {
    Informer informer([] { return Groups{}; });
    Methods methods(informer);
    Recorded call;
    methods.Call("Jobs", "jobs", call);
    REQUIRE(call.answers == 1);
    REQUIRE(call.error.empty());
    REQUIRE(call.answer.null());
    REQUIRE(methods.Of("Jobs").result.list);
}

TEST_CASE("informer: Status waits for every group and keeps their order") {
    Group http("http");
    http.pulse_.can_serve = true;
    Group tcp("tcp");
    Informer informer([&] { return Groups{&http, &tcp}; });
    Methods methods(informer);
    Recorded call;
    methods.Call("Status", "", call);
    tcp.waiting[0](Fail(Errc::kClosed, "tcp is not serving"));
    REQUIRE(call.answers == 0);
    http.Report(TwoWorkers());
    REQUIRE(call.answers == 1);
    const RpcValue& groups = call.answer[0];
    REQUIRE(groups.list().size() == 2);
    REQUIRE(groups[0][0].text() == "http");
    REQUIRE(groups[0][1].natural() == 5);
    REQUIRE(groups[0][2].natural() == 2);
    REQUIRE(groups[0][3].flag());
    REQUIRE(groups[0][5].flag());
    REQUIRE(groups[0][8][0][8].text() == "GET /slow");
    REQUIRE(groups[0][8][0][9].integer() == 2'000'000);
    REQUIRE(groups[1][0].text() == "tcp");
    REQUIRE(groups[1][7].text() == "tcp is not serving");
}

TEST_CASE("informer: Status of one group, and of one that is not there") {
    Group http("http");
    Group tcp("tcp");
    Informer informer([&] { return Groups{&http, &tcp}; });
    Methods methods(informer);
    Recorded call;
    methods.Call("Status", "tcp", call);
    REQUIRE(http.waiting.empty());
    tcp.Report({});
    REQUIRE(call.answer[0].list().size() == 1);
    Recorded none;
    methods.Call("Status", "nosuch", none);
    REQUIRE(none.answers == 1);
    REQUIRE_FALSE(none.answer[0].null());
    REQUIRE(none.answer[0].list().empty());
}

TEST_CASE("informer: values have as many fields as their shapes") {
    Group http("http");
    std::vector<Found> found{{"http", TwoWorkers(), nullptr}};
    RpcValue groups = GroupListOf(found);
    const RpcShape& group = *kGroupList.fields[0].shape;
    REQUIRE(groups[0][0].list().size() == group.fields.size());
    REQUIRE(groups[0][0][8][0].list().size() == group.fields[8].shape->fields.size());
    REQUIRE(HttpWorkersOf(TwoWorkers())[0][0].list().size() ==
            kHttpWorkers.fields[0].shape->fields.size());
}

TEST_CASE("informer: http.Workers of 1.x has words for states, and exists with http only") {
    Group http("http");
    HttpWorkers legacy([&] { return Groups{&http}; });
    REQUIRE(legacy.rpc_name() == "http");
    Methods methods(legacy);
    Recorded call;
    methods.Call("Workers", "", call);
    http.Report(TwoWorkers());
    REQUIRE(call.answer[0][0][1].text() == "working");
    REQUIRE(call.answer[0][1][1].text() == "ready");

    Group tcp("tcp");
    HttpWorkers without([&] { return Groups{&tcp}; });
    REQUIRE(Methods(without).empty());
}
