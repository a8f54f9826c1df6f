#include "plugins/http/ssl_config.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/config/section.hpp"
#include "core/config/tls.hpp"

namespace rr::http {
namespace {

using config::Section;

void ReadCertificates(const Section& s, net::TlsSettings& tls) {
    for (const Section& one : s.Elements("certificates")) {
        net::TlsCertificate certificate;
        certificate.cert = config::ReadTlsFile(one, "cert", "cert", one.present());
        certificate.key = config::ReadTlsFile(one, "key", "key", one.present());
        if (one.present()) {
            tls.others.push_back(std::move(certificate));
        }
    }
    if (tls.cert.empty() && tls.key.empty() && !tls.others.empty()) {
        tls.cert = std::move(tls.others.front().cert);
        tls.key = std::move(tls.others.front().key);
        tls.others.erase(tls.others.begin());
    }
}

void ReadClients(const Section& s, net::TlsSettings& tls) {
    tls.root_ca = config::ReadTlsFile(s, "root_ca", "root_ca", false);
    tls.client_auth = config::ReadClientAuth(s);
    if (tls.root_ca.empty() && tls.client_auth != net::ClientAuth::kNone) {
        // As in RoadRunner. Certificates that any authority of the system has signed prove nothing.
        s.Warning("client_auth_type",
                  "has no effect without root_ca: clients are not asked for a certificate");
        tls.client_auth = net::ClientAuth::kNone;
    }
}

// What is missing was said by its key: nobody need try to read it.
bool AllThere(const net::TlsSettings& tls) {
    auto there = [](const std::string& path) {
        std::error_code none;
        return std::filesystem::exists(path, none);
    };
    return there(tls.cert) && there(tls.key) && (tls.root_ca.empty() || there(tls.root_ca)) &&
           std::all_of(tls.others.begin(), tls.others.end(),
                       [&there](const auto& one) { return there(one.cert) && there(one.key); });
}

}  // namespace

SslConfig ParseSslConfig(const Section& s) {
    SslConfig c;
    net::TlsSettings tls;
    c.address = s.String("address", c.address);
    bool either = s.Has("cert") || s.Has("key");
    tls.cert = config::ReadTlsFile(s, "cert", "cert", either);
    tls.key = config::ReadTlsFile(s, "key", "key", either);
    ReadCertificates(s, tls);
    ReadClients(s, tls);
    c.redirect = s.Bool("redirect", false);
    c.redirect_code = static_cast<int>(s.Integer("redirect_code", c.redirect_code));
    if (c.redirect_code != 301 && c.redirect_code != 302 && c.redirect_code != 307 &&
        c.redirect_code != 308) {
        s.Problem("redirect_code", "must be 301, 302, 307 or 308");
        c.redirect_code = 308;
    }
    c.hsts = s.String("hsts", "");
    if (c.hsts.find_first_of("\r\n") != std::string::npos) {
        s.Problem("hsts", "must be one line");
        c.hsts.clear();
    }
    c.watch = s.Time("watch", c.watch);

    bool files = !tls.cert.empty() || !tls.key.empty();
    constexpr std::string_view kAcme = "not served: rr asks nobody for certificates";
    if (s.Has("acme") && !files) {
        s.Problem("acme", std::string(kAcme) + "; name cert and key");
        s.Ignored("acme", "");
    } else {
        s.Ignored("acme", kAcme);
    }
    if (files && AllThere(tls)) {
        c.tls = std::move(tls);
    } else if (!files && s.present() && !s.Has("acme")) {
        s.Warning("", "HTTPS is not served: neither cert and key nor certificates are given");
    }
    return c;
}

ProxyProtocolConfig ParseProxyProtocolConfig(const Section& s) {
    ProxyProtocolConfig c;
    c.listen = s.Bool("listen", false);
    for (const std::string& text : s.List("trusted")) {
        if (auto subnet = net::ParseSubnet(text)) {
            c.trusted.push_back(*subnet);
        } else {
            s.Problem("trusted", "neither an address nor a network: " + text);
        }
    }
    return c;
}

}  // namespace rr::http
