#include "core/rpc/client.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include <catch2/catch.hpp>

#include "core/rpc/answer.hpp"
#include "relay/frame.hpp"

using namespace rr;
using namespace rr::rpc;
using namespace std::chrono_literals;

namespace {

std::string AnswerFrame(uint32_t number, std::string_view method, std::string_view body,
                        bool error = false) {
    relay::FrameHeader header;
    header.flags = relay::flag::kJson;
    if (error) {
        header.flags |= relay::flag::kError;
    }
    header.options = 2;
    header.option[0] = number;
    header.option[1] = static_cast<uint32_t>(method.size());
    header.payload = static_cast<uint32_t>(method.size() + body.size());
    std::string frame(header.size(), '\0');
    relay::EncodeFrameHeader(header, frame.data());
    return frame.append(method).append(body);
}

// A server for one connection on a thread of its own. Its end is the end of the test.
class Peer {
public:
    using Talk = std::function<void(int socket)>;

    explicit Peer(Talk talk, std::string unix_path = "") : path_(std::move(unix_path)) {
        listener_ = socket(path_.empty() ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (path_.empty()) {
            sockaddr_in address{};
            address.sin_family = AF_INET;
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            socklen_t size = sizeof(address);
            REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
            getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
            address_ = "tcp://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
        } else {
            sockaddr_un address{};
            address.sun_family = AF_UNIX;
            std::strcpy(address.sun_path, path_.c_str());
            REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
            address_ = "unix://" + path_;
        }
        REQUIRE(listen(listener_, 4) == 0);
        thread_ = std::thread([this, talk = std::move(talk)] {
            int connection = accept(listener_, nullptr, nullptr);
            if (connection >= 0) {
                talk(connection);
                close(connection);
            }
        });
    }
    ~Peer() {
        shutdown(listener_, SHUT_RDWR);  // ends an accept() that nobody came to
        thread_.join();
        close(listener_);
        if (!path_.empty()) {
            unlink(path_.c_str());
        }
    }
    const std::string& address() const { return address_; }

private:
    int listener_;
    std::string path_;
    std::string address_;
    std::thread thread_;
};

// The next call from the socket; its method is empty at the end of the stream.
struct Seen {
    uint32_t number = 0;
    std::string method;
    std::string body;
};
Seen ReadCall(int socket, std::string& buffer) {
    while (true) {
        Answer call;
        AnswerScan scan = ScanAnswer(buffer, 1 << 20, call);
        if (scan.status == AnswerStatus::kAnswer) {
            Seen seen{call.number, std::string(call.method), std::string(call.body)};
            buffer.erase(0, scan.size);
            return seen;
        }
        char piece[512];
        ssize_t got = read(socket, piece, sizeof(piece));
        if (got <= 0) {
            return {};
        }
        buffer.append(piece, static_cast<size_t>(got));
    }
}

// Not checked: Catch's checks belong to the test's own thread, and the client sees what is missing.
void Write(int socket, std::string_view bytes) {
    (void)!send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void Echo(int socket) {
    std::string buffer;
    for (Seen call = ReadCall(socket, buffer); !call.method.empty();
         call = ReadCall(socket, buffer)) {
        Write(socket, AnswerFrame(call.number, call.method, call.body));
    }
}

void WaitForEnd(int socket) {
    char piece[512];
    while (read(socket, piece, sizeof(piece)) > 0) {
    }
}

}  // namespace

TEST_CASE("client: a call over tcp is answered") {
    Peer peer(Echo);
    auto client = Client::Connect(peer.address());
    REQUIRE(client);
    auto answer = client->Call("a.B", "{\"x\":1}");
    REQUIRE(answer);
    REQUIRE(*answer == "{\"x\":1}");
    REQUIRE(client->Call("a.B", "")->empty());
}

TEST_CASE("client: a call over a unix socket is answered") {
    char name[] = "/tmp/rr-client-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    {
        Peer peer(Echo, std::string(name) + "/s.sock");
        auto client = Client::Connect(peer.address());
        REQUIRE(client);
        REQUIRE(client->Call("a.B", "5").value() == "5");
    }
    rmdir(name);
}

TEST_CASE("client: an answer in pieces is one answer") {
    Peer peer([](int socket) {
        std::string buffer;
        Seen call = ReadCall(socket, buffer);
        for (char c : AnswerFrame(call.number, call.method, "\"slow\"")) {
            Write(socket, {&c, 1});
        }
        WaitForEnd(socket);
    });
    auto client = Client::Connect(peer.address());
    REQUIRE(client->Call("a.B", "").value() == "\"slow\"");
}

TEST_CASE("client: calls in flight are told apart by their numbers") {
    Peer peer([](int socket) {
        std::string buffer;
        Seen one = ReadCall(socket, buffer);
        Seen two = ReadCall(socket, buffer);
        Write(socket,
              AnswerFrame(two.number, two.method, "2") + AnswerFrame(one.number, one.method, "1"));
        WaitForEnd(socket);
    });
    auto client = Client::Connect(peer.address());
    uint32_t one = client->Send("a.B", "").value();
    uint32_t two = client->Send("a.B", "").value();
    auto first = client->Receive(5s);
    auto second = client->Receive(5s);
    REQUIRE((first->number == two && first->body.value() == "2"));
    REQUIRE((second->number == one && second->body.value() == "1"));
}

TEST_CASE("client: what the server answers with is told from what it does not have") {
    Peer peer([](int socket) {
        std::string buffer;
        Seen one = ReadCall(socket, buffer);
        Write(socket, AnswerFrame(one.number, one.method, "rpc: can't find method a.B", true));
        Seen two = ReadCall(socket, buffer);
        Write(socket, AnswerFrame(two.number, two.method, "no such plugin: x", true));
        WaitForEnd(socket);
    });
    auto client = Client::Connect(peer.address());
    auto missing = client->Call("a.B", "");
    REQUIRE_FALSE(missing);
    REQUIRE(missing.error().code == Errc::kUnsupported);
    auto refused = client->Call("a.B", "");
    REQUIRE(refused.error().code == Errc::kInvalid);
    REQUIRE(refused.error().message == "no such plugin: x");
}

TEST_CASE("client: nobody there is kClosed, over tcp and over a unix socket") {
    std::string address;
    {
        Peer peer(Echo);
        address = peer.address();
    }
    auto tcp = Client::Connect(address);
    REQUIRE_FALSE(tcp);
    REQUIRE(tcp.error().code == Errc::kClosed);
    REQUIRE(tcp.error().message == "connection refused");
    auto file = Client::Connect("unix:///nonexistent/rr.sock");
    REQUIRE(file.error().code == Errc::kClosed);
    REQUIRE(file.error().message == "no such file or directory");
}

TEST_CASE("client: a wrong address says what is wrong") {
    REQUIRE(Client::Connect("http://x:1").error().code == Errc::kInvalid);
    REQUIRE(Client::Connect("127.0.0.1").error().message == "expected host:port");
}

TEST_CASE("client: a server that ends before it answers is kClosed") {
    Peer peer([](int socket) {
        std::string buffer;
        ReadCall(socket, buffer);
    });
    auto client = Client::Connect(peer.address());
    auto answer = client->Call("a.B", "");
    REQUIRE(answer.error().code == Errc::kClosed);
}

TEST_CASE("client: what is no RPC port is kProtocol") {
    Peer peer([](int socket) {
        Write(socket, "HTTP/1.1 400 Bad Request\r\n\r\n");
        WaitForEnd(socket);
    });
    auto client = Client::Connect(peer.address());
    auto answer = client->Call("a.B", "");
    REQUIRE(answer.error().code == Errc::kProtocol);
}

TEST_CASE("client: silence ends by the limit, and the answer may still be taken") {
    int gate[2];
    REQUIRE(pipe(gate) == 0);
    Peer peer([&](int socket) {
        std::string buffer;
        Seen call = ReadCall(socket, buffer);
        char go = 0;
        (void)!read(gate[0], &go, 1);
        Write(socket, AnswerFrame(call.number, call.method, "true"));
        WaitForEnd(socket);
    });
    auto client = Client::Connect(peer.address());
    uint32_t number = client->Send("a.B", "").value();
    REQUIRE(client->Receive(1ms).error().code == Errc::kTimeout);
    REQUIRE(write(gate[1], "x", 1) == 1);
    auto late = client->Receive(10s);
    REQUIRE((late && late->number == number && late->body.value() == "true"));
    close(gate[0]);
    close(gate[1]);
}

TEST_CASE("client: an interrupt ends a wait") {
    int wake[2];
    REQUIRE(pipe(wake) == 0);
    REQUIRE(write(wake[1], "x", 1) == 1);
    Peer peer(WaitForEnd);
    ClientOptions options;
    auto client = Client::Connect(peer.address(), options);
    REQUIRE(client);
    options.interrupts = {wake[0]};
    Peer other(WaitForEnd);
    auto watched = Client::Connect(other.address(), options);
    if (watched) {  // loopback connects at once, as a rule
        REQUIRE(watched->Call("a.B", "").error().code == Errc::kCancelled);
    } else {
        REQUIRE(watched.error().code == Errc::kCancelled);
    }
    close(wake[0]);
    close(wake[1]);
}
