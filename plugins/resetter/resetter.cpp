#include "plugins/resetter/resetter.hpp"

#include <string>

namespace rr::resetter {

namespace {

Resettable* FindIn(const Targets& targets, std::string_view name) {
    for (Resettable* target : targets) {
        if (target->reset_name() == name) {
            return target;
        }
    }
    return nullptr;
}

}  // namespace

void Resetter::Describe(std::vector<RpcMethod>& methods) {
    targets_ = find_targets_();
    methods.push_back({"List", RpcType::Bool(), RpcType::TextList(),
                       [this](const RpcArgument&, RpcReply reply) { List(std::move(reply)); }});
    methods.push_back(
        {"Reset", RpcType::Text(), RpcType::Bool(),
         [this](const RpcArgument& in, RpcReply reply) { Reset(in.bytes, std::move(reply)); }});
}

void Resetter::List(RpcReply reply) const {
    RpcValue::List names;
    for (const Resettable* target : targets_) {
        names.emplace_back(target->reset_name());
    }
    reply.Send(std::move(names));
}

void Resetter::Reset(std::string_view name, RpcReply reply) const {
    Resettable* target = FindIn(targets_, name);
    if (target == nullptr) {
        reply.Fail("resetter_rpc_reset:\n\tresetter_plugin_reset_by_name: no such plugin: " +
                   std::string(name));
        return;
    }
    target->Reset([reply = std::move(reply)](Result<void> result) mutable {
        if (result) {
            reply.Send(true);
        } else {
            reply.Fail("resetter_rpc_reset: " + result.error().message);
        }
    });
}

void HttpReset::Describe(std::vector<RpcMethod>& methods) {
    Resettable* http = FindIn(find_targets_(), "http");
    if (http == nullptr) {
        return;
    }
    methods.push_back(
        {"Reset", RpcType::Bool(), RpcType::Text(), [http](const RpcArgument&, RpcReply reply) {
             http->Reset([reply = std::move(reply)](Result<void> result) mutable {
                 if (result) {
                     reply.Send("OK");
                 } else {
                     reply.Fail(result.error().message);
                 }
             });
         }});
}

}  // namespace rr::resetter
