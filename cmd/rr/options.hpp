// Options: the command line as values.
//
// Thread: a plain value.
// Fails:  ParseOptions with RoadRunner's texts (arguments.hpp).
#pragma once

#include <string>
#include <vector>

#include "core/base/result.hpp"

namespace rr::cmd {

struct Options {
    std::string program;  // base name of argv[0]
    std::string command;  // empty: none
    std::vector<std::string> positional;

    std::string config = ".rr.yaml";
    std::string work_dir;
    std::string dotenv;
    std::vector<std::string> overrides;
    std::string log_format;   // 1.x
    std::string json_config;  // 1.x
    std::string rpc;          // address of the server
    std::string ttl;          // of kv set
    bool debug = false;
    bool pid = false;
    bool silent = false;
    bool force = false;
    bool experimental = false;
    bool help = false;
    bool version = false;
    bool verbose = false;
    bool watch = false;
    bool strict = false;
    bool json = false;
    bool interactive = false;
    bool list = false;  // of jobs, as the three below
    bool pause = false;
    bool resume = false;
    bool destroy = false;
};

Result<Options> ParseOptions(const std::vector<std::string>& arguments, std::string program);

// The text of `rr help` and `rr help command`. Fails for a command that does not exist.
Result<std::string> HelpText(const std::string& program, const std::string& command);

}  // namespace rr::cmd
