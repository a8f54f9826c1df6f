#include "core/pool/proc_text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace rr::pool {
namespace {

constexpr Bytes kBlanks = " \t\n";

// The next word; what is left stays in text.
Bytes Word(Bytes& text) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    Bytes word = text.substr(0, text.find_first_of(kBlanks));
    text.remove_prefix(word.size());
    return word;
}

template <class T>
bool Number(Bytes word, T& out, int base = 10) {
    auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), out, base);
    return failed == std::errc() && end == word.data() + word.size() && !word.empty();
}

bool HexArgument(Bytes word, uint64_t& out) {
    return word.starts_with("0x") && Number(word.substr(2), out, 16);
}

// Behind the first `name` that begins a line.
Bytes Behind(Bytes text, Bytes name) {
    for (size_t at = text.find(name); at != Bytes::npos; at = text.find(name, at + 1)) {
        if (at == 0 || text[at - 1] == '\n') {
            return text.substr(at + name.size());
        }
    }
    return {};
}

// `0100007F:18EB`: each word of four bytes as the machine keeps it, then the port.
bool Address(Bytes text, std::string& out) {
    size_t colon = text.find(':');
    uint16_t port = 0;
    if ((colon != 8 && colon != 32) || !Number(text.substr(colon + 1), port, 16)) {
        return false;
    }
    std::array<unsigned char, 16> bytes{};
    for (size_t i = 0; i < colon / 8; ++i) {
        uint32_t word = 0;
        if (!Number(text.substr(i * 8, 8), word, 16)) {
            return false;
        }
        memcpy(&bytes[i * 4], &word, 4);
    }
    char name[INET6_ADDRSTRLEN];
    bool six = colon == 32;
    if (inet_ntop(six ? AF_INET6 : AF_INET, bytes.data(), name, sizeof(name)) == nullptr) {
        return false;
    }
    out = six ? '[' + std::string(name) + ']' : name;
    out += ':' + std::to_string(port);
    return true;
}

}  // namespace

StatText ParseStat(Bytes text) {
    StatText stat;
    size_t open = text.find('(');
    size_t close = text.rfind(')');
    if (open == Bytes::npos || close == Bytes::npos || close < open || close + 2 >= text.size()) {
        return stat;
    }
    stat.name = text.substr(open + 1, close - open - 1);
    stat.state = text[close + 2];
    return stat;
}

SyscallText ParseSyscall(Bytes text) {
    SyscallText call;
    Bytes first = Word(text);
    if (first == "running") {
        call.where = SyscallText::Where::kRunning;
        return call;
    }
    if (!Number(first, call.number)) {
        return call;
    }
    if (call.number < 0) {
        call.where = SyscallText::Where::kOutside;
        return call;
    }
    for (uint64_t& argument : call.argument) {
        if (!HexArgument(Word(text), argument)) {
            return {};
        }
    }
    call.where = SyscallText::Where::kInside;
    return call;
}

uint64_t ParsePeakMemory(Bytes status) {
    Bytes rest = Behind(status, "VmHWM:");
    uint64_t kilobytes = 0;
    return Number(Word(rest), kilobytes) && kilobytes <= UINT64_MAX / 1024 ? kilobytes * 1024 : 0;
}

std::optional<uint64_t> ParseSocketLink(Bytes link) {
    constexpr Bytes kBegin = "socket:[";
    uint64_t inode = 0;
    if (!link.starts_with(kBegin) || !link.ends_with(']') ||
        !Number(link.substr(kBegin.size(), link.size() - kBegin.size() - 1), inode)) {
        return std::nullopt;
    }
    return inode;
}

std::vector<int> ParseWatched(Bytes info, size_t most) {
    std::vector<int> watched;
    while (watched.size() < most) {
        info = Behind(info, "tfd:");
        int descriptor = 0;
        if (!Number(Word(info), descriptor)) {
            break;
        }
        watched.push_back(descriptor);
    }
    return watched;
}

int ParseFirstChild(Bytes text) {
    int pid = 0;
    return Number(Word(text), pid) && pid > 0 ? pid : 0;
}

std::optional<SocketLine> ParseSocketLine(Bytes line) {
    constexpr Bytes kListens = "0A";
    constexpr int kBetween = 5;  // queues, timer, retransmits, user, timeout
    SocketLine socket;
    Word(line);
    Bytes local = Word(line);
    Bytes remote = Word(line);
    socket.listening = Word(line) == kListens;
    for (int i = 0; i < kBetween; ++i) {
        Word(line);
    }
    if (!Number(Word(line), socket.inode) ||
        !Address(socket.listening ? local : remote, socket.address)) {
        return std::nullopt;
    }
    return socket;
}

}  // namespace rr::pool
