#include "plugins/http/canonical.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace rr::http;

namespace {

std::string Canonical(std::string_view name) {
    std::string out(name.size(), '?');
    Canonicalise(name, out.data());
    return out;
}

}  // namespace

TEST_CASE("canonical: each part begins upper and goes on lower") {
    REQUIRE(Canonical("x-Multi") == "X-Multi");
    REQUIRE(Canonical("TE") == "Te");
    REQUIRE(Canonical("X_under") == "X_under");
    REQUIRE(Canonical("HTTP2-Settings") == "Http2-Settings");
    REQUIRE(Canonical("a--b-") == "A--B-");
    REQUIRE(Canonical("1ab-cd") == "1ab-Cd");
}

TEST_CASE("canonical: a name that is no token stays as it is") {
    REQUIRE(Canonical("x bad") == "x bad");
    REQUIRE(Canonical("x-b\xc3\xa4") == "x-b\xc3\xa4");
}

TEST_CASE("canonical: every known name is found in any case and is its own canonical form") {
    for (size_t i = 1; i < static_cast<size_t>(HeaderId::kCount); ++i) {
        HeaderId id = static_cast<HeaderId>(i);
        std::string name(CanonicalName(id));
        REQUIRE(IdentifyHeader(name) == id);
        REQUIRE(Canonical(name) == name);
        for (char& c : name) {
            c = ToUpper(c);
        }
        REQUIRE(IdentifyHeader(name) == id);
    }
    REQUIRE(IdentifyHeader("X-Other") == HeaderId::kOther);
    REQUIRE(IdentifyHeader("") == HeaderId::kOther);
}

TEST_CASE("canonical: names that differ in case only share a hash") {
    REQUIRE(NameHash("X-a") == NameHash("x-A"));
    REQUIRE(NameHash("X-a") != NameHash("X-b"));
    uint32_t hash = 0;
    REQUIRE(TokenPrefix("X-a: 1", hash) == 3);
    REQUIRE(hash == NameHash("x-a"));
}

TEST_CASE("canonical: tokens are RFC tokens") {
    REQUIRE(IsToken("a!#$%&'*+-.^_`|~9"));
    for (const char* bad : {"", "a b", "a:b", "a\x7f", "a\xc3", "a\"", "a/b", "a[b]"}) {
        REQUIRE_FALSE(IsToken(bad));
    }
}

TEST_CASE("canonical: list tokens are found whole, in any case") {
    REQUIRE(HasListToken("keep-alive, Upgrade", "upgrade"));
    REQUIRE(HasListToken(" close ", "close"));
    REQUIRE_FALSE(HasListToken("closed", "close"));
    REQUIRE_FALSE(HasListToken("", "close"));
}

TEST_CASE("canonical: texts of every length compare without case, at every place") {
    for (size_t size = 0; size < 20; ++size) {
        const std::string text = std::string("AbCdEfGhIjKlMnOpQrStUvW").substr(0, size);
        for (size_t at = 0; at < size; ++at) {
            for (int c = 0; c < 256; ++c) {
                std::string other = text;
                other[at] = static_cast<char>(c);
                const bool same = ToLower(other[at]) == ToLower(text[at]);
                REQUIRE(EqualsIgnoreCase(text, other) == same);
            }
        }
        REQUIRE(EqualsIgnoreCase(text, text));
        REQUIRE_FALSE(EqualsIgnoreCase(text, text + "x"));
    }
    for (int a = 0; a < 256; ++a) {
        for (int b = 0; b < 256; ++b) {
            const std::string left(9, static_cast<char>(a));
            const std::string right(9, static_cast<char>(b));
            const bool same = ToLower(left[0]) == ToLower(right[0]);
            REQUIRE(EqualsIgnoreCase(left, right) == same);
        }
    }
}
