// Redis servers that a test starts: one, one with replicas and sentinels, a cluster.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/loop.hpp"
#include "core/base/program_for_test.hpp"
#include "core/config/config_for_test.hpp"
#include "plugins/kv/redis/command.hpp"
#include "plugins/kv/redis/config.hpp"
#include "plugins/kv/redis/store.hpp"

namespace rr::kv::redis {

// A driver of the storage `s` with these lines as its `config`.
inline std::unique_ptr<Store> MakeStore(Loop& loop, const std::string& lines) {
    auto config = config::Read("version: \"3\"\nkv:\n  s:\n    config:\n" + lines);
    auto store = MakeRedisStore(config->Get("kv").Sub("s").Sub("config"), {loop, {}, "s", "/"});
    INFO((config->problems().empty() ? "" : config->problems().front()));
    REQUIRE(config->problems().empty());
    return store;
}

// A connection of the test's own, with commands that wait for their reply.
class Shell final : private LinkOwner {
public:
    Shell(Loop& loop, uint16_t port) : loop_(loop) {
        net::Address address;
        address.host = "127.0.0.1";
        address.port = port;
        link_ = std::make_unique<Link>(loop, LinkSettings(), address,
                                       std::make_unique<RedisDialect>(Greeting()),
                                       static_cast<LinkOwner&>(*this));
    }
    ~Shell() { link_->Close(); }

    // An error's text, or that of the reply; of an array the first element's.
    std::string Say(std::vector<std::string_view> words) {
        auto command = std::make_unique<Command>();
        AppendCommand(words, command->wire);
        command->deadline = loop_.Now() + std::chrono::seconds(5);
        answer_.reset();
        link_->Submit(std::move(command));
        REQUIRE(loop_.RunUntil([this] { return answer_.has_value(); }));
        return *answer_;
    }

    void Await(const std::vector<std::string_view>& words, std::string_view part) {
        const Instant limit = Clock::now() + std::chrono::seconds(30);
        while (true) {
            last_ = Say(words);
            if (last_.find(part) != std::string::npos) {
                return;
            }
            INFO(last_);
            REQUIRE(Clock::now() < limit);
            loop_.RunUntil([] { return false; }, std::chrono::milliseconds(20));
        }
    }

private:
    void OnAnswer(Link&, std::unique_ptr<Call> call, Result<void> result) override {
        if (!result) {
            answer_ = result.error().message;
            return;
        }
        const Reply* reply = &static_cast<Command&>(*call).reply();
        while (reply->kind == Reply::Kind::kArray && !reply->elements.empty()) {
            reply = &reply->elements.front();
        }
        answer_ =
            reply->kind == Reply::Kind::kInteger ? std::to_string(reply->integer) : reply->text;
    }
    void OnDown(Link&, const Error&) override {}
    void OnUp(Link&) override {}

    Loop& loop_;
    std::unique_ptr<Link> link_;
    std::optional<std::string> answer_;
    std::string last_;
};

class Server {
public:
    Server(Loop& loop, std::vector<std::string> more = {}, bool sentinel = false)
        : loop_(loop), port_(FreePort()) {
        std::vector<std::string> arguments = {"redis-server"};
        if (sentinel) {
            arguments.push_back(folder_.path() + "/sentinel.conf");
            WriteText(arguments.back(), "");
            arguments.push_back("--sentinel");
        }
        const std::vector<std::string> usual = {
            "--port", std::to_string(port_), "--bind", "127.0.0.1", "--dir", folder_.path()};
        arguments.insert(arguments.end(), usual.begin(), usual.end());
        if (!sentinel) {
            arguments.insert(arguments.end(), {"--save", ""});
        }
        for (std::string& word : more) {
            arguments.push_back(std::move(word));
        }
        program_ = std::make_unique<Program>(std::move(arguments), folder_.path());
        AwaitUp();
    }

    void AwaitUp() { Shell(loop_, port_).Await({"PING"}, "PONG"); }
    std::string Say(const std::vector<std::string_view>& words) {
        return Shell(loop_, port_).Say(words);
    }
    void Await(const std::vector<std::string_view>& words, std::string_view part) {
        Shell(loop_, port_).Await(words, part);
    }

    uint16_t port() const { return port_; }
    std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
    Program& program() { return *program_; }

private:
    Loop& loop_;
    const uint16_t port_;
    TestFolder folder_;
    std::unique_ptr<Program> program_;
};

// Masters that share the slots evenly, and a replica of each if wanted.
class TestCluster {
public:
    explicit TestCluster(Loop& loop, bool replicas = false) : loop_(loop) {
        const size_t count = replicas ? 6 : 3;
        for (size_t i = 0; i < count; ++i) {
            // The port of the bus is that of the clients and 10000.
            nodes.push_back(std::make_unique<Server>(
                loop,
                std::vector<std::string>{"--cluster-enabled", "yes", "--cluster-node-timeout",
                                         "1000", "--cluster-port", std::to_string(FreePort())}));
        }
        const std::vector<std::pair<std::string, std::string>> ranges = {
            {"0", "5460"}, {"5461", "10922"}, {"10923", "16383"}};
        for (size_t i = 0; i < 3; ++i) {
            REQUIRE(nodes[i]->Say(
                        {"CLUSTER", "ADDSLOTSRANGE", ranges[i].first, ranges[i].second}) == "OK");
        }
        Shell first(loop, nodes[0]->port());
        for (size_t i = 1; i < count; ++i) {
            const std::string port = std::to_string(nodes[i]->port());
            const std::string bus = BusOf(*nodes[i]);
            REQUIRE(first.Say({"CLUSTER", "MEET", "127.0.0.1", port, bus}) == "OK");
        }
        for (auto& node : nodes) {
            node->Await({"CLUSTER", "INFO"}, "cluster_known_nodes:" + std::to_string(count));
        }
        for (size_t i = 3; i < count; ++i) {
            const std::string id = nodes[i - 3]->Say({"CLUSTER", "MYID"});
            nodes[i]->Await({"CLUSTER", "REPLICATE", id}, "OK");
        }
        for (auto& node : nodes) {
            node->Await({"CLUSTER", "INFO"}, "cluster_state:ok");
        }
        for (size_t i = 3; i < count; ++i) {
            nodes[i]->Await({"INFO", "replication"}, "master_link_status:up");
            const std::string id = nodes[i - 3]->Say({"CLUSTER", "MYID"});
            for (auto& node : nodes) {
                node->Await({"CLUSTER", "REPLICAS", id}, "slave");
            }
        }
    }

    // As in `addrs`.
    std::string Addresses() const {
        std::string list;
        for (const auto& node : nodes) {
            list += (list.empty() ? "" : ", ") + node->address();
        }
        return "[" + list + "]";
    }

    std::vector<std::unique_ptr<Server>> nodes;

private:
    static std::string BusOf(Server& node) {
        // `<id> <host>:<port>@<bus> myself,...`
        const std::string text = node.Say({"CLUSTER", "NODES"});
        const size_t at = text.find('@');
        REQUIRE(at != std::string::npos);
        return text.substr(at + 1, text.find_first_of(" ,", at) - at - 1);
    }

    Loop& loop_;
};

}  // namespace rr::kv::redis
