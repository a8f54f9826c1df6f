#include "core/net/certificate_fault.hpp"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

#include <memory>

namespace rr::net {
namespace {

constexpr size_t kMostText = 200;  // of the certificate's own words
constexpr int kMostNames = 8;

// What a certificate says, made fit for a line of the log.
std::string Shown(std::string text) {
    for (char& c : text) {
        c = c < ' ' || c > '~' ? '?' : c;
    }
    if (text.size() > kMostText) {
        text.replace(kMostText, std::string::npos, "...");
    }
    return text;
}

std::string NameText(const X509_NAME* name) {
    std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    if (name == nullptr || out == nullptr ||
        X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) < 0) {
        return "?";
    }
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return Shown(std::string(text, static_cast<size_t>(size)));
}

std::string TimeText(const ASN1_TIME* time) {
    tm when{};
    char text[32];
    if (ASN1_TIME_to_tm(time, &when) != 1 ||
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &when) == 0) {
        return "?";
    }
    return text;
}

std::string AlternativeText(const GENERAL_NAME* name) {
    int kind = 0;
    auto* value = static_cast<ASN1_STRING*>(GENERAL_NAME_get0_value(name, &kind));
    if (kind != GEN_DNS && kind != GEN_IPADD) {
        return "";
    }
    const unsigned char* bytes = ASN1_STRING_get0_data(value);
    const auto size = static_cast<size_t>(ASN1_STRING_length(value));
    if (kind == GEN_DNS) {
        return Shown(std::string(reinterpret_cast<const char*>(bytes), size));
    }
    char number[INET6_ADDRSTRLEN] = "";
    if (size == 4 || size == 16) {
        inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, number, sizeof(number));
    }
    return number;
}

// Names and addresses that the certificate is for.
std::string AlternativeNames(const X509* certificate) {
    std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
        static_cast<GENERAL_NAMES*>(
            X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
        &GENERAL_NAMES_free);
    std::string text;
    const int count = names != nullptr ? sk_GENERAL_NAME_num(names.get()) : 0;
    for (int i = 0, shown = 0; i < count; ++i) {
        const std::string one = AlternativeText(sk_GENERAL_NAME_value(names.get(), i));
        if (one.empty()) {
            continue;
        }
        if (++shown > kMostNames) {
            return text + ", ...";
        }
        text.append(text.empty() ? "" : ", ").append(one);
    }
    return text;
}

std::string MismatchText(const X509* certificate) {
    const std::string names = AlternativeNames(certificate);
    if (names.empty()) {
        return "names no host at all (subjectAltName; a common name does not count)";
    }
    return "is for " + names;
}

}  // namespace

std::string CertificateFault(X509_STORE_CTX* store) {
    const int error = X509_STORE_CTX_get_error(store);
    const X509* certificate = X509_STORE_CTX_get_current_cert(store);
    std::string meaning = X509_verify_cert_error_string(error);
    if (certificate == nullptr) {
        return meaning;
    }
    // The peer's own, or one between it and its root.
    const std::string which = X509_STORE_CTX_get_error_depth(store) > 0
                                  ? "`" + NameText(X509_get_subject_name(certificate)) + "` "
                                  : "it ";
    switch (error) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return which + "is signed by an unknown authority, `" +
                   NameText(X509_get_issuer_name(certificate)) + "`";
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            return "it is signed by an unknown authority, `" +
                   NameText(X509_get_subject_name(certificate)) + "`";
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
            return "it is signed by itself, and not trusted";
        case X509_V_ERR_CERT_SIGNATURE_FAILURE:
            return which + "is signed by another authority than the trusted one of the name `" +
                   NameText(X509_get_issuer_name(certificate)) + "`";
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return which + "expired at " + TimeText(X509_get0_notAfter(certificate));
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return which + "is valid from " + TimeText(X509_get0_notBefore(certificate)) + " on";
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH: return which + MismatchText(certificate);
        case X509_V_ERR_INVALID_PURPOSE:
            return which + "is not made for this use (extendedKeyUsage)";
        default: return which + "is not valid: " + meaning;
    }
}

}  // namespace rr::net
