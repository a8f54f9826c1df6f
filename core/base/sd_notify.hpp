// Notifier: tells the service manager (systemd, Type=notify) how the server is.
//
// Thread: any; a value without a connection, one datagram per call.
// Fails:  Send, with what the operating system said. Without NOTIFY_SOCKET it is silently off.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace rr {

// What goes into sun_path for a NOTIFY_SOCKET: `/run/x` as it is, `@x` (abstract) with a zero byte
// in place of the `@`. Fails for anything else and for paths that are too long.
Result<std::string> NotifySocketName(std::string_view variable);

class Notifier {
public:
    // Off.
    Notifier() = default;
    // The socket that the environment names.
    static Notifier FromEnvironment();

    bool enabled() const { return !variable_.empty(); }

    // `READY=1`, `STOPPING=1`, `RELOADING=1`, `WATCHDOG=1`.
    Result<void> Send(std::string_view state) const;

private:
    std::string variable_;
};

}  // namespace rr
