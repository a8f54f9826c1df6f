#include "core/web/endpoint.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <optional>
#include <thread>

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::web;

namespace {

// A blocking client on a thread-free socket: the loop is pumped between its calls.
class Client {
public:
    explicit Client(const net::Address& address)
        : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(address.port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
    }
    ~Client() { close(fd_); }

    void Send(std::string_view bytes) {
        REQUIRE(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
    }
    void FinishSending() { shutdown(fd_, SHUT_WR); }
    // What has come by now; false at the end of the connection.
    bool Receive() {
        char buffer[65536];
        while (true) {
            const ssize_t got = recv(fd_, buffer, sizeof(buffer), MSG_DONTWAIT);
            if (got <= 0) {
                return got < 0 && errno == EAGAIN;
            }
            text.append(buffer, static_cast<size_t>(got));
        }
    }
    size_t Count(std::string_view what) const {
        size_t count = 0;
        for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
            ++count;
        }
        return count;
    }
    std::string text;

private:
    int fd_;
};

struct Fixture {
    explicit Fixture(EndpointOptions options = {}) {
        auto opened = Endpoint::Open(loop, "127.0.0.1:0", options, {},
                                     [this](const Request& request, Responder responder) {
                                         Handle(request, std::move(responder));
                                     });
        REQUIRE(opened);
        endpoint = std::move(*opened);
    }
    void Handle(const Request& request, Responder responder) {
        paths += request.path;
        if (request.path == "/later") {
            later.emplace(std::move(responder));
        } else if (request.path == "/large") {
            responder.Send({200, std::string(1 << 20, 'x')});
        } else if (request.path == "/file") {
            Answer answer;
            answer.content_type.clear();
            answer.headers = {{"X-Field", request.fields.empty() ? "" : request.fields[0].first}};
            answer.pieces.push_back({"<", {file, 1, file_size}});
            answer.pieces.push_back({">", {}});
            responder.Send(std::move(answer));
        } else if (request.path != "/never") {
            responder.Send({200, "[" + request.path + "]"});
        }
    }
    bool Pump(Client& client, std::string_view until) {
        return loop.RunUntil([&] {
            client.Receive();
            return client.text.find(until) != std::string::npos;
        });
    }
    bool PumpToEnd(Client& client) {
        return loop.RunUntil([&] { return !client.Receive(); });
    }

    Loop loop{"test"};
    std::string paths;
    std::optional<Responder> later;
    std::shared_ptr<const File> file;
    uint64_t file_size = 0;
    std::unique_ptr<Endpoint> endpoint;
};

}  // namespace

TEST_CASE("endpoint: requests of one connection are answered in order") {
    Fixture f;
    Client client(f.endpoint->address());
    client.Send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(f.Pump(client, "[/2]"));
    REQUIRE(client.text.find("[/1]") < client.text.find("[/2]"));
    REQUIRE(client.text.starts_with("HTTP/1.1 200 OK\r\n"));
    REQUIRE(client.Count("Content-Length: 4\r\n") == 2);
    REQUIRE(client.Count("Connection:") == 0);
    client.Send("GET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    REQUIRE(f.PumpToEnd(client));
    REQUIRE(client.Count("Connection: close") == 1);
}

TEST_CASE("endpoint: an answer may come later, and the next request waits for it") {
    Fixture f;
    Client client(f.endpoint->address());
    client.Send("GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(f.loop.RunUntil([&] { return f.later.has_value(); }));
    REQUIRE(f.paths == "/later");
    f.later->Send({503, "no"});
    REQUIRE(f.Pump(client, "[/2]"));
    REQUIRE(client.text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
}

namespace {

void GiveFile(Fixture& f, const std::string& content, uint64_t promised) {
    auto file = File::CreateUnlinked(TemporaryDirectory());
    REQUIRE(file);
    REQUIRE(file->Write(content));
    f.file = std::make_shared<const File>(std::move(*file));
    f.file_size = promised;
}

}  // namespace

TEST_CASE("endpoint: parts of a file are sent as the client takes them") {
    Fixture f;
    const std::string content((16 << 20) + 1, 'f');
    GiveFile(f, content, 16 << 20);
    Client client(f.endpoint->address());
    client.Send("GET /file HTTP/1.1\r\nX-Own: 1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
    // Not taken: what waits with us stays small, and others are served.
    Client other(f.endpoint->address());
    other.Send("GET /other HTTP/1.1\r\n\r\n");
    REQUIRE(f.Pump(other, "[/other]"));
    REQUIRE(f.Pump(client, "[/2]"));
    REQUIRE(client.Count("Content-Length: 16777218\r\n") == 1);
    REQUIRE(client.Count("X-Field: x-own\r\n") == 1);
    REQUIRE(client.Count("\r\nContent-Type") == 1);  // of /2
    REQUIRE(client.text.find("\r\n\r\n<" + std::string(16 << 20, 'f') + ">HTTP/1.1 200") !=
            std::string::npos);
    client.text.clear();
    client.Send("HEAD /file HTTP/1.1\r\n\r\nGET /3 HTTP/1.1\r\n\r\n");
    REQUIRE(f.Pump(client, "[/3]"));
    REQUIRE(client.text.find('<') == std::string::npos);
}

TEST_CASE("endpoint: a client that closes its direction gets all of a file") {
    Fixture f;
    GiveFile(f, std::string((4 << 20) + 1, 'f'), 4 << 20);
    Client client(f.endpoint->address());
    client.Send("GET /file HTTP/1.1\r\n\r\n");
    client.FinishSending();
    REQUIRE(f.PumpToEnd(client));
    REQUIRE(client.Count("f>") == 1);
}

TEST_CASE("endpoint: a file that became shorter cuts the answer") {
    Fixture f;
    GiveFile(f, "short", 1000);
    Client client(f.endpoint->address());
    client.Send("GET /file HTTP/1.1\r\n\r\n");
    REQUIRE(f.PumpToEnd(client));
    REQUIRE(client.Count(">") == 0);
    REQUIRE(f.loop.RunUntil([&] { return f.endpoint->connections() == 0; }));
}

TEST_CASE("endpoint: a request that nobody answers is answered 500") {
    Fixture f;
    Client client(f.endpoint->address());
    client.Send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(f.Pump(client, "HTTP/1.1 500 "));
}

TEST_CASE("endpoint: an answer for a client that has gone is dropped, with the endpoint too") {
    Fixture f;
    {
        Client client(f.endpoint->address());
        client.Send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
        REQUIRE(f.loop.RunUntil([&] { return f.later.has_value(); }));
    }
    f.later->Send({200, std::string(1 << 20, 'x')});
    REQUIRE(f.loop.RunUntil([&] { return f.endpoint->connections() == 0; }));
    f.later.reset();
    Client other(f.endpoint->address());
    other.Send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(f.loop.RunUntil([&] { return f.later.has_value(); }));
    f.endpoint.reset();
    f.later->Send({200, "late"});
}

TEST_CASE("endpoint: HEAD has the length and no body") {
    Fixture f;
    Client client(f.endpoint->address());
    client.Send("HEAD /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    REQUIRE(f.PumpToEnd(client));
    REQUIRE(client.Count("Content-Length: 4\r\n") == 1);
    REQUIRE(client.text.ends_with("\r\n\r\n"));
}

TEST_CASE("endpoint: a client that closed its direction gets all of its answers") {
    Fixture f;
    Client client(f.endpoint->address());
    client.Send("GET /large HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    client.FinishSending();
    REQUIRE(f.PumpToEnd(client));
    REQUIRE(client.text.ends_with("[/2]"));
    REQUIRE(f.loop.RunUntil([&] { return f.endpoint->connections() == 0; }));
}

TEST_CASE("endpoint: a client that does not read is not answered without bound") {
    Fixture f;
    Client client(f.endpoint->address());
    for (int i = 0; i < 64; ++i) {
        client.Send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    Client other(f.endpoint->address());
    other.Send("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(f.Pump(other, "[/2]"));
    REQUIRE(f.paths.size() < 32 * std::string_view("/large").size());
    REQUIRE(f.loop.RunUntil([&] {
        client.Receive();
        return client.text.size() > (64u << 20);
    }));
    REQUIRE(client.Count("HTTP/1.1 200 OK") == 64);
}

TEST_CASE("endpoint: garbage and too much are refused, and the connection ends") {
    const std::pair<std::string, std::string> cases[] = {
        {"what?\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"GET /" + std::string(70000, 'a'), "HTTP/1.1 431 "},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", "HTTP/1.1 413 "},
        {"GET / HTTP/2.0\r\n\r\n", "HTTP/1.1 505 "},
    };
    for (const auto& [bytes, answer] : cases) {
        Fixture f;
        Client client(f.endpoint->address());
        client.Send(bytes);
        client.FinishSending();
        REQUIRE(f.PumpToEnd(client));
        REQUIRE(client.text.starts_with(answer));
        REQUIRE(f.paths.empty());
    }
}

TEST_CASE("endpoint: slow and idle clients are closed") {
    using std::chrono::milliseconds;
    Fixture f({.request = milliseconds(1), .idle = milliseconds(1)});
    Client silent(f.endpoint->address());
    Client slow(f.endpoint->address());
    slow.Send("GET / HT");
    REQUIRE(f.PumpToEnd(silent));
    REQUIRE(f.PumpToEnd(slow));
    Fixture patient({.idle = milliseconds(1)});
    Client idle(patient.endpoint->address());
    idle.Send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(patient.PumpToEnd(idle));
    REQUIRE(idle.text.ends_with("[/1]"));
}

TEST_CASE("endpoint: beyond the limit whoever waited longest makes room") {
    Fixture f({.max_connections = 2});
    Client busy(f.endpoint->address());
    busy.Send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(f.loop.RunUntil([&] { return f.later.has_value(); }));
    Client idle(f.endpoint->address());
    REQUIRE(f.loop.RunUntil([&] { return f.endpoint->connections() == 2; }));
    Client third(f.endpoint->address());
    third.Send("GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(f.Pump(third, "[/3]"));
    REQUIRE(f.PumpToEnd(idle));
    f.later->Send({200, "[later]"});
    REQUIRE(f.Pump(busy, "[later]"));
}

TEST_CASE("endpoint: a taken port is an error with the address") {
    Fixture f;
    const std::string address = "127.0.0.1:" + std::to_string(f.endpoint->address().port);
    auto second = Endpoint::Open(f.loop, address, {}, {}, [](const Request&, Responder) {});
    REQUIRE_FALSE(second);
    REQUIRE(second.error().code == Errc::kExists);
    REQUIRE(second.error().message.find(address + ": bind: address already in use") !=
            std::string::npos);
    REQUIRE_FALSE(Endpoint::Open(f.loop, "nowhere", {}, {}, [](const Request&, Responder) {}));
}
