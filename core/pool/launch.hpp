// How a worker process is started: settings from the `server` section (ServerSettings), resolved
// once per generation into a LaunchPlan that the spawner can run without looking anything up.
//
// Thread: Resolve on the main thread; a plan is immutable and shared.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.hpp"

namespace rr::pool {

enum class Protocol : uint8_t { kAuto, kV2, kV3 };

struct ServerSettings {
    std::vector<std::string> command;
    std::vector<std::pair<std::string, std::string>> env;  // server.env, as in the file
    std::string user;
    std::string group;
    std::string relay = "pipes";            // verbatim: RR_RELAY
    std::string rpc;                        // RR_RPC; empty: not set
    std::string version;                    // RR_VERSION
    std::string directory;                  // working directory, as the text the user gave
    std::string dotenv;                     // read anew at each generation; empty: none
    std::vector<std::string> dotenv_names;  // what the dotenv file added to our own environment
                                            // at start: only these may it change later
    Protocol protocol = Protocol::kAuto;
    std::string section = "server";  // whose keys these are, for errors
};

// What one generation of one pool runs.
struct LaunchPlan {
    LaunchPlan() = default;
    ~LaunchPlan();
    LaunchPlan(const LaunchPlan&) = delete;
    LaunchPlan& operator=(const LaunchPlan&) = delete;

    int directory = -1;      // open descriptor of the working directory
    std::string executable;  // absolute or relative to `directory`
    std::vector<std::string> argv;
    std::vector<std::string> environment;  // NAME=value
    bool change_ids = false;
    uint32_t uid = 0;
    uint32_t gid = 0;
    std::string command_line;  // for people
};

// Looks up the executable, the user, the directory and the dotenv file as they are now.
// extra: variables of the plugin (RR_MODE ...), which nothing overrides.
Result<std::shared_ptr<const LaunchPlan>> Resolve(
    const ServerSettings& settings, const std::vector<std::string>& command,
    const std::vector<std::pair<std::string, std::string>>& extra);

}  // namespace rr::pool
