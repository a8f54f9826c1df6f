#include "plugins/kv/redis/cluster.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace rr::kv::redis {
namespace {

constexpr size_t kAskedAtOnce = 3;
constexpr int64_t kMaxRedirects = 8;
constexpr Duration kBetweenMaps = std::chrono::milliseconds(200);
constexpr Duration kMapAge = std::chrono::seconds(60);  // then new nodes are looked for

// Before a command for a slot that its node is about to get.
constexpr std::string_view kAsking = "*1\r\n$6\r\nASKING\r\n";

void SetAsking(Command& command, bool asking) {
    if (command.asking == asking) {
        return;
    }
    command.asking = asking;
    if (asking) {
        command.wire.insert(0, kAsking);
        ++command.answers;
    } else {
        command.wire.erase(0, kAsking.size());
        --command.answers;
    }
}

// Of a command that runs on many nodes.
struct Everywhere {
    std::unique_ptr<Command> command;
    size_t open;
    Result<void> result;
};

void Collect(Everywhere& all, Command& part, Result<void> result) {
    if (!result) {
        all.result = std::move(result);
    } else if (all.command->replies.empty() || part.reply().error()) {
        all.command->replies.assign(1, std::move(part.reply()));
    }
    if (--all.open == 0) {
        auto done = std::move(all.command->done);
        done(*all.command, std::move(all.result));
    }
}

}  // namespace

Cluster::Cluster(const ClientContext& context, const RedisConfig& config)
    : Client(context, config),
      refresh_(context.loop, [this] { Refresh(); }),
      sweep_(context.loop, [this] { Sweep(); }),
      random_(std::random_device{}()) {
    slots_.fill(kNobody);
    for (const net::Address& address : config.addrs) {
        NodeAt(address);
    }
}

void Cluster::CloseLinks() {
    refresh_.Disarm();
    sweep_.Disarm();
    for (auto& [name, node] : nodes_) {
        node.link->Close();
    }
}

Cluster::Node& Cluster::NodeAt(const net::Address& address) {
    Node& node = nodes_[address.ToString()];
    if (node.link == nullptr) {
        Greeting greeting{config_.username, config_.password};
        greeting.replica = config_.replicas();
        node.link = MakeLink(address, greeting, config_.link);
    }
    node.map = map_;
    return node;
}

// The shard of these nodes, master first; a new one if the map has none.
int32_t Cluster::ShardOf(const std::vector<net::Address>& addresses) {
    Shard shard;
    for (const net::Address& address : addresses) {
        shard.nodes.push_back(&NodeAt(address));
    }
    const auto same = [&shard](const Shard& other) { return other.nodes == shard.nodes; };
    const auto found = std::find_if(shards_.begin(), shards_.end(), same);
    if (found == shards_.end()) {
        shards_.push_back(std::move(shard));
        return static_cast<int32_t>(shards_.size() - 1);
    }
    return static_cast<int32_t>(found - shards_.begin());
}

void Cluster::Route(std::unique_ptr<Command> command) {
    if (!command->node.empty()) {
        const auto node = nodes_.find(command->node);
        if (node == nodes_.end()) {
            Finish(std::move(command), Fail(Errc::kClosed, "a node left the cluster"));
            return;
        }
        node->second.link->Submit(std::move(command));
        return;
    }
    if (map_ == 0) {
        // Each map that did not come about counts as an attempt.
        if (command->attempts++ > config_.link.max_retries) {
            Finish(std::move(command), Fail(Errc::kClosed, last_error_));
            return;
        }
        ParkUntilResumed(std::move(command));
        Refresh();
        return;
    }
    if (loop_.Now() - drawn_ > kMapAge) {
        RefreshSoon();
    }
    if (command->everywhere) {
        RouteEverywhere(std::move(command));
        return;
    }
    const int32_t shard = slots_[command->slot];
    if (shard == kNobody) {
        Lost(std::move(command), Error(Errc::kClosed, "CLUSTERDOWN Hash slot not served"));
        return;
    }
    Node& node = Pick(shards_[static_cast<size_t>(shard)], command->reads);
    node.link->Submit(std::move(command));
}

void Cluster::RouteEverywhere(std::unique_ptr<Command> command) {
    std::vector<std::string> masters;
    for (const Shard& shard : shards_) {
        masters.push_back(shard.nodes.front()->link->address().ToString());
    }
    std::sort(masters.begin(), masters.end());
    masters.erase(std::unique(masters.begin(), masters.end()), masters.end());
    auto all = std::make_shared<Everywhere>();
    all->command = std::move(command);
    all->open = masters.size();
    all->command->replies.clear();
    for (const std::string& master : masters) {
        auto part = std::make_unique<Command>();
        part->wire = all->command->wire;
        part->deadline = all->command->deadline;
        part->node = master;
        part->done = [all](Command& answered, Result<void> result) {
            Collect(*all, answered, std::move(result));
        };
        Route(std::move(part));
    }
}

Cluster::Node& Cluster::Pick(const Shard& shard, bool reads) {
    Node* master = shard.nodes.front();
    if (!reads || !config_.replicas() || shard.nodes.size() == 1) {
        return *master;
    }
    const bool any = config_.route_by_latency || config_.route_randomly;
    std::vector<Node*> fit;
    for (Node* node : shard.nodes) {
        if (!node->link->down() && (any || node != master)) {
            fit.push_back(node);
        }
    }
    if (fit.empty()) {
        return *master;
    }
    if (config_.route_by_latency) {
        return **std::min_element(fit.begin(), fit.end(), [](const Node* a, const Node* b) {
            return a->latency.value_or(Duration::max()) < b->latency.value_or(Duration::max());
        });
    }
    return *fit[random_() % fit.size()];
}

bool Cluster::Redirected(Link& link, std::unique_ptr<Command>& command) {
    const Reply& reply = command->reply();
    const auto redirect = ParseRedirect(reply.text, link.address());
    if (!redirect || !command->node.empty()) {
        if (reply.error("CLUSTERDOWN") || reply.error("READONLY") || reply.error("MASTERDOWN")) {
            RefreshSoon();
        }
        return false;
    }
    if (++command->redirects > kMaxRedirects) {
        return false;
    }
    Node& node = NodeAt(redirect->node);
    if (!redirect->ask) {
        slots_[redirect->slot] = ShardOf({redirect->node});
        RefreshSoon();
    }
    SetAsking(*command, redirect->ask);
    command->Again();
    node.link->Submit(std::move(command));
    return true;
}

// The node may be gone for good: the next map says who has taken over.
void Cluster::Lost(std::unique_ptr<Command> command, const Error& why) {
    if (!command->node.empty() || why.code == Errc::kBusy || command->deadline <= loop_.Now() ||
        ++command->redirects > kMaxRedirects) {
        Finish(std::move(command), Result<void>(tl::unexpected<Error>(why)));
        return;
    }
    SetAsking(*command, false);
    command->attempts = 0;
    RefreshSoon();
    const int64_t attempt = command->redirects;
    Park(std::move(command), attempt);
}

void Cluster::RefreshSoon() {
    if (asking_ || refresh_.armed() || closed()) {
        return;
    }
    refresh_.Arm(std::max(drawn_ + kBetweenMaps - loop_.Now(), Duration::zero()));
}

void Cluster::Refresh() {
    if (asking_ || closed()) {
        return;
    }
    asking_ = true;
    ++question_;
    open_ = 0;
    to_ask_.clear();
    for (const auto& [name, node] : nodes_) {
        to_ask_.push_back(name);
    }
    std::shuffle(to_ask_.begin(), to_ask_.end(), random_);
    std::stable_partition(to_ask_.begin(), to_ask_.end(),
                          [this](const std::string& name) { return nodes_[name].link->down(); });
    AskMore();
}

void Cluster::AskMore() {
    std::vector<std::unique_ptr<Command>> asked;
    while (asked.size() < kAskedAtOnce && !to_ask_.empty()) {
        auto command = std::make_unique<Command>();
        AppendCommand({"CLUSTER", "SLOTS"}, command->wire);
        command->deadline = loop_.Now() + config_.read_timeout;
        command->node = std::move(to_ask_.back());
        to_ask_.pop_back();
        command->done = [this, question = question_](Command& answered, Result<void> result) {
            if (question == question_ && asking_) {
                OnSlots(answered, std::move(result));
            }
        };
        asked.push_back(std::move(command));
    }
    open_ = asked.size();  // before any of them is answered
    for (auto& command : asked) {
        Route(std::move(command));
    }
}

void Cluster::OnSlots(Command& command, Result<void> result) {
    --open_;
    Result<net::Address> from = net::ParseAddress(command.node);
    Result<std::vector<SlotRange>> ranges = result
                                                ? ParseSlots(command.reply(), *from)
                                                : Result<std::vector<SlotRange>>(Forward(result));
    if (ranges && ranges->empty()) {
        ranges = Fail(Errc::kClosed, command.node + ": the cluster has no slots yet");
    }
    if (!ranges) {
        last_error_ = ranges.error().message;
        if (open_ > 0) {
            return;
        }
        if (!to_ask_.empty()) {
            AskMore();
            return;
        }
        asking_ = false;
        drawn_ = loop_.Now();
        ResumeParked();
        return;
    }
    asking_ = false;
    Apply(*ranges);
    ResumeParked();
}

void Cluster::Apply(const std::vector<SlotRange>& ranges) {
    ++map_;
    drawn_ = loop_.Now();
    shards_.clear();
    slots_.fill(kNobody);
    for (const SlotRange& range : ranges) {
        const int32_t shard = ShardOf(range.nodes);
        std::fill(slots_.begin() + range.first, slots_.begin() + range.last + 1, shard);
    }
    for (const net::Address& address : config_.addrs) {
        NodeAt(address);  // they stay, to be asked
    }
    sweep_.Arm(Duration::zero());
    if (config_.route_by_latency) {
        Measure();
    }
}

void Cluster::Measure() {
    std::vector<std::string> names;
    for (const auto& [name, node] : nodes_) {
        names.push_back(name);
    }
    for (std::string& name : names) {
        auto ping = std::make_unique<Command>();
        AppendCommand({"PING"}, ping->wire);
        ping->deadline = loop_.Now() + config_.read_timeout;
        ping->node = std::move(name);
        ping->begun = Clock::now();
        ping->done = [this](Command& answered, Result<void> result) {
            const auto node = nodes_.find(answered.node);
            if (result && node != nodes_.end()) {
                node->second.latency = Clock::now() - answered.begun;
            }
        };
        Route(std::move(ping));
    }
}

// Nodes that the map no longer names, as soon as they have nothing to answer.
void Cluster::Sweep() {
    const auto used = [this](const Node& node) {
        return std::any_of(shards_.begin(), shards_.end(), [&node](const Shard& shard) {
            return std::find(shard.nodes.begin(), shard.nodes.end(), &node) != shard.nodes.end();
        });
    };
    std::erase_if(nodes_, [this, &used](const auto& entry) {
        const Node& node = entry.second;
        return node.map < map_ && node.link->idle() && !used(node);
    });
}

}  // namespace rr::kv::redis
