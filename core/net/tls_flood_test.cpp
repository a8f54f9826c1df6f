// A client of TLS 1.2 that asks for a second handshake without end, and reads no answer. OpenSSL's
// own client asks once: the records are made here, from the secret of a real handshake.
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include <catch2/catch.hpp>

#include "core/net/stream.hpp"
#include "core/net/tls_for_test.hpp"
#include "core/net/tls_session.hpp"

namespace rr::net {
namespace {

using Status = TlsSession::Status;

constexpr const char* kCipher = "ECDHE-ECDSA-AES128-GCM-SHA256";
constexpr size_t kKey = 16;
constexpr size_t kSalt = 4;
constexpr int kHandshakeRecord = 22;

unsigned char* Raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

// What the client encrypts with: its key and the fixed part of its nonces (RFC 5246, 6.3).
struct Keys {
    std::string key;
    std::string salt;
};

Keys KeysOf(ssl_st* client) {
    std::string secret(48, '\0');
    std::string ours(32, '\0');
    std::string theirs(32, '\0');
    SSL_SESSION_get_master_key(SSL_get_session(client), Raw(secret), secret.size());
    SSL_get_client_random(client, Raw(ours), ours.size());
    SSL_get_server_random(client, Raw(theirs), theirs.size());
    std::string seed = "key expansion" + theirs + ours;
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret.data(), secret.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed.data(), seed.size()),
        OSSL_PARAM_construct_end(),
    };
    std::string block(2 * kKey + 2 * kSalt, '\0');  // both sides' keys, both sides' salts
    EVP_KDF* kdf = EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr);
    EVP_KDF_CTX* context = EVP_KDF_CTX_new(kdf);
    RR_CHECK(EVP_KDF_derive(context, Raw(block), block.size(), parameters) == 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
    return {block.substr(0, kKey), block.substr(2 * kKey, kSalt)};
}

std::string Big(uint64_t value, size_t size) {
    std::string bytes(size, '\0');
    for (size_t i = size; i-- > 0; value >>= 8) {
        bytes[i] = static_cast<char>(value & 255);
    }
    return bytes;
}

// The client's record of this number (RFC 5288).
std::string Seal(const Keys& keys, uint64_t number, std::string plaintext) {
    std::string head = Big(kHandshakeRecord, 1) + "\x03\x03";
    std::string covered = Big(number, 8) + head + Big(plaintext.size(), 2);
    std::string nonce = keys.salt + Big(number, 8);
    std::string key = keys.key;
    std::string tag(16, '\0');
    int size = 0;
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
    RR_CHECK(EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), nullptr, Raw(key), Raw(nonce)) == 1);
    RR_CHECK(EVP_EncryptUpdate(context, nullptr, &size, Raw(covered),
                               static_cast<int>(covered.size())) == 1);
    RR_CHECK(EVP_EncryptUpdate(context, Raw(plaintext), &size, Raw(plaintext),
                               static_cast<int>(plaintext.size())) == 1);
    RR_CHECK(EVP_EncryptFinal_ex(context, Raw(tag), &size) == 1);
    RR_CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag.size()),
                                 tag.data()) == 1);
    EVP_CIPHER_CTX_free(context);
    std::string body = Big(number, 8) + plaintext + tag;
    return head + Big(body.size(), 2) + body;
}

}  // namespace

TEST_CASE("tls: a client that asks for new handshakes without end is cut off") {
    CertificateFolder folder;
    folder.Make("server");
    auto context = TlsContext::Open(folder.Settings("server"));
    REQUIRE(context);
    TlsSession session(*context);
    auto ends = ConnectedPair();
    TestTlsClient::Options options;
    options.highest = TLS1_2_VERSION;
    TestTlsClient client(ends[1], options);
    REQUIRE(SSL_set_cipher_list(client.raw(), kCipher) == 1);
    Status status = Status::kNeedMore;
    for (int turn = 0; turn < 16 && !client.secured(); ++turn) {
        client.Pump();
        std::array<char, 16 * 1024> bytes;
        ssize_t got = read(ends[0], bytes.data(), bytes.size());
        session.Feed(Bytes(bytes.data(), static_cast<size_t>(std::max<ssize_t>(got, 0))));
        status = session.Handshake();
        session.Keep();
        Buffer& wire = session.wire();
        REQUIRE(write(ends[0], wire.data(), wire.size()) == static_cast<ssize_t>(wire.size()));
        wire.Clear();
    }
    REQUIRE(client.secured());
    REQUIRE(status == Status::kData);
    // What we have to say ourselves is no answer.
    REQUIRE(session.Write(std::string(256 * 1024, 'x')));
    REQUIRE(session.Ready() == Status::kNeedMore);
    session.wire().Clear();

    Keys keys = KeysOf(client.raw());
    const std::string hello("\x01\x00\x00\x00", 4);  // its head is enough to be refused
    uint64_t number = 1;                             // 0 was the client's last of the handshake
    status = Status::kNeedMore;
    for (; number < 10'000 && status == Status::kNeedMore; ++number) {
        std::string record = Seal(keys, number, hello);
        session.Feed(record);
        status = session.Ready();
        session.Keep();
    }
    REQUIRE(status == Status::kFailed);
    REQUIRE(number > 100);
    REQUIRE(session.wire().size() < 32 * 1024);
    REQUIRE(session.fault() == "the client asks for a new handshake again and again");
    close(ends[0]);
}

}  // namespace rr::net
