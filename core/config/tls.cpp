#include "core/config/tls.hpp"

#include <filesystem>

#include "core/config/section.hpp"

namespace rr::config {

std::string ReadTlsFile(const Section& s, std::string_view key, std::string_view what,
                        bool required) {
    std::string path = s.String(key, "");
    if (path.empty()) {
        if (required) {
            s.Problem(key, "missing");
        }
        return path;
    }
    if (std::error_code none; !std::filesystem::exists(path, none)) {
        // RoadRunner's words.
        s.Problem(key, std::string(what) + " file '" + path + "' does not exists");
    }
    return path;
}

net::ClientAuth ReadClientAuth(const Section& s) {
    using net::ClientAuth;
    std::string auth = s.OneOf(
        "client_auth_type", "no_client_cert",
        {"no_client_cert", "no_client_certs", "request_client_cert", "require_any_client_cert",
         "verify_client_cert_if_given", "require_and_verify_client_cert"});
    return auth == "request_client_cert"              ? ClientAuth::kRequest
           : auth == "require_any_client_cert"        ? ClientAuth::kRequireAny
           : auth == "verify_client_cert_if_given"    ? ClientAuth::kVerifyIfGiven
           : auth == "require_and_verify_client_cert" ? ClientAuth::kRequireAndVerify
                                                      : ClientAuth::kNone;
}

net::TlsSettings ReadTls(const Section& s) {
    net::TlsSettings tls;
    tls.cert = ReadTlsFile(s, "cert", "cert", s.present());
    tls.key = ReadTlsFile(s, "key", "key", s.present());
    tls.root_ca = ReadTlsFile(s, "root_ca", "root_ca", false);
    tls.client_auth = ReadClientAuth(s);
    return tls;
}

}  // namespace rr::config
