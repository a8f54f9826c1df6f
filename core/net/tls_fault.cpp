#include "core/net/tls_fault.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace rr::net {
namespace {

// The peer's alerts come as reasons above this number.
constexpr int kAlert = SSL_AD_REASON_OFFSET;

bool AboutOurCertificate(int alert) {
    return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
           alert == SSL_AD_UNKNOWN_CA;
}

std::string AlertText(const std::string& the_peer, int alert) {
    const std::string name = SSL_alert_desc_string_long(alert);
    if (alert == SSL_AD_PROTOCOL_VERSION) {
        return "no shared protocol version";
    }
    if (alert == TLS13_AD_CERTIFICATE_REQUIRED) {
        return the_peer + " wants a certificate of ours";
    }
    return the_peer +
           (AboutOurCertificate(alert) ? " does not accept our certificate: "
                                       : " broke the connection off: ") +
           name;
}

}  // namespace

std::string TlsFault(std::string_view peer, unsigned long code, const std::string& certificate,
                     bool first) {
    const std::string the_peer = "the " + std::string(peer);
    int reason = ERR_GET_REASON(code);
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) {
        const char* text = ERR_reason_error_string(code);
        return text != nullptr ? text : "the connection broke";
    }
    if (reason > kAlert && reason < kAlert + 256) {
        return AlertText(the_peer, reason - kAlert);
    }
    switch (reason) {
        case SSL_R_HTTP_REQUEST: return the_peer + " does not speak TLS: it sent an HTTP request";
        case SSL_R_HTTPS_PROXY_REQUEST:
        case SSL_R_UNKNOWN_PROTOCOL: return the_peer + " does not speak TLS";
        case SSL_R_WRONG_VERSION_NUMBER:
            return first ? the_peer + " does not speak TLS"
                         : "a record of another protocol version";
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_VERSION_TOO_LOW:
        case SSL_R_NO_PROTOCOLS_AVAILABLE: return "no shared protocol version";
        case SSL_R_NO_SHARED_CIPHER: return "no shared cipher";
        case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
        case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS: return "no shared signature algorithm";
        case SSL_R_NO_SUITABLE_GROUPS:
        case SSL_R_NO_SUITABLE_KEY_SHARE: return "no shared key exchange";
        case SSL_R_NO_APPLICATION_PROTOCOL: return "no shared application protocol (ALPN)";
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return the_peer + " sent no certificate";
        case SSL_R_CERTIFICATE_VERIFY_FAILED: return the_peer + "'s certificate: " + certificate;
        default: break;
    }
    const char* text = ERR_reason_error_string(code);
    std::string meaning = text != nullptr ? text : "unknown reason";
    return first ? the_peer + " does not speak TLS: " + meaning : meaning;
}

}  // namespace rr::net
