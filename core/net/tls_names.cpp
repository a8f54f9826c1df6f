#include "core/net/tls_names.hpp"

#include <openssl/x509v3.h>

#include <algorithm>

namespace rr::net {
namespace {

std::string Lower(std::string_view name) {
    std::string text(name);
    std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

std::string TextOf(const ASN1_STRING* text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
            static_cast<size_t>(ASN1_STRING_length(text))};
}

}  // namespace

void TlsNames::Add(std::string_view name, int which) {
    std::string text = Lower(name);
    if (text.starts_with("*.")) {
        wildcard_.emplace(text.substr(1), which);
    } else if (!text.empty()) {
        exact_.emplace(std::move(text), which);
    }
}

int TlsNames::Find(std::string_view name) const {
    std::string text = Lower(name);
    if (text.ends_with('.')) {
        text.pop_back();
    }
    if (auto found = exact_.find(text); found != exact_.end()) {
        return found->second;
    }
    size_t dot = text.find('.');
    if (dot == 0 || dot == std::string::npos) {
        return kNone;
    }
    auto found = wildcard_.find(text.substr(dot));
    return found == wildcard_.end() ? kNone : found->second;
}

std::vector<std::string> NamesOf(X509* certificate) {
    std::vector<std::string> names;
    auto* all = static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(all, i);
        if (name->type == GEN_DNS) {
            names.push_back(TextOf(name->d.dNSName));
        }
    }
    GENERAL_NAMES_free(all);
    X509_NAME* subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (names.empty() && at >= 0) {
        names.push_back(TextOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
    }
    return names;
}

}  // namespace rr::net
