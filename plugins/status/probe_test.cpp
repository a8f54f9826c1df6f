#include "plugins/status/probe.hpp"

#include <memory>
#include <string>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::status;

namespace {

class Group final : public WorkerGroup {
public:
    explicit Group(std::string name, bool with_pulse = true, bool vital = true)
        : name_(std::move(name)), with_pulse_(with_pulse), vital_(vital) {}
    std::string_view group_name() const override { return name_; }
    const GroupPulse* pulse() const override { return with_pulse_ ? &state : nullptr; }
    bool vital() const override { return vital_; }
    void Status(StatusDone) override {}
    void AddWorker(Done) override {}
    void RemoveWorker(Done) override {}

    GroupPulse state;

private:
    std::string name_;
    bool with_pulse_;
    bool vital_;
};

struct Fixture {
    web::Answer Get(std::string path, std::string query = "", bool draining = false) {
        return Probe(config, {&http, &slow, &tcp, &service})
            .Answer({"GET", std::move(path), std::move(query)}, draining);
    }
    // Everything idle.
    Fixture() {
        for (Group* group : {&http, &slow, &tcp}) {
            group->state.ready = 1;
            group->state.can_serve = true;
        }
    }
    StatusConfig config;
    Group http{"http"};
    Group slow{"http.slow"};
    Group tcp{"tcp"};
    Group service{"service", false};
};

const std::string kFineHttp = R"({"plugin_name":"http","error_message":"","status_code":200})";
const std::string kFineSlow = R"({"plugin_name":"http.slow","error_message":"","status_code":200})";
const std::string kFineTcp = R"({"plugin_name":"tcp","error_message":"","status_code":200})";
const std::string kBadTcp =
    R"({"plugin_name":"tcp","error_message":"internal server error, see logs","status_code":503})";

}  // namespace

TEST_CASE("status: without a query every group with a pulse is reported") {
    Fixture f;
    for (const char* path : {"/health", "/ready"}) {
        const web::Answer answer = f.Get(path);
        REQUIRE(answer.status == 200);
        REQUIRE(answer.body == "[" + kFineHttp + "," + kFineSlow + "," + kFineTcp + "]");
        REQUIRE(answer.content_type == "text/plain; charset=utf-8");
    }
}

TEST_CASE("status: a query chooses plugins, with all of their groups, and skips unknown names") {
    Fixture f;
    REQUIRE(f.Get("/health", "plugin=tcp").body == "[" + kFineTcp + "]");
    REQUIRE(f.Get("/health", "plugin=tcp&plugin=http.slow").body ==
            "[" + kFineTcp + "," + kFineSlow + "]");
    REQUIRE(f.Get("/ready", "plugin=http").body == "[" + kFineHttp + "," + kFineSlow + "]");
    REQUIRE(f.Get("/ready", "plugin=nosuch&plugin=service&plugin=tcp,http").body == "[]");
    REQUIRE(f.Get("/ready", "plugin=nosuch").status == 200);
}

TEST_CASE("status: one failing plugin makes the whole answer fail, and is named") {
    Fixture f;
    f.tcp.state.ready = 0;
    f.tcp.state.can_serve = false;
    const web::Answer answer = f.Get("/health", "plugin=http.slow&plugin=tcp");
    REQUIRE(answer.status == 503);
    REQUIRE(answer.body == "[" + kFineSlow + "," + kBadTcp + "]");
    REQUIRE(f.Get("/health", "plugin=http").status == 200);
    f.config.unavailable_status_code = 500;
    REQUIRE(f.Get("/ready").status == 500);
    REQUIRE(f.Get("/ready", "plugin=tcp").body.ends_with("\"status_code\":500}]"));
}

TEST_CASE("status: working workers are healthy, and ready unless the rule is strict") {
    Fixture f;
    f.tcp.state.ready = 0;
    f.tcp.state.working = 2;
    REQUIRE(f.Get("/health").status == 200);
    REQUIRE(f.Get("/ready").status == 200);
    f.config.strict_ready = true;
    REQUIRE(f.Get("/health").status == 200);
    REQUIRE(f.Get("/ready").status == 503);
}

TEST_CASE("status: a full queue is healthy and not ready") {
    Fixture f;
    f.tcp.state.ready = 0;
    f.tcp.state.working = 2;
    f.tcp.state.can_serve = false;
    REQUIRE(f.Get("/health").status == 200);
    REQUIRE(f.Get("/ready").status == 503);
}

TEST_CASE("status: a debug pool is fine unless its last boot failed, strict or not") {
    for (const bool strict : {false, true}) {
        Fixture f;
        f.config.strict_ready = strict;
        f.tcp.state.ready = 0;
        f.tcp.state.can_serve = false;
        f.tcp.state.debug = true;
        REQUIRE(f.Get("/health").status == 200);
        REQUIRE(f.Get("/ready").status == 200);
        f.tcp.state.boot_failed = true;
        REQUIRE(f.Get("/health").status == 503);
        REQUIRE(f.Get("/ready").status == 503);
    }
}

TEST_CASE("status: while draining only /health says yes, and no if that is wanted") {
    Fixture f;
    const web::Answer health = f.Get("/health", "", true);
    REQUIRE(health.status == 200);
    REQUIRE(health.body == "service is shutting down");
    REQUIRE(f.Get("/ready", "", true).status == 503);
    REQUIRE(f.Get("/jobs", "", true).status == 503);
    f.config.drain_unhealthy = true;
    REQUIRE(f.Get("/health", "", true).status == 503);
}

TEST_CASE("status: other paths do not exist, and /jobs says why it has nothing") {
    Fixture f;
    REQUIRE(f.Get("/").status == 404);
    REQUIRE(f.Get("/healthz").body == "404 page not found\n");
    REQUIRE(f.Get("/jobs").status == 503);
    REQUIRE(f.Get("/jobs").body == "jobs plugin not found");
}

TEST_CASE("status: a file of RoadRunner 1.x has its answer on every path, without a body") {
    Fixture f;
    f.config.every_path = true;
    f.config.unavailable_status_code = 500;
    REQUIRE(f.Get("/").status == 200);
    REQUIRE(f.Get("/any").body.empty());
    f.tcp.state.ready = 0;
    REQUIRE(f.Get("/").status == 500);
    REQUIRE(f.Get("/", "", true).status == 200);
}

TEST_CASE("status: a plugin is asked for by name, and is as well as its worst group") {
    Fixture f;
    const Probe probe(f.config, {&f.http, &f.slow, &f.tcp});
    REQUIRE(probe.Ask(Question::kHealth, "http") == true);
    f.slow.state.ready = 0;
    REQUIRE(probe.Ask(Question::kHealth, "http") == false);
    REQUIRE(probe.Ask(Question::kReady, "tcp") == true);
    REQUIRE_FALSE(probe.Ask(Question::kReady, "ht").has_value());
    REQUIRE_FALSE(probe.Ask(Question::kReady, "").has_value());
}

TEST_CASE("status: a group that is not vital has no say") {
    Fixture f;
    Group debug("http.debug", true, false);
    const Probe probe(f.config, {&f.http, &debug});
    REQUIRE(probe.Ask(Question::kReady, "http") == true);
    REQUIRE_FALSE(probe.Ask(Question::kReady, "http.debug").has_value());
    REQUIRE(probe.Answer({"GET", "/ready", ""}, false).body == "[" + kFineHttp + "]");
}
