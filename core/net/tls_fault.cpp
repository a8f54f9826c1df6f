#include "core/net/tls_fault.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace rr::net {
namespace {

// The peer's alerts come as reasons above this number.
constexpr int kAlert = SSL_AD_REASON_OFFSET;

bool AboutOurCertificate(int alert) {
    return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
           alert == SSL_AD_UNKNOWN_CA;
}

std::string AlertText(int alert) {
    const std::string name = SSL_alert_desc_string_long(alert);
    if (alert == SSL_AD_PROTOCOL_VERSION) {
        return "no shared protocol version";
    }
    return (AboutOurCertificate(alert) ? "the client does not accept our certificate: "
                                       : "the client broke the connection off: ") +
           name;
}

}  // namespace

std::string TlsFault(unsigned long code, long verify_result, bool first) {
    int reason = ERR_GET_REASON(code);
    if (ERR_GET_LIB(code) != ERR_LIB_SSL) {
        const char* text = ERR_reason_error_string(code);
        return text != nullptr ? text : "the connection broke";
    }
    if (reason > kAlert && reason < kAlert + 256) {
        return AlertText(reason - kAlert);
    }
    switch (reason) {
        case SSL_R_HTTP_REQUEST: return "the client does not speak TLS: it sent an HTTP request";
        case SSL_R_HTTPS_PROXY_REQUEST:
        case SSL_R_UNKNOWN_PROTOCOL: return "the client does not speak TLS";
        case SSL_R_WRONG_VERSION_NUMBER:
            return first ? "the client does not speak TLS" : "a record of another protocol version";
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_VERSION_TOO_LOW:
        case SSL_R_NO_PROTOCOLS_AVAILABLE: return "no shared protocol version";
        case SSL_R_NO_SHARED_CIPHER: return "no shared cipher";
        case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
        case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS: return "no shared signature algorithm";
        case SSL_R_NO_SUITABLE_GROUPS:
        case SSL_R_NO_SUITABLE_KEY_SHARE: return "no shared key exchange";
        case SSL_R_NO_APPLICATION_PROTOCOL: return "no shared application protocol (ALPN)";
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "the client sent no certificate";
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            return std::string("the client's certificate: ") +
                   X509_verify_cert_error_string(verify_result);
        default: break;
    }
    const char* text = ERR_reason_error_string(code);
    std::string meaning = text != nullptr ? text : "unknown reason";
    return first ? "the client does not speak TLS: " + meaning : meaning;
}

}  // namespace rr::net
