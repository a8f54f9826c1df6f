// Files over TLS.
#include <stdio.h>
#include <unistd.h>

#include <memory>
#include <string>

#include <catch2/catch.hpp>

#include "core/net/stream.hpp"
#include "core/net/tls_for_test.hpp"

namespace rr::net {
namespace {

struct Temporary {
    explicit Temporary(const std::string& text) : file(tmpfile()) {
        RR_CHECK(file != nullptr && fwrite(text.data(), 1, text.size(), file) == text.size());
        RR_CHECK(fflush(file) == 0);
    }
    ~Temporary() { fclose(file); }
    int descriptor() const { return fileno(file); }
    FILE* file;
};

struct Server final : StreamHandler {
    std::span<char> OnReadBuffer() override { return ReadScratch(); }
    void OnData(size_t) override {}
    void OnClosed(CloseReason) override { closed = true; }
    void OnDrained() override { ++drained; }
    void OnSecured() override { secured = true; }
    std::unique_ptr<Stream> stream;
    bool secured = false;
    bool closed = false;
    int drained = 0;
};

struct Fixture {
    Fixture() {
        folder.Make("server");
        auto context = TlsContext::Open(folder.Settings("server"));
        REQUIRE(context);
        auto ends = ConnectedPair();
        server.stream =
            std::make_unique<Stream>(loop, Stream::Kind::kPipe, ends[0], &server, *context);
        client = std::make_unique<TestTlsClient>(ends[1], TestTlsClient::Options{});
    }
    void Handshake() {
        server.stream->StartReading();
        REQUIRE(loop.RunUntil([this] { return client->Pump() && server.secured; }));
    }
    CertificateFolder folder;
    Loop loop{"test"};
    Server server;
    std::unique_ptr<TestTlsClient> client;
};

std::string Pattern(size_t size) {
    std::string text(size, '\0');
    for (size_t i = 0; i < size; ++i) {
        text[i] = static_cast<char>(i * 31 + i / 251);
    }
    return text;
}

}  // namespace

TEST_CASE("tls: a file goes out behind what is queued, as far as the kernel takes it") {
    Fixture f;
    const std::string text = Pattern(3'000'001);
    Temporary file(text);
    REQUIRE(f.server.stream->SendFile(file.descriptor(), 0, 10) == 0);  // no handshake yet
    f.Handshake();
    const std::string head = Pattern(GENERATE(5, 20'000, 300'000));
    f.server.stream->Queue(head);
    uint64_t sent = 0;
    bool stopped = false;  // before the end of it
    REQUIRE(f.loop.RunUntil([&] {
        if (sent < text.size()) {
            int64_t went = f.server.stream->SendFile(file.descriptor(), sent, text.size() - sent);
            REQUIRE(went >= 0);
            stopped = stopped || static_cast<uint64_t>(went) < text.size() - sent;
            sent += static_cast<uint64_t>(went);
        }
        f.client->Pump();
        return f.client->received.size() == head.size() + text.size();
    }));
    REQUIRE(stopped);
    REQUIRE(f.client->received.substr(0, head.size()) == head);
    REQUIRE(f.client->received.substr(head.size()) == text);
    REQUIRE(f.loop.RunUntil([&f] { return f.server.stream->queued() == 0; }));
}

TEST_CASE("tls: a part of a file, and a file that is shorter than said") {
    Fixture f;
    f.Handshake();
    Temporary file("0123456789");
    f.server.stream->Queue("head ");
    REQUIRE(f.server.stream->SendFile(file.descriptor(), 2, 3) == 3);
    REQUIRE(f.server.stream->SendFile(file.descriptor(), 8, 100) == 2);
    REQUIRE(f.server.stream->SendFile(file.descriptor(), 10, 1) == -1);
    f.server.stream->Queue(" tail");
    REQUIRE(f.server.stream->SendFile(file.descriptor(), 10, 1) == -1);
    REQUIRE(f.loop.RunUntil(
        [&f] { return f.client->Pump() && f.client->received == "head 23489 tail"; }));
}

TEST_CASE("tls: a client that left in the middle of a file is reported") {
    Fixture f;
    f.Handshake();
    Temporary file(Pattern(1'000'000));
    f.client.reset();
    REQUIRE(f.loop.RunUntil([&] {
        f.server.stream->SendFile(file.descriptor(), 0, 1'000'000);
        return f.server.closed;
    }));
}

}  // namespace rr::net
