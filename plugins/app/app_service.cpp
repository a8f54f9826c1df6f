#include "plugins/app/app_service.hpp"

#include <string>
#include <utility>

#include "app_logger.pb.h"

namespace rr::app {
namespace {

using Entry = ::applogger::v1::LogEntry;

constexpr RpcField kAttributeFields[] = {
    {"key", {}, RpcKind::kText, 1},
    {"value", {}, RpcKind::kText, 2},
};
constexpr RpcShape kAttribute{"LogAttrs", kAttributeFields, true};
constexpr RpcField kEntryFields[] = {
    {"message", {}, RpcKind::kText, 1},
    {"log_attrs", {}, RpcKind::kShape, 2, true, false, &kAttribute},
};
constexpr RpcShape kEntry{"LogEntry", kEntryFields, true};
constexpr RpcShape kResponse{"Response", {}, true};

// RoadRunner never sets its result: false is what clients know.
void AnswerText(RpcReply reply) { reply.Send(RpcValue(false)); }

// `take` gets the entry; the answer is an empty message.
template <class Take>
RpcMethod WithEntry(std::string_view name, Take take) {
    return {name, RpcType::Message(kEntry), RpcType::Message(kResponse),
            [take](const RpcArgument& argument, RpcReply reply) {
                Entry entry;
                if (!entry.ParseFromArray(argument.bytes.data(),
                                          static_cast<int>(argument.bytes.size()))) {
                    reply.Fail(
                        "goridge_read_request_body: proto: cannot parse invalid wire-format data");
                    return;
                }
                take(entry);
                reply.SendBytes({});
            }};
}

// `MSG k:v,k2:v2`
std::string Line(const Entry& entry) {
    std::string line = entry.message();
    const char* before = " ";
    for (const auto& attribute : entry.log_attrs()) {
        line.append(before).append(attribute.key()).append(":").append(attribute.value());
        before = ",";
    }
    return line;
}

}  // namespace

void AppService::AddLevel(std::vector<RpcMethod>& methods, std::string_view name,
                          std::string_view with_context, log::Level level) {
    methods.push_back({name, RpcType::Text(), RpcType::Bool(),
                       [this, level](const RpcArgument& argument, RpcReply reply) {
                           log_.Write(level, argument.bytes, nullptr, 0);
                           AnswerText(std::move(reply));
                       }});
    methods.push_back(WithEntry(with_context, [this, level](const Entry& entry) {
        std::vector<log::Field> fields;
        fields.reserve(static_cast<size_t>(entry.log_attrs_size()));
        for (const auto& attribute : entry.log_attrs()) {
            fields.emplace_back(attribute.key(), attribute.value());
        }
        log_.Write(level, entry.message(), fields.data(), fields.size());
    }));
}

void AppService::Describe(std::vector<RpcMethod>& methods) {
    AddLevel(methods, "Error", "ErrorWithContext", log::Level::kError);
    AddLevel(methods, "Warning", "WarningWithContext", log::Level::kWarn);
    AddLevel(methods, "Info", "InfoWithContext", log::Level::kInfo);
    AddLevel(methods, "Debug", "DebugWithContext", log::Level::kDebug);
    methods.push_back({"Log", RpcType::Text(), RpcType::Bool(),
                       [this](const RpcArgument& argument, RpcReply reply) {
                           errors_.Write(argument.bytes);
                           AnswerText(std::move(reply));
                       }});
    methods.push_back(
        WithEntry("LogWithContext", [this](const Entry& entry) { errors_.Write(Line(entry)); }));
}

}  // namespace rr::app
