#include "cmd/rr/groups.hpp"

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::cmd;

TEST_CASE("groups: what informer.Status says is read, workers by pid") {
    auto groups =
        ReadGroups(R"({"groups":[{"plugin":"http","queued":3,"generation":2,)"
                   R"("resetting":true,"debug":false,"ready":true,"bootError":"b","error":"",)"
                   R"("workers":[{"pid":9,"status":1,"numExecs":0,"created":5,"memoryUsage":7,)"
                   R"("CPUPercent":0,"command":"","statusStr":"ready","task":"","taskTime":0},)"
                   R"({"pid":7,"status":2,"numExecs":4,"created":5,"memoryUsage":7,)"
                   R"("CPUPercent":1.5,"command":"","statusStr":"working","task":"GET /",)"
                   R"("taskTime":6}]}]})");
    REQUIRE(groups);
    REQUIRE(groups->size() == 1);
    const GroupView& group = groups->front();
    REQUIRE(group.detailed);
    REQUIRE(group.queued == 3);
    REQUIRE(group.resetting);
    REQUIRE(group.boot_error == "b");
    REQUIRE(group.workers.size() == 2);
    REQUIRE(group.workers[0].pid == 7);
    REQUIRE(group.workers[0].task == "GET /");
    REQUIRE(group.workers[0].cpu_percent == 1.5);
    REQUIRE(group.workers[1].cpu_percent == 0);
    REQUIRE_FALSE(group.plain());
    // Written for scripts and read again it is the same.
    std::string text = WriteGroups(*groups);
    REQUIRE(WriteGroups(*ReadGroups(text)) == text);
}

TEST_CASE("groups: null workers are an unknown plugin, an empty list is a known one") {
    bool known = true;
    REQUIRE(ReadWorkers(R"({"workers":null})", known)->empty());
    REQUIRE_FALSE(known);
    REQUIRE(ReadWorkers(R"({"workers":[]})", known)->empty());
    REQUIRE(known);
}

TEST_CASE("groups: other answers are refused, unknown fields are not") {
    bool known = true;
    for (const char* text : {"", "{", "[]", "5", R"({"workers":5})", R"({"groups":{}})"}) {
        INFO(text);
        REQUIRE_FALSE(ReadGroups(text));
        REQUIRE_FALSE(ReadWorkers(text, known));
    }
    REQUIRE(ReadWorkers(R"({"workers":[{"pid":"x","new":1},5]})", known)->size() == 2);
    REQUIRE(ReadNames("null")->empty());
    REQUIRE(ReadNames(R"(["http",5,"tcp"])") == std::vector<std::string>{"http", "tcp"});
    REQUIRE_FALSE(ReadText("5"));
}

TEST_CASE("groups: pipelines are read by name") {
    auto pipelines = ReadPipelines(
        R"([{"Pipeline":"b","Driver":"memory","Queue":"b","Active":1,"Delayed":2,"Reserved":0,)"
        R"("Ready":true,"Priority":10,"ErrorMessage":""},{"Pipeline":"a"}])");
    REQUIRE(pipelines->size() == 2);
    REQUIRE((*pipelines)[0].pipeline == "a");
    REQUIRE((*pipelines)[1].delayed == 2);
    REQUIRE(ReadPipelines("null")->empty());
}
