// A worker's requests and answers; worker.cpp has its life.
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "core/pool/worker.hpp"
#include "relay/frame_v2.hpp"

namespace rr::pool {
namespace {

constexpr size_t kFilePiece = 64 * 1024;
// What goes into a pipe in one write and is never split, however large the pipe is.
constexpr size_t kAtomic = PIPE_BUF;
constexpr Bytes kReplaceMe = "{\"stop\":true}";

}  // namespace

// ---- requests out

bool Worker::Start(Entry& entry) {
    RR_ASSERT(serving() && open_count_ == 0);
    if (meter_) {
        meter_->Begin();
    }
    uint64_t before = channel_->sent();
    if (!Write(entry, last_number_ + 1, false)) {
        awaiting_fence_ = fence_due_ = false;
        return false;
    }
    ++last_number_;
    ++execs_;
    event_ = entry.job.event;
    event_answered_ = event_failed_ = false;
    open_[0] = {&entry, last_number_, before};
    open_count_ = 1;
    entry.Attach(this);
    answer_begun_ = false;
    state_ = WorkerState::kWorking;
    started_ = Clock::now();
    if (settings_.config->supervisor.exec_ttl > Duration::zero()) {
        if (!exec_timer_) {
            exec_timer_ = std::make_unique<net::Timer>(loop_, [this] { OnExecLimit(); });
        }
        // Left running from one request to the next: OnExecLimit looks at the real start.
        if (!exec_timer_->armed()) {
            exec_timer_->Arm(settings_.config->supervisor.exec_ttl);
        }
    }
    if (meter_) {
        Watch();
    }
    return true;
}

bool Worker::Prefetch(Entry& entry) {
    RR_ASSERT(numbered_ && open_count_ == 1);
    uint64_t before = channel_->sent();
    if (!Write(entry, last_number_ + 1, true)) {
        return false;
    }
    ++last_number_;
    open_[1] = {&entry, last_number_, before};
    open_count_ = 2;
    entry.Attach(this);
    return true;
}

// Writes the frame: the header goes into the headroom in front of the context.
bool Worker::Write(Entry& entry, uint32_t number, bool at_once) {
    Job& job = entry.job;
    if (settings_.dialect == relay::Dialect::kV2) {
        if (!WriteV2(job)) {
            return false;
        }
    } else {
        relay::FrameHeader header;
        header.flags = job.codec;
        header.options = numbered_ ? 2 : 1;
        header.option[0] = job.context_size;
        header.option[1] = number;
        header.payload =
            static_cast<uint32_t>(job.context_size + job.body_size + job.body_file_size);
        char* start = job.context - header.size();
        relay::EncodeFrameHeader(header, start);
        Bytes frame(start, header.size() + job.context_size + job.body_size);
        if (at_once) {
            return channel_->TrySend(frame);
        }
        awaiting_fence_ = job.event || (settings_.config->fence && !numbered_);
        bool together =
            awaiting_fence_ && job.body_file_size == 0 && frame.size() + Fence().size() <= kAtomic;
        Bytes slices[2] = {frame, together ? Fence() : Bytes()};
        if (!channel_->Send(slices, together ? 2 : 1)) {
            return false;
        }
        fence_due_ = awaiting_fence_ && !together;
    }
    if (job.body_file >= 0 && job.body_file_size > 0) {
        file_entry_ = &entry;
        file_offset_ = 0;
        PumpFile();
    }
    PutFence();
    return true;
}

bool Worker::WriteV2(Job& job) {
    constexpr uint8_t kContext = relay::v2::flag::kControl | relay::v2::flag::kRaw;
    char* start = job.context - relay::v2::kPrefixSize;
    relay::v2::EncodePrefix({kContext, job.context_size}, start);
    relay::v2::EncodePrefix({0, job.body_size + job.body_file_size}, v2_body_prefix_);
    Bytes slices[3] = {Bytes(start, relay::v2::kPrefixSize + job.context_size),
                       Bytes(v2_body_prefix_, sizeof(v2_body_prefix_)),
                       Bytes(job.context + job.context_size, job.body_size)};
    return channel_->Send(slices, 3);
}

Bytes Worker::Fence() {
    if (fence_.empty()) {
        fence_ = relay::PidRequest(relay::Dialect::kV3, getpid());
    }
    return fence_;
}

// SDKs read a header with one call and die of one that comes in two pieces. So a fence never shares
// a long write with its request: it is one of its own when everything before it has gone out, short
// enough to go into a pipe whole or, if that is full, not at all yet.
void Worker::PutFence() {
    if (!fence_due_ || file_entry_ != nullptr || channel_->sending() || leaving()) {
        return;
    }
    fence_due_ = false;
    channel_->Send(Fence());  // broken: CheckInput, or the end of its output
}

// Sends the next piece of a request's file, one at a time, each when the one before has gone out.
void Worker::PumpFile() {
    if (file_entry_ == nullptr || file_reading_ || channel_->sending()) {
        return;
    }
    if (!file_piece_) {
        file_piece_.reset(new char[kFilePiece]);
    }
    file_reading_ = true;
    auto got = std::make_shared<int64_t>(-1);
    int descriptor = file_entry_->job.body_file;
    uint64_t offset = file_offset_;
    size_t size = std::min<uint64_t>(kFilePiece, file_entry_->job.body_file_size - offset);
    loop_.Offload(
        [got, descriptor, offset, size, out = file_piece_.get()] {
            *got = pread(descriptor, out, size, static_cast<off_t>(offset));
        },
        [this, got] { OnFilePiece(*got); });
}

void Worker::OnFilePiece(int64_t size) {
    file_reading_ = false;
    if (exited_) {
        file_entry_ = nullptr;
        FinishGone();
        return;
    }
    if (file_entry_ == nullptr || leaving()) {
        return;
    }
    if (size <= 0) {
        Broken(JobEnd::kWorkerDied, "the request body could not be read back from its file");
        return;
    }
    file_offset_ += static_cast<uint64_t>(size);
    if (!channel_->Send(Bytes(file_piece_.get(), static_cast<size_t>(size)))) {
        return;  // its last words, or its end, are on their way
    }
    if (file_offset_ == file_entry_->job.body_file_size) {
        file_entry_ = nullptr;
        file_piece_.reset();
        PutFence();
        return;
    }
    PumpFile();
}

void Worker::OnSent() {
    PumpFile();
    PutFence();
}

void Worker::Abandon(Entry& entry) {
    for (size_t i = 0; i < open_count_; ++i) {
        if (open_[i].entry == &entry) {
            open_[i].entry = nullptr;
        }
    }
    entry.Detach(this);
}

void Worker::Forget() {
    open_ = {};
    open_count_ = 0;
    streaming_ = awaiting_fence_ = fence_due_ = false;
}

void Worker::StopStream() {
    if (streaming_ && !stop_sent_ && settings_.dialect == relay::Dialect::kV3) {
        stop_sent_ = true;
        life_timer_.Arm(settings_.config->stream_timeout);
        channel_->Send(Bytes(relay::kStopStreamFrame, sizeof(relay::kStopStreamFrame)));
    }
}

// ---- answers in

bool Worker::OnFrame(const relay::FrameHeader& header, Bytes context, Bytes body, bool whole) {
    if (stopping_ || killed_) {
        return true;  // after a stop command everything is ignored
    }
    if ((header.flags & relay::flag::kControl) != 0) {
        return OnControl(body);
    }
    if (!booted_) {
        FailBoot("the worker wrote something else than the answer to the handshake");
        return true;
    }
    if (open_count_ == 0) {
        Broken(JobEnd::kProtocol, "the worker sent an answer that nobody asked for");
        return true;
    }
    if (file_entry_ != nullptr && channel_->write_broken()) {
        file_entry_ = nullptr;  // it stopped reading, and answers all the same
    }
    if (file_entry_ != nullptr) {
        Broken(JobEnd::kProtocol, "the worker answered before it had read the whole request");
        return true;
    }
    if (numbered_ && whole && header.options == 2 && header.option[1] < open_[0].number) {
        owner_.OnStaleAnswer(*this);
        return true;
    }
    if (!Number(header)) {
        return true;
    }
    if ((header.flags & relay::flag::kError) != 0) {
        return OnError(body);
    }
    Entry* entry = open_[0].entry;
    bool more = (header.stream & relay::stream::kStream) != 0;
    bool first = !answer_begun_ && !event_answered_;
    if (first && !more && whole && body.empty() && context == kReplaceMe) {
        open_[0] = open_[1];
        --open_count_;
        if (entry != nullptr) {
            entry->Detach(this);
        }
        owner_.OnHandedBack(*this, entry);
        return true;
    }
    // The first frame that asks for a PONG gets none, as in the reference.
    if (more && answer_begun_ && (header.stream & relay::stream::kPing) != 0) {
        channel_->Send(Bytes(relay::kPongFrame, sizeof(relay::kPongFrame)));
    }
    if (awaiting_fence_ && (more || streaming_)) {
        WatchFence(header);
    }
    streaming_ = more;
    frame_more_ = more;
    bool wanted = entry != nullptr && Claim();
    answer_begun_ = true;
    bool go_on = true;
    if (wanted && !entry->cancelled) {
        entry->streaming = more;
        AnswerHead head;
        head.context = context;
        head.body_size = header.payload - context.size();
        head.flags = header.flags;
        head.more = more;
        head.whole = whole;
        entry->sink->OnHead(head);
        if (!body.empty() && !entry->cancelled) {
            go_on = entry->sink->OnChunk(body);
        }
    } else if (more) {
        StopStream();
    }
    if (settings_.config->supervisor.exec_ttl > Duration::zero() && more) {
        started_ = Clock::now();  // exec_ttl applies to each frame of a stream
    }
    if (whole && !more && !event_) {
        // Whatever the sink said: the next answer is somebody else's, and nobody would resume it.
        EndAnswer(JobEnd::kDone, "");
        return true;
    }
    if (whole && !more) {
        EndEventAnswer();
    }
    return go_on || entry == nullptr || entry->cancelled;
}

bool Worker::OnBody(Bytes piece, bool last) {
    if (stopping_ || killed_ || open_count_ == 0) {
        return true;
    }
    Entry* entry = open_[0].entry;
    bool go_on = true;
    if (entry != nullptr && !entry->cancelled) {
        go_on = entry->sink->OnChunk(piece);
    }
    if (last && !frame_more_ && !event_) {
        EndAnswer(JobEnd::kDone, "");
        return true;
    }
    if (last && !frame_more_) {
        EndEventAnswer();
    }
    return go_on || entry == nullptr || entry->cancelled;
}

// An answer must carry the number of the oldest open request, from workers that number.
bool Worker::Number(const relay::FrameHeader& header) {
    bool error = (header.flags & relay::flag::kError) != 0;
    if (!numbered_) {
        if (!error && header.options != 1) {
            Broken(JobEnd::kProtocol,
                   "the answer has " + std::to_string(header.options) + " options instead of one");
            return false;
        }
        return true;
    }
    if (header.options != 2 || header.option[1] != open_[0].number) {
        Broken(JobEnd::kProtocol, "the answer does not carry the number of the request");
        return false;
    }
    return true;
}

// The first worker to answer an entry that two of them hold owns it from then on.
bool Worker::Claim() {
    Entry* entry = open_[0].entry;
    if (entry->answering == nullptr) {
        entry->answering = this;
        owner_.OnClaimed(*entry);
        for (Worker* other : entry->on) {
            if (other != nullptr && other != this) {
                other->Abandon(*entry);
            }
        }
    }
    return entry->answering == this;
}

bool Worker::OnError(Bytes body) {
    Entry* entry = open_[0].entry;
    if (entry != nullptr) {
        Claim();
    }
    if (fence_doubted_ && streaming_) {
        RenewFence();
    }
    streaming_ = false;
    if (!event_) {
        EndAnswer(JobEnd::kSoftError, body);
        return true;
    }
    if (!event_failed_) {
        event_failed_ = true;
        event_error_ = body;
    }
    EndEventAnswer();
    return true;
}

bool Worker::OnControl(Bytes payload) {
    if (awaiting_fence_ && !fence_answer_.empty() && payload == fence_answer_) {
        return OnFence();
    }
    Result<relay::PidReply> reply = relay::ParsePidReply(payload);
    if (!booted_) {
        if (!reply) {
            FailBoot(reply.error().message);
        } else {
            BecomeReady(*reply);
        }
        return true;
    }
    if (!reply || !awaiting_fence_) {
        Broken(JobEnd::kProtocol, "the worker sent a control frame that nobody asked for");
        return true;
    }
    fence_answer_ = payload;
    return OnFence();
}

// The official SDK looks for STOP or PONG between two parts of a stream (over pipes once it has sent
// a PING), and what else it finds there is lost: the fence. So there is one more behind the stream.
// Its answer, or that of the first, proves the same; but as one more answer may follow, this worker
// takes no other request.
void Worker::WatchFence(const relay::FrameHeader& header) {
    bool more = (header.stream & relay::stream::kStream) != 0;
    if (fence_doubted_ && !more) {
        RenewFence();
        return;
    }
    bool looks = settings_.services->hub != nullptr || (header.stream & relay::stream::kPing) != 0;
    if (more && looks && !numbered_ && !fence_due_ && !fence_doubted_) {
        fence_doubted_ = true;
        owner_.OnFenceDoubted(*this);
    }
}

void Worker::RenewFence() {
    fence_due_ = true;
    PutFence();
}

// The worker is back in its wait loop.
bool Worker::OnFence() {
    if (fence_due_ && !fence_doubted_) {
        Broken(JobEnd::kProtocol, "the worker answered a pid request before it got it");
        return true;
    }
    awaiting_fence_ = fence_due_ = false;
    if (open_count_ == 0) {
        idle_since_ = Clock::now();
        if (state_ == WorkerState::kWorking) {
            state_ = WorkerState::kReady;
        }
        owner_.OnWorkerFree(*this);
    } else if (!event_) {
        Broken(JobEnd::kProtocol, "the worker went on to the next request without an answer");
    } else if (streaming_ && !stop_sent_) {
        Broken(JobEnd::kProtocol, "the worker went on to the next event in the middle of a stream");
    } else {
        // The owner may start the next event before it ends this one.
        std::string error = std::exchange(event_error_, {});
        EndAnswer(event_failed_ ? JobEnd::kSoftError : JobEnd::kDone, error);
    }
    return true;
}

// More of them may follow: the fence ends the event.
void Worker::EndEventAnswer() {
    event_answered_ = true;
    streaming_ = answer_begun_ = false;
    if (stop_sent_) {
        stop_sent_ = false;
        life_timer_.Disarm();
    }
    CheckInput();
}

// Nobody will answer a fence that could not be sent.
void Worker::CheckInput() {
    if (awaiting_fence_ && channel_->write_broken()) {
        Broken(JobEnd::kWorkerDied, "the worker reads no more");
    }
}

void Worker::EndAnswer(JobEnd end, Bytes message) {
    Entry* entry = open_[0].entry;
    open_[0] = open_[1];
    open_[1] = {};
    --open_count_;
    if (stop_sent_) {
        stop_sent_ = false;
        life_timer_.Disarm();
    }
    streaming_ = answer_begun_ = false;
    if (meter_ && entry != nullptr) {
        TellUsage(*entry);
    }
    Instant now = Clock::now();
    last_run_ = now - started_;
    if (open_count_ > 0) {
        ++execs_;
        started_ = now;
        if (meter_) {
            meter_->Begin();
            Watch();
        }
    } else {
        idle_since_ = now;
        if (state_ == WorkerState::kWorking && !awaiting_fence_) {
            state_ = WorkerState::kReady;
        }
    }
    if (entry != nullptr) {
        entry->Detach(this);
    }
    owner_.OnAnswerEnd(*this, entry, end, message);
    CheckInput();
}

void Worker::Broken(JobEnd end, const std::string& message) {
    owner_.OnWorkerBroken(*this, end, message);
}

void Worker::OnExecLimit() {
    if ((open_count_ == 0 && !awaiting_fence_) || leaving()) {
        return;
    }
    Duration limit = settings_.config->supervisor.exec_ttl;
    if (event_ && channel_->paused()) {
        started_ = Clock::now();  // it waits for us
    }
    Duration run = Clock::now() - started_;
    if (run + std::chrono::milliseconds(1) < limit) {
        exec_timer_->Arm(limit - run);
        return;
    }
    std::string doing = Doing();
    if (Entry* entry = open_count_ > 0 ? open_[0].entry : nullptr;
        entry != nullptr && !slow_told_ && settings_.config->watch.slow_after > Duration::zero()) {
        TellSlow(*entry, doing);
    }
    owner_.OnWorkerBroken(*this, JobEnd::kExecTtl, "exec_ttl passed; the worker " + doing);
}

}  // namespace rr::pool
