#include "plugins/service/service_rpc.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "core/config/words.hpp"
#include "service.pb.h"

namespace rr::service {
namespace {

namespace v1 = ::service::v1;

constexpr RpcField kCreateFields[] = {
    {"name", {}, RpcKind::kText, 1},
    {"command", {}, RpcKind::kText, 2},
    {"process_num", {}, RpcKind::kInt, 3},
    {"exec_timeout", {}, RpcKind::kInt, 4},
    {"remain_after_exit", {}, RpcKind::kBool, 5},
    {"env", {}, RpcKind::kText, 6, false, true},
    {"restart_sec", {}, RpcKind::kUint, 7},
    {"service_name_in_logs", {}, RpcKind::kBool, 8},
    {"timeout_stop_sec", {}, RpcKind::kUint, 9},
};
constexpr RpcField kServiceFields[] = {{"name", {}, RpcKind::kText, 1}};
constexpr RpcField kResponseFields[] = {
    {"message", {}, RpcKind::kText, 1},
    {"ok", {}, RpcKind::kBool, 2},
};
constexpr RpcField kListFields[] = {{"services", {}, RpcKind::kText, 1, true}};
constexpr RpcField kErrorFields[] = {
    {"code", {}, RpcKind::kInt, 1},
    {"message", {}, RpcKind::kText, 2},
};
constexpr RpcShape kError{"Status", kErrorFields, true};
constexpr RpcField kStatusFields[] = {
    {"cpu_percent", {}, RpcKind::kFloat, 1},
    {"pid", {}, RpcKind::kInt, 2},
    {"memory_usage", {}, RpcKind::kUint, 3},
    {"command", {}, RpcKind::kText, 4},
    {"status", {}, RpcKind::kShape, 5, false, false, &kError},
};
constexpr RpcShape kStatus{"Status", kStatusFields, true};
constexpr RpcField kStatusesFields[] = {
    {"status", {}, RpcKind::kShape, 1, true, false, &kStatus},
};
constexpr RpcShape kCreate{"Create", kCreateFields, true};
constexpr RpcShape kService{"Service", kServiceFields, true};
constexpr RpcShape kResponse{"Response", kResponseFields, true};
constexpr RpcShape kList{"List", kListFields, true};
constexpr RpcShape kStatuses{"Statuses", kStatusesFields, true};

constexpr std::string_view kNoMessage =
    "goridge_read_request_body: proto: cannot parse invalid wire-format data";

template <class Message>
bool Read(const RpcArgument& argument, Message& message) {
    return message.ParseFromArray(argument.bytes.data(), static_cast<int>(argument.bytes.size()));
}

void Answer(RpcReply reply, const Result<void>& result) {
    if (!result) {
        reply.Fail(result.error().message);
        return;
    }
    v1::Response response;
    response.set_ok(true);
    reply.Send(response);
}

// A method whose argument names a service.
template <class Ask>
RpcMethod Named(std::string_view name, const RpcShape& result, Ask ask) {
    return {name, RpcType::Message(kService), RpcType::Message(result),
            [ask](const RpcArgument& argument, RpcReply reply) {
                v1::Service service;
                if (!Read(argument, service)) {
                    reply.Fail(kNoMessage);
                    return;
                }
                ask(service.name(), std::move(reply));
            }};
}

Duration Seconds(uint64_t count, int64_t fallback) {
    constexpr auto kMost = static_cast<uint64_t>(ServiceConfig::kMostSeconds);
    return std::chrono::seconds(count == 0 ? fallback
                                           : static_cast<int64_t>(std::min(count, kMost)));
}

Result<ServiceConfig> ToConfig(const v1::Create& create) {
    ServiceConfig config;
    config.name = create.name();
    auto words = config::SplitWords(create.command());
    if (!words) {
        return Forward(words, "the command of the service with " + config.name + " name");
    }
    if (create.exec_timeout() < 0) {
        return Fail(Errc::kInvalid,
                    "the service with " + config.name + " name has a negative exec_timeout");
    }
    config.command = std::move(*words);
    config.process_num = create.process_num();
    config.exec_timeout = Seconds(static_cast<uint64_t>(create.exec_timeout()), 0);
    config.remain_after_exit = create.remain_after_exit();
    config.restart = Seconds(create.restart_sec(), ServiceConfig::kRestartSec);
    config.timeout_stop = Seconds(create.timeout_stop_sec(), ServiceConfig::kTimeoutStopSec);
    config.service_name_in_log = create.service_name_in_logs();
    for (const auto& [name, value] : create.env()) {
        config.env.emplace_back(name, value);
    }
    std::sort(config.env.begin(), config.env.end());  // a map has no order of its own
    return config;
}

void Fill(const ProcessStatus& process, v1::Status& status) {
    status.set_cpu_percent(static_cast<float>(process.cpu_percent));
    status.set_pid(static_cast<int32_t>(process.pid));
    status.set_memory_usage(process.memory_bytes);
    status.set_command(process.command);
    if (!process.alive) {
        status.mutable_status()->set_message(process.problem);
    }
}

}  // namespace

void ServiceRpc::Create(const RpcArgument& argument, RpcReply reply) {
    v1::Create create;
    if (!Read(argument, create)) {
        reply.Fail(kNoMessage);
        return;
    }
    auto config = ToConfig(create);
    if (!config) {
        reply.Fail(config.error().message);
        return;
    }
    supervisor_.Create(std::move(*config),
                       [reply = std::move(reply)](const Result<void>& result) mutable {
                           Answer(std::move(reply), result);
                       });
}

void ServiceRpc::Describe(std::vector<RpcMethod>& methods) {
    methods.push_back({"Create", RpcType::Message(kCreate), RpcType::Message(kResponse),
                       [this](const RpcArgument& argument, RpcReply reply) {
                           Create(argument, std::move(reply));
                       }});
    methods.push_back(
        Named("Terminate", kResponse, [this](const std::string& name, RpcReply reply) {
            supervisor_.Terminate(name,
                                  [reply = std::move(reply)](const Result<void>& result) mutable {
                                      Answer(std::move(reply), result);
                                  });
        }));
    methods.push_back(Named("Restart", kResponse, [this](const std::string& name, RpcReply reply) {
        supervisor_.RestartOne(name,
                               [reply = std::move(reply)](const Result<void>& result) mutable {
                                   Answer(std::move(reply), result);
                               });
    }));
    methods.push_back(Named("Statuses", kStatuses, [this](const std::string& name, RpcReply reply) {
        auto processes = supervisor_.StatusOf(name);
        if (!processes) {
            reply.Fail(processes.error().message);
            return;
        }
        v1::Statuses statuses;
        for (const ProcessStatus& process : *processes) {
            Fill(process, *statuses.add_status());
        }
        reply.Send(statuses);
    }));
    // Of the last process only: RoadRunner's, kept for old clients.
    methods.push_back(Named("Status", kStatus, [this](const std::string& name, RpcReply reply) {
        auto processes = supervisor_.StatusOf(name);
        if (!processes) {
            reply.Fail(processes.error().message);
            return;
        }
        v1::Status status;
        Fill(processes->back(), status);
        reply.Send(status);
    }));
    methods.push_back(Named("List", kList, [this](const std::string&, RpcReply reply) {
        v1::List list;
        for (std::string& name : supervisor_.Names()) {
            list.add_services(std::move(name));
        }
        reply.Send(list);
    }));
}

}  // namespace rr::service
