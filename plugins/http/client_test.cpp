#include "plugins/http/client.hpp"

#include <array>
#include <string>

#include <catch2/catch.hpp>

namespace rr::http {
namespace {

struct Silent final : net::StreamHandler {
    std::span<char> OnReadBuffer() override { return net::ReadScratch(); }
    void OnData(size_t) override {}
    void OnClosed(net::CloseReason) override {}
};

}  // namespace

TEST_CASE("write watch: a slow client that takes what the kernel holds is not stuck") {
    Loop loop("test");
    std::array<int, 2> ends = net::ConnectedPair();
    Silent handler;
    net::Stream stream(loop, net::Stream::Kind::kPipe, ends[0], &handler);
    net::Stream client(loop, net::Stream::Kind::kPipe, ends[1], &handler);
    stream.Queue(std::string(4 * 1024 * 1024, 'x'));
    stream.Flush();
    const size_t queued = stream.queued();
    REQUIRE(queued > 0);

    WriteWatch watch;
    int64_t now = 1000;
    REQUIRE_FALSE(watch.Stuck(stream, true, 0, now, 60));
    char taken[40 * 1024];  // the kernel keeps pieces of up to 32 KB until they are read whole
    for (int i = 0; i < 3; ++i) {
        now += 60;
        REQUIRE(client.TryRead(taken, sizeof(taken)) > 0);
        REQUIRE(stream.queued() == queued);  // which is why that can't be asked
        REQUIRE_FALSE(watch.Stuck(stream, true, 0, now, 60));
    }
    REQUIRE_FALSE(watch.Stuck(stream, true, 0, now + 59, 60));
    REQUIRE(watch.Stuck(stream, true, 0, now + 60, 60));
    REQUIRE_FALSE(watch.Stuck(stream, true, 0, now + 60, 0));
}

TEST_CASE("write watch: bytes given to the stream count, and so does nothing to wait for") {
    Loop loop("test");
    std::array<int, 2> ends = net::ConnectedPair();
    Silent handler;
    net::Stream stream(loop, net::Stream::Kind::kPipe, ends[0], &handler);
    net::Stream client(loop, net::Stream::Kind::kPipe, ends[1], &handler);
    WriteWatch watch;
    REQUIRE_FALSE(watch.Stuck(stream, true, 5, 1000, 60));
    REQUIRE_FALSE(watch.Stuck(stream, true, 6, 1060, 60));
    REQUIRE_FALSE(watch.Stuck(stream, false, 6, 1120, 60));
    REQUIRE_FALSE(watch.Stuck(stream, true, 6, 1179, 60));
    REQUIRE(watch.Stuck(stream, true, 6, 1180, 60));
}

}  // namespace rr::http
