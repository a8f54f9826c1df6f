// Datagrams: a bound UDP socket.
//
// Thread: Bind on any thread, before the loop runs; the rest on its loop.
// Owns:   the socket. Borrows the handler, which outlives it.
// Fails:  Bind as Listener::Bind. Send says so; a full kernel buffer is waited out with what was
//         queued, up to kQueue bytes. What a network says of peers that can't be reached is ignored.
//
// Of a socket that is bound to every address the kernel chooses where an answer comes from. Over
// SIGUSR2 the successor gets the very socket (net/heritage), with what waits in it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/net/address.hpp"

namespace rr::net {

// Peer: who sent a datagram: an IPv4 or IPv6 address with its port. A value, comparable, hashable.
// An IPv4 sender is one also where the socket is bound to `[::]`.
class Peer {
public:
    // `127.0.0.1:40000`, `[::1]:40000`, `[fe80::1%2]:40000` of a link.
    std::string ToString() const;
    // The reverse, numbers only.
    static Result<Peer> Parse(std::string_view text);
    bool operator==(const Peer&) const = default;
    size_t Hash() const;

private:
    friend class Datagrams;
    void Unmap();

    uint8_t address_[16] = {};  // IPv4 in the first four
    uint32_t scope_ = 0;
    uint16_t port_ = 0;  // host order
    bool v6_ = false;
};

class DatagramHandler {
public:
    // bytes: valid during the call, which may destroy the Datagrams.
    virtual void OnDatagram(const Peer& peer, Bytes bytes) = 0;

protected:
    ~DatagramHandler() = default;
};

class Datagrams final : private LoopBound {
public:
    static constexpr size_t kLargest = 65507;  // bytes of one datagram over IPv4
    static constexpr size_t kQueue = 4 * 1024 * 1024;

    static Result<std::unique_ptr<Datagrams>> Bind(Loop& loop, const Address& address);
    // What is queued is lost.
    ~Datagrams();

    void Start(DatagramHandler& handler);
    // Reads no more; what is queued still goes out.
    void StopReading();

    enum class Sent : uint8_t { kOk, kTooLarge, kQueueFull, kFailed };
    Sent Send(const Peer& peer, Bytes bytes);

    // The address with the port that the kernel chose.
    const Address& address() const { return address_; }

private:
    struct Handle;
    struct Waiting {
        Peer peer;
        std::string bytes;
    };
    Datagrams(Loop& loop, Address address, int descriptor);
    void Watch();
    void OnReady(int status, int events);
    void ReadSome();
    void SendWaiting();
    int SendNow(const Peer& peer, Bytes bytes);

    Address address_;
    int descriptor_;
    bool v6_ = false;                     // the socket's family
    Handle* handle_ = nullptr;            // freed by libuv's close callback
    DatagramHandler* handler_ = nullptr;  // null: reads no more
    std::deque<Waiting> queue_;
    size_t queued_ = 0;  // bytes that queue_ costs
    int watched_ = 0;
};

}  // namespace rr::net
