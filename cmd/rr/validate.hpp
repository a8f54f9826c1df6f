// What serve and check have in common: every Init, and what came of it.
//
// Thread: main.
#pragma once

#include <string>
#include <vector>

#include "cmd/rr/commands.hpp"
#include "cmd/rr/container.hpp"
#include "core/api/invocation.hpp"

namespace rr::cmd {

Invocation MakeInvocation(const CommandContext& context);

// Runs every Init and closes the configuration. Gives all problems, each once, in file order, those
// without a place last. strict: unknown keys are problems.
std::vector<std::string> InitAll(ServerContainer& container, config::Config& config, bool strict);

struct Findings {
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
};

// Reads the configuration and runs every Init on it, in a container of its own. Nothing is opened
// or started: right beside a server that runs, too.
Findings Validate(const CommandContext& context);

}  // namespace rr::cmd
