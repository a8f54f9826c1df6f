#include "core/net/tls_names.hpp"

#include <catch2/catch.hpp>

using namespace rr::net;

TEST_CASE("tls names: a name finds its certificate, without regard to case and a last dot") {
    TlsNames names;
    names.Add("Example.com", -1);
    names.Add("www.example.com", 0);
    names.Add("example.com", 1);  // too late
    REQUIRE(names.Find("EXAMPLE.com") == -1);
    REQUIRE(names.Find("example.com.") == -1);
    REQUIRE(names.Find("www.example.com") == 0);
    REQUIRE(names.Find("ftp.example.com") == TlsNames::kNone);
    REQUIRE(names.Find("") == TlsNames::kNone);
}

TEST_CASE("tls names: a star stands for one label, and comes after the names themselves") {
    TlsNames names;
    names.Add("*.example.com", 2);
    names.Add("api.example.com", 3);
    REQUIRE(names.Find("www.example.com") == 2);
    REQUIRE(names.Find("WWW.Example.Com") == 2);
    REQUIRE(names.Find("api.example.com") == 3);
    for (const char* none : {"example.com", ".example.com", "a.b.example.com", "*", "*.", ".",
                             "www.example.com.x", "wwwexample.com"}) {
        INFO(none);
        REQUIRE(names.Find(none) == TlsNames::kNone);
    }
}
