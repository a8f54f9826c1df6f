#include "plugins/kv/redis/slots.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace rr::kv::redis {
namespace {

const net::Address kFrom = *net::ParseAddress("10.0.0.9:1");

Reply Read(std::string_view wire) {
    Reader reader;
    Reply reply;
    REQUIRE(reader.Feed(wire));
    REQUIRE(*reader.Next(reply));
    return reply;
}

}  // namespace

TEST_CASE("kv redis: the slot of a key is that of the cluster's specification") {
    REQUIRE(SlotOf("123456789") == 0x31c3);
    REQUIRE(SlotOf("foo") == 12182);
    REQUIRE(SlotOf("{user1000}.following") == SlotOf("user1000"));
    REQUIRE(SlotOf("foo{}{bar}") == SlotOf("foo{}{bar}"));
    REQUIRE(SlotOf("foo{}{bar}") != SlotOf("bar"));
    REQUIRE(SlotOf("foo{{bar}}zap") == SlotOf("{bar"));
    REQUIRE(SlotOf("foo{bar}{zap}") == SlotOf("bar"));
    REQUIRE(SlotOf("") == 0);
}

TEST_CASE("kv redis: an answer to CLUSTER SLOTS becomes ranges, master first") {
    auto ranges = ParseSlots(Read("*2\r\n"
                                  "*4\r\n:0\r\n:5460\r\n"
                                  "*3\r\n$9\r\n127.0.0.1\r\n:30001\r\n$1\r\na\r\n"
                                  "*3\r\n$9\r\n127.0.0.2\r\n:30004\r\n$1\r\nb\r\n"
                                  "*3\r\n:5461\r\n:16383\r\n*2\r\n$0\r\n\r\n:30002\r\n"),
                             kFrom);
    REQUIRE(ranges);
    REQUIRE(ranges->size() == 2);
    REQUIRE((*ranges)[0].last == 5460);
    REQUIRE((*ranges)[0].nodes.size() == 2);
    REQUIRE((*ranges)[0].nodes[1].ToString() == "tcp://127.0.0.2:30004");
    // A node without a name is where the answer came from.
    REQUIRE((*ranges)[1].nodes[0].ToString() == "tcp://10.0.0.9:30002");
}

TEST_CASE("kv redis: answers of another shape are no slots") {
    for (const char* wire : {"+OK\r\n", "-ERR This instance has cluster support disabled\r\n",
                             ":1\r\n", "$-1\r\n", "*1\r\n:1\r\n", "*1\r\n*2\r\n:0\r\n:1\r\n",
                             "*1\r\n*3\r\n:5\r\n:4\r\n*2\r\n$1\r\na\r\n:1\r\n",
                             "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n",
                             "*1\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:0\r\n",
                             "*1\r\n*3\r\n:0\r\n:1\r\n*1\r\n$1\r\na\r\n"}) {
        REQUIRE_FALSE(ParseSlots(Read(wire), kFrom));
    }
    REQUIRE(ParseSlots(Read("*0\r\n"), kFrom)->empty());
}

TEST_CASE("kv redis: redirections") {
    auto moved = ParseRedirect("MOVED 3999 127.0.0.1:6381", kFrom);
    REQUIRE(moved);
    REQUIRE_FALSE(moved->ask);
    REQUIRE(moved->slot == 3999);
    REQUIRE(moved->node.ToString() == "tcp://127.0.0.1:6381");
    REQUIRE(ParseRedirect("ASK 1 ::1:6381", kFrom)->node.host == "::1");
    REQUIRE(ParseRedirect("MOVED 1 :6381", kFrom)->node.host == "10.0.0.9");
    for (const char* text : {"MOVED", "MOVED 3999", "MOVED 16384 a:1", "MOVED x a:1", "ASK 1 a:0",
                             "MOVED 1 a:70000", "ERR unknown", "MOVED a:1 5", ""}) {
        REQUIRE_FALSE(ParseRedirect(text, kFrom));
    }
}

TEST_CASE("kv redis: what a sentinel says of the master") {
    REQUIRE(ParseMaster(Read("*2\r\n$9\r\n127.0.0.1\r\n$4\r\n6379\r\n"))->ToString() ==
            "tcp://127.0.0.1:6379");
    REQUIRE(ParseMaster(Read("*-1\r\n")).error().code == Errc::kNotFound);
    REQUIRE(ParseMaster(Read("-NOAUTH no\r\n")).error().message == "NOAUTH no");
    REQUIRE_FALSE(ParseMaster(Read("*1\r\n$1\r\na\r\n")));
    REQUIRE_FALSE(ParseMaster(Read("*2\r\n$1\r\na\r\n$1\r\nb\r\n")));
}

TEST_CASE("kv redis: replies come in pieces, of any kind, one inside another") {
    const std::string wire =
        "*5\r\n$3\r\na\r\n\r\n:-7\r\n$-1\r\n*2\r\n+OK\r\n*0\r\n$0\r\n\r\n-ERR no\r\n";
    for (size_t piece : {size_t{1}, size_t{3}, wire.size()}) {
        Reader reader;
        Reply reply;
        std::vector<Reply> replies;
        for (size_t at = 0; at < wire.size(); at += piece) {
            REQUIRE(reader.Feed(Bytes(wire).substr(at, piece)));
            while (*reader.Next(reply)) {
                replies.push_back(std::move(reply));
            }
        }
        REQUIRE(reader.empty());
        REQUIRE(replies.size() == 2);
        REQUIRE(replies[0].elements.size() == 5);
        REQUIRE(replies[0].elements[0].text == "a\r\n");
        REQUIRE(replies[0].elements[1].integer == -7);
        REQUIRE(replies[0].elements[2].kind == Reply::Kind::kNil);
        REQUIRE(replies[0].elements[3].elements[0].text == "OK");
        REQUIRE(replies[0].elements[4].kind == Reply::Kind::kString);
        REQUIRE(replies[1].error("ERR"));
    }
    Reader reader;
    Reply reply;
    REQUIRE(reader.Feed("HTTP/1.1 400 Bad Request\r\n"));
    REQUIRE_FALSE(reader.Next(reply));
    REQUIRE_FALSE(reader.Next(reply));
    reader.Reset();
    REQUIRE(reader.Feed("+OK\r\n"));
    REQUIRE(*reader.Next(reply));
}

}  // namespace rr::kv::redis
