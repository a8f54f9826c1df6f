#include "plugins/status/service.hpp"

#include <array>
#include <string>
#include <utility>

#include "status.pb.h"

namespace rr::status {
namespace {

constexpr std::array<RpcField, 1> kRequestFields = {
    RpcField{.name = "plugin", .long_name = "Plugin", .kind = RpcKind::kText, .number = 1}};
constexpr RpcShape kRequest{"Request", kRequestFields, true};

constexpr std::array<RpcField, 2> kResponseFields = {
    RpcField{.name = "code", .long_name = "Code", .kind = RpcKind::kInt, .number = 1},
    RpcField{.name = "message", .long_name = "Message", .kind = RpcKind::kText, .number = 2}};
constexpr RpcShape kResponse{"Response", kResponseFields, true};

// HTTP's numbers whatever status.unavailable_status_code says, as in RoadRunner.
constexpr int64_t kFine = 200;
constexpr int64_t kUnavailable = 503;

}  // namespace

void StatusService::Open(const Probe& probe, const Container& container) {
    probe_ = &probe;
    container_ = &container;
}

void StatusService::Describe(std::vector<RpcMethod>& methods) {
    const auto add = [&](std::string_view name, Question question) {
        methods.push_back({name, RpcType::Message(kRequest), RpcType::Message(kResponse),
                           [this, question](const RpcArgument& argument, RpcReply reply) {
                               Answer(question, argument, std::move(reply));
                           }});
    };
    add("Status", Question::kHealth);
    add("Ready", Question::kReady);
}

void StatusService::Answer(Question question, const RpcArgument& argument, RpcReply reply) const {
    ::status::v1::Request request;
    request.ParseFromArray(argument.bytes.data(), static_cast<int>(argument.bytes.size()));
    const auto says = probe_->Ask(question, request.plugin());
    if (!says) {
        const std::string word = question == Question::kHealth ? "status" : "ready";
        reply.Fail("checker_rpc_" + word + ":\n\tchecker_plugin_" + word +
                   ": no such plugin: " + request.plugin());
        return;
    }
    const bool draining = question == Question::kReady && container_->draining();
    ::status::v1::Response response;
    response.set_code(*says && !draining ? kFine : kUnavailable);
    if (draining) {
        response.set_message("service is shutting down");
    } else if (!*says) {
        response.set_message(question == Question::kHealth ? "no worker is alive"
                                                           : "no worker can take a request");
    }
    reply.Send(response);
}

}  // namespace rr::status
