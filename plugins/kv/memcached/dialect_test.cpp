#include "plugins/kv/memcached/dialect.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace rr::kv::memcached {
namespace {

using Kind = MemcachedCall::Kind;

}  // namespace

TEST_CASE("kv memcached: values come in pieces of any size") {
    const std::string wire =
        "VALUE a 0 5\r\n1\r\n2\n\r\nVALUE c 7 0 99\r\n\r\nEND\r\nEND\r\nSTORED\r\n";
    for (size_t piece : {size_t{1}, size_t{4}, wire.size()}) {
        MemcachedDialect dialect;
        std::vector<MemcachedCall> calls;
        calls.emplace_back(Kind::kGet);
        calls.emplace_back(Kind::kGet);
        calls.emplace_back(Kind::kSet);
        calls[0].keys = {"a", "b", "c"};
        size_t answered = 0;
        for (size_t at = 0; at < wire.size(); at += piece) {
            REQUIRE(dialect.Feed(Bytes(wire).substr(at, piece)));
            while (answered < calls.size() && *dialect.Read(calls[answered])) {
                ++answered;
            }
        }
        REQUIRE(answered == 3);
        REQUIRE(dialect.quiet());
        REQUIRE(calls[0].values.size() == 2);
        REQUIRE(calls[0].values[0].bytes == "1\r\n2\n");
        REQUIRE(calls[0].values[1].key == "c");
        REQUIRE(calls[0].values[1].bytes.empty());
        REQUIRE(calls[1].values.empty());
        REQUIRE(calls[2].error.empty());
    }
}

TEST_CASE("kv memcached: refusals are the call's, nonsense ends the connection") {
    const auto read = [](const std::string& wire, MemcachedCall& call) {
        MemcachedDialect dialect;
        call.keys = {"a"};
        REQUIRE(dialect.Feed(wire));
        return dialect.Read(call);
    };
    MemcachedCall set(Kind::kSet);
    REQUIRE(*read("SERVER_ERROR object too large for cache\r\n", set));
    REQUIRE(set.error == "SERVER_ERROR object too large for cache");
    MemcachedCall touch(Kind::kLine);
    REQUIRE(*read("ERROR\r\n", touch));
    REQUIRE(touch.error == "ERROR");
    for (const char* wire :
         {"CLIENT_ERROR bad data chunk\r\n", "END\r\n", "VALUE a 0 1\r\n", "\r\n", "stored\r\n"}) {
        MemcachedCall call(Kind::kSet);
        REQUIRE_FALSE(read(wire, call));
    }
    for (const char* wire :
         {"STORED\r\n", "VALUE b 0 1\r\n1\r\nEND\r\n", "VALUE a 0 x\r\n", "VALUE a 0 -1\r\n",
          "VALUE a 0 99999999999\r\n", "VALUE a 0 1\r\n123\r\n", "VALUE a\r\n"}) {
        MemcachedCall call(Kind::kGet);
        REQUIRE_FALSE(read(wire, call));
    }
    MemcachedCall endless(Kind::kGet);
    REQUIRE_FALSE(read(std::string(3000, 'x'), endless));
}

TEST_CASE("kv memcached: keys, and the server of each") {
    REQUIRE(IsKey("a"));
    REQUIRE(IsKey(std::string(250, 'x')));
    REQUIRE(IsKey("\xc3\xa4"));
    for (const std::string& bad :
         {std::string(), std::string(251, 'x'), std::string("a b"), std::string("a\n"),
          std::string("a\x7f"), std::string(1, '\0')}) {
        REQUIRE_FALSE(IsKey(bad));
    }
    REQUIRE(ServerOf("anything", 1) == 0);
    // CRC-32 of 123456789 is cbf43926.
    REQUIRE(ServerOf("123456789", 7) == 0xcbf43926u % 7);
}

}  // namespace rr::kv::memcached
