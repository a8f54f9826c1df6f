#include "plugins/resetter/resetter.hpp"

#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "core/api/rpc_for_test.hpp"

using namespace rr;
using namespace rr::resetter;

namespace {

class Target final : public Resettable {
public:
    explicit Target(std::string name) : name_(std::move(name)) {}
    std::string_view reset_name() const override { return name_; }
    void Reset(Callback<void(Result<void>)> done) override { waiting.push_back(std::move(done)); }
    std::vector<Callback<void(Result<void>)>> waiting;

private:
    std::string name_;
};

RpcMethod& Of(std::vector<RpcMethod>& methods, std::string_view name) {
    for (RpcMethod& method : methods) {
        if (method.name == name) {
            return method;
        }
    }
    FAIL("no method " << name);
    std::abort();
}

std::vector<RpcMethod> Described(RpcService& service) {
    std::vector<RpcMethod> methods;
    service.Describe(methods);
    return methods;
}

void Call(RpcMethod& method, Bytes text, RpcCall& call) {
    RpcArgument argument;
    argument.bytes = text;
    method.call(argument, RpcReply(call));
}

}  // namespace

TEST_CASE("resetter: lists what can be reset") {
    Target http("http");
    Resetter resetter([&] { return Targets{&http}; });
    auto methods = Described(resetter);
    Recorded call;
    Call(Of(methods, "List"), "", call);
    REQUIRE(call.answer.list().size() == 1);
    REQUIRE(call.answer[0].text() == "http");
}

TEST_CASE("resetter: answers true when the new workers serve") {
    Target http("http");
    Target tcp("tcp");
    Resetter resetter([&] { return Targets{&http, &tcp}; });
    auto methods = Described(resetter);
    Recorded call;
    Call(Of(methods, "Reset"), "tcp", call);
    REQUIRE(call.answers == 0);
    REQUIRE(http.waiting.empty());
    tcp.waiting[0]({});
    REQUIRE(call.answers == 1);
    REQUIRE(call.answer.flag());
}

TEST_CASE("resetter: a name nobody has gets RoadRunner's words") {
    Resetter resetter([] { return Targets{}; });
    auto methods = Described(resetter);
    Recorded call;
    Call(Of(methods, "Reset"), "nosuch", call);
    REQUIRE(call.error ==
            "resetter_rpc_reset:\n\tresetter_plugin_reset_by_name: no such plugin: nosuch");
}

TEST_CASE("resetter: a failed reset says why") {
    Target http("http");
    Resetter resetter([&] { return Targets{&http}; });
    auto methods = Described(resetter);
    Recorded call;
    Call(Of(methods, "Reset"), "http", call);
    http.waiting[0](Fail(Errc::kProcess, "the worker exited with code 3"));
    REQUIRE(call.error == "resetter_rpc_reset: the worker exited with code 3");
}

TEST_CASE("resetter: http.Reset of 1.x answers OK, and exists with http only") {
    Target http("http");
    HttpReset legacy([&] { return Targets{&http}; });
    REQUIRE(legacy.rpc_name() == "http");
    auto methods = Described(legacy);
    Recorded call;
    Call(Of(methods, "Reset"), "", call);
    http.waiting[0]({});
    REQUIRE(call.answer.text() == "OK");

    Target tcp("tcp");
    HttpReset without([&] { return Targets{&tcp}; });
    REQUIRE(Described(without).empty());
}
