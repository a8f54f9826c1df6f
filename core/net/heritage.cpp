#include "core/net/heritage.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace rr::net::heritage {
namespace {

struct Socket {
    int descriptor = -1;
    bool chosen = false;  // the kernel chose its port
};

std::atomic<bool> kept{false};
std::vector<Socket> kept_sockets;  // main thread only
std::mutex shared_mutex;           // guards the two below
std::vector<Socket> received;
std::vector<std::pair<int, uint16_t>> chosen_ports;  // type, port

// -1: no socket.
int Option(int descriptor, int name) {
    int value = 0;
    socklen_t size = sizeof(value);
    return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

uint16_t PortOf(const sockaddr_storage& address) {
    if (address.ss_family == AF_INET) {
        return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
    }
    return address.ss_family == AF_INET6
               ? ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port)
               : 0;
}

// A listening socket, or a bound UDP socket without a peer: a resolver's has one.
bool Serves(int descriptor) {
    if (Option(descriptor, SO_ACCEPTCONN) > 0) {
        return true;
    }
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    socklen_t peer_size = sizeof(address);
    return Option(descriptor, SO_TYPE) == SOCK_DGRAM &&
           getpeername(descriptor, reinterpret_cast<sockaddr*>(&address), &peer_size) != 0 &&
           getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
           PortOf(address) != 0;
}

std::vector<int> OpenDescriptors() {
    std::vector<int> all;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", failed)) {
        all.push_back(std::atoi(entry.path().filename().c_str()));
    }
    if (failed || all.empty()) {  // no /proc
        for (int descriptor = 3; descriptor < 1024; ++descriptor) {
            all.push_back(descriptor);
        }
    }
    return all;
}

bool ChosenPort(int descriptor) {
    sockaddr_storage bound{};
    socklen_t size = sizeof(bound);
    std::lock_guard<std::mutex> lock(shared_mutex);
    return getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) == 0 &&
           std::find(chosen_ports.begin(), chosen_ports.end(),
                     std::pair(Option(descriptor, SO_TYPE), PortOf(bound))) != chosen_ports.end();
}

bool SamePort(in_port_t bound, in_port_t wanted, bool chosen) {
    return wanted == 0 ? chosen : bound == wanted;
}

bool SameAddress(const sockaddr_storage& bound, const sockaddr* wanted, bool chosen) {
    if (bound.ss_family != wanted->sa_family) {
        return false;
    }
    if (wanted->sa_family == AF_INET) {
        const auto* a = reinterpret_cast<const sockaddr_in*>(&bound);
        const auto* b = reinterpret_cast<const sockaddr_in*>(wanted);
        return SamePort(a->sin_port, b->sin_port, chosen) &&
               a->sin_addr.s_addr == b->sin_addr.s_addr;
    }
    if (wanted->sa_family == AF_INET6) {
        const auto* a = reinterpret_cast<const sockaddr_in6*>(&bound);
        const auto* b = reinterpret_cast<const sockaddr_in6*>(wanted);
        return SamePort(a->sin6_port, b->sin6_port, chosen) &&
               std::memcmp(&a->sin6_addr, &b->sin6_addr, sizeof(a->sin6_addr)) == 0;
    }
    if (wanted->sa_family == AF_UNIX) {
        const auto* a = reinterpret_cast<const sockaddr_un*>(&bound);
        const auto* b = reinterpret_cast<const sockaddr_un*>(wanted);
        return std::strncmp(a->sun_path, b->sun_path, sizeof(a->sun_path)) == 0;
    }
    return false;
}

}  // namespace

void Keep() {
    kept = true;
    // First look, then copy: a copy may get the number of the folder that was just read.
    std::vector<int> serving = OpenDescriptors();
    std::erase_if(serving, [](int descriptor) { return !Serves(descriptor); });
    for (int descriptor : serving) {
        int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
        if (copy >= 0) {
            kept_sockets.push_back({copy, ChosenPort(copy)});
        }
    }
}

bool Kept() { return kept; }

void Forget() {
    kept = false;
    for (const Socket& socket : kept_sockets) {
        close(socket.descriptor);
    }
    kept_sockets.clear();
}

std::string Variable() {
    std::string text = std::string(kVariable) + "=";
    for (const Socket& socket : kept_sockets) {
        fcntl(socket.descriptor, F_SETFD, 0);
        text += (text.ends_with('=') ? "" : ",") + std::to_string(socket.descriptor);
        text += socket.chosen ? "*" : "";
    }
    return text;
}

void Receive() {
    const char* variable = std::getenv(kVariable);
    if (variable == nullptr) {
        return;
    }
    std::lock_guard<std::mutex> lock(shared_mutex);
    std::string_view rest = variable;
    while (!rest.empty()) {
        std::string entry(rest.substr(0, rest.find(',')));
        int descriptor = std::atoi(entry.c_str());
        // Only what really serves: the variable may come from anywhere.
        if (descriptor > 2 && Serves(descriptor)) {
            fcntl(descriptor, F_SETFD, FD_CLOEXEC);
            received.push_back({descriptor, entry.ends_with('*')});
        }
        size_t comma = rest.find(',');
        rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
    }
    unsetenv(kVariable);
}

int Claim(const sockaddr* address, int type) {
    std::lock_guard<std::mutex> lock(shared_mutex);
    for (size_t i = 0; i < received.size(); ++i) {
        sockaddr_storage bound{};
        socklen_t size = sizeof(bound);
        if (getsockname(received[i].descriptor, reinterpret_cast<sockaddr*>(&bound), &size) == 0 &&
            SameAddress(bound, address, received[i].chosen) &&
            Option(received[i].descriptor, SO_TYPE) == type) {
            int descriptor = received[i].descriptor;
            received.erase(received.begin() + static_cast<ptrdiff_t>(i));
            return descriptor;
        }
    }
    return -1;
}

void NoteChosenPort(uint16_t port, int type) {
    std::lock_guard<std::mutex> lock(shared_mutex);
    std::pair one(type, port);
    if (std::find(chosen_ports.begin(), chosen_ports.end(), one) == chosen_ports.end()) {
        chosen_ports.push_back(one);
    }
}

void Drop() {
    std::lock_guard<std::mutex> lock(shared_mutex);
    for (const Socket& socket : received) {
        close(socket.descriptor);
    }
    received.clear();
}

}  // namespace rr::net::heritage
