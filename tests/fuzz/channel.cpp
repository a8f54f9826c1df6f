// What a worker writes, in both dialects, in two parts: bodies arrive with the length their frames
// announced, and nothing comes behind the end.
#include "relay/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

#include "core/base/check.hpp"

namespace {

using namespace rr::relay;

class Reader final : public ChannelHandler {
public:
    bool OnFrame(const FrameHeader& header, rr::Bytes context, rr::Bytes body,
                 bool whole) override {
        RR_CHECK(!broken && left == 0);
        RR_CHECK(context.size() + body.size() <= header.payload);
        left = header.payload - context.size() - body.size();
        RR_CHECK(whole == (left == 0));
        return true;
    }
    bool OnBody(rr::Bytes piece, bool last) override {
        RR_CHECK(!broken && piece.size() <= left);
        left -= piece.size();
        RR_CHECK(last == (left == 0));
        return true;
    }
    void OnBroken(bool, const char* what, rr::Bytes) override {
        RR_CHECK(!broken && what != nullptr);
        broken = true;
    }

    uint64_t left = 0;
    bool broken = false;
};

void Feed(rr::Loop& loop, Dialect dialect, const uint8_t* data, size_t size) {
    int fd[2];
    RR_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0);
    Reader reader;
    {
        Channel channel(loop, dialect, fd[0], rr::net::Stream::Kind::kPipe, reader);
        size_t half = size / 2;
        for (auto [part, length] : {std::pair(data, half), std::pair(data + half, size - half)}) {
            if (length > 0 && write(fd[1], part, length) < 0) {
                break;
            }
            channel.DrainOutput();
        }
        close(fd[1]);
    }
    loop.RunUntil([turns = 0]() mutable { return ++turns > 1; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static rr::Loop loop("fuzz");
    Feed(loop, Dialect::kV3, data, size);
    Feed(loop, Dialect::kV2, data, size);
    return 0;
}
