#include "core/net/http_post.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include <catch2/catch.hpp>

namespace rr::net {
namespace {

using namespace std::chrono_literals;

// A server of one connection: reads a request for each answer, then keeps silent until the client
// goes.
class Peer {
public:
    explicit Peer(std::vector<std::string> answers) : answers_(std::move(answers)) {
        listening_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        REQUIRE(bind(listening_, reinterpret_cast<sockaddr*>(&address), size) == 0);
        REQUIRE(listen(listening_, 4) == 0);
        getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size);
        url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
        thread_ = std::thread([this] { Serve(); });
    }
    ~Peer() {
        shutdown(listening_, SHUT_RDWR);
        thread_.join();
        close(listening_);
    }

    std::string url;
    std::vector<std::string> requests;  // complete as far as answers have come

private:
    void Serve() {
        const int fd = accept(listening_, nullptr, nullptr);
        if (fd < 0) {
            return;
        }
        for (const std::string& answer : answers_) {
            std::string request;
            size_t head = 0;
            size_t body = 0;
            while (head == 0 || request.size() < head + body) {
                char bytes[4096];
                const ssize_t got = read(fd, bytes, sizeof(bytes));
                if (got <= 0) {
                    break;
                }
                request.append(bytes, static_cast<size_t>(got));
                head = request.find("\r\n\r\n") == std::string::npos ? 0
                                                                     : request.find("\r\n\r\n") + 4;
                const size_t length = request.find("Content-Length: ");
                body = length < head ? std::stoul(request.substr(length + 16)) : 0;
            }
            requests.push_back(request);
            (void)!write(fd, answer.data(), answer.size());
        }
        char more;
        while (read(fd, &more, 1) > 0) {
        }
        close(fd);
    }

    std::vector<std::string> answers_;
    int listening_;
    std::thread thread_;
};

const std::atomic<bool> kGoOn = false;

std::unique_ptr<HttpPost> Open(HttpPostSettings settings) {
    auto post = HttpPost::Open(std::move(settings));
    REQUIRE(post);
    return std::move(*post);
}

Deadline In(Duration time) { return Clock::now() + time; }

}  // namespace

TEST_CASE("http post: a body goes out with its headers, and the answer comes back") {
    Peer peer({"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nfoo",
               "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"});
    auto post =
        Open({peer.url + "/v1?x", {{"Content-Type", "a/b"}, {"X-Empty", ""}}, 10s, "", "", ""});
    const std::string body("a\0b", 3);
    HttpPost::Answer answer = post->Send(body, In(10s), kGoOn);
    REQUIRE(answer.error == "");
    REQUIRE(answer.status == 200);
    REQUIRE(answer.body == "foo");
    // On the same connection: the peer has only one.
    answer = post->Send("", In(10s), kGoOn);
    REQUIRE(answer.status == 503);
    REQUIRE(answer.retry_after == 7s);
    post.reset();
    REQUIRE(peer.requests[0].starts_with("POST /v1?x HTTP/1.1\r\n"));
    REQUIRE(peer.requests[0].find("\r\nContent-Type: a/b\r\n") != std::string::npos);
    REQUIRE(peer.requests[0].find("\r\nX-Empty:\r\n") != std::string::npos);
    REQUIRE(peer.requests[0].find("Expect") == std::string::npos);
    REQUIRE(peer.requests[0].ends_with("\r\n\r\n" + body));
    REQUIRE(peer.requests[1].find("\r\nContent-Length: 0\r\n") != std::string::npos);
}

TEST_CASE("http post: nobody listens, nobody answers, nobody waits any more") {
    std::string gone;
    {
        Peer peer({});
        gone = peer.url;
    }
    HttpPost::Answer answer = Open({gone, {}, 10s, "", "", ""})->Send("x", In(10s), kGoOn);
    REQUIRE(answer.status == 0);
    REQUIRE(answer.error.find("onnect") != std::string::npos);

    Peer silent({});
    auto post = Open({silent.url, {}, 10s, "", "", ""});
    answer = post->Send("x", In(20ms), kGoOn);
    REQUIRE(answer.status == 0);
    REQUIRE(answer.error.find("timed out") != std::string::npos);
    REQUIRE(post->Send("x", In(-1s), kGoOn).error == "no time is left");

    Peer other({});
    const std::atomic<bool> stop = true;
    answer = Open({other.url, {}, 60s, "", "", ""})->Send("x", In(60s), stop);
    REQUIRE(answer.status == 0);
    REQUIRE(answer.error != "");
}

TEST_CASE("http post: only the beginning of an answer is kept, and an endless one is given up") {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: ";
    Peer peer({head + "9000\r\n\r\n" + std::string(9000, 'x')});
    HttpPost::Answer answer = Open({peer.url, {}, 10s, "", "", ""})->Send("x", In(10s), kGoOn);
    REQUIRE(answer.status == 200);
    REQUIRE(answer.body == std::string(4096, 'x'));
    Peer endless({head + "3000000\r\n\r\n" + std::string(2'000'000, 'x')});
    answer = Open({endless.url, {}, 10s, "", "", ""})->Send("x", In(10s), kGoOn);
    REQUIRE(answer.status == 0);
}

TEST_CASE("http post: sockets are not for children") {
    Peer peer({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"});
    auto post = Open({peer.url, {}, 10s, "", "", ""});
    const int before = dup(0);
    close(before);
    REQUIRE(post->Send("x", In(10s), kGoOn).status == 200);
    int internet = 0;
    for (int fd = 3; fd < before + 16; ++fd) {
        sockaddr_storage address{};
        socklen_t size = sizeof(address);
        if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
            address.ss_family == AF_INET && fcntl(fd, F_GETFD) >= 0) {
            const bool accepted = ntohs(reinterpret_cast<sockaddr_in*>(&address)->sin_port) !=
                                  std::stoi(peer.url.substr(peer.url.rfind(':') + 1));
            if (!accepted) {
                ++internet;
                REQUIRE((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
            }
        }
    }
    REQUIRE(internet == 1);
}

}  // namespace rr::net
