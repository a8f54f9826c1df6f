// The end that connects: against our own server's end, and against peers that are none.
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/net/stream.hpp"
#include "core/net/tls.hpp"
#include "core/net/tls_for_test.hpp"
#include "core/net/tls_session.hpp"

namespace rr::net {
namespace {

class End final : public StreamHandler {
public:
    std::span<char> OnReadBuffer() override { return ReadScratch(); }
    void OnData(size_t size) override {
        got.append(ReadScratch().data(), size);
        if (echoes) {
            stream->Queue(Bytes(ReadScratch().data(), size));
        }
    }
    void OnClosed(CloseReason reason) override {
        closed.push_back(reason);
        fault = stream->tls_fault();
        if (dies) {
            stream.reset();
        }
    }
    void OnSecured() override {
        ++secured;
        if (dies) {
            stream.reset();
        }
    }

    std::unique_ptr<Stream> stream;
    std::string got;
    std::vector<CloseReason> closed;
    std::string fault;
    int secured = 0;
    bool echoes = false;
    bool dies = false;
};

std::shared_ptr<TlsContext> Opened(Result<std::shared_ptr<TlsContext>> context) {
    if (!context) {
        FAIL(context.error().message);
    }
    return *context;
}

std::string OpenFault(const TlsClientSettings& settings) {
    auto context = TlsContext::OpenClient(settings);
    return context ? "opened" : context.error().message;
}

bool Has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

struct Fixture {
    Fixture() {
        folder.Make("ca");
        folder.MakeAs("server", {.issuer = "ca",
                                 .hosts = "DNS:db.example, DNS:*.wild.example, IP:127.0.0.1"});
        trusting.root_ca = folder.Certificate("ca");
        serving = folder.Settings("server");
    }

    void Connect(const std::string& name = "db.example") {
        auto ends = ConnectedPair();
        server.stream = std::make_unique<Stream>(loop, Stream::Kind::kPipe, ends[0], &server,
                                                 Opened(TlsContext::Open(serving)));
        client.stream = std::make_unique<Stream>(loop, Stream::Kind::kPipe, ends[1], &client,
                                                 Opened(TlsContext::OpenClient(trusting)), name);
        server.stream->StartReading();
        client.stream->StartReading();
    }
    // `secured`, or what the client says went wrong.
    std::string Outcome(const std::string& name = "db.example") {
        Connect(name);
        REQUIRE(loop.RunUntil([this] { return client.secured == 1 || !client.closed.empty(); }));
        if (client.secured == 1) {
            return "secured";
        }
        REQUIRE(client.closed == std::vector{CloseReason::kReset});
        return client.fault;
    }
    // The client alone, with a plain socket at the other end.
    int ConnectPlain() {
        auto ends = ConnectedPair();
        client.stream =
            std::make_unique<Stream>(loop, Stream::Kind::kPipe, ends[1], &client,
                                     Opened(TlsContext::OpenClient(trusting)), "db.example");
        client.stream->StartReading();
        return ends[0];
    }

    CertificateFolder folder;
    TlsSettings serving;
    TlsClientSettings trusting;
    Loop loop{"test"};
    End server;
    End client;
};

}  // namespace

TEST_CASE("tls client: it begins by itself, and what was queued before waits for the handshake") {
    Fixture f;
    f.Connect();
    f.server.echoes = true;
    f.client.stream->Queue("early");
    REQUIRE(f.loop.RunUntil([&f] { return f.client.got == "early"; }));
    REQUIRE(f.client.secured == 1);
    REQUIRE(f.server.secured == 1);
    const std::string large(3 << 20, 'x');
    f.client.stream->Queue(large);
    REQUIRE(f.loop.RunUntil([&f, &large] { return f.client.got == "early" + large; }));
    f.client.stream->ShutdownWhenSent();
    REQUIRE(f.loop.RunUntil([&f] { return !f.server.closed.empty(); }));
    REQUIRE(f.server.closed == std::vector{CloseReason::kEnd});
    REQUIRE(f.client.closed.empty());
    f.server.stream.reset();
    REQUIRE(f.loop.RunUntil([&f] { return !f.client.closed.empty(); }));
    REQUIRE(f.client.fault.empty());
}

TEST_CASE("tls client: a name, a wildcard and an address that the certificate is for are good") {
    Fixture f;
    const char* name = GENERATE("db.example", "DB.example", "db.example.", "one.wild.example",
                                "127.0.0.1", "127.0.0.1%lo");
    CAPTURE(name);
    REQUIRE(f.Outcome(name) == "secured");
}

TEST_CASE("tls client: a certificate for somebody else is refused, and says for whom it is") {
    Fixture f;
    const char* name = GENERATE("other.example", "wild.example", "two.one.wild.example",
                                "127.0.0.2", "::1", "server", "127.0.0.1.example");
    CAPTURE(name);
    REQUIRE(f.Outcome(name) ==
            "the server's certificate: it is for db.example, *.wild.example, 127.0.0.1");
    REQUIRE(f.loop.RunUntil([&f] { return !f.server.closed.empty(); }));
    REQUIRE(Has(f.server.fault, "the client does not accept our certificate"));
}

TEST_CASE("tls client: without a host any name will do") {
    Fixture f;
    REQUIRE(f.Outcome("") == "secured");
}

TEST_CASE("tls client: a common name does not count, and an IPv6 address does") {
    Fixture f;
    SECTION("a common name") {
        f.folder.Make("db.example", "ca");
        f.serving = f.folder.Settings("db.example");
        REQUIRE(Has(f.Outcome(), "the server's certificate: it names no host at all"));
    }
    SECTION("IPv6") {
        f.folder.MakeAs("six", {.issuer = "ca", .hosts = "IP:fe80::1"});
        f.serving = f.folder.Settings("six");
        REQUIRE(f.Outcome("fe80::1%eth0") == "secured");
    }
    SECTION("IPv6 in words") {
        f.folder.MakeAs("six", {.issuer = "ca", .hosts = "IP:fe80::1"});
        f.serving = f.folder.Settings("six");
        REQUIRE(f.Outcome("fe80::2") == "the server's certificate: it is for fe80::1");
    }
}

TEST_CASE("tls client: who signed the server's certificate decides") {
    Fixture f;
    f.folder.Make("other");
    SECTION("an unknown authority") {
        f.trusting.root_ca = f.folder.Certificate("other");
        REQUIRE(f.Outcome() ==
                "the server's certificate: it is signed by an unknown authority, `CN = ca`");
    }
    SECTION("another one of the same name") {
        f.folder.MakeAs("new-ca", {.subject = "ca"});
        f.trusting.root_ca = f.folder.Certificate("new-ca");
        REQUIRE(f.Outcome() ==
                "the server's certificate: it is signed by another authority than the trusted one "
                "of the name `CN = ca`");
    }
    SECTION("itself") {
        f.folder.MakeAs("alone", {.hosts = "DNS:db.example"});
        f.serving = f.folder.Settings("alone");
        REQUIRE(f.Outcome() == "the server's certificate: it is signed by itself, and not trusted");
    }
    SECTION("itself, trusted as it is") {
        f.folder.MakeAs("alone", {.hosts = "DNS:db.example"});
        f.serving = f.folder.Settings("alone");
        f.trusting.root_ca = f.folder.Certificate("alone");
        REQUIRE(f.Outcome() == "secured");
    }
    SECTION("an authority that the trusted one signed") {
        f.folder.MakeAs("between", {.issuer = "ca", .authority = true});
        f.folder.MakeAs("leaf", {.issuer = "between", .hosts = "DNS:db.example"});
        f.serving = f.folder.Settings("leaf");
        SECTION("which the server does not send") {
            REQUIRE(Has(f.Outcome(), "is signed by an unknown authority, `CN = between`"));
        }
        SECTION("which is the only trusted one") {
            f.trusting.root_ca = f.folder.Certificate("between");
            REQUIRE(f.Outcome() == "secured");
        }
    }
}

TEST_CASE("tls client: a certificate that is out of its time or not a server's is refused") {
    Fixture f;
    SECTION("expired") {
        f.folder.MakeAs("old", {.issuer = "ca", .hosts = "DNS:db.example", .until = -60});
        f.serving = f.folder.Settings("old");
        REQUIRE(Has(f.Outcome(), "the server's certificate: it expired at 20"));
    }
    SECTION("not valid yet") {
        f.folder.MakeAs("new", {.issuer = "ca", .hosts = "DNS:db.example", .from = 3600});
        f.serving = f.folder.Settings("new");
        REQUIRE(Has(f.Outcome(), "the server's certificate: it is valid from 20"));
    }
    SECTION("its authority expired") {
        f.folder.MakeAs("old-ca", {.until = -60});
        f.folder.MakeAs("leaf", {.issuer = "old-ca", .hosts = "DNS:db.example"});
        f.serving = f.folder.Settings("leaf");
        f.trusting.root_ca = f.folder.Certificate("old-ca");
        REQUIRE(Has(f.Outcome(), "the server's certificate: `CN = old-ca` expired at 20"));
    }
    SECTION("a client's") {
        f.folder.MakeAs("odd", {.issuer = "ca", .hosts = "DNS:db.example", .usage = "clientAuth"});
        f.serving = f.folder.Settings("odd");
        REQUIRE(f.Outcome() ==
                "the server's certificate: it is not made for this use (extendedKeyUsage)");
    }
}

TEST_CASE("tls client: a server that wants a certificate gets ours") {
    Fixture f;
    f.serving.client_auth = ClientAuth::kRequireAndVerify;
    f.serving.root_ca = f.folder.Certificate("ca");
    SECTION("ours") {
        f.folder.Make("us", "ca");
        f.trusting.cert = f.folder.Certificate("us");
        f.trusting.key = f.folder.Key("us");
        f.Connect();
        REQUIRE(f.loop.RunUntil([&f] { return f.server.secured == 1 && f.client.secured == 1; }));
    }
    // With TLS 1.3 the client's end of the handshake is done before the server looks.
    SECTION("none") {
        f.Connect();
        REQUIRE(f.loop.RunUntil([&f] { return !f.client.closed.empty(); }));
        REQUIRE(f.client.closed == std::vector{CloseReason::kReset});
        REQUIRE(f.client.fault == "the server wants a certificate of ours");
        REQUIRE(f.server.fault == "the client sent no certificate");
    }
    SECTION("one of somebody else") {
        f.folder.Make("other");
        f.trusting.cert = f.folder.Certificate("other");
        f.trusting.key = f.folder.Key("other");
        f.Connect();
        REQUIRE(f.loop.RunUntil([&f] { return !f.client.closed.empty(); }));
        REQUIRE(Has(f.client.fault, "the server does not accept our certificate"));
    }
}

TEST_CASE("tls client: a write that fails does not hide why the server left") {
    Fixture f;
    f.serving.client_auth = ClientAuth::kRequireAndVerify;
    f.Connect();
    REQUIRE(f.loop.RunUntil([&f] { return f.client.secured == 1; }));
    f.client.stream->StopReading();
    REQUIRE(f.loop.RunUntil([&f] { return !f.server.closed.empty(); }));
    f.server.stream.reset();
    f.client.stream->Queue("a command");
    REQUIRE(f.loop.RunUntil([&f] { return !f.client.closed.empty(); }));
    REQUIRE(f.client.closed == std::vector{CloseReason::kReset});
    REQUIRE(f.client.fault == "the server wants a certificate of ours");
}

TEST_CASE("tls: a client's certificate of another authority of the same name is told so") {
    Fixture f;
    f.folder.MakeAs("new-ca", {.subject = "ca"});
    f.folder.Make("us", "new-ca");
    f.serving.client_auth = ClientAuth::kRequireAndVerify;
    f.serving.root_ca = f.folder.Certificate("ca");
    f.trusting.cert = f.folder.Certificate("us");
    f.trusting.key = f.folder.Key("us");
    f.Connect();
    REQUIRE(f.loop.RunUntil([&f] { return !f.server.closed.empty(); }));
    REQUIRE(
        f.server.fault ==
        "the client's certificate: it is signed by another authority than the trusted one of the "
        "name `CN = ca`");
}

TEST_CASE("tls client: what does not speak TLS is told apart") {
    Fixture f;
    const int other = f.ConnectPlain();
    const std::string text =
        GENERATE(as<std::string>(), "-ERR unknown command\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n",
                 "220 mail.example ready\r\n");
    REQUIRE(write(other, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    REQUIRE(f.loop.RunUntil([&f] { return !f.client.closed.empty(); }));
    REQUIRE(f.client.closed == std::vector{CloseReason::kReset});
    REQUIRE(f.client.fault == "the server does not speak TLS");
    REQUIRE(f.client.secured == 0);
    close(other);
}

TEST_CASE("tls client: a server that leaves in the handshake is a reset with a reason") {
    Fixture f;
    const int other = f.ConnectPlain();
    char hello[1024];
    if (GENERATE(true, false)) {
        REQUIRE(f.loop.RunUntil([&] { return recv(other, hello, sizeof(hello), 0) > 0; }));
        REQUIRE(hello[0] == 0x16);
    }
    close(other);
    REQUIRE(f.loop.RunUntil([&f] { return !f.client.closed.empty(); }));
    REQUIRE(f.client.closed == std::vector{CloseReason::kReset});
    REQUIRE(f.client.fault == "the server left before the handshake was done");
}

TEST_CASE("tls client: a handler may end the stream in OnSecured and OnClosed") {
    Fixture f;
    f.client.dies = true;
    SECTION("secured") { f.Connect(); }
    SECTION("a certificate that is refused") { f.Connect("other.example"); }
    SECTION("a name that is none") { f.Connect(std::string(300, 'x')); }
    REQUIRE(f.loop.RunUntil([&f] { return f.client.stream == nullptr; }));
}

TEST_CASE("tls client: a name that cannot be checked is an error, not a connection") {
    Fixture f;
    REQUIRE(f.Outcome(std::string(300, 'x')) ==
            "not the name of a server: " + std::string(300, 'x'));
    REQUIRE(f.server.secured == 0);
}

TEST_CASE("tls client: files that are not usable are named with what is wrong") {
    Fixture f;
    f.folder.Make("us", "ca");
    SECTION("roots") {
        f.trusting.root_ca = f.folder.Certificate("missing");
        auto context = TlsContext::OpenClient(f.trusting);
        REQUIRE(context.error().code == Errc::kNotFound);
        REQUIRE(Has(context.error().message, f.trusting.root_ca + ": no such file"));
        f.trusting.root_ca = f.folder.Key("ca");
        REQUIRE(OpenFault(f.trusting) == f.trusting.root_ca + ": no certificate in PEM form");
    }
    SECTION("one without the other") {
        f.trusting.cert = f.folder.Certificate("us");
        REQUIRE(OpenFault(f.trusting) == "a certificate and its key come together");
    }
    SECTION("another certificate's key") {
        f.trusting.cert = f.folder.Certificate("us");
        f.trusting.key = f.folder.Key("ca");
        REQUIRE(OpenFault(f.trusting) ==
                f.trusting.key + ": the key of another certificate than " + f.trusting.cert);
    }
}

}  // namespace rr::net
