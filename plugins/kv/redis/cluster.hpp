// Cluster: a redis cluster. It keeps a map of who has which slot, sends each command to the node of
// its key, follows MOVED and ASK, and draws the map anew when it proves old.
//
// Thread: its loop.
// Owns:   a link to each node that the map names.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "plugins/kv/redis/client.hpp"
#include "plugins/kv/redis/slots.hpp"

namespace rr::kv::redis {

class Cluster final : public Client {
public:
    Cluster(const ClientContext& context, const RedisConfig& config);

    void Open() override { Refresh(); }

private:
    struct Node {
        std::unique_ptr<Link> link;
        std::optional<Duration> latency;  // of route_by_latency
        uint64_t map = 0;                 // the number of the map that names it last
    };
    // Nodes with the same data.
    struct Shard {
        std::vector<Node*> nodes;  // the master first; at least one
    };
    static constexpr int32_t kNobody = -1;

    void Route(std::unique_ptr<Command> command) override;
    bool Redirected(Link& link, std::unique_ptr<Command>& command) override;
    void Lost(std::unique_ptr<Command> command, const Error& why) override;
    void CloseLinks() override;

    void RouteEverywhere(std::unique_ptr<Command> command);
    Node& Pick(const Shard& shard, bool reads);
    Node& NodeAt(const net::Address& address);
    int32_t ShardOf(const std::vector<net::Address>& addresses);

    void Refresh();
    void RefreshSoon();
    void AskMore();
    void OnSlots(Command& command, Result<void> result);
    void Apply(const std::vector<SlotRange>& ranges);
    void Measure();
    void Sweep();

    std::map<std::string, Node> nodes_;  // by address, as text
    std::vector<Shard> shards_;
    std::array<int32_t, kSlots> slots_;  // a place in shards_, or kNobody
    uint64_t map_ = 0;                   // counts maps; 0: there is none yet
    Instant drawn_{};

    bool asking_ = false;              // nodes for a map
    uint64_t question_ = 0;            // late answers to an older one are dropped
    size_t open_ = 0;                  // answers that are to come
    std::vector<std::string> to_ask_;  // nodes, best last
    std::string last_error_;

    net::Timer refresh_;
    net::Timer sweep_;
    std::minstd_rand random_;  // spreads load; nothing depends on it
};

}  // namespace rr::kv::redis
