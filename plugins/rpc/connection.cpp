#include "plugins/rpc/connection.hpp"

#include <algorithm>
#include <utility>

#include "plugins/rpc/server.hpp"

namespace rr::rpc {
namespace {

constexpr size_t kSmallRead = 4 * 1024;
constexpr size_t kLargeRead = 64 * 1024;
constexpr size_t kKeepInput = 4 * 1024;  // an idle connection holds no more than this

}  // namespace

Connection::Connection(RpcServer& server, net::Stream::Kind kind, int descriptor)
    : server_(server), stream_(server.loop(), kind, descriptor, this) {
    stream_.StartReading();
}

Connection::~Connection() { ForgetCalls(); }

std::span<char> Connection::OnReadBuffer() {
    borrowed_ = input_.empty();
    if (borrowed_) {
        return net::ReadScratch();
    }
    // The memory grows with what has come, not with what a head promises.
    size_t most = std::max(kLargeRead, input_.size());
    input_.Reserve(std::clamp(missing_, kSmallRead, most));
    return {input_.tail(), input_.room()};
}

void Connection::OnData(size_t size) {
    if (borrowed_) {
        Bytes in(net::ReadScratch().data(), size);
        in.remove_prefix(RunRequests(in));
        if (state_ == State::kOpen) {
            input_.Append(in);
        }
        return;
    }
    input_.Commit(size);
    input_.Consume(RunRequests(input_.view()));
    if (input_.empty()) {
        input_.Clear(kKeepInput);
    }
}

// Runs what is whole at the start of `in`; how many bytes that was.
size_t Connection::RunRequests(Bytes in) {
    if (dialect_ == Dialect::kUnknown) {
        dialect_ = DialectOf(in.front());
    }
    size_t done = 0;
    while (state_ == State::kOpen && done < in.size()) {
        Request request;
        Scan scan = ScanRequest(dialect_, in.substr(done), server_.max_payload(), request);
        if (scan.status == ScanStatus::kNeedMore) {
            size_t have = in.size() - done;
            missing_ = scan.size > have ? scan.size - have : 0;
            break;
        }
        if (scan.status == ScanStatus::kBad) {
            server_.ReportBad(scan.problem, stream_);
            stream_.Flush();  // answers to what came before
            Close();
            break;
        }
        server_.calls().Run(request, *this);
        done += scan.size;
    }
    return done;
}

void Connection::OnClosed(net::CloseReason reason) {
    if (reason == net::CloseReason::kReset) {
        Close();
        return;
    }
    if (state_ == State::kOpen) {
        state_ = State::kEnded;
        if (running() == 0) {
            Leave();
        }
    }
}

Buffer* Connection::AnswerBuffer() {
    if (state_ == State::kClosed) {
        return nullptr;
    }
    if (stream_.queued() > server_.max_write_queue()) {
        // More than a turn's worth: what the kernel takes now does not count.
        stream_.Flush();
        if (state_ != State::kClosed && stream_.queued() > server_.max_write_queue()) {
            server_.ReportUnread(stream_);
            Close();
        }
    }
    return state_ == State::kClosed ? nullptr : &stream_.queue();
}

void Connection::OnAnswered() {
    stream_.Flushed();
    if (state_ == State::kEnded && running() == 0) {
        Leave();
    }
}

void Connection::Finish(std::string_view reason) {
    if (state_ == State::kOpen) {
        stream_.StopReading();
        state_ = State::kEnded;
    }
    FailCalls(reason);
    if (state_ == State::kEnded) {
        Leave();
    }
}

// The last answer is queued: it goes out, then the connection goes.
void Connection::Leave() {
    state_ = State::kLeaving;
    stream_.Flush();
    if (state_ == State::kLeaving && stream_.queued() == 0) {
        Close();
    }
}

void Connection::OnDrained() {
    if (state_ == State::kLeaving && stream_.queued() == 0) {
        Close();
    }
}

void Connection::Close() {
    if (state_ == State::kClosed) {
        return;
    }
    state_ = State::kClosed;
    stream_.StopReading();
    ForgetCalls();
    server_.Remove(*this);
}

}  // namespace rr::rpc
