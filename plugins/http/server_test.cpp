#include "plugins/http/server.hpp"

#include <deque>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "plugins/http/allocations_for_test.hpp"

namespace rr::http {
namespace {

using namespace std::chrono_literals;

// A pool whose workers are the test: it sees each job and says what comes of it.
class FakePool final : public pool::WorkerPool {
public:
    struct Given {
        pool::Ticket ticket;
        pool::Job job;
        pool::JobSink* sink;
        bool cancelled = false;
        int resumed = 0;
    };
    std::deque<Given> jobs;
    bool queues = false;  // nobody begins with what is given
    uint64_t last = 0;
    pool::PoolConfig settings;

    pool::Ticket Exec(const pool::Job& job, pool::JobSink& sink) override {
        jobs.push_back({{++last}, job, &sink});
        return {last};
    }
    void Cancel(pool::Ticket ticket) override { Find(ticket).cancelled = true; }
    bool InQueue(pool::Ticket) const override { return queues; }
    void Resume(pool::Ticket ticket) override { ++Find(ticket).resumed; }
    void Reset(Done done) override { done({}); }
    void AddWorker(Done done) override { done({}); }
    void RemoveWorker(Done done) override { done({}); }
    GroupStatus Status() const override { return {}; }
    bool CanServe() const override { return true; }
    const pool::PoolConfig& config() const override { return settings; }
    void Close(Deadline, Callback<void()> closed) override {
        for (auto& given : jobs) {
            given.sink->OnDone({pool::JobEnd::kClosed, {}});
        }
        jobs.clear();
        closed();
    }

    Given& Find(pool::Ticket ticket) {
        for (auto& given : jobs) {
            if (given.ticket.id == ticket.id) {
                return given;
            }
        }
        FAIL("no such job");
        return jobs.front();
    }
    void Head(std::string_view context, uint64_t body, bool more, bool whole = false) {
        std::string padded(context);
        padded.append(pool::AnswerHead::kPadding, '\0');
        pool::AnswerHead head;
        head.context = Bytes(padded.data(), context.size());
        head.body_size = body;
        head.more = more;
        head.whole = whole;
        jobs.front().sink->OnHead(head);
    }
    bool Chunk(Bytes body) { return jobs.front().sink->OnChunk(body); }
    void Done(pool::JobEnd end = pool::JobEnd::kDone, Bytes message = {}) {
        pool::JobSink* sink = jobs.front().sink;
        jobs.pop_front();
        sink->OnDone({end, message});
    }
    void Answer(Bytes body) {
        // As a real pool: context and body lie in one buffer until the chunk was taken.
        static const std::string context =
            R"({"status":200,"headers":{}})" + std::string(pool::AnswerHead::kPadding, '\0');
        pool::AnswerHead head;
        head.context = Bytes(context.data(), context.size() - pool::AnswerHead::kPadding);
        head.body_size = body.size();
        head.whole = true;
        jobs.front().sink->OnHead(head);
        jobs.front().sink->OnChunk(body);
        Done();
    }
    std::string Context() const {
        const pool::Job& job = jobs.back().job;
        return {job.context, job.context_size};
    }
    std::string Body() const {
        const pool::Job& job = jobs.back().job;
        return {job.context + job.context_size, job.body_size};
    }
};

struct Client final : net::StreamHandler {
    Client(Loop& loop, int descriptor) : stream(loop, net::Stream::Kind::kPipe, descriptor, this) {
        stream.StartReading();
    }
    std::span<char> OnReadBuffer() override { return net::ReadScratch(); }
    void OnData(size_t size) override { seen.append(net::ReadScratch().data(), size); }
    void OnClosed(net::CloseReason) override { closed = true; }

    net::Stream stream;
    std::string seen;
    bool closed = false;
};

struct Fixture {
    Fixture() {
        config.pool.num_workers = 1;
        Start();
    }
    ~Fixture() {
        clients.clear();
        bool closed = false;
        server->Close(Clock::now(), [&closed] { closed = true; });
        REQUIRE(loop.RunUntil([&closed] { return closed; }));
        server.reset();
    }
    void Start() {
        auto owned = std::make_unique<FakePool>();
        pool = owned.get();
        server = std::make_unique<HttpServer>(loop, config, log::Logger(), bus, File::Owner{},
                                              std::move(owned));
    }
    Client& Connect() {
        auto ends = net::ConnectedPair();
        server->Add(ends[0], net::Stream::Kind::kPipe);
        return *clients.emplace_back(std::make_unique<Client>(loop, ends[1]));
    }
    template <class F>
    void Until(F holds) {
        REQUIRE(loop.RunUntil([&holds] { return holds(); }, 10s));
    }
    void Jobs(size_t count) {
        Until([this, count] { return pool->jobs.size() >= count; });
    }
    static bool EndsWith(const std::string& text, std::string_view end) {
        return text.size() >= end.size() &&
               std::string_view(text).substr(text.size() - end.size()) == end;
    }

    Loop loop{"test"};
    EventBus bus;
    HttpConfig config;
    FakePool* pool = nullptr;
    std::unique_ptr<HttpServer> server;
    std::vector<std::unique_ptr<Client>> clients;
};

constexpr const char* kGet = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";

}  // namespace

TEST_CASE_METHOD(Fixture, "http server: a whole answer has its length and the connection goes on") {
    Client& client = Connect();
    for (int i = 0; i < 3; ++i) {
        client.seen.clear();
        client.stream.Queue(kGet);
        Jobs(1);
        REQUIRE(pool->Context().find(R"("uri":"http://h/a")") != std::string::npos);
        pool->Answer("hello");
        Until([&client] { return EndsWith(client.seen, "\r\n\r\nhello"); });
        REQUIRE(client.seen.find("HTTP/1.1 200 OK\r\n") == 0);
        REQUIRE(client.seen.find("Content-Length: 5\r\n") != std::string::npos);
    }
    REQUIRE_FALSE(client.closed);
}

TEST_CASE_METHOD(Fixture,
                 "http server: a warm request allocates nothing between its first and last byte") {
    Client& client = Connect();
    size_t before = 0;
    for (int i = 0; i < 50; ++i) {
        client.seen.clear();
        client.stream.Queue(kGet);
        pool->jobs.clear();
        if (i == 40) {
            before = AllocationsSoFar();
        }
        Until([this] { return !pool->jobs.empty(); });
        pool->Answer("hello");
        Until([&client] { return EndsWith(client.seen, "hello"); });
    }
    // The fake pool's list and the loop of the test may allocate; the server must not: what is left
    // is far below one per request.
    REQUIRE(AllocationsSoFar() - before < 10);
}

TEST_CASE_METHOD(Fixture, "http server: a pipelined request waits for the answer before it") {
    Client& client = Connect();
    client.stream.Queue(std::string(kGet) +
                        "POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc");
    Jobs(1);
    REQUIRE(pool->jobs.size() == 1);
    pool->Answer("first");
    Jobs(1);
    REQUIRE(pool->Body() == "abc");
    pool->Answer("second");
    Until([&client] { return EndsWith(client.seen, "second"); });
    REQUIRE(client.seen.find("first") < client.seen.find("second"));
}

TEST_CASE_METHOD(Fixture, "http server: a body above the threshold reaches the pool as a file") {
    Client& client = Connect();
    std::string body(200'000, 'x');
    client.stream.Queue("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" + body);
    Jobs(1);
    const pool::Job& job = pool->jobs.front().job;
    REQUIRE(job.body_size == 0);
    REQUIRE(job.body_file >= 0);
    REQUIRE(job.body_file_size == body.size());
    pool->Answer("");
    Until([&client] { return EndsWith(client.seen, "\r\n\r\n"); });
}

TEST_CASE_METHOD(Fixture, "http server: a queued request of a client that went is cancelled") {
    pool->queues = true;
    Client& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    std::string context = pool->Context();
    clients.clear();
    Until([this] { return pool->jobs.front().cancelled; });
    Until([this] { return server->connections() == 0; });
    // The bytes are the pool's until OnDone, though the connection is gone.
    REQUIRE(pool->Context() == context);
    pool->Done(pool::JobEnd::kCancelled);
}

TEST_CASE_METHOD(Fixture, "http server: a running request of a half-closed client is answered") {
    Client& client = Connect();
    client.stream.Queue(kGet);
    client.stream.ShutdownWhenSent();
    Jobs(1);
    loop.RunUntil([] { return false; }, 30ms);
    REQUIRE_FALSE(pool->jobs.front().cancelled);
    pool->Answer("late");
    Until([&client] { return client.closed; });
    REQUIRE(EndsWith(client.seen, "late"));
}

TEST_CASE_METHOD(Fixture,
                 "http server: a stream waits for a client that does not read, and goes on") {
    Client& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    client.stream.StopReading();
    std::string piece(64 * 1024, 'p');
    size_t sent = 0;
    bool room = true;
    while (room) {
        pool->Head(sent == 0 ? R"({"status":200})" : "", piece.size(), true);
        room = pool->Chunk(piece);
        sent += piece.size();
        loop.RunUntil([] { return true; });
        REQUIRE(sent < 16u << 20);
    }
    loop.RunUntil([] { return false; }, 30ms);
    REQUIRE(pool->jobs.front().resumed == 0);
    client.stream.StartReading();
    Until([this] { return pool->jobs.front().resumed == 1; });
    pool->Head("", 0, false, true);
    pool->Done();
    Until([&client] { return EndsWith(client.seen, "\r\n0\r\n\r\n"); });
    REQUIRE(client.seen.size() > sent);
}

TEST_CASE_METHOD(Fixture, "http server: pieces of one frame have a length, not chunks") {
    Client& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Head(R"({"status":200})", 6, false);
    pool->Chunk("abc");
    pool->Chunk("def");
    pool->Done();
    Until([&client] { return EndsWith(client.seen, "\r\n\r\nabcdef"); });
    REQUIRE(client.seen.find("Content-Length: 6\r\n") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "http server: a failure before the first byte is an answer") {
    Client& client = Connect();
    auto status = [this, &client](pool::JobEnd end) {
        client.seen.clear();
        client.stream.Queue(kGet);
        Jobs(1);
        pool->Done(end, "why");
        Until([&client] { return EndsWith(client.seen, "\r\n\r\n"); });
        return client.seen.substr(9, 3);
    };
    REQUIRE(status(pool::JobEnd::kSoftError) == "500");
    REQUIRE(status(pool::JobEnd::kWorkerDied) == "502");
    REQUIRE(status(pool::JobEnd::kProtocol) == "502");
    REQUIRE(status(pool::JobEnd::kNoWorker) == "503");
    REQUIRE(client.seen.find("Retry-After: 1\r\n") != std::string::npos);
    REQUIRE(status(pool::JobEnd::kExecTtl) == "504");
    REQUIRE(status(pool::JobEnd::kTooLarge) == "413");
    REQUIRE(status(pool::JobEnd::kDone) == "502");
}

TEST_CASE_METHOD(Fixture, "http server: a failure in mid-answer cuts the connection") {
    Client& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Head(R"({"status":200})", 3, true);
    pool->Chunk("abc");
    pool->Done(pool::JobEnd::kWorkerDied);
    Until([&client] { return client.closed; });
    REQUIRE(EndsWith(client.seen, "3\r\nabc\r\n"));
    REQUIRE(server->connections() == 0);
}

TEST_CASE_METHOD(Fixture, "http server: a head without a body at the stream's end has length 0") {
    Client& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Head(R"({"status":200})", 0, true);
    pool->Head("", 0, false, true);
    pool->Done();
    Until([&client] { return EndsWith(client.seen, "\r\n\r\n"); });
    REQUIRE(client.seen.find("Content-Length: 0\r\n") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "http server: draining closes idle connections and announces the close") {
    Client& busy = Connect();
    Client& idle = Connect();
    busy.stream.Queue(kGet);
    Jobs(1);
    bool drained = false;
    server->Drain(Clock::now() + 20s, [&drained] { drained = true; });
    pool->Answer("last");
    Until([&busy] { return busy.closed; });
    REQUIRE(busy.seen.find("Connection: close\r\n") != std::string::npos);
    busy.stream.ShutdownWhenSent();
    Until([&drained] { return drained; });
    REQUIRE(idle.closed);
}

TEST_CASE_METHOD(Fixture, "http server: requests and connections are told to whoever listens") {
    std::vector<std::string> told;
    bus.connection.Subscribe([&told](const ConnectionEvent& event) {
        told.push_back(event.phase == ConnectionPhase::kOpened ? "opened" : "closed");
    });
    bus.request.Subscribe([&told](const RequestEvent& event) {
        told.push_back(event.phase == RequestPhase::kBegun
                           ? "begun " + std::string(event.uri)
                           : "finished " + std::to_string(event.status));
    });
    Client& client = Connect();
    client.stream.Queue(kGet);
    Jobs(1);
    pool->Answer("x");
    clients.clear();
    Until([this] { return server->connections() == 0; });
    REQUIRE(told == std::vector<std::string>{"opened", "begun /a", "finished 200", "closed"});
}

}  // namespace rr::http
