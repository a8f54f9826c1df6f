#include "core/net/tls.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <functional>
#include <vector>

#include <catch2/catch.hpp>

#include "core/net/stream.hpp"
#include "core/net/tls_for_test.hpp"
#include "core/net/tls_session.hpp"

namespace rr::net {
namespace {

class Server final : public StreamHandler {
public:
    enum class Call { kNone, kBuffer, kData, kClosed, kDrained, kSecured };

    std::span<char> OnReadBuffer() override { return ReadScratch().first(most); }
    void OnData(size_t size) override {
        if (secured == 0) {
            early = true;
        }
        std::string bytes(ReadScratch().data(), size);
        got += bytes;
        if (Dies(Call::kData)) {
            return;
        }
        if (echoes) {
            stream->Queue(bytes);
        }
        if (on_data) {
            on_data();
        }
    }
    void OnClosed(CloseReason reason) override {
        closed.push_back(reason);
        fault = stream->tls_fault();
        Dies(Call::kClosed);
    }
    void OnDrained() override {
        ++drained;
        Dies(Call::kDrained);
    }
    void OnSecured() override {
        ++secured;
        if (!Dies(Call::kSecured) && on_secured) {
            on_secured();
        }
    }

    std::unique_ptr<Stream> stream;
    std::string got;
    std::vector<CloseReason> closed;
    std::string fault;
    int drained = 0;
    int secured = 0;
    bool early = false;
    bool echoes = false;
    size_t most = 64 * 1024;
    Call dies_in = Call::kNone;
    std::function<void()> on_data;
    std::function<void()> on_secured;

private:
    bool Dies(Call call) {
        if (dies_in == call) {
            stream.reset();
            return true;
        }
        return false;
    }
};

std::shared_ptr<TlsContext> Opened(const TlsSettings& settings) {
    auto context = TlsContext::Open(settings);
    if (!context) {
        FAIL(context.error().message);
    }
    return *context;
}

struct Fixture {
    Fixture() { folder.Make("server"); }

    void Connect(TestTlsClient::Options options = {}, bool secure_later = false) {
        if (!context) {
            context = Opened(folder.Settings("server"));
        }
        auto ends = ConnectedPair();
        server.stream = std::make_unique<Stream>(loop, Stream::Kind::kPipe, ends[0], &server,
                                                 secure_later ? nullptr : context);
        client = std::make_unique<TestTlsClient>(ends[1], options);
    }
    bool Until(const std::function<bool()>& holds) {
        return loop.RunUntil([this, &holds] { return client->Pump() && holds(); });
    }
    void Handshake() {
        server.stream->StartReading();
        REQUIRE(Until([this] { return client->secured() && server.secured == 1; }));
    }

    CertificateFolder folder;
    std::shared_ptr<TlsContext> context;
    Loop loop{"test"};
    Server server;
    std::unique_ptr<TestTlsClient> client;
};

// Ours and the client's end of a TCP connection.
std::array<int, 2> LoopbackPair() {
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    RR_CHECK(bind(listening, raw, size) == 0 && listen(listening, 1) == 0);
    RR_CHECK(getsockname(listening, raw, &size) == 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    RR_CHECK(connect(client, raw, size) == 0);
    int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    int server = accept4(listening, nullptr, nullptr, flags);
    RR_CHECK(server >= 0 && fcntl(client, F_SETFL, O_NONBLOCK) == 0);
    close(listening);
    return {server, client};
}

std::string Pattern(size_t size) {
    std::string text(size, '\0');
    for (size_t i = 0; i < size; ++i) {
        text[i] = static_cast<char>(i * 31 + i / 251);
    }
    return text;
}

std::string OpenFault(const TlsSettings& settings) {
    auto context = TlsContext::Open(settings);
    return context ? "opened" : context.error().message;
}

bool Has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("tls: both versions shake hands and carry bytes") {
    Fixture f;
    int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    TestTlsClient::Options options;
    options.lowest = options.highest = version;
    f.Connect(options);
    f.server.echoes = true;
    f.client->to_send.Append("hello");
    f.Handshake();
    REQUIRE(f.Until([&f] { return f.client->received == "hello"; }));
    REQUIRE(f.server.got == "hello");
    REQUIRE_FALSE(f.server.early);
    REQUIRE(f.server.stream->tls_fault().empty());
    REQUIRE(SSL_version(f.client->raw()) == version);
}

TEST_CASE("tls: a client does not get a second handshake") {
    Fixture f;
    TestTlsClient::Options options;
    options.highest = TLS1_2_VERSION;
    f.Connect(options);
    f.Handshake();
    REQUIRE(SSL_renegotiate(f.client->raw()) == 1);
    REQUIRE(f.Until([&f] { return f.client->over(); }));
    REQUIRE(Has(f.client->fault(), "no renegotiation"));
    REQUIRE(f.server.secured == 1);
}

TEST_CASE("tls: a refusal that a read without waiting made goes out by itself") {
    Fixture f;
    TestTlsClient::Options options;
    options.highest = TLS1_2_VERSION;
    f.Connect(options);
    f.Handshake();
    f.server.stream->StopReading();
    REQUIRE(SSL_renegotiate(f.client->raw()) == 1);
    f.client->Pump();
    char out[16];
    REQUIRE(f.server.stream->TryRead(out, sizeof(out)) == 0);
    REQUIRE(f.Until([&f] { return f.client->over(); }));
    REQUIRE(Has(f.client->fault(), "no renegotiation"));
    Bytes text = "x";
    REQUIRE(f.server.stream->TryWrite(&text, 1) == 1);
}

TEST_CASE("tls: several MB go both ways at once") {
    Fixture f;
    f.Connect();
    f.server.echoes = true;
    std::string sent = Pattern(5 << 20);
    f.client->to_send.Append(sent);
    f.Handshake();
    REQUIRE(f.Until([&] { return f.client->received.size() == sent.size(); }));
    REQUIRE(f.client->received == sent);
    REQUIRE(f.server.stream->queued() == 0);
}

TEST_CASE("tls: what is queued counts until the kernel has it, and is reported as drained") {
    Fixture f;
    f.Connect();
    f.Handshake();
    std::string sent = Pattern(3 << 20);
    f.client->reads = false;
    f.server.stream->Queue(sent);
    f.server.stream->Flush();
    size_t queued = f.server.stream->queued();
    REQUIRE(queued > (2 << 20));
    Bytes more = "never before the queue";
    REQUIRE(f.server.stream->TryWrite(&more, 1) == 0);
    f.client->reads = true;
    REQUIRE(f.Until([&] { return f.client->received.size() == sent.size(); }));
    REQUIRE(f.client->received == sent);
    REQUIRE(f.Until([&f] { return f.server.drained == 1; }));
    REQUIRE(f.server.stream->queued() == 0);
}

TEST_CASE("tls: what is queued before the handshake waits for it") {
    Fixture f;
    f.Connect();
    f.server.stream->Queue("early");
    Bytes now = "now";
    REQUIRE(f.server.stream->TryWrite(&now, 1) == 0);
    f.server.stream->Flush();
    REQUIRE(f.server.stream->queued() == 5);
    f.Handshake();
    REQUIRE(f.Until([&f] { return f.client->received == "early"; }));
    REQUIRE(f.server.drained == 1);
}

TEST_CASE("tls: an end asked for before the handshake comes after what was queued") {
    Fixture f;
    f.Connect();
    f.server.stream->Queue("early");
    f.server.stream->ShutdownWhenSent();
    f.Handshake();
    REQUIRE(f.Until([&f] { return f.client->told_goodbye(); }));
    REQUIRE(f.client->received == "early");
}

TEST_CASE("tls: a write now takes what the kernel takes, and keeps a record whole") {
    Fixture f;
    f.Connect();
    f.Handshake();
    f.client->reads = false;
    std::string sent = Pattern(2 << 20);
    Bytes slices[3] = {"head,", "", sent};
    int64_t took = f.server.stream->TryWrite(slices, 3);
    REQUIRE(took > 0);
    REQUIRE(took < static_cast<int64_t>(sent.size()));
    REQUIRE(f.server.stream->TryWrite(slices, 1) == 0);
    f.client->reads = true;
    std::string all = "head," + sent;
    REQUIRE(f.Until([&] { return f.client->received.size() == static_cast<size_t>(took); }));
    REQUIRE(f.client->received == all.substr(0, static_cast<size_t>(took)));
    REQUIRE(f.Until([&f] { return f.server.drained == 1; }));
    REQUIRE(f.server.stream->TryWrite(slices, 1) == 5);
}

TEST_CASE("tls: a handler that stops gets what was decrypted when it starts again") {
    Fixture f;
    f.Connect();
    f.server.most = 1000;  // one record makes many calls
    f.server.on_data = [&f] { f.server.stream->StopReading(); };
    f.Handshake();
    std::string sent = Pattern(10'000);
    f.client->to_send.Append(sent);
    for (size_t calls = 1; calls <= 10; ++calls) {
        REQUIRE(f.Until([&] { return f.server.got.size() == calls * 1000; }));
        // No byte more without being asked, whatever else happens on the loop.
        bool passed = false;
        f.loop.Post([&passed] { passed = true; });
        REQUIRE(f.Until([&] { return passed; }));
        REQUIRE(f.server.got.size() == calls * 1000);
        f.server.stream->StartReading();
        REQUIRE(f.server.got.size() == calls * 1000);  // from a fresh stack
    }
    REQUIRE(f.server.got == sent);
}

TEST_CASE("tls: a stop in OnSecured holds back what came with the handshake") {
    Fixture f;
    f.Connect();
    f.server.on_secured = [&f] { f.server.stream->StopReading(); };
    f.client->to_send.Append("with the handshake");
    f.Handshake();
    REQUIRE(f.Until([&f] { return f.client->to_send.empty(); }));
    REQUIRE(f.server.got.empty());
    f.server.stream->StartReading();
    REQUIRE(f.Until([&f] { return f.server.got == "with the handshake"; }));
}

TEST_CASE("tls: the handshake goes on while the handler does not read") {
    Fixture f;
    f.Connect();
    f.server.stream->StartReading();
    f.server.stream->StopReading();
    f.client->to_send.Append("x");
    REQUIRE(f.Until([&f] { return f.server.secured == 1; }));
    REQUIRE(f.server.got.empty());
    f.server.stream->StartReading();
    REQUIRE(f.Until([&f] { return f.server.got == "x"; }));
}

TEST_CASE("tls: a read without waiting decrypts, and tells nothing and the end apart") {
    Fixture f;
    f.Connect();
    char out[4096];
    REQUIRE(f.server.stream->TryRead(out, sizeof(out)) == 0);
    f.Handshake();
    f.server.stream->StopReading();
    REQUIRE(f.server.stream->TryRead(out, sizeof(out)) == 0);
    std::string sent = Pattern(100'000);
    f.client->to_send.Append(sent);
    std::string got;
    REQUIRE(f.Until([&] {
        int64_t size;
        while ((size = f.server.stream->TryRead(out, sizeof(out))) > 0) {
            got.append(out, static_cast<size_t>(size));
        }
        return got.size() == sent.size();
    }));
    REQUIRE(got == sent);
    f.client->SayGoodbye();
    REQUIRE(f.server.stream->TryRead(out, sizeof(out)) == -1);
    REQUIRE(f.server.closed.empty());
    f.server.stream->StartReading();
    REQUIRE(f.Until([&f] { return f.server.closed == std::vector{CloseReason::kEnd}; }));
}

TEST_CASE("tls: reading more inside OnData keeps the order") {
    Fixture f;
    f.Connect();
    f.server.most = 700;
    f.server.on_data = [&f] {
        char out[900];
        int64_t size = f.server.stream->TryRead(out, sizeof(out));
        if (size > 0) {
            f.server.got.append(out, static_cast<size_t>(size));
        }
    };
    f.Handshake();
    std::string sent = Pattern(1 << 20);
    f.client->to_send.Append(sent);
    REQUIRE(f.Until([&] { return f.server.got.size() == sent.size(); }));
    REQUIRE(f.server.got == sent);
}

TEST_CASE("tls: a goodbye from the client is the end, and leaves our direction open") {
    Fixture f;
    f.Connect();
    f.Handshake();
    f.client->to_send.Append("bye");
    f.client->Pump();
    f.client->SayGoodbye();
    REQUIRE(f.Until([&f] { return !f.server.closed.empty(); }));
    REQUIRE(f.server.got == "bye");
    REQUIRE(f.server.closed == std::vector{CloseReason::kEnd});
    f.server.stream->Queue("answer");
    f.server.stream->ShutdownWhenSent();
    REQUIRE(f.Until([&f] { return f.client->told_goodbye(); }));
    REQUIRE(f.client->received == "answer");
}

TEST_CASE("tls: a plain end of file after the handshake is an end too") {
    Fixture f;
    f.Connect();
    f.Handshake();
    f.client->to_send.Append("bye");
    f.client->Pump();
    f.client->HalfClose();
    REQUIRE(f.Until([&f] { return !f.server.closed.empty(); }));
    REQUIRE(f.server.got == "bye");
    REQUIRE(f.server.closed == std::vector{CloseReason::kEnd});
    REQUIRE(f.server.fault.empty());
}

TEST_CASE("tls: our end is a goodbye behind all that was queued, and reading goes on") {
    Fixture f;
    f.Connect();
    f.Handshake();
    std::string sent = Pattern(1 << 20);
    f.server.stream->Queue(sent);
    f.server.stream->ShutdownWhenSent();
    REQUIRE(f.Until([&f] { return f.client->told_goodbye(); }));
    REQUIRE(f.client->received == sent);
    REQUIRE(SSL_write(f.client->raw(), "still there", 11) == 11);
    REQUIRE(f.Until([&f] { return f.server.got == "still there"; }));
    char byte;
    REQUIRE(f.loop.RunUntil([&] { return read(f.client->descriptor(), &byte, 1) == 0; }));
}

TEST_CASE("tls: a client that resets is reported once") {
    Fixture f;
    f.Connect();
    f.Handshake();
    f.client.reset();
    f.server.stream->Queue("x");
    REQUIRE(f.loop.RunUntil([&f] { return !f.server.closed.empty(); }));
    f.server.stream->Queue("y");
    f.loop.RunUntil([&f] { return f.server.stream->queued() == 0; });
    REQUIRE(f.server.closed.size() == 1);
}

TEST_CASE("tls: an abort resets and loses what was queued") {
    Fixture f;
    f.Connect();
    f.Handshake();
    f.server.stream->Queue("lost");
    f.server.stream->Abort();
    REQUIRE(f.server.stream->queued() == 0);
    f.server.stream.reset();
    REQUIRE(f.Until([&f] { return f.client->over(); }));
    REQUIRE_FALSE(f.client->told_goodbye());
    REQUIRE(f.client->received.empty());
}

TEST_CASE("tls: over TCP bytes go both ways, and an abort is a reset") {
    Fixture f;
    f.context = Opened(f.folder.Settings("server"));
    auto ends = LoopbackPair();
    f.server.stream =
        std::make_unique<Stream>(f.loop, Stream::Kind::kTcp, ends[0], &f.server, f.context);
    f.client = std::make_unique<TestTlsClient>(ends[1], TestTlsClient::Options());
    f.server.echoes = true;
    std::string sent = Pattern(8 << 20);
    f.client->to_send.Append(sent);
    f.Handshake();
    REQUIRE(f.Until([&] { return f.client->received.size() == sent.size(); }));
    REQUIRE(f.client->received == sent);
    f.client->reads = false;
    f.server.stream->Queue(sent);
    f.server.stream->Flush();
    f.server.stream->Abort();
    f.server.stream.reset();
    char bytes[4096];
    ssize_t got;
    REQUIRE(f.loop.RunUntil([&] {
        while ((got = read(ends[1], bytes, sizeof(bytes))) > 0) {
        }
        return got == 0 || errno != EAGAIN;
    }));
    REQUIRE(got == -1);
    REQUIRE(errno == ECONNRESET);
}

TEST_CASE("tls: a client that does not trust us is told apart") {
    Fixture f;
    f.Connect();
    SSL_set_verify(f.client->raw(), SSL_VERIFY_PEER, nullptr);
    f.server.stream->StartReading();
    REQUIRE(f.Until([&f] { return !f.server.closed.empty(); }));
    REQUIRE(Has(f.server.fault, "the client does not accept our certificate: "));
    REQUIRE(f.server.secured == 0);
}

TEST_CASE("tls: ALPN takes our favourite, and refuses a client with none of ours") {
    Fixture f;
    TlsSettings settings = f.folder.Settings("server");
    settings.protocols = {"h2", "http/1.1"};
    f.context = Opened(settings);
    TestTlsClient::Options options;

    SECTION("both") {
        options.protocols = "\x08http/1.1\x02h2";
        f.Connect(options);
        f.Handshake();
        REQUIRE(f.server.stream->tls_protocol() == "h2");
    }
    SECTION("a client without ALPN") {
        f.Connect(options);
        f.Handshake();
        REQUIRE(f.server.stream->tls_protocol().empty());
    }
    SECTION("none") {
        options.protocols = "\x04spdy";
        f.Connect(options);
        f.server.stream->StartReading();
        REQUIRE(f.Until([&f] { return f.client->over() && !f.server.closed.empty(); }));
        REQUIRE(f.server.fault == "no shared application protocol (ALPN)");
        REQUIRE(Has(f.client->fault(), "no application protocol"));
    }
}

TEST_CASE("tls: client certificates") {
    Fixture f;
    f.folder.Make("root");
    f.folder.Make("friend", "root");
    f.folder.Make("other-root");
    f.folder.Make("stranger", "other-root");
    TlsSettings settings = f.folder.Settings("server");
    settings.root_ca = f.folder.Certificate("root");

    struct Case {
        ClientAuth auth;
        const char* certificate;
        const char* fault;
    };
    const char* none = "the client sent no certificate";
    const char* unknown =
        "the client's certificate: it is signed by an unknown authority, `CN = other-root`";
    const Case c = GENERATE_COPY(values<Case>({
        {ClientAuth::kNone, "", ""},
        {ClientAuth::kNone, "stranger", ""},
        {ClientAuth::kRequest, "", ""},
        {ClientAuth::kRequest, "stranger", ""},
        {ClientAuth::kRequireAny, "", none},
        {ClientAuth::kRequireAny, "stranger", ""},
        {ClientAuth::kVerifyIfGiven, "", ""},
        {ClientAuth::kVerifyIfGiven, "friend", ""},
        {ClientAuth::kVerifyIfGiven, "stranger", unknown},
        {ClientAuth::kRequireAndVerify, "", none},
        {ClientAuth::kRequireAndVerify, "friend", ""},
        {ClientAuth::kRequireAndVerify, "stranger", unknown},
    }));
    int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    CAPTURE(static_cast<int>(c.auth), c.certificate, version);
    settings.client_auth = c.auth;
    f.context = Opened(settings);
    TestTlsClient::Options options;
    options.highest = version;
    if (*c.certificate != '\0') {
        options.cert = f.folder.Certificate(c.certificate);
        options.key = f.folder.Key(c.certificate);
    }
    f.Connect(options);
    f.server.stream->StartReading();
    REQUIRE(f.Until([&f] { return f.server.secured == 1 || !f.server.closed.empty(); }));
    REQUIRE(f.server.fault == c.fault);
    if (*c.fault != '\0') {
        REQUIRE(f.server.closed == std::vector{CloseReason::kReset});
        REQUIRE(f.server.secured == 0);
        REQUIRE(f.Until([&f] { return f.client->over(); }));
        REQUIRE(Has(f.client->fault(), "alert"));
    }
}

TEST_CASE("tls: a session resumes from its ticket, with a client's certificate too") {
    Fixture f;
    TlsSettings settings = f.folder.Settings("server");
    settings.client_auth = GENERATE(ClientAuth::kNone, ClientAuth::kRequireAny);
    f.context = Opened(settings);
    TestTlsClient::Options options;
    options.highest = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
    options.cert = f.folder.Certificate("server");
    options.key = f.folder.Key("server");
    f.Connect(options);
    f.server.echoes = true;
    f.client->to_send.Append("x");
    f.Handshake();
    REQUIRE(f.Until([&f] { return f.client->received == "x"; }));
    SSL_SESSION* session = SSL_get1_session(f.client->raw());
    REQUIRE(SSL_SESSION_is_resumable(session) == 1);
    auto first = std::move(f.client);
    f.server.secured = 0;
    f.Connect(options);
    SSL_set_session(f.client->raw(), session);
    SSL_SESSION_free(session);
    f.Handshake();
    REQUIRE(SSL_session_reused(f.client->raw()) == 1);
}

TEST_CASE("tls: a client that speaks something else is told apart") {
    Fixture f;
    f.context = Opened(f.folder.Settings("server"));
    auto ends = ConnectedPair();
    f.server.stream =
        std::make_unique<Stream>(f.loop, Stream::Kind::kPipe, ends[0], &f.server, f.context);
    f.server.stream->StartReading();
    std::string text = GENERATE(as<std::string>(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                                "hello, is this a plain text server?\r\n", "PUT /x",
                                "CONNECT a:1 HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xffzzzzzzzzzzzz",
                                "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    CAPTURE(text);
    REQUIRE(write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    REQUIRE(f.loop.RunUntil([&f] { return !f.server.closed.empty(); }));
    REQUIRE(f.server.closed == std::vector{CloseReason::kReset});
    REQUIRE(Has(f.server.fault, "the client does not speak TLS"));
    close(ends[1]);
}

TEST_CASE("tls: a client of before TLS 1.2 has no shared version") {
    Fixture f;
    TestTlsClient::Options options;
    options.lowest = options.highest = TLS1_1_VERSION;
    f.Connect(options);
    f.server.stream->StartReading();
    REQUIRE(f.Until([&f] { return f.client->over() && !f.server.closed.empty(); }));
    REQUIRE(f.server.fault == "no shared protocol version");
    REQUIRE(Has(f.client->fault(), "protocol version"));
}

TEST_CASE("tls: a client that leaves in the handshake is a reset with a reason") {
    Fixture f;
    f.Connect();
    f.server.stream->StartReading();
    if (GENERATE(false, true)) {
        f.client->Pump();
    }
    f.client.reset();
    REQUIRE(f.loop.RunUntil([&f] { return !f.server.closed.empty(); }));
    REQUIRE(f.server.closed == std::vector{CloseReason::kReset});
    REQUIRE(f.server.fault == "the client left before the handshake was done");
}

TEST_CASE("tls: damage after the handshake is a reset with a reason") {
    Fixture f;
    f.Connect();
    f.Handshake();
    bool by_try_read = GENERATE(false, true);
    if (by_try_read) {
        f.server.stream->StopReading();
    }
    std::string damaged("\x17\x03\x03\x00\x20", 5);
    damaged.append(32, 'x');
    REQUIRE(write(f.client->descriptor(), damaged.data(), damaged.size()) == 37);
    if (by_try_read) {
        char out[16];
        REQUIRE(f.server.stream->TryRead(out, sizeof(out)) == -1);
        REQUIRE(f.server.closed.empty());  // not inside our call
    }
    REQUIRE(f.Until([&f] { return f.client->over() && !f.server.closed.empty(); }));
    REQUIRE(f.server.closed == std::vector{CloseReason::kReset});
    REQUIRE(Has(f.server.fault, "bad record mac"));
    REQUIRE(Has(f.client->fault(), "bad record mac"));
    REQUIRE(f.server.got.empty());
}

TEST_CASE("tls: Secure takes over in the middle, with what was received already") {
    Fixture f;
    f.Connect({}, true);
    std::string header = "PROXY UNKNOWN\r\n";
    REQUIRE(write(f.client->descriptor(), header.data(), header.size()) ==
            static_cast<ssize_t>(header.size()));
    f.client->to_send.Append("inside");
    f.client->Pump();  // the hello stands right behind the header
    f.server.echoes = false;
    std::string before;
    f.server.secured = 1;
    f.server.on_data = [&] {
        if (!before.empty()) {
            return;
        }
        before = f.server.got.substr(0, header.size());
        std::string rest = f.server.got.substr(header.size());
        f.server.got.clear();
        f.server.secured = 0;
        REQUIRE(rest.size() > 100);
        f.server.stream->Secure(f.context, rest);
        REQUIRE(f.server.stream->reading());
    };
    f.server.stream->StartReading();
    REQUIRE(f.Until([&f] { return f.server.secured == 1 && f.server.got == "inside"; }));
    REQUIRE(before == header);
    f.server.stream->Queue("answer");
    REQUIRE(f.Until([&f] { return f.client->received == "answer"; }));
}

TEST_CASE("tls: a handler may end the stream in every callback") {
    Fixture f;
    f.Connect();
    SECTION("secured") {
        f.server.dies_in = Server::Call::kSecured;
        f.client->to_send.Append("never read");
    }
    SECTION("data") {
        f.server.dies_in = Server::Call::kData;
        f.client->to_send.Append(Pattern(40'000));
    }
    SECTION("data, at the turn's end") {
        f.server.on_secured = [&f] {
            f.server.stream->StopReading();
            f.loop.Post([&f] {
                f.server.dies_in = Server::Call::kData;
                f.server.stream->StartReading();
            });
        };
        f.client->to_send.Append("x");
    }
    SECTION("closed, by a goodbye") {
        f.server.dies_in = Server::Call::kClosed;
        f.server.on_secured = [&f] { f.client->SayGoodbye(); };
    }
    SECTION("closed, by the socket's end") {
        f.server.dies_in = Server::Call::kClosed;
        f.server.on_secured = [&f] { f.client->HalfClose(); };
    }
    SECTION("closed, by damage") {
        f.server.dies_in = Server::Call::kClosed;
        f.server.on_secured = [&f] {
            REQUIRE(write(f.client->descriptor(), "\x17\x03\x03\x00\x01x", 6) == 6);
        };
    }
    SECTION("closed, in the handshake") {
        f.server.dies_in = Server::Call::kClosed;
        f.client->HalfClose();
    }
    SECTION("closed, by a write") {
        f.server.dies_in = Server::Call::kClosed;
        f.server.on_secured = [&f] {
            f.server.stream->StopReading();
            f.loop.Post([&f] {
                shutdown(f.client->descriptor(), SHUT_RDWR);
                f.server.stream->Queue("x");
            });
        };
    }
    SECTION("drained, right after the handshake") {
        f.server.dies_in = Server::Call::kDrained;
        f.server.stream->Queue("early");
    }
    SECTION("drained, after a long write") {
        f.server.dies_in = Server::Call::kDrained;
        f.server.on_secured = [&f] { f.server.stream->Queue(Pattern(2 << 20)); };
    }
    f.server.stream->StartReading();
    REQUIRE(f.Until([&f] { return f.server.stream == nullptr; }));
}

TEST_CASE("tls: a stream that ends with bytes in flight is no trouble") {
    Fixture f;
    f.Connect();
    f.Handshake();
    f.server.stream->Queue(Pattern(2 << 20));
    f.server.stream->Flush();
    f.server.stream.reset();
    REQUIRE(f.Until([&f] { return f.client->over(); }));
}

TEST_CASE("tls: files that are not usable are named with what is wrong") {
    CertificateFolder folder;
    folder.Make("a");
    folder.Make("b");
    folder.Make("locked", "", "secret");
    std::ofstream(folder.Certificate("noise")) << "no certificate at all\n";
    std::ofstream(folder.Certificate("torn"))
        << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    TlsSettings a = folder.Settings("a");

    SECTION("missing") {
        a.cert = folder.Certificate("missing");
        auto context = TlsContext::Open(a);
        REQUIRE(context.error().code == Errc::kNotFound);
        REQUIRE(Has(context.error().message, a.cert + ": no such file"));
        a = folder.Settings("a");
        a.key = folder.Key("missing");
        REQUIRE(Has(OpenFault(a), a.key + ": no such file"));
    }
    SECTION("no PEM") {
        a.cert = folder.Certificate("noise");
        REQUIRE(OpenFault(a) == a.cert + ": no certificate in PEM form");
        a = folder.Settings("a");
        a.key = folder.Certificate("noise");
        REQUIRE(OpenFault(a) == a.key + ": no private key in PEM form");
    }
    SECTION("broken") {
        a.cert = folder.Certificate("torn");
        REQUIRE(Has(OpenFault(a), a.cert + ": broken certificate"));
    }
    SECTION("the two mixed up") {
        std::swap(a.cert, a.key);
        REQUIRE(OpenFault(a) == a.cert + ": no certificate in PEM form");
    }
    SECTION("a passphrase") {
        TlsSettings locked = folder.Settings("locked");
        REQUIRE(OpenFault(locked) ==
                locked.key +
                    ": the key has a passphrase, which rr does not ask for; write it without: "
                    "openssl pkey -in " +
                    locked.key + " -out " + locked.key + ".plain");
    }
    SECTION("another certificate's key") {
        a.key = folder.Key("b");
        REQUIRE(OpenFault(a) == a.key + ": the key of another certificate than " + a.cert);
    }
    SECTION("roots") {
        a.client_auth = ClientAuth::kRequireAndVerify;
        REQUIRE(OpenFault(a) == "opened");  // the system's
        a.root_ca = folder.Certificate("noise");
        REQUIRE(OpenFault(a) == a.root_ca + ": no certificate in PEM form");
        a.root_ca = folder.Certificate("missing");
        REQUIRE(Has(OpenFault(a), a.root_ca + ": no such file"));
    }
    SECTION("an ALPN name that does not fit") {
        a.protocols = {std::string(256, 'x')};
        REQUIRE(Has(OpenFault(a), "ALPN"));
    }
}

TEST_CASE("tls session: bytes in any pieces come to the same, and idle ones hold no buffer") {
    CertificateFolder folder;
    folder.Make("server");
    TlsSession session(Opened(folder.Settings("server")));
    auto ends = ConnectedPair();
    TestTlsClient client(ends[1], {});
    client.to_send.Append("one byte at a time");
    std::string got;
    bool done = false;
    for (int i = 0; i < 100'000 && got.size() < 18; ++i) {
        client.Pump();
        char byte;
        if (read(ends[0], &byte, 1) != 1) {
            continue;
        }
        session.Feed(Bytes(&byte, 1));
        if (!done) {
            done = session.Handshake() == TlsSession::Status::kData;
        }
        if (done && session.Ready() == TlsSession::Status::kData) {
            char out[64];
            got.append(out, session.Read(out, sizeof(out)));
        }
        session.Keep();
        Buffer& wire = session.wire();
        REQUIRE(write(ends[0], wire.data(), wire.size()) == static_cast<ssize_t>(wire.size()));
        wire.Clear(0);
    }
    REQUIRE(got == "one byte at a time");
    REQUIRE_FALSE(session.HasInput());
    close(ends[0]);
}

}  // namespace rr::net
