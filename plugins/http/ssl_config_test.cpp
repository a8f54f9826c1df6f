#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "core/base/check.hpp"
#include "core/base/file.hpp"
#include "core/config/read_for_test.hpp"
#include "plugins/http/config.hpp"

using namespace rr::http;

namespace {

struct Read : rr::config::ReadForTest<HttpConfig> {
    explicit Read(const std::string& text) : ReadForTest(text, "http", &ParseHttpConfig) {}
};

// Files that are there; what they hold is not looked at here.
struct Files {
    Files() : path(rr::TemporaryDirectory() + "/rr-ssl-XXXXXX") {
        RR_CHECK(mkdtemp(path.data()) != nullptr);
        for (const char* name : {"c", "k", "ca", "c2", "k2"}) {
            std::ofstream(path + "/" + name) << name;
        }
    }
    ~Files() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    // `@` in a text is the folder.
    std::string At(std::string text) const {
        for (size_t at; (at = text.find('@')) != std::string::npos;) {
            text.replace(at, 1, path);
        }
        return text;
    }
    std::string path;
};

}  // namespace

TEST_CASE("http ssl: cert and key are enough, without http.address too") {
    Files f;
    Read r(f.At("http:\n  ssl: {cert: @/c, key: @/k}\n"));
    REQUIRE(r.problems().empty());
    REQUIRE(r.warnings().empty());
    const SslConfig& ssl = r.config.ssl;
    REQUIRE(ssl.tls);
    REQUIRE(ssl.address == "127.0.0.1:443");
    REQUIRE(ssl.tls->cert == f.path + "/c");
    REQUIRE(ssl.tls->key == f.path + "/k");
    REQUIRE(ssl.tls->others.empty());
    REQUIRE(ssl.tls->protocols == std::vector<std::string>{"h2", "http/1.1"});
    REQUIRE(ssl.tls->client_auth == rr::net::ClientAuth::kNone);
    REQUIRE_FALSE(ssl.redirect);
    REQUIRE(ssl.redirect_code == 308);
    REQUIRE(ssl.hsts.empty());
    REQUIRE(ssl.watch == std::chrono::seconds(5));
}

TEST_CASE("http ssl: every key is read") {
    Files f;
    Read r(
        f.At("http:\n  address: \":80\"\n  http2: {alpn: false}\n  ssl:\n"
             "    {address: \":8443\", cert: @/c, key: @/k, redirect: true, root_ca: @/ca,\n"
             "     client_auth_type: verify_client_cert_if_given, redirect_code: 301,\n"
             "     hsts: max-age=1, watch: 0, certificates: [{cert: @/c2, key: @/k2}]}\n"));
    REQUIRE(r.problems().empty());
    const SslConfig& ssl = r.config.ssl;
    REQUIRE(ssl.address == ":8443");
    REQUIRE(ssl.redirect);
    REQUIRE(ssl.redirect_code == 301);
    REQUIRE(ssl.hsts == "max-age=1");
    REQUIRE(ssl.watch == rr::Duration::zero());
    REQUIRE(ssl.tls->root_ca == f.path + "/ca");
    REQUIRE(ssl.tls->client_auth == rr::net::ClientAuth::kVerifyIfGiven);
    REQUIRE(ssl.tls->protocols == std::vector<std::string>{"http/1.1"});
    REQUIRE(ssl.tls->others.size() == 1);
    REQUIRE(ssl.tls->others[0].key == f.path + "/k2");
}

TEST_CASE("http ssl: the first of several certificates is for clients that name no server") {
    Files f;
    Read r(
        f.At("http:\n  ssl: {certificates: [{cert: @/c, key: @/k}, {cert: @/c2, key: @/k2}]}\n"));
    REQUIRE(r.problems().empty());
    REQUIRE(r.config.ssl.tls->cert == f.path + "/c");
    REQUIRE(r.config.ssl.tls->others.size() == 1);
}

TEST_CASE("http ssl: what is missing is named") {
    Files f;
    auto problems = [&f](const std::string& ssl) {
        return Read(f.At("http:\n  address: \":80\"\n  ssl: {" + ssl + "}\n")).problems();
    };
    REQUIRE(problems("cert: @/c") == "http.ssl.key: missing\n");
    REQUIRE(problems("key: @/k") == "http.ssl.cert: missing\n");
    REQUIRE(problems("cert: @/c, key: nowhere") ==
            "http.ssl.key: key file 'nowhere' does not exists\n");
    REQUIRE(problems("cert: @/c, key: @/k, root_ca: nowhere") ==
            "http.ssl.root_ca: root_ca file 'nowhere' does not exists\n");
    REQUIRE(problems("certificates: [{cert: @/c}]").find("key: missing") != std::string::npos);
    REQUIRE(problems("acme: {email: a@b.c}").find("http.ssl.acme: not served") == 0);
    for (const char* bad : {"client_auth_type: perhaps", "redirect_code: 303", "redirect: perhaps",
                            "watch: soon", "address: nowhere"}) {
        INFO(bad);
        REQUIRE(problems("cert: @/c, key: @/k, " + std::string(bad)) != "");
    }
}

TEST_CASE("http ssl: what has no effect is said") {
    Files f;
    auto warnings = [&f](const std::string& http) {
        Read r(f.At("http:\n  " + http + "\n"));
        REQUIRE(r.problems().empty());
        return r.warnings();
    };
    REQUIRE(warnings("ssl: {cert: @/c, key: @/k, client_auth_type: require_any_client_cert}")
                .find("has no effect without root_ca") != std::string::npos);
    REQUIRE(warnings("ssl: {cert: @/c, key: @/k, redirect: true}")
                .find("http.ssl.redirect: has no effect") != std::string::npos);
    REQUIRE(warnings("ssl: {cert: @/c, key: @/k, acme: {email: a}}")
                .find("http.ssl.acme: not served") != std::string::npos);
    REQUIRE(warnings("address: \":80\"\n  ssl: {address: \":443\"}").find("HTTPS is not served") !=
            std::string::npos);
}

TEST_CASE("http proxy_protocol: off unless it listens; networks are checked") {
    REQUIRE_FALSE(Read("http:\n  address: \":80\"\n").config.proxy_protocol.listen);
    Read r(
        "http:\n  address: \":80\"\n  proxy_protocol: {listen: true, trusted: [10.0.0.0/8, "
        "\"::1\"]}\n");
    REQUIRE(r.problems().empty());
    REQUIRE(r.config.proxy_protocol.listen);
    REQUIRE(r.config.proxy_protocol.trusted.size() == 2);
    REQUIRE(Read("http:\n  address: \":80\"\n  proxy_protocol: {listen: true, trusted: [nobody]}\n")
                .problems() ==
            "http.proxy_protocol.trusted: neither an address nor a network: nobody\n");
}
