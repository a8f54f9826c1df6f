#include "core/pool/hub.hpp"

#include <pwd.h>

#include "relay/socket_hub.hpp"

namespace rr::pool {

void CloseHub::operator()(relay::SocketHub* hub) const { delete hub; }

Result<Hub> OpenHub(Loop& main, const ServerSettings& settings) {
    if (settings.relay.empty() || settings.relay == "pipes") {
        return Hub();
    }
    relay::HubOptions options;
    if (settings.protocol == Protocol::kV2) {
        options.dialect = relay::Dialect::kV2;
    }
    if (!settings.user.empty()) {
        const passwd* user = getpwnam(settings.user.c_str());
        if (user == nullptr) {
            return Fail(Errc::kNotFound, "server.user: no user is named " + settings.user);
        }
        options.owner = user->pw_uid;
    }
    auto hub = relay::SocketHub::Open(main, settings.relay, options);
    if (!hub) {
        return Forward(hub, "relay");
    }
    return Hub(hub->release());
}

}  // namespace rr::pool
