// Client: a command's connection to the RPC port of a server, ours or RoadRunner's. It blocks: it is
// for the command line, which has nothing else to do.
//
//   Result<Client> client = Client::Connect("tcp://127.0.0.1:6001");
//   Result<std::string> workers = client->Call("informer.Workers", "\"http\"");   // JSON both ways
//
// Several calls may be in flight: Send, Send, Receive, Receive; answers come as they are ready.
//
// Thread: one at a time.
// Owns:   the socket.
// Fails:  kClosed: nobody listens there, or the server went away; kTimeout; kProtocol: what answers
//         is no RPC port; kIo; kCancelled: an interrupt came. What the server itself answered with:
//         kUnsupported for a service or method it does not have, else kInvalid, with its text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace rr::rpc {

struct ClientOptions {
    Duration connect = std::chrono::seconds(5);  // until the connection stands
    Duration answer = std::chrono::seconds(10);  // of Call; and for each piece that is sent
    uint32_t max_answer = 256u << 20;            // bytes
    // A wait ends with kCancelled as soon as one of these descriptors is readable. Borrowed.
    std::vector<int> interrupts;
};

class Client final {
public:
    struct Received {
        uint32_t number;
        Result<std::string> body;
    };

    // address: tcp://host:port or unix://path; without a host: this machine.
    static Result<Client> Connect(std::string_view address, ClientOptions options = {});

    Client(Client&& other) noexcept;
    Client& operator=(Client&& other) noexcept;
    ~Client();

    // The call's number.
    Result<uint32_t> Send(std::string_view method, Bytes json);

    // The next answer. After kTimeout or kCancelled it may be called again.
    Result<Received> Receive(Duration limit);

    // Send and Receive. REQUIRES: no other call in flight.
    Result<std::string> Call(std::string_view method, Bytes json);

private:
    Client(int descriptor, ClientOptions options);
    Result<void> Fill(Deadline deadline);

    int descriptor_;
    ClientOptions options_;
    Buffer received_;
    uint32_t next_ = 1;
};

}  // namespace rr::rpc
