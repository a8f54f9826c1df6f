#include "core/base/sd_notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace rr {

Result<std::string> NotifySocketName(std::string_view variable) {
    if (variable.size() < 2 || (variable[0] != '/' && variable[0] != '@')) {
        return Fail(Errc::kInvalid, "NOTIFY_SOCKET must be a path or begin with @");
    }
    // A path needs its closing zero, an abstract name has none.
    size_t limit = sizeof(sockaddr_un::sun_path) - (variable[0] == '/' ? 1 : 0);
    if (variable.size() > limit) {
        return Fail(Errc::kInvalid, "NOTIFY_SOCKET is too long");
    }
    std::string name(variable);
    if (name[0] == '@') {
        name[0] = '\0';
    }
    return name;
}

Notifier Notifier::FromEnvironment() {
    Notifier notifier;
    if (const char* variable = std::getenv("NOTIFY_SOCKET")) {
        notifier.variable_ = variable;
    }
    return notifier;
}

Result<void> Notifier::Send(std::string_view state) const {
    if (!enabled()) {
        return {};
    }
    auto name = NotifySocketName(variable_);
    if (!name) {
        return Forward(name);
    }
    std::string message(state);
    if (state == "RELOADING=1") {
        // systemd wants to know when the reload began (Type=notify-reload).
        timespec now{};
        clock_gettime(CLOCK_MONOTONIC, &now);
        message += "\nMONOTONIC_USEC=" +
                   std::to_string(int64_t{now.tv_sec} * 1000000 + now.tv_nsec / 1000);
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name->data(), name->size());
    size_t length = offsetof(sockaddr_un, sun_path) + name->size();
    if ((*name)[0] != '\0') {
        ++length;
    }
    int socket_descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_descriptor < 0) {
        return Fail(Errc::kIo, std::strerror(errno));
    }
    ssize_t sent =
        sendto(socket_descriptor, message.data(), message.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length));
    int problem = errno;
    close(socket_descriptor);
    if (sent < 0) {
        return Fail(Errc::kIo, "dial unixgram " + variable_ + ": " + std::strerror(problem));
    }
    return {};
}

}  // namespace rr
