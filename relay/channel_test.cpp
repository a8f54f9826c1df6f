#include "relay/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "relay/frame_v2.hpp"

namespace rr::relay {
namespace {

struct Seen {
    FrameHeader header;
    std::string context;
    std::string body;
    bool whole;
    bool finished;
};

class Recorder final : public ChannelHandler {
public:
    bool OnFrame(const FrameHeader& h, Bytes context, Bytes body, bool whole) override {
        frames.push_back({h, std::string(context), std::string(body), whole, whole});
        return go_on;
    }
    bool OnBody(Bytes piece, bool last) override {
        frames.back().body += piece;
        frames.back().finished = last;
        ++pieces;
        return go_on;
    }
    void OnBroken(bool ended, const char* what, Bytes garbage) override {
        ++broken;
        clean_end = ended;
        reason = what;
        shown = garbage;
    }

    std::vector<Seen> frames;
    int pieces = 0;
    int broken = 0;
    bool clean_end = false;
    bool go_on = true;
    std::string reason;
    std::string shown;
};

struct Fixture {
    explicit Fixture(Dialect dialect) {
        int fd[2];
        REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
        fcntl(fd[0], F_SETFL, O_NONBLOCK);
        peer = fd[1];
        channel = std::make_unique<Channel>(loop, dialect, fd[0], net::Stream::Kind::kPipe, seen);
    }
    ~Fixture() {
        if (peer >= 0) {
            close(peer);
        }
    }
    void Feed(const std::string& bytes) {
        for (size_t done = 0; done < bytes.size();) {
            ssize_t put = send(peer, bytes.data() + done, bytes.size() - done, MSG_DONTWAIT);
            if (put > 0) {
                done += static_cast<size_t>(put);
            }
            loop.RunUntil([turn = 0]() mutable { return ++turn > 1; });
        }
    }
    void Turn() {
        loop.RunUntil([turn = 0]() mutable { return ++turn > 2; });
    }

    Loop loop{"test"};
    Recorder seen;
    int peer = -1;
    std::unique_ptr<Channel> channel;
};

std::string Frame(const std::string& context, const std::string& body) {
    FrameHeader h;
    h.options = 1;
    h.option[0] = static_cast<uint32_t>(context.size());
    h.payload = static_cast<uint32_t>(context.size() + body.size());
    std::string frame(h.size(), '\0');
    EncodeFrameHeader(h, frame.data());
    return frame + context + body;
}

std::string Message(uint8_t flags, const std::string& payload) {
    std::string prefix(v2::kPrefixSize, '\0');
    v2::EncodePrefix({flags, payload.size()}, prefix.data());
    return prefix + payload;
}

constexpr uint8_t kContextV2 = v2::flag::kControl | v2::flag::kRaw;

}  // namespace

TEST_CASE("channel: frames are recognised however the bytes are split") {
    std::string two = Frame("{}", "hello") + Frame("", "");
    for (size_t cut = 0; cut <= two.size(); ++cut) {
        Fixture f(Dialect::kV3);
        f.Feed(two.substr(0, cut));
        f.Feed(two.substr(cut));
        REQUIRE(f.loop.RunUntil([&] { return f.seen.frames.size() == 2; }));
        REQUIRE(f.seen.frames[0].context == "{}");
        REQUIRE(f.seen.frames[0].body == "hello");
    }
}

TEST_CASE("channel: a large frame comes in pieces, its context first") {
    Fixture f(Dialect::kV3);
    std::string body(1 << 20, 'x');
    f.Feed(Frame("{\"status\":200}", body));
    REQUIRE(f.loop.RunUntil([&] { return !f.seen.frames.empty() && f.seen.frames[0].finished; }));
    REQUIRE_FALSE(f.seen.frames[0].whole);
    REQUIRE(f.seen.frames[0].body == body);
    REQUIRE(f.seen.pieces > 1);
}

TEST_CASE("channel: a pause holds back what follows until it is resumed") {
    Fixture f(Dialect::kV3);
    f.seen.go_on = false;
    f.Feed(Frame("", "1") + Frame("", "2"));
    f.Turn();
    REQUIRE(f.seen.frames.size() == 1);
    f.seen.go_on = true;
    f.channel->Resume();
    REQUIRE(f.seen.frames.size() == 2);
}

TEST_CASE("channel: draining an ended output leaves no frame behind, whoever pauses") {
    Fixture f(Dialect::kV3);
    f.seen.go_on = false;
    f.Feed(Frame("a", "") + Frame("b", "") + Frame("c", ""));
    REQUIRE(f.loop.RunUntil([&] { return !f.seen.frames.empty(); }));
    REQUIRE(f.seen.frames.size() == 1);
    close(f.peer);
    f.peer = -1;
    f.channel->DrainOutput();
    REQUIRE(f.seen.frames.size() == 3);
    REQUIRE(f.seen.frames[2].context == "c");
}

TEST_CASE("channel: text instead of a frame is shown, at once and not after a wait") {
    Fixture f(Dialect::kV3);
    f.Feed("PHP Warning:  something is wrong");
    REQUIRE(f.loop.RunUntil([&] { return f.seen.broken == 1; }));
    REQUIRE(f.seen.shown.find("PHP Warning") == 0);
}

TEST_CASE("channel: a text shorter than a header is not waited on for ever") {
    Fixture f(Dialect::kV3);
    f.Feed("Hi");
    REQUIRE(f.loop.RunUntil([&] { return f.seen.broken == 1; }));
    REQUIRE(f.seen.shown == "Hi");
}

TEST_CASE("channel: an end is told from an end inside a frame") {
    Fixture clean(Dialect::kV3);
    clean.Feed(Frame("", "x"));
    close(std::exchange(clean.peer, -1));
    REQUIRE(clean.loop.RunUntil([&] { return clean.seen.broken == 1; }));
    REQUIRE(clean.seen.clean_end);
    REQUIRE_FALSE(clean.channel->mid_frame());
    Fixture cut(Dialect::kV3);
    cut.Feed(Frame("", "x").substr(0, 14));
    close(std::exchange(cut.peer, -1));
    REQUIRE(cut.loop.RunUntil([&] { return cut.seen.broken == 1; }));
    REQUIRE(cut.channel->mid_frame());
}

TEST_CASE("channel: a context longer than its frame is refused") {
    Fixture f(Dialect::kV3);
    std::string frame = Frame("{}", "");
    frame[12] = 9;  // options are outside the checksum
    f.Feed(frame);
    REQUIRE(f.loop.RunUntil([&] { return f.seen.broken == 1; }));
}

TEST_CASE("channel: a v2 context and body arrive as one frame, however they are split") {
    std::string answer = Message(kContextV2, "{\"status\":200}") + Message(v2::flag::kRaw, "hello");
    for (size_t cut = 0; cut <= answer.size(); ++cut) {
        Fixture f(Dialect::kV2);
        f.Feed(answer.substr(0, cut));
        f.Feed(answer.substr(cut));
        REQUIRE(f.loop.RunUntil([&] { return f.seen.frames.size() == 1; }));
        REQUIRE(f.seen.frames[0].context == "{\"status\":200}");
        REQUIRE(f.seen.frames[0].body == "hello");
    }
}

TEST_CASE("channel: v2 errors and control messages stand alone, a null context is empty") {
    Fixture f(Dialect::kV2);
    f.Feed(Message(kContextV2 | v2::flag::kError, "boom") +
           Message(v2::flag::kControl, "{\"pid\":7}") +
           Message(v2::flag::kControl | v2::flag::kNone, "") + Message(v2::flag::kRaw, "b"));
    REQUIRE(f.loop.RunUntil([&] { return f.seen.frames.size() == 3; }));
    REQUIRE((f.seen.frames[0].header.flags & flag::kError) != 0);
    REQUIRE(f.seen.frames[0].body == "boom");
    REQUIRE((f.seen.frames[1].header.flags & flag::kControl) != 0);
    REQUIRE(f.seen.frames[1].body == "{\"pid\":7}");
    REQUIRE(f.seen.frames[2].context.empty());
    REQUIRE(f.seen.frames[2].body == "b");
}

TEST_CASE("channel: a large v2 body comes in pieces") {
    Fixture f(Dialect::kV2);
    std::string body(1 << 20, 'y');
    f.Feed(Message(kContextV2, "{}") + Message(v2::flag::kRaw, body));
    REQUIRE(f.loop.RunUntil([&] { return !f.seen.frames.empty() && f.seen.frames[0].finished; }));
    REQUIRE(f.seen.frames[0].context == "{}");
    REQUIRE(f.seen.frames[0].body == body);
}

TEST_CASE("handshake: pid, capability and nonsense are told apart") {
    REQUIRE(ParsePidReply("{\"pid\":4242}")->pid == 4242);
    REQUIRE_FALSE(ParsePidReply("{\"pid\":4242}")->numbered);
    REQUIRE(ParsePidReply("{\"pid\":1,\"rr\":1,\"x\":[1,{}]}")->numbered);
    for (const char* bad :
         {"", "{}", "[]", "{\"pid\":0}", "{\"pid\":\"1\"}", "{\"pid\":1", "null"}) {
        REQUIRE_FALSE(ParsePidReply(bad));
    }
}

}  // namespace rr::relay
