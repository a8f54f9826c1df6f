// TlsContext: what a listener needs to speak TLS: certificate, key, rules; or what a client of another
// server needs: whom to trust. Streams made with one encrypt; who uses them sees plain bytes.
//
//   Result<std::shared_ptr<TlsContext>> tls = TlsContext::Open(settings);   // main thread, at start
//   Stream stream(loop, Stream::Kind::kTcp, descriptor, handler, tls);
//
//   Result<std::shared_ptr<TlsContext>> tls = TlsContext::OpenClient(settings);
//   Stream stream(loop, Stream::Kind::kTcp, descriptor, handler, tls, "redis.example.com");
//
// TLS 1.2 and 1.3. A client without the certificate that client_auth asks for fails the handshake; so
// does a server whose certificate root_ca did not sign, or that is another one's than the host's.
//
// Thread: Open on any thread; immutable afterwards, shared by the loops.
// Owns:   the OpenSSL context. Streams keep it alive: a reload makes a new one, old connections go
//         on with theirs.
// Fails:  Open: kNotFound, kDenied, kInvalid; the text names the file and what is wrong with it: a
//         key with a passphrase, a key of another certificate, no PEM at all.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/net/tls_names.hpp"

struct ssl_ctx_st;

namespace rr::net {

// RoadRunner's (and Go's) words in the file, in this order.
enum class ClientAuth : uint8_t {
    kNone,             // no_client_cert
    kRequest,          // request_client_cert: asked for, not looked at
    kRequireAny,       // require_any_client_cert: must send one, whoever signed it
    kVerifyIfGiven,    // verify_client_cert_if_given
    kRequireAndVerify  // require_and_verify_client_cert
};

struct TlsCertificate {
    std::string cert;  // PEM file: the certificate and what leads to its root
    std::string key;   // PEM file, without a passphrase
};

struct TlsSettings {
    std::string cert;  // as above; for clients that name no server, or one that nobody else is
    std::string key;
    std::vector<TlsCertificate>
        others;           // each for the names in it (SNI); the first that has one wins
    std::string root_ca;  // PEM file: who may sign client certificates; empty: the system's
    ClientAuth client_auth = ClientAuth::kNone;
    std::vector<std::string> protocols;  // ALPN, best first: {"h2", "http/1.1"}; empty: none
    std::string http_answer;  // in plain text, for a client that begins with an HTTP request
};

struct TlsClientSettings {
    std::string root_ca{};  // PEM file: who may sign the server's certificate
    std::string cert{};     // PEM file, if the server asks for one; with its key, or neither
    std::string key{};
};

class TlsContext final {
public:
    static Result<std::shared_ptr<TlsContext>> Open(const TlsSettings& settings);
    static Result<std::shared_ptr<TlsContext>> OpenClient(const TlsClientSettings& settings);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    // For Stream.
    ssl_ctx_st* raw() const { return context_; }
    bool client() const { return client_; }
    const std::string& http_answer() const { return http_answer_; }

private:
    TlsContext(ssl_ctx_st* context, bool client) : context_(context), client_(client) {}
    Result<void> AddOthers(const TlsSettings& settings);

    ssl_ctx_st* context_;
    const bool client_;
    std::string protocols_;  // as ALPN has them: length, name, length, name
    std::string http_answer_;
    std::vector<std::shared_ptr<TlsContext>> others_;
    TlsNames names_;  // whose context is which of others_; -1: this one
};

}  // namespace rr::net
