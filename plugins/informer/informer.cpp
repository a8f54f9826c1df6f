#include "plugins/informer/informer.hpp"

#include <memory>
#include <string>
#include <utility>

#include "plugins/informer/shapes.hpp"

namespace rr::informer {

namespace {

WorkerGroup* FindIn(const Groups& groups, std::string_view name) {
    for (WorkerGroup* group : groups) {
        if (group->group_name() == name) {
            return group;
        }
    }
    return nullptr;
}

// Answers a change of size. False is RoadRunner's word for success: it never sets its result.
WorkerGroup::Done Answering(RpcReply reply) {
    return [reply = std::move(reply)](Result<void> result) mutable {
        if (result) {
            reply.Send(false);
        } else {
            reply.Fail(result.error().message);
        }
    };
}

// Waits for the state of several groups, each in its own time, and answers with all.
class Gathering {
public:
    static void Start(const Groups& groups, RpcReply reply) {
        auto shared = std::make_shared<Gathering>(groups, std::move(reply));
        if (groups.empty()) {
            shared->Answer();
        }
        for (size_t i = 0; i < groups.size(); ++i) {
            groups[i]->Status([shared, i](Result<GroupStatus> status) {
                shared->found_[i].status = std::move(status);
                if (--shared->missing_ == 0) {
                    shared->Answer();
                }
            });
        }
    }

    Gathering(const Groups& groups, RpcReply reply)
        : reply_(std::move(reply)), missing_(groups.size()) {
        for (WorkerGroup* group : groups) {
            found_.push_back({std::string(group->group_name()), GroupStatus(), group->pulse()});
        }
    }

private:
    void Answer() { reply_.Send(GroupListOf(found_)); }

    RpcReply reply_;
    std::vector<Found> found_;
    size_t missing_;
};

}  // namespace

void Informer::Describe(std::vector<RpcMethod>& methods) {
    groups_ = find_groups_();
    methods.push_back({"List", RpcType::Bool(), RpcType::TextList(),
                       [this](const RpcArgument&, RpcReply reply) { List(std::move(reply)); }});
    methods.push_back(
        {"Workers", RpcType::Text(), RpcType::Struct(kWorkerList),
         [this](const RpcArgument& in, RpcReply reply) { Workers(in.bytes, std::move(reply)); }});
    // No plugin has pipelines yet.
    methods.push_back({"Jobs", RpcType::Text(), RpcType::StructList(kPipeline),
                       [](const RpcArgument&, RpcReply reply) { reply.Send(RpcValue()); }});
    methods.push_back({"AddWorker", RpcType::Text(), RpcType::Bool(),
                       [this](const RpcArgument& in, RpcReply reply) {
                           if (WorkerGroup* group = Resizable(in.bytes, reply)) {
                               group->AddWorker(Answering(std::move(reply)));
                           }
                       }});
    methods.push_back({"RemoveWorker", RpcType::Text(), RpcType::Bool(),
                       [this](const RpcArgument& in, RpcReply reply) {
                           if (WorkerGroup* group = Resizable(in.bytes, reply)) {
                               group->RemoveWorker(Answering(std::move(reply)));
                           }
                       }});
    methods.push_back(
        {"Status", RpcType::Text(), RpcType::Struct(kGroupList),
         [this](const RpcArgument& in, RpcReply reply) { Status(in.bytes, std::move(reply)); }});
}

WorkerGroup* Informer::Find(std::string_view name) const { return FindIn(groups_, name); }

void Informer::List(RpcReply reply) const {
    RpcValue::List names;
    for (const WorkerGroup* group : groups_) {
        names.emplace_back(group->group_name());
    }
    reply.Send(std::move(names));
}

void Informer::Workers(std::string_view name, RpcReply reply) const {
    WorkerGroup* group = Find(name);
    if (group == nullptr) {
        reply.Send(RpcValue::List{RpcValue()});  // {"workers":null}, and no error: as RoadRunner
        return;
    }
    group->Status([reply = std::move(reply)](Result<GroupStatus> status) mutable {
        if (status) {
            reply.Send(WorkerListOf(*status));
        } else {
            reply.Fail(status.error().message);
        }
    });
}

// Everything `rr workers -i` shows. An unknown name gives an empty list.
void Informer::Status(std::string_view name, RpcReply reply) const {
    if (name.empty()) {
        Gathering::Start(groups_, std::move(reply));
        return;
    }
    WorkerGroup* group = Find(name);
    Gathering::Start(group != nullptr ? Groups{group} : Groups{}, std::move(reply));
}

WorkerGroup* Informer::Resizable(std::string_view name, RpcReply& reply) const {
    WorkerGroup* group = Find(name);
    if (group == nullptr || !group->resizable()) {
        reply.Fail("plugin " + std::string(name) + " does not support workers management");
        return nullptr;
    }
    return group;
}

void HttpWorkers::Describe(std::vector<RpcMethod>& methods) {
    WorkerGroup* http = FindIn(find_groups_(), "http");
    if (http == nullptr) {
        return;
    }
    methods.push_back({"Workers", RpcType::Bool(), RpcType::Struct(kHttpWorkers),
                       [http](const RpcArgument&, RpcReply reply) {
                           http->Status(
                               [reply = std::move(reply)](Result<GroupStatus> status) mutable {
                                   if (status) {
                                       reply.Send(HttpWorkersOf(*status));
                                   } else {
                                       reply.Fail(status.error().message);
                                   }
                               });
                       }});
}

}  // namespace rr::informer
