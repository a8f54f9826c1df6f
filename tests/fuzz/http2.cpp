// An HTTP/2 connection: the input is what a client sends behind the preface (and behind a good SETTINGS
// frame if its first byte is odd), in pieces. Its requests are answered by a pool that knows one answer.
// Nothing may be left over: every exchange ends, every job is answered or cancelled.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <uv.h>

#include "core/base/check.hpp"
#include "plugins/http/server.hpp"

namespace {

using namespace rr;
using namespace rr::http;

class OneAnswerPool final : public pool::WorkerPool {
public:
    pool::Ticket Exec(const pool::Job& job, pool::JobSink& sink) override {
        RR_CHECK(job.context_size > 0);
        jobs_.push_back({{++last_}, &sink});
        return {last_};
    }
    void Cancel(pool::Ticket) override {}
    bool InQueue(pool::Ticket) const override { return false; }
    void Resume(pool::Ticket) override {}
    void Reset(Done done) override { done({}); }
    void AddWorker(Done done) override { done({}); }
    void RemoveWorker(Done done) override { done({}); }
    GroupStatus Status() const override { return {}; }
    const pool::PoolConfig& config() const override { return config_; }
    void Close(Deadline, Callback<void()> closed) override {
        Answer();
        closed();
    }
    void Answer() {
        static const std::string context =
            R"({"status":200,"headers":{"X-A":["1"],"Trailer":["X-T"],"X-T":["t"]}})" +
            std::string(pool::AnswerHead::kPadding, '\0');
        auto jobs = std::move(jobs_);
        jobs_.clear();
        for (auto& [ticket, sink] : jobs) {
            pool::AnswerHead head;
            head.context = Bytes(context.data(), context.size() - pool::AnswerHead::kPadding);
            head.body_size = 5;
            head.whole = true;
            sink->OnHead(head);
            sink->OnChunk("hello");
            sink->OnDone({pool::JobEnd::kDone, {}});
        }
    }
    size_t waiting() const { return jobs_.size(); }

private:
    struct Given {
        pool::Ticket ticket;
        pool::JobSink* sink;
    };
    std::vector<Given> jobs_;
    uint64_t last_ = 0;
    pool::PoolConfig config_;
};

struct Bench {
    Bench() {
        config.http2.h2c = true;
        config.limits.head = 4096;
        config.max_request_size = 100000;
        auto owned = std::make_unique<OneAnswerPool>();
        pool = owned.get();
        server = std::make_unique<HttpServer>(loop, config, log::Logger(), bus, File::Owner{},
                                              std::move(owned));
    }

    Loop loop{"fuzz"};
    EventBus bus;
    HttpConfig config;
    OneAnswerPool* pool;
    std::unique_ptr<HttpServer> server;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1 || size > 64 * 1024) {
        return 0;
    }
    static Bench& bench = *new Bench;  // to close it takes a while
    Loop& loop = bench.loop;
    OneAnswerPool* pool = bench.pool;
    HttpServer* server = bench.server.get();
    auto ends = net::ConnectedPair();
    server->Add(ends[0], net::Stream::Kind::kPipe);

    std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    if ((data[0] & 1) != 0) {
        bytes.append("\0\0\0\4\0\0\0\0\0", 9);
    }
    bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
    size_t piece = (data[0] >> 1) == 127 ? bytes.size() : 1 + size_t{data[0]} * 4;
    std::string_view left = bytes;
    char sink[64 * 1024];
    while (!left.empty()) {
        ssize_t sent = write(ends[1], left.data(), std::min(piece, left.size()));
        if (sent <= 0) {
            break;  // it has had enough
        }
        left.remove_prefix(static_cast<size_t>(sent));
        for (int turn = 0; turn < 3; ++turn) {
            uv_run(loop.raw(), UV_RUN_NOWAIT);
            pool->Answer();
        }
        while (read(ends[1], sink, sizeof(sink)) > 0) {
        }
    }
    close(ends[1]);
    for (int turn = 0; turn < 4; ++turn) {
        uv_run(loop.raw(), UV_RUN_NOWAIT);
        pool->Answer();
    }
    RR_CHECK(server->connections() == 0);
    return 0;
}
