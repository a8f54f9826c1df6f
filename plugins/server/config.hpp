// ServerConfig: the `server` section. Names are RoadRunner's.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.hpp"
#include "core/pool/launch.hpp"

namespace rr::config {
class Section;
}

namespace rr::server {

// A command that runs once, before the first worker.
struct OnInitConfig {
    std::vector<std::string> command;
    Duration exec_timeout = std::chrono::seconds(60);
    bool exit_on_error = false;                            // its failure ends the start
    std::vector<std::pair<std::string, std::string>> env;  // weaker than what rr inherited
    std::string user;
};

struct ServerConfig {
    std::vector<std::string> command;                      // required
    std::vector<std::pair<std::string, std::string>> env;  // stronger than what rr inherited
    std::string user;
    std::string group;
    std::string relay = "pipes";  // pipes, tcp://host:port, unix://path
    pool::Protocol protocol = pool::Protocol::kAuto;
    std::optional<OnInitConfig> on_init;
};

ServerConfig ParseServerConfig(const config::Section& section);

// How on_init is started: as a worker, but with its own user and variables. Unlike `server.env`
// these are weaker than what rr inherited, as in RoadRunner.
pool::ServerSettings OnInitSettings(pool::ServerSettings worker, const OnInitConfig& config);

}  // namespace rr::server
