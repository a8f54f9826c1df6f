// What a server's context chooses for a client: certificate, suite, session. Bytes only.
#include <catch2/catch.hpp>

#include "core/net/tls_for_test.hpp"
#include "core/net/tls_session.hpp"

namespace rr::net {
namespace {

// A client of OpenSSL's on buffers.
struct Client {
    explicit Client(int version) : context(SSL_CTX_new(TLS_client_method())) {
        SSL_CTX_set_min_proto_version(context, version);
        SSL_CTX_set_max_proto_version(context, version);
        Renew();
    }
    ~Client() {
        SSL_SESSION_free(session);
        SSL_free(ssl);
        SSL_CTX_free(context);
    }
    void Renew() {
        if (ssl != nullptr) {
            SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN);  // else OpenSSL gives its session up
        }
        SSL_free(ssl);
        ssl = SSL_new(context);
        in = BIO_new(BIO_s_mem());
        out = BIO_new(BIO_s_mem());
        SSL_set_bio(ssl, in, out);
        SSL_set_connect_state(ssl);
        if (session != nullptr) {
            SSL_set_session(ssl, session);
        }
    }
    std::string Sent() {
        char* bytes = nullptr;
        long size = BIO_get_mem_data(out, &bytes);
        std::string sent(bytes, static_cast<size_t>(size));
        BIO_reset(out);
        return sent;
    }

    SSL_CTX* context;
    SSL* ssl = nullptr;
    BIO* in = nullptr;
    BIO* out = nullptr;
    SSL_SESSION* session = nullptr;
};

// True: both are done, and the client has what comes behind the handshake (tickets).
bool Shake(Client& client, TlsSession& server) {
    for (int turn = 0; turn < 6; ++turn) {
        SSL_do_handshake(client.ssl);
        std::string sent = client.Sent();
        server.Feed(sent);
        server.Handshake();
        server.Keep();
        Bytes wire = server.wire().view();
        BIO_write(client.in, wire.data(), static_cast<int>(wire.size()));
        server.wire().Clear();
    }
    char none;
    SSL_read(client.ssl, &none, 1);
    return SSL_is_init_finished(client.ssl) == 1 && server.Handshake() == TlsSession::Status::kData;
}

std::string NameOf(SSL* client) {
    X509* certificate = SSL_get0_peer_certificate(client);
    return certificate == nullptr ? "" : NamesOf(certificate).front();
}

std::shared_ptr<TlsContext> Opened(const TlsSettings& settings) {
    auto context = TlsContext::Open(settings);
    if (!context) {
        FAIL(context.error().message);
    }
    return *context;
}

}  // namespace

TEST_CASE("tls choice: the certificate is the one for the name that the client asks for") {
    CertificateFolder folder;
    TlsSettings settings = folder.Settings("main.example");
    folder.Make("main.example");
    for (const char* name : {"a.example", "*.b.example"}) {
        folder.Make(name);
        settings.others.push_back({folder.Certificate(name), folder.Key(name)});
    }
    settings.protocols = {"http/1.1"};
    auto context = Opened(settings);
    struct Case {
        const char* asked;
        const char* given;
    };
    const Case c = GENERATE(Case{"a.example", "a.example"}, Case{"A.EXAMPLE", "a.example"},
                            Case{"x.b.example", "*.b.example"}, Case{"b.example", "main.example"},
                            Case{"main.example", "main.example"}, Case{"", "main.example"},
                            Case{"nobody.example", "main.example"});
    CAPTURE(c.asked);
    Client client(GENERATE(TLS1_2_VERSION, TLS1_3_VERSION));
    if (*c.asked != '\0') {
        SSL_set_tlsext_host_name(client.ssl, c.asked);
    }
    SSL_set_alpn_protos(client.ssl, reinterpret_cast<const unsigned char*>("\x08http/1.1"), 9);
    TlsSession server(context);
    REQUIRE(Shake(client, server));
    REQUIRE(NameOf(client.ssl) == c.given);
    REQUIRE(server.protocol() == "http/1.1");
}

TEST_CASE("tls choice: every certificate asks for the client's") {
    CertificateFolder folder;
    folder.Make("ca");
    folder.Make("server", "ca");
    folder.Make("client", "ca");
    folder.Make("stranger");
    TlsSettings settings = folder.Settings("server");
    settings.others.push_back({folder.Certificate("server"), folder.Key("server")});
    folder.Make("other.example", "ca");
    settings.others.push_back({folder.Certificate("other.example"), folder.Key("other.example")});
    settings.root_ca = folder.Certificate("ca");
    settings.client_auth = ClientAuth::kRequireAndVerify;
    auto context = Opened(settings);
    for (const char* who : {"client", "stranger", ""}) {
        CAPTURE(who);
        Client client(TLS1_2_VERSION);
        SSL_set_tlsext_host_name(client.ssl, "other.example");
        if (*who != '\0') {
            REQUIRE(SSL_use_certificate_file(client.ssl, folder.Certificate(who).c_str(),
                                             SSL_FILETYPE_PEM) == 1);
            REQUIRE(SSL_use_PrivateKey_file(client.ssl, folder.Key(who).c_str(),
                                            SSL_FILETYPE_PEM) == 1);
        }
        TlsSession server(context);
        REQUIRE(Shake(client, server) == (std::string(who) == "client"));
    }
}

TEST_CASE("tls choice: a broken one of several certificates is named") {
    CertificateFolder folder;
    folder.Make("server");
    TlsSettings settings = folder.Settings("server");
    settings.others.push_back({folder.Certificate("nowhere"), folder.Key("nowhere")});
    auto context = TlsContext::Open(settings);
    REQUIRE_FALSE(context);
    REQUIRE(context.error().message.starts_with(folder.Certificate("nowhere")));
}

TEST_CASE("tls choice: a session resumes with a ticket, and in TLS 1.2 by its number") {
    CertificateFolder folder;
    folder.Make("server");
    folder.Make("other.example");
    TlsSettings settings = folder.Settings("server");
    settings.others.push_back({folder.Certificate("other.example"), folder.Key("other.example")});
    auto context = Opened(settings);
    int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    bool ticket = GENERATE(true, false);
    bool named = GENERATE(true, false);
    if (version == TLS1_3_VERSION && !ticket) {
        return;
    }
    CAPTURE(version, ticket, named);
    Client client(version);
    if (!ticket) {
        SSL_CTX_set_options(client.context, SSL_OP_NO_TICKET);
        client.Renew();
    }
    for (int again = 0; again < 3; ++again) {
        if (named) {
            SSL_set_tlsext_host_name(client.ssl, "other.example");
        }
        TlsSession server(context);
        REQUIRE(Shake(client, server));
        REQUIRE(SSL_session_reused(client.ssl) == (again == 0 ? 0 : 1));
        REQUIRE(NameOf(client.ssl) == (named ? "other.example" : "server"));
        SSL_SESSION_free(client.session);
        client.session = SSL_get1_session(client.ssl);
        client.Renew();
    }
}

TEST_CASE("tls choice: suites without forward secrecy or authentication are not there") {
    CertificateFolder folder;
    folder.Make("server");
    auto context = Opened(folder.Settings("server"));
    Client client(TLS1_2_VERSION);
    const char* suite = GENERATE(as<const char*>(), "ECDHE-ECDSA-AES128-GCM-SHA256",
                                 "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
                                 "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA");
    CAPTURE(suite);
    bool fine = std::string_view(suite).find("-GCM-") != std::string_view::npos ||
                std::string_view(suite).find("CHACHA") != std::string_view::npos;
    REQUIRE(SSL_set_cipher_list(client.ssl, suite) == 1);
    TlsSession server(context);
    REQUIRE(Shake(client, server) == fine);
    if (!fine) {
        REQUIRE(server.fault() == "no shared cipher");
    }
}

TEST_CASE("tls choice: curves are Go's four") {
    CertificateFolder folder;
    folder.Make("server");
    auto context = Opened(folder.Settings("server"));
    struct Case {
        const char* group;
        bool fine;
    };
    const Case c = GENERATE(Case{"X25519", true}, Case{"P-256", true}, Case{"P-384", true},
                            Case{"P-521", true}, Case{"X448", false});
    CAPTURE(c.group);
    Client client(TLS1_3_VERSION);
    REQUIRE(SSL_set1_groups_list(client.ssl, c.group) == 1);
    TlsSession server(context);
    REQUIRE(Shake(client, server) == c.fine);
}

TEST_CASE("tls choice: a client that speaks HTTP is told so in plain text, any other is not") {
    CertificateFolder folder;
    folder.Make("server");
    TlsSettings settings = folder.Settings("server");
    settings.http_answer = "HTTP/1.0 400 Bad Request\r\n\r\nno\n";
    auto context = Opened(settings);
    for (const char* first : {"GET / HTTP/1.1\r\n\r\n", "POST /x HTTP/1.1\r\n",
                              "HEAD / HTTP/1.0\r\n", "PUT /x HTTP/1.1\r\n"}) {
        CAPTURE(first);
        TlsSession server(context);
        server.Feed(first);
        REQUIRE(server.Handshake() == TlsSession::Status::kFailed);
        REQUIRE(server.wire().view() == settings.http_answer);
    }
    TlsSession server(context);
    server.Feed("SSH-2.0-OpenSSH_9.2\r\n");
    REQUIRE(server.Handshake() == TlsSession::Status::kFailed);
    REQUIRE(server.wire().view().find("HTTP") == Bytes::npos);
}

}  // namespace rr::net
