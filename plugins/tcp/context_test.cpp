#include "plugins/tcp/context.hpp"

#include <string>

#include <catch2/catch.hpp>

#include "core/pool/job.hpp"

using namespace rr;
using namespace rr::tcp;

namespace {

std::string Context(Bytes remote, Bytes server, EventKind kind) {
    Uuid uuid;
    REQUIRE(Uuid::Parse("50a6c1ce-1e83-48c9-9d3e-6f942895400e", uuid));
    Buffer out;
    size_t size = BeginEvent({remote, server, uuid}, kind, out);
    REQUIRE(out.size() == pool::kHeadroom + size);
    return std::string(out.view().substr(pool::kHeadroom));
}

}  // namespace

TEST_CASE("tcp: the context is RoadRunner's to the byte") {
    REQUIRE(Context("127.0.0.1:43892", "main", EventKind::kConnected) ==
            R"({"remote_addr":"127.0.0.1:43892","server":"main",)"
            R"("uuid":"50a6c1ce-1e83-48c9-9d3e-6f942895400e","event":"CONNECTED"})");
    REQUIRE(Context("@", "<a&b>\xc3\xa4", EventKind::kClose) ==
            "{\"remote_addr\":\"@\",\"server\":\"\\u003ca\\u0026b\\u003e\xc3\xa4\","
            "\"uuid\":\"50a6c1ce-1e83-48c9-9d3e-6f942895400e\",\"event\":\"CLOSE\"}");
    REQUIRE(Context("127.0.0.1:43892", "main", EventKind::kData).size() == 110);
}

TEST_CASE("tcp: verbs are exact, and what is none closes") {
    auto is = [](Bytes text, bool write, bool close) {
        Verb verb = ReadVerb(text);
        return verb.write == write && verb.close == close;
    };
    REQUIRE(is("WRITE", true, false));
    REQUIRE(is("WRITECLOSE", true, true));
    REQUIRE(is("CONTINUE", false, false));
    REQUIRE(is("CLOSE", false, true));
    REQUIRE(is("", false, true));
    REQUIRE(is("write", false, true));
    REQUIRE(is("WRITE ", false, true));
}

TEST_CASE("tcp: an address without its port") {
    REQUIRE(WithoutPort("127.0.0.1:40000") == "127.0.0.1");
    REQUIRE(WithoutPort("[::1]:40000") == "::1");
    REQUIRE(WithoutPort("@") == "@");
}
