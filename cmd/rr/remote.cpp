#include "cmd/rr/remote.hpp"

#include <cstdio>
#include <utility>

#include "cmd/rr/cells.hpp"
#include "cmd/rr/console.hpp"
#include "cmd/rr/json_text.hpp"
#include "core/api/rpc.hpp"
#include "core/config/config.hpp"

namespace rr::cmd {

namespace {

std::string Origin(const CommandContext& context, bool listed) {
    for (const std::string& override : context.options.overrides) {
        if (override.starts_with("rpc.listen")) {
            return "rpc.listen of -o";
        }
    }
    return (listed ? "rpc.listen in " : "the default of rpc.listen, which is not set in ") +
           context.around.config_file;
}

}  // namespace

Result<ServerAddress> FindServer(const CommandContext& context) {
    if (!context.options.rpc.empty()) {
        return ServerAddress{context.options.rpc, "--rpc"};
    }
    auto config = config::Config::Load(ConfigOptions(context));
    if (!config) {
        std::string hint =
            "\na server is found without a configuration by --rpc tcp://127.0.0.1:6001";
        return Fail(config.error().code, config.error().message + hint);
    }
    config::Section rpc = (*config)->Get("rpc");
    if (!rpc.present()) {
        return Fail(Errc::kConfig,
                    "rpc service not specified in the configuration. Tip: add\n\nrpc:\n  listen: " +
                        std::string(kDefaultRpcListen) + "\n\nto " + context.around.config_file +
                        " and restart the server");
    }
    std::string listen = rpc.String("listen", "");
    if (!(*config)->problems().empty()) {
        return Fail(Errc::kConfig, (*config)->problems().front());
    }
    ServerAddress server{listen.empty() ? std::string(kDefaultRpcListen) : listen,
                         Origin(context, !listen.empty())};
    if (server.address.find("://") == std::string::npos) {
        return Fail(Errc::kConfig, "invalid socket DSN (tcp://:6001, unix://file.sock): " +
                                       server.address + " (" + server.origin + ")");
    }
    return server;
}

Result<rpc::Client> ConnectTo(const ServerAddress& server, rpc::ClientOptions options) {
    Result<rpc::Client> client = rpc::Client::Connect(server.address, std::move(options));
    if (client || client.error().code == Errc::kCancelled) {
        return client;
    }
    std::string where = server.address + " (" + server.origin + ")";
    const Error& error = client.error();
    switch (error.code) {
        case Errc::kClosed:
            return Fail(error.code, "no server answers at " + where + ": is `rr serve` running?");
        case Errc::kDenied:
            return Fail(error.code, "no access to " + where + ": the server runs as another user?");
        default: return Fail(error.code, "no server is reached at " + where + ": " + error.message);
    }
}

Result<Remote> ConnectToServer(const CommandContext& context) {
    Result<ServerAddress> server = FindServer(context);
    if (!server) {
        return Forward(server);
    }
    Result<rpc::Client> client = ConnectTo(*server);
    if (!client) {
        return Forward(client);
    }
    return Remote{std::move(*server), std::move(*client)};
}

std::string Explained(const ServerAddress& server, const Error& error) {
    switch (error.code) {
        case Errc::kInvalid: return error.message;
        case Errc::kUnsupported:
            return "the server at " + server.address + " cannot do that: " + error.message;
        case Errc::kTimeout:
        case Errc::kProtocol:
            return server.address + " (" + server.origin + "): " + error.message +
                   "; is that where the server has rpc.listen?";
        default: return server.address + " (" + server.origin + "): " + error.message;
    }
}

int Failed(const CommandContext& context, std::string_view text) {
    if (context.options.json) {
        std::printf("{\"error\":%s}\n", JsonText(text).c_str());
    }
    Console::Error(text);
    return 1;
}

}  // namespace rr::cmd
