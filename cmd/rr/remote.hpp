// Remote: the running server that a command talks to: where it listens, a connection to it, and what
// to tell the user when there is none.
//
// Thread: main.
// Fails:  with texts for the user, who is told where the address came from.
#pragma once

#include <string>

#include "cmd/rr/commands.hpp"
#include "core/base/result.hpp"
#include "core/rpc/client.hpp"

namespace rr::cmd {

struct ServerAddress {
    std::string address;  // tcp://127.0.0.1:6001
    std::string origin;   // `rpc.listen in /srv/app/.rr.yaml`, `--rpc`
};

// --rpc, else `rpc.listen` of the configuration with its overrides.
Result<ServerAddress> FindServer(const CommandContext& context);

Result<rpc::Client> ConnectTo(const ServerAddress& server, rpc::ClientOptions options = {});

// Both of them.
struct Remote {
    ServerAddress server;
    rpc::Client client;
};
Result<Remote> ConnectToServer(const CommandContext& context);

// An error of a call, with the server's address where that helps.
std::string Explained(const ServerAddress& server, const Error& error);

// Says why a command failed: on standard error, and with --json as {"error": ...} on standard output
// too. Gives the exit code, 1.
int Failed(const CommandContext& context, std::string_view text);

}  // namespace rr::cmd
