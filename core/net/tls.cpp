#include "core/net/tls.hpp"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <array>

#include "core/base/bytes.hpp"
#include "core/base/process.hpp"
#include "core/net/certificate_fault.hpp"
#include "core/net/tls_session.hpp"

namespace rr::net {
namespace {

constexpr size_t kMostPem = 16 << 20;  // a whole system's roots are a quarter of a MB
constexpr long kSessions = 2048;

struct Freed {
    void operator()(BIO* p) const { BIO_free(p); }
    void operator()(X509* p) const { X509_free(p); }
    void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
};
template <class T>
using Own = std::unique_ptr<T, Freed>;

Result<std::string> ReadPem(const std::string& path) {
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::string text;
    int failed = fd < 0 ? errno : 0;
    std::array<char, 16 * 1024> piece;
    while (failed == 0) {
        ssize_t got = read(fd, piece.data(), piece.size());
        if (got == 0) {
            break;
        }
        if (got > 0) {
            text.append(piece.data(), static_cast<size_t>(got));
        } else if (errno != EINTR) {
            failed = errno;
        }
        if (text.size() > kMostPem) {
            failed = EFBIG;
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    if (failed == 0) {
        return text;
    }
    Errc code = failed == ENOENT ? Errc::kNotFound : failed == EACCES ? Errc::kDenied : Errc::kIo;
    return Fail(code, path + ": " + process::ErrorText(failed));
}

Own<BIO> Source(const std::string& text) {
    return Own<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

tl::unexpected<Error> Unusable(const std::string& path, const std::string& what) {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    std::string text = path + ": " + what;
    if (reason != nullptr) {
        text.append(": ").append(reason);
    }
    ERR_clear_error();
    return Fail(Errc::kInvalid, text);
}

// Every certificate of a PEM file, in its order.
Result<std::vector<Own<X509>>> ReadCertificates(const std::string& path) {
    Result<std::string> text = ReadPem(path);
    if (!text) {
        return Forward(text);
    }
    Own<BIO> source = Source(*text);
    std::vector<Own<X509>> all;
    ERR_clear_error();
    while (X509* one = PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr)) {
        all.emplace_back(one);
    }
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (all.empty() && at_end) {
        ERR_clear_error();
        return Unusable(path, "no certificate in PEM form");
    }
    if (!at_end) {
        return Unusable(path, "broken certificate");
    }
    ERR_clear_error();
    return all;
}

Result<Own<EVP_PKEY>> ReadKey(const std::string& path) {
    Result<std::string> text = ReadPem(path);
    if (!text) {
        return Forward(text);
    }
    bool asked = false;
    Own<BIO> source = Source(*text);
    ERR_clear_error();
    Own<EVP_PKEY> key(PEM_read_bio_PrivateKey(
        source.get(), nullptr,
        [](char*, int, int, void* user) {
            *static_cast<bool*>(user) = true;
            return -1;
        },
        &asked));
    bool none = text->find("PRIVATE KEY-----") == std::string::npos;
    OPENSSL_cleanse(text->data(), text->size());
    if (key) {
        return key;
    }
    if (asked) {
        ERR_clear_error();
        return Unusable(path,
                        "the key has a passphrase, which rr does not ask for; write it without: "
                        "openssl pkey -in " +
                            path + " -out " + path + ".plain");
    }
    if (none) {
        ERR_clear_error();
    }
    return Unusable(path, none ? "no private key in PEM form" : "broken private key");
}

Result<void> UseCertificate(SSL_CTX* context, const std::string& cert,
                            const std::string& key_file) {
    Result<std::vector<Own<X509>>> chain = ReadCertificates(cert);
    if (!chain) {
        return Forward(chain);
    }
    Result<Own<EVP_PKEY>> key = ReadKey(key_file);
    if (!key) {
        return Forward(key);
    }
    if (SSL_CTX_use_certificate(context, chain->front().get()) != 1) {
        return Unusable(cert, "not usable as a certificate of ours");
    }
    if (X509_check_private_key(chain->front().get(), key->get()) != 1) {
        ERR_clear_error();
        return Unusable(key_file, "the key of another certificate than " + cert);
    }
    if (SSL_CTX_use_PrivateKey(context, key->get()) != 1) {
        return Unusable(key_file, "not usable as a key of ours");
    }
    for (size_t i = 1; i < chain->size(); ++i) {
        if (SSL_CTX_add1_chain_cert(context, (*chain)[i].get()) != 1) {
            return Unusable(cert, "certificate " + std::to_string(i + 1));
        }
    }
    return {};
}

Result<void> TrustClients(SSL_CTX* context, const std::string& root_ca) {
    if (root_ca.empty()) {
        SSL_CTX_set_default_verify_paths(context);
        ERR_clear_error();
        return {};
    }
    Result<std::vector<Own<X509>>> roots = ReadCertificates(root_ca);
    if (!roots) {
        return Forward(roots);
    }
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    for (const Own<X509>& root : *roots) {
        // The second tells clients with several certificates whom we trust.
        if (X509_STORE_add_cert(store, root.get()) != 1 ||
            SSL_CTX_add_client_CA(context, root.get()) != 1) {
            return Unusable(root_ca, "not usable as a root");
        }
    }
    return {};
}

// The session keeps why a certificate is refused: afterwards nobody has that.
int OnVerified(int good, X509_STORE_CTX* store) {
    if (good != 1) {
        auto* ssl = static_cast<SSL*>(
            X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
        TlsSession::Of(ssl).SetCertificateFault(CertificateFault(store));
    }
    return good;
}

Result<void> AskClients(SSL_CTX* context, const TlsSettings& settings) {
    int mode = SSL_VERIFY_NONE;
    bool verify = false;
    switch (settings.client_auth) {
        case ClientAuth::kNone: break;
        case ClientAuth::kRequest: mode = SSL_VERIFY_PEER; break;
        case ClientAuth::kRequireAny:
            mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
            break;
        case ClientAuth::kVerifyIfGiven:
            mode = SSL_VERIFY_PEER;
            verify = true;
            break;
        case ClientAuth::kRequireAndVerify:
            mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
            verify = true;
            break;
    }
    SSL_CTX_set_verify(context, mode, &OnVerified);
    if (verify) {
        return TrustClients(context, settings.root_ca);
    }
    SSL_CTX_set_cert_verify_callback(
        context,
        [](X509_STORE_CTX* store, void*) {
            X509_STORE_CTX_set_error(store, X509_V_OK);
            return 1;
        },
        nullptr);
    return {};
}

void SetRules(SSL_CTX* context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    // A context's tickets open with its own keys only: this name need not tell contexts apart.
    static constexpr unsigned char kName[] = "rr";
    SSL_CTX_set_session_id_context(context, kName, sizeof(kName) - 1);
}

void SetServerRules(SSL_CTX* context) {
    // What HTTP/2 allows of TLS 1.2, and Go's servers have; TLS 1.3 has its three suites.
    SSL_CTX_set_cipher_list(context,
                            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                            "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                            "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305");
    SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384:P-521");
    // Sessions live in the tickets that clients hold; only those of clients without tickets (TLS 1.2)
    // are kept here, each half a KB.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(context, kSessions);
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::Open(const TlsSettings& settings) {
    SSL_CTX* raw = SSL_CTX_new(TLS_server_method());
    if (raw == nullptr) {
        return Fail(Errc::kInternal, "no TLS from OpenSSL");
    }
    std::shared_ptr<TlsContext> context(new TlsContext(raw, false));
    SetRules(raw);
    SetServerRules(raw);
    if (auto used = UseCertificate(raw, settings.cert, settings.key); !used) {
        return Forward(used);
    }
    if (auto asked = AskClients(raw, settings); !asked) {
        return Forward(asked);
    }
    for (const std::string& name : settings.protocols) {
        if (name.empty() || name.size() > 255) {
            return Fail(Errc::kInvalid, "no ALPN protocol: " + name);
        }
        context->protocols_.append(1, static_cast<char>(name.size())).append(name);
    }
    if (!context->protocols_.empty()) {
        SSL_CTX_set_alpn_select_cb(
            raw,
            [](SSL*, const unsigned char** chosen, unsigned char* size,
               const unsigned char* offered, unsigned offered_size, void* user) {
                const std::string& ours = static_cast<TlsContext*>(user)->protocols_;
                int found = SSL_select_next_proto(
                    const_cast<unsigned char**>(chosen), size,
                    reinterpret_cast<const unsigned char*>(ours.data()),
                    static_cast<unsigned>(ours.size()), offered, offered_size);
                return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK
                                                       : SSL_TLSEXT_ERR_ALERT_FATAL;
            },
            context.get());
    }
    context->http_answer_ = settings.http_answer;
    if (auto added = context->AddOthers(settings); !added) {
        return Forward(added);
    }
    return context;
}

Result<std::shared_ptr<TlsContext>> TlsContext::OpenClient(const TlsClientSettings& settings) {
    SSL_CTX* raw = SSL_CTX_new(TLS_client_method());
    if (raw == nullptr) {
        return Fail(Errc::kInternal, "no TLS from OpenSSL");
    }
    std::shared_ptr<TlsContext> context(new TlsContext(raw, true));
    SetRules(raw);
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, &OnVerified);
    // Whatever stands in the file is trusted, also one that another authority signed, as in Go.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(raw), X509_V_FLAG_PARTIAL_CHAIN);
    Result<std::vector<Own<X509>>> roots = ReadCertificates(settings.root_ca);
    if (!roots) {
        return Forward(roots);
    }
    for (const Own<X509>& root : *roots) {
        if (X509_STORE_add_cert(SSL_CTX_get_cert_store(raw), root.get()) != 1) {
            return Unusable(settings.root_ca, "not usable as a root");
        }
    }
    if (settings.cert.empty() != settings.key.empty()) {
        return Fail(Errc::kInvalid, "a certificate and its key come together");
    }
    if (!settings.cert.empty()) {
        if (auto used = UseCertificate(raw, settings.cert, settings.key); !used) {
            return Forward(used);
        }
    }
    return context;
}

// The others are contexts of their own, with the same rules: OpenSSL changes over in the handshake.
Result<void> TlsContext::AddOthers(const TlsSettings& settings) {
    if (settings.others.empty()) {
        return {};
    }
    for (const std::string& name : NamesOf(SSL_CTX_get0_certificate(context_))) {
        names_.Add(name, -1);
    }
    for (const TlsCertificate& one : settings.others) {
        TlsSettings own = settings;
        own.others.clear();
        own.cert = one.cert;
        own.key = one.key;
        Result<std::shared_ptr<TlsContext>> other = Open(own);
        if (!other) {
            return Forward(other);
        }
        for (const std::string& name : NamesOf(SSL_CTX_get0_certificate((*other)->context_))) {
            names_.Add(name, static_cast<int>(others_.size()));
        }
        others_.push_back(std::move(*other));
    }
    SSL_CTX_set_tlsext_servername_arg(context_, this);
    SSL_CTX_set_tlsext_servername_callback(
        context_, +[](SSL* ssl, int*, void* user) noexcept {
            const auto* self = static_cast<const TlsContext*>(user);
            const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
            int which = name != nullptr ? self->names_.Find(name) : TlsNames::kNone;
            if (which >= 0) {
                SSL_set_SSL_CTX(ssl, self->others_[static_cast<size_t>(which)]->context_);
            }
            return name != nullptr ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
        });
    return {};
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

}  // namespace rr::net
