// A worker's requests and answers; worker.cpp has its life.
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "core/pool/worker.hpp"
#include "relay/frame_v2.hpp"

namespace rr::pool {
namespace {

constexpr size_t kFilePiece = 64 * 1024;
// A frame up to this size takes the fence along in one write: both fit into the empty pipe of an idle
// worker. PHP reads the header of a frame at once and dies of half a one, which is what a write that
// the pipe cuts can leave there. A fence alone is short enough to be written whole or not at all.
constexpr size_t kFenceTogether = 32 * 1024;
constexpr Bytes kReplaceMe = "{\"stop\":true}";

}  // namespace

// ---- requests out

bool Worker::Start(Entry& entry) {
    RR_ASSERT(serving() && open_count_ == 0);
    if (!Write(entry, last_number_ + 1, false)) {
        return false;
    }
    ++last_number_;
    ++execs_;
    open_[0] = {&entry, last_number_, entry.job.event};
    open_count_ = 1;
    event_failed_ = false;
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
    return true;
}

bool Worker::Prefetch(Entry& entry) {
    RR_ASSERT(numbered_ && open_count_ == 1);
    if (!Write(entry, last_number_ + 1, true)) {
        return false;
    }
    ++last_number_;
    open_[1] = {&entry, last_number_};
    open_count_ = 2;
    entry.Attach(this);
    return true;
}

// Writes the frame: the header goes into the headroom in front of the context.
bool Worker::Write(Entry& entry, uint32_t number, bool at_once) {
    Job& job = entry.job;
    uint64_t body = job.body_size + job.body_file_size;
    if (settings_.dialect == relay::Dialect::kV2) {
        constexpr uint8_t kContext = relay::v2::flag::kControl | relay::v2::flag::kRaw;
        char* start = job.context - relay::v2::kPrefixSize;
        relay::v2::EncodePrefix({kContext, job.context_size}, start);
        relay::v2::EncodePrefix({0, body}, v2_body_prefix_);
        Bytes slices[3] = {Bytes(start, relay::v2::kPrefixSize + job.context_size),
                           Bytes(v2_body_prefix_, sizeof(v2_body_prefix_)),
                           Bytes(job.context + job.context_size, job.body_size)};
        if (!channel_->Send(slices, 3)) {
            return false;
        }
    } else {
        relay::FrameHeader header;
        header.flags = job.codec;
        header.options = numbered_ ? 2 : 1;
        header.option[0] = job.context_size;
        header.option[1] = number;
        header.payload = static_cast<uint32_t>(job.context_size + body);
        char* start = job.context - header.size();
        relay::EncodeFrameHeader(header, start);
        Bytes frame(start, header.size() + job.context_size + job.body_size);
        if (at_once) {
            return channel_->TrySend(frame);
        }
        awaiting_fence_ = job.event || (settings_.config->fence && !numbered_);
        fence_due_ = awaiting_fence_;
        if (awaiting_fence_ && job.body_file < 0 && frame.size() <= kFenceTogether) {
            fence_due_ = false;
            std::string fence = relay::PidRequest(relay::Dialect::kV3, getpid());
            Bytes slices[2] = {frame, fence};
            if (!channel_->Send(slices, 2)) {
                return false;
            }
        } else if (!channel_->Send(frame)) {
            return false;
        }
    }
    if (job.body_file >= 0 && job.body_file_size > 0) {
        file_entry_ = &entry;
        file_offset_ = 0;
        PumpFile();
        return true;
    }
    return SendFence();
}

// Once the frame in front of it has gone out: what is queued together may be cut anywhere.
bool Worker::SendFence() {
    if (!fence_due_ || file_entry_ != nullptr || channel_->sending()) {
        return true;
    }
    fence_due_ = false;
    return channel_->Send(relay::PidRequest(relay::Dialect::kV3, getpid()));
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
        SendFence();
        return;
    }
    PumpFile();
}

void Worker::OnSent() {
    PumpFile();
    SendFence();
}

void Worker::Abandon(Entry& entry) {
    for (size_t i = 0; i < open_count_; ++i) {
        if (open_[i].entry == &entry) {
            open_[i].entry = nullptr;
        }
    }
    entry.Detach(this);
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
    if (!answer_begun_ && !more && whole && body.empty() && context == kReplaceMe) {
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
    streaming_ = more;
    frame_more_ = more;
    bool wanted = entry != nullptr && !event_failed_ && Claim();
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
    if (open_[0].event) {
        return go_on || entry == nullptr || entry->cancelled;
    }
    if (whole && !more) {
        // Whatever the sink said: the next answer is somebody else's, and nobody would resume it.
        EndAnswer(JobEnd::kDone, "");
        return true;
    }
    return go_on || (entry != nullptr && entry->cancelled);
}

bool Worker::OnBody(Bytes piece, bool last) {
    if (stopping_ || killed_ || open_count_ == 0) {
        return true;
    }
    Entry* entry = open_[0].entry;
    bool go_on = true;
    if (entry != nullptr && !entry->cancelled && !event_failed_) {
        go_on = entry->sink->OnChunk(piece);
    }
    if (last && !frame_more_ && !open_[0].event) {
        EndAnswer(JobEnd::kDone, "");
        return true;
    }
    return go_on || (entry != nullptr && entry->cancelled);
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
    streaming_ = false;
    if (open_[0].event) {
        if (!event_failed_) {
            event_error_ = body;
        }
        event_failed_ = answer_begun_ = true;
        return true;
    }
    EndAnswer(JobEnd::kSoftError, body);
    return true;
}

bool Worker::OnControl(Bytes payload) {
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
    // The fence: it is back in its wait loop.
    awaiting_fence_ = false;
    if (open_count_ > 0 && open_[0].event) {
        std::string error = std::move(event_error_);
        event_error_.clear();
        EndAnswer(event_failed_ ? JobEnd::kSoftError : JobEnd::kDone, error);
        return true;
    }
    if (open_count_ > 0) {
        Broken(JobEnd::kProtocol, "the worker went on to the next request without an answer");
        return true;
    }
    idle_since_ = Clock::now();
    state_ = WorkerState::kReady;
    owner_.OnWorkerFree(*this);
    return true;
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
    Instant now = Clock::now();
    last_run_ = now - started_;
    if (open_count_ > 0) {
        ++execs_;
        started_ = now;
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
}

void Worker::Broken(JobEnd end, const std::string& message) {
    owner_.OnWorkerBroken(*this, end, message);
}

void Worker::OnExecLimit() {
    if ((open_count_ == 0 && !awaiting_fence_) || leaving()) {
        return;
    }
    Duration limit = settings_.config->supervisor.exec_ttl;
    Duration run = Clock::now() - started_;
    if (run + std::chrono::milliseconds(1) < limit) {
        exec_timer_->Arm(limit - run);
        return;
    }
    owner_.OnWorkerBroken(*this, JobEnd::kExecTtl, "exec_ttl passed");
}

}  // namespace rr::pool
