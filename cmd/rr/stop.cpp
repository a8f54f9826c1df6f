#include <chrono>
#include <optional>
#include <thread>

#include "cmd/rr/commands.hpp"
#include "cmd/rr/console.hpp"
#include "cmd/rr/pid_file.hpp"
#include "cmd/rr/remote.hpp"
#include "core/base/process.hpp"
#include "core/base/sd_notify.hpp"

namespace rr::cmd {

namespace {

// RoadRunner 1.x: a server that wrote no .pid is asked over RPC. Nothing, if none can be.
std::optional<int> StopByRpc(const CommandContext& context, const Console& console) {
    Result<Remote> remote = ConnectToServer(context);
    if (!remote) {
        return std::nullopt;
    }
    auto& [server, client] = *remote;
    console.Line("stopping the server at " + server.address);
    if (Result<std::string> stopped = client.Call("system.Stop", "true"); !stopped) {
        Console::Error("rr_stop: " + Explained(server, stopped.error()));
        return 1;
    }
    return 0;
}

}  // namespace

int Stop(const CommandContext& context) {
    Console console(context.options.silent);
    Result<int64_t> pid = ReadPidFile(kPidFile);
    if (!pid) {
        bool missing = pid.error().code == Errc::kNotFound;
        if (std::optional<int> code = missing ? StopByRpc(context, console) : std::nullopt) {
            return *code;
        }
        Console::Error(missing ? pid.error().message +
                                     ", to create a .pid file, you must run RR with the following "
                                     "options: './rr serve -p'"
                               : "rr_stop: " + pid.error().message);
        return 1;
    }
    // The service manager may have started us as the stop command of the unit.
    if (auto sent = Notifier::FromEnvironment().Send("STOPPING=1"); !sent) {
        console.Line("[WARN] sdnotify: " + sent.error().message);
    }
    console.Stamped("stopping process with PID: " + std::to_string(*pid));
    if (auto sent = process::Terminate(*pid); !sent) {
        Console::Error("rr_stop: " + sent.error().message);
        return 1;
    }
    if (context.options.force) {
        // The second signal ends the server at once; a server that is already gone is fine too.
        std::this_thread::sleep_for(std::chrono::seconds(1));
        (void)process::Terminate(*pid).has_value();
    }
    return 0;
}

}  // namespace rr::cmd
