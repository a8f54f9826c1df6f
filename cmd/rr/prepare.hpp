// What happens before a command: directory, configuration path, dotenv.
//
// Thread: main.
// Fails:  with RoadRunner's texts (`chdir /x: no such file or directory`).
#pragma once

#include <string>
#include <vector>

#include "cmd/rr/options.hpp"
#include "core/base/result.hpp"

namespace rr::cmd {

struct Surroundings {
    std::string executable;                 // absolute
    std::vector<std::string> environment;   // before dotenv, for a successor
    std::string config_file;                // absolute
    std::string directory;                  // absolute, links as written; we are in it
    std::string dotenv;                     // absolute; empty: none
    std::vector<std::string> dotenv_names;  // variables that it added
};

// Changes into -w, or else into the configuration file's directory, and loads the env file.
Result<Surroundings> Prepare(const Options& options, const std::string& argv0);

// The arguments that start the same server from any directory.
std::vector<std::string> SuccessorArguments(const std::vector<std::string>& arguments,
                                            const Options& options,
                                            const Surroundings& surroundings);

}  // namespace rr::cmd
