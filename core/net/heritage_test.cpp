#include "core/net/heritage.hpp"

#include <cstdlib>
#include <filesystem>

#include <catch2/catch.hpp>

#include "core/net/datagrams.hpp"
#include "core/net/listener.hpp"

using namespace rr;
using namespace rr::net;

// What an exec would do to the variable, without the exec.
static void Inherit() {
    std::string variable = heritage::Variable();
    size_t equals = variable.find('=');
    setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
    heritage::Receive();
}

TEST_CASE("heritage: a successor gets the very socket that its predecessor listened on") {
    Loop loop("test");
    auto first = Listener::Bind(loop, *ParseAddress("127.0.0.1:0"), {});
    REQUIRE(first);
    Address bound = (*first)->address();
    heritage::Keep();
    first->reset();  // the drain closes it; the copy still holds the port
    REQUIRE_FALSE(Listener::Bind(loop, bound, {}));
    Inherit();
    REQUIRE(std::getenv(heritage::kVariable) == nullptr);
    auto second = Listener::Bind(loop, bound, {});
    REQUIRE(second);
    REQUIRE((*second)->address().port == bound.port);
    second->reset();
    heritage::Drop();
    heritage::Forget();
}

TEST_CASE("heritage: port 0 gets the port back that the kernel had chosen, and no other's") {
    Loop loop("test");
    auto chosen = Listener::Bind(loop, *ParseAddress("127.0.0.1:0"), {});
    REQUIRE(chosen);
    uint16_t port = (*chosen)->address().port;
    heritage::Keep();
    chosen->reset();
    Inherit();
    auto again = Listener::Bind(loop, *ParseAddress("127.0.0.1:0"), {});
    REQUIRE(again);
    REQUIRE((*again)->address().port == port);
    auto another = Listener::Bind(loop, *ParseAddress("127.0.0.1:0"), {});
    REQUIRE(another);
    REQUIRE((*another)->address().port != port);
    again->reset();
    heritage::Drop();
    heritage::Forget();
}

TEST_CASE("heritage: a Unix socket keeps its file through the change") {
    Loop loop("test");
    std::string path = std::filesystem::temp_directory_path() / "rr_heritage_test.sock";
    auto first = Listener::Bind(loop, *ParseAddress("unix://" + path), {});
    REQUIRE(first);
    heritage::Keep();
    first->reset();
    REQUIRE(std::filesystem::exists(path));
    Inherit();
    auto second = Listener::Bind(loop, *ParseAddress("unix://" + path), {});
    REQUIRE(second);
    heritage::Forget();
    second->reset();
    REQUIRE_FALSE(std::filesystem::exists(path));
}

TEST_CASE("heritage: a UDP socket goes over, and is no listener of the same port") {
    Loop loop("test");
    auto udp = Datagrams::Bind(loop, *ParseAddress("127.0.0.1:0"));
    REQUIRE(udp);
    Address bound = (*udp)->address();
    heritage::Keep();
    udp->reset();
    REQUIRE_FALSE(Datagrams::Bind(loop, bound));
    Inherit();
    Address same = bound;
    same.kind = Address::Kind::kTcp;
    auto tcp = Listener::Bind(loop, same, {});
    REQUIRE(tcp);
    auto again = Datagrams::Bind(loop, *ParseAddress("127.0.0.1:0"));
    REQUIRE(again);
    REQUIRE((*again)->address().port == bound.port);
    heritage::Drop();
    heritage::Forget();
}

TEST_CASE("heritage: descriptors that do not listen are not taken") {
    setenv(heritage::kVariable, "0,1,2,x,999,,-4", 1);
    heritage::Receive();
    heritage::Drop();  // would close what was taken: standard output must still be there
    REQUIRE(std::getenv(heritage::kVariable) == nullptr);
}
