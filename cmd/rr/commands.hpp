// The subcommands: each gives the exit code of the program.
//
// Thread: main.
#pragma once

#include <string>
#include <vector>

#include "cmd/rr/options.hpp"
#include "cmd/rr/plugin_table.hpp"
#include "cmd/rr/prepare.hpp"
#include "core/config/config.hpp"

namespace rr::cmd {

struct CommandContext {
    Options options;
    Surroundings around;
    std::string argv0;
    std::vector<std::string> arguments;  // as typed, without argv[0]
};

int Serve(const CommandContext& context);
int Stop(const CommandContext& context);
int Check(const CommandContext& context);
int Completion(const CommandContext& context);
int Help(const CommandContext& context);
// These talk to a running server over RPC.
int Workers(const CommandContext& context);
int HttpWorkers(const CommandContext& context);
int Reset(const CommandContext& context);
int HttpReset(const CommandContext& context);
int Jobs(const CommandContext& context);
int Kv(const CommandContext& context);
int Status(const CommandContext& context);

// What -v, -l and -j of 1.x mean for the configuration, together with -o.
config::LoadOptions ConfigOptions(const CommandContext& context);

}  // namespace rr::cmd
