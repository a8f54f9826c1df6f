// Certificates made on the spot, and a TLS client that a test pumps by hand.
//
//   CertificateFolder folder;
//   folder.Make("server");                         // signed by itself
//   TlsSettings settings = folder.Settings("server");
//   TestTlsClient client(descriptor, {});
//   loop.RunUntil([&] { return client.Pump() && client.secured(); });
//
// Thread: one at a time.
// Owns:   the folder with its files; the client its descriptor.
// Fails:  RR_CHECK: what does not work here is a broken test machine.
#pragma once

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/check.hpp"
#include "core/base/file.hpp"
#include "core/net/tls.hpp"

namespace rr::net {

class CertificateFolder final {
public:
    CertificateFolder() : path_(TemporaryDirectory() + "/rr-tls-XXXXXX") {
        RR_CHECK(mkdtemp(path_.data()) != nullptr);
    }
    ~CertificateFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    CertificateFolder(const CertificateFolder&) = delete;
    CertificateFolder& operator=(const CertificateFolder&) = delete;

    struct Wish {
        std::string issuer{};      // the name of another one; empty: itself, as an authority
        std::string passphrase{};  // of the key
        std::string hosts{};       // `DNS:a.example, IP:127.0.0.1`; empty: none
        std::string usage{};       // `clientAuth`; empty: any
        std::string subject{};     // empty: the name
        long from = -3600;         // seconds from now
        long until = 24 * 3600;
        bool authority = false;  // though another one is the issuer
    };

    // name.pem and name.key; issuer: the name of another one, empty: itself.
    void Make(const std::string& name, const std::string& issuer = "",
              const std::string& passphrase = "") {
        MakeAs(name, Wish{.issuer = issuer, .passphrase = passphrase});
    }
    void MakeAs(const std::string& name, const Wish& wish) {
        const std::string& issuer = wish.issuer;
        const std::string& passphrase = wish.passphrase;
        const std::string& subject = wish.subject.empty() ? name : wish.subject;
        EVP_PKEY* key = EVP_EC_gen("P-256");
        X509* made = X509_new();
        X509* signer = issuer.empty() ? made : ReadCertificate(issuer);
        EVP_PKEY* signs = issuer.empty() ? key : ReadKey(issuer);
        RR_CHECK(key != nullptr && made != nullptr && signer != nullptr && signs != nullptr);
        X509_set_version(made, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial_);
        X509_gmtime_adj(X509_getm_notBefore(made), wish.from);
        X509_gmtime_adj(X509_getm_notAfter(made), wish.until);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(subject.c_str()), -1, -1,
                                   0);
        X509_set_issuer_name(made, X509_get_subject_name(signer));
        X509_set_pubkey(made, key);
        const bool signs_others = issuer.empty() || wish.authority;
        Extend(made, NID_basic_constraints, signs_others ? "CA:TRUE" : "CA:FALSE");
        if (!wish.hosts.empty()) {
            Extend(made, NID_subject_alt_name, wish.hosts);
        }
        if (!wish.usage.empty()) {
            Extend(made, NID_ext_key_usage, wish.usage);
        }
        RR_CHECK(X509_sign(made, signs, EVP_sha256()) > 0);

        BIO* certificate = BIO_new_file(Certificate(name).c_str(), "w");
        RR_CHECK(certificate != nullptr && PEM_write_bio_X509(certificate, made) == 1);
        BIO_free(certificate);
        BIO* secret = BIO_new_file(Key(name).c_str(), "w");
        bool open = passphrase.empty();
        RR_CHECK(secret != nullptr &&
                 PEM_write_bio_PKCS8PrivateKey(
                     secret, key, open ? nullptr : EVP_aes_128_cbc(), passphrase.data(),
                     static_cast<int>(passphrase.size()), nullptr, nullptr) == 1);
        BIO_free(secret);
        if (!issuer.empty()) {
            X509_free(signer);
            EVP_PKEY_free(signs);
        }
        X509_free(made);
        EVP_PKEY_free(key);
    }

    std::string Certificate(const std::string& name) const { return path_ + "/" + name + ".pem"; }
    std::string Key(const std::string& name) const { return path_ + "/" + name + ".key"; }
    const std::string& path() const { return path_; }

    TlsSettings Settings(const std::string& name) const {
        TlsSettings settings;
        settings.cert = Certificate(name);
        settings.key = Key(name);
        return settings;
    }

private:
    static void Extend(X509* certificate, int kind, const std::string& value) {
        X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
        RR_CHECK(made != nullptr && X509_add_ext(certificate, made, -1) == 1);
        X509_EXTENSION_free(made);
    }
    X509* ReadCertificate(const std::string& name) const {
        BIO* file = BIO_new_file(Certificate(name).c_str(), "r");
        X509* read = PEM_read_bio_X509(file, nullptr, nullptr, nullptr);
        BIO_free(file);
        return read;
    }
    EVP_PKEY* ReadKey(const std::string& name) const {
        BIO* file = BIO_new_file(Key(name).c_str(), "r");
        EVP_PKEY* read = PEM_read_bio_PrivateKey(file, nullptr, nullptr, nullptr);
        BIO_free(file);
        return read;
    }

    std::string path_;
    long serial_ = 0;
};

class TestTlsClient final {
public:
    struct Options {
        std::string cert;  // of the client; empty: none
        std::string key;
        std::string protocols;  // ALPN as on the wire: "\x02h2"
        int lowest = 0;         // TLS1_2_VERSION and the like; 0: any
        int highest = 0;
    };

    TestTlsClient(int descriptor, const Options& options)
        : descriptor_(descriptor), context_(SSL_CTX_new(TLS_client_method())) {
        SSL_CTX_set_min_proto_version(context_, options.lowest);
        SSL_CTX_set_max_proto_version(context_, options.highest);
        SSL_CTX_set_security_level(context_, 0);  // old versions too
        SSL_CTX_set_mode(context_,
                         SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        if (!options.cert.empty()) {
            RR_CHECK(SSL_CTX_use_certificate_file(context_, options.cert.c_str(),
                                                  SSL_FILETYPE_PEM) == 1);
            RR_CHECK(SSL_CTX_use_PrivateKey_file(context_, options.key.c_str(), SSL_FILETYPE_PEM) ==
                     1);
        }
        ssl_ = SSL_new(context_);
        if (!options.protocols.empty()) {
            SSL_set_alpn_protos(ssl_,
                                reinterpret_cast<const unsigned char*>(options.protocols.data()),
                                static_cast<unsigned>(options.protocols.size()));
        }
        SSL_set_fd(ssl_, descriptor);
        SSL_set_connect_state(ssl_);
    }
    ~TestTlsClient() {
        SSL_free(ssl_);
        SSL_CTX_free(context_);
        close(descriptor_);
    }
    TestTlsClient(const TestTlsClient&) = delete;
    TestTlsClient& operator=(const TestTlsClient&) = delete;

    // Goes as far as it can without waiting. Always true, so that it fits into a condition.
    bool Pump() {
        if (over()) {
            return true;
        }
        ERR_clear_error();
        if (!secured_) {
            int done = SSL_do_handshake(ssl_);
            if (done != 1) {
                Judge(done);
                return true;
            }
            secured_ = true;
        }
        while (!to_send.empty()) {
            ERR_clear_error();
            size_t wrote = 0;
            int done = SSL_write_ex(ssl_, to_send.data(), to_send.size(), &wrote);
            if (done != 1) {
                Judge(done);
                break;
            }
            to_send.Consume(wrote);
        }
        if (reads) {
            char piece[16 * 1024];
            int got;
            ERR_clear_error();
            while ((got = SSL_read(ssl_, piece, sizeof(piece))) > 0) {
                received.append(piece, static_cast<size_t>(got));
            }
            Judge(got);
        }
        return true;
    }

    void SayGoodbye() { SSL_shutdown(ssl_); }  // close_notify only
    void HalfClose() { shutdown(descriptor_, SHUT_WR); }

    bool secured() const { return secured_; }
    bool told_goodbye() const { return goodbye_; }  // by a close_notify
    bool over() const { return goodbye_ || !fault_.empty(); }
    // Why it ended otherwise: the server's alert, or the socket's end.
    const std::string& fault() const { return fault_; }
    ssl_st* raw() { return ssl_; }
    int descriptor() const { return descriptor_; }

    Buffer to_send;
    std::string received;
    bool reads = true;

private:
    void Judge(int returned) {
        switch (SSL_get_error(ssl_, returned)) {
            case SSL_ERROR_WANT_READ:
            case SSL_ERROR_WANT_WRITE: return;
            case SSL_ERROR_ZERO_RETURN: goodbye_ = true; return;
            default: break;
        }
        const char* reason = ERR_reason_error_string(ERR_peek_error());
        fault_ = reason != nullptr ? reason : "the socket ended";
    }

    int descriptor_;
    ssl_ctx_st* context_;
    ssl_st* ssl_ = nullptr;
    bool secured_ = false;
    bool goodbye_ = false;
    std::string fault_;
};

}  // namespace rr::net
