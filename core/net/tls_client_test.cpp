// The client's side of TLS: our streams on both ends.
#include <string>

#include <catch2/catch.hpp>

#include "core/net/stream.hpp"
#include "core/net/tls_for_test.hpp"
#include "core/net/tls_session.hpp"

namespace rr::net {
namespace {

struct End final : StreamHandler {
    std::span<char> OnReadBuffer() override { return ReadScratch(); }
    void OnData(size_t size) override { got.append(ReadScratch().data(), size); }
    void OnClosed(CloseReason reason) override {
        closed = true;
        reset = reason == CloseReason::kReset;
        fault = stream->tls_fault();
    }
    void OnSecured() override { secured = true; }

    std::unique_ptr<Stream> stream;
    std::string got;
    std::string fault;
    bool secured = false;
    bool closed = false;
    bool reset = false;
};

struct Pair {
    Pair() {
        folder.Make("root");
        folder.Make("server", "root");
        folder.Make("client", "root");
        folder.Make("stranger");
        settings = folder.Settings("server");
        trust.root_ca = folder.Certificate("root");
    }
    // What the client's host is called, and what it trusts.
    void Connect(const std::string& host) {
        auto ends = ConnectedPair();
        auto serving = TlsContext::Open(settings);
        auto asking = TlsContext::OpenClient(trust);
        REQUIRE(serving);
        REQUIRE(asking);
        REQUIRE((*asking)->client());
        server.stream =
            std::make_unique<Stream>(loop, Stream::Kind::kPipe, ends[0], &server, *serving);
        client.stream =
            std::make_unique<Stream>(loop, Stream::Kind::kPipe, ends[1], &client, *asking, host);
        client.stream->Queue("early");  // waits for the handshake
        server.stream->StartReading();
        client.stream->StartReading();
    }
    void Until(const std::function<bool()>& holds) {
        REQUIRE(loop.RunUntil([&holds] { return holds(); }, std::chrono::seconds(10)));
    }
    void Refused() {
        Until([this] { return client.closed && server.closed; });
        REQUIRE(client.reset);
        REQUIRE(server.got.empty());
    }

    Loop loop{"test"};
    CertificateFolder folder;
    TlsSettings settings;
    TlsClientSettings trust;
    End server;
    End client;
};

}  // namespace

TEST_CASE_METHOD(Pair, "tls client: it begins, checks the name, and both sides talk") {
    Connect("server");
    Until([this] { return server.got == "early"; });
    REQUIRE(client.secured);
    server.stream->Queue(std::string(300000, 's'));
    client.stream->Queue(std::string(300000, 'c'));
    Until([this] { return client.got.size() == 300000 && server.got.size() == 300005; });
    server.stream->ShutdownWhenSent();
    Until([this] { return client.closed; });
    REQUIRE_FALSE(client.reset);
    REQUIRE(client.fault.empty());
}

TEST_CASE_METHOD(Pair, "tls client: without a host any name will do") {
    Connect("");
    Until([this] { return server.got == "early"; });
}

TEST_CASE_METHOD(Pair, "tls client: the certificate of another host is refused") {
    Connect("other.example.com");
    Refused();
    REQUIRE(client.fault.find("the server's certificate: ") == 0);
    REQUIRE(client.fault.find("ostname mismatch") != std::string::npos);
    REQUIRE(server.fault.find("the client does not accept our certificate") == 0);
}

TEST_CASE_METHOD(Pair, "tls client: a number that the certificate does not have is refused") {
    Connect("127.0.0.1");
    Refused();
    REQUIRE(client.fault.find("IP address mismatch") != std::string::npos);
}

TEST_CASE_METHOD(Pair, "tls client: an authority that is not trusted is refused") {
    trust.root_ca = folder.Certificate("stranger");
    Connect("server");
    Refused();
    REQUIRE(client.fault.find("the server's certificate: ") == 0);
}

TEST_CASE_METHOD(Pair, "tls client: its own certificate is shown where it is asked for") {
    settings.client_auth = ClientAuth::kRequireAndVerify;
    settings.root_ca = folder.Certificate("root");
    SECTION("a good one") {
        trust.cert = folder.Certificate("client");
        trust.key = folder.Key("client");
        Connect("server");
        Until([this] { return server.got == "early"; });
    }
    SECTION("none") {
        Connect("server");
        Until([this] { return server.closed && client.closed; });
        REQUIRE(server.fault == "the client sent no certificate");
        REQUIRE(client.fault.find("the server broke the connection off: ") == 0);
    }
}

TEST_CASE_METHOD(Pair, "tls client: a server that speaks something else is named") {
    auto ends = ConnectedPair();
    auto asking = TlsContext::OpenClient(trust);
    server.stream = std::make_unique<Stream>(loop, Stream::Kind::kPipe, ends[0], &server);
    client.stream =
        std::make_unique<Stream>(loop, Stream::Kind::kPipe, ends[1], &client, *asking, "server");
    client.stream->StartReading();
    server.stream->Queue("-ERR unknown command\r\n");
    Until([this] { return client.closed; });
    REQUIRE(client.fault.find("the server does not speak TLS") == 0);
}

TEST_CASE_METHOD(Pair, "tls client: a server that goes in the handshake") {
    auto ends = ConnectedPair();
    auto asking = TlsContext::OpenClient(trust);
    server.stream = std::make_unique<Stream>(loop, Stream::Kind::kPipe, ends[0], &server);
    client.stream =
        std::make_unique<Stream>(loop, Stream::Kind::kPipe, ends[1], &client, *asking, "server");
    client.stream->StartReading();
    server.stream.reset();
    Until([this] { return client.closed; });
    REQUIRE(client.fault == "the server left before the handshake was done");
}

TEST_CASE_METHOD(Pair, "tls client: bad files are named") {
    TlsClientSettings bad = trust;
    bad.root_ca = folder.path() + "/none.pem";
    REQUIRE(TlsContext::OpenClient(bad).error().message.find("none.pem: ") != std::string::npos);
    bad = trust;
    bad.root_ca = folder.Key("root");
    REQUIRE(TlsContext::OpenClient(bad).error().message.find("no certificate in PEM form") !=
            std::string::npos);
    bad = trust;
    bad.cert = folder.Certificate("client");
    bad.key = folder.Key("stranger");
    REQUIRE(TlsContext::OpenClient(bad).error().message.find("the key of another certificate") !=
            std::string::npos);
}

}  // namespace rr::net
