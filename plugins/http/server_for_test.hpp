// A server whose workers and clients are the test.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/loop.hpp"
#include "core/net/stream.hpp"
#include "core/pool/pool.hpp"
#include "plugins/http/server.hpp"

namespace rr::http {

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

struct TestClient final : net::StreamHandler {
    TestClient(Loop& loop, int descriptor)
        : stream(loop, net::Stream::Kind::kPipe, descriptor, this) {
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
        std::vector<std::unique_ptr<pool::WorkerPool>> others;
        if (config.debug) {
            others.push_back(std::make_unique<FakePool>());
            debug_pool = static_cast<FakePool*>(others.back().get());
        }
        server = std::make_unique<HttpServer>(loop, config, log::Logger(), bus, File::Owner{},
                                              std::move(owned), middleware, std::move(others));
    }
    TestClient& Connect() {
        auto ends = net::ConnectedPair();
        server->Add(ends[0], net::Stream::Kind::kPipe);
        return *clients.emplace_back(std::make_unique<TestClient>(loop, ends[1]));
    }
    template <class F>
    void Until(F holds) {
        REQUIRE(loop.RunUntil([&holds] { return holds(); }, std::chrono::seconds(10)));
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
    MiddlewareChain middleware;
    FakePool* pool = nullptr;
    FakePool* debug_pool = nullptr;  // with config.debug
    std::unique_ptr<HttpServer> server;
    std::vector<std::unique_ptr<TestClient>> clients;
};

}  // namespace rr::http
