// ServerStats: what one server of the section has done, in numbers.
//
// Thread: written by the data loop, read by anyone at any moment. Each number is right by itself.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace rr::tcp {

// One writer, so that counting needs no locked instruction.
class Count {
public:
    void Add(uint64_t n = 1) { value_.store(value() + n, std::memory_order_relaxed); }
    void Subtract(uint64_t n = 1) { value_.store(value() - n, std::memory_order_relaxed); }
    uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<uint64_t> value_{0};
};

struct ServerStats {
    std::string name;     // constant once it listens, like the address
    std::string address;  // `tcp://127.0.0.1:1025`
    bool udp = false;

    Count connections;  // open now
    Count accepted;
    Count refused;    // max_connections, failed handshakes
    Count events;     // given to workers
    Count failed;     // events that a worker did not handle: error, death, limits
    Count dropped;    // datagrams, and pushes to clients that do not read
    Count bytes_in;   // from clients
    Count bytes_out;  // to clients
};

}  // namespace rr::tcp
