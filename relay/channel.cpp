#include "relay/channel.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "relay/frame_v2.hpp"

namespace rr::relay {
namespace {

constexpr size_t kReadSize = 64 * 1024;
constexpr size_t kKeepInput = 128 * 1024;  // memory that a large answer grew is given back

// A v2 answer as the frame it would be in v3.
FrameHeader AsFrame(uint8_t v2_flags, size_t context, size_t body) {
    FrameHeader h;
    h.flags = (v2_flags & v2::flag::kError) != 0 ? flag::kError : 0;
    h.options = 1;
    h.option[0] = static_cast<uint32_t>(context);
    h.payload = static_cast<uint32_t>(context + body);
    return h;
}

}  // namespace

Channel::Channel(Loop& loop, Dialect dialect, int in, int out, ChannelHandler& handler)
    : loop_(loop),
      max_payload_(std::numeric_limits<uint32_t>::max()),
      dialect_(dialect),
      handler_(handler),
      reader_(std::make_unique<net::Stream>(loop, net::Stream::Kind::kPipe, out, AsHandler())),
      writer_(std::make_unique<net::Stream>(loop, net::Stream::Kind::kPipe, in, &write_end_)) {
    reader_->StartReading();
}

Channel::Channel(Loop& loop, Dialect dialect, int socket, net::Stream::Kind kind,
                 ChannelHandler& handler, uint32_t max_payload)
    : loop_(loop),
      max_payload_(max_payload),
      dialect_(dialect),
      handler_(handler),
      writer_(std::make_unique<net::Stream>(loop, kind, socket, AsHandler())) {
    writer_->StartReading();
}

bool Channel::Send(const Bytes* slices, size_t count) {
    int64_t sent = writer_->TryWrite(slices, count);
    if (sent < 0) {
        return false;
    }
    auto skip = static_cast<size_t>(sent);
    bool rest = false;
    for (size_t i = 0; i < count; ++i) {
        sent_ += slices[i].size();
        size_t taken = std::min(skip, slices[i].size());
        skip -= taken;
        if (taken < slices[i].size()) {
            writer_->Queue(slices[i].substr(taken));
            rest = true;
        }
    }
    if (rest) {
        writer_->Flush();
    }
    return true;
}

bool Channel::TrySend(Bytes bytes) {
    // At most PIPE_BUF bytes: such a write to a pipe is never split.
    bool whole = writer_->TryWrite(&bytes, 1) == static_cast<int64_t>(bytes.size());
    sent_ += whole ? bytes.size() : 0;
    return whole;
}

bool Channel::NoneRead(uint64_t since) const {
    int64_t unread = writer_->UnreadInPipe();
    return unread >= 0 && static_cast<uint64_t>(unread) + writer_->queued() == sent_ - since;
}

Channel::Unsolicited Channel::Peek() {
    if (broken_) {
        return Unsolicited::kEnded;
    }
    if (!input_.empty() || unsolicited_) {
        return Unsolicited::kBytes;
    }
    char byte[64];
    net::Stream& reader = reader_ ? *reader_ : *writer_;
    int64_t got = reader.TryRead(byte, sizeof(byte));
    if (got > 0) {
        // Not into input_: a view of the frame before may still be in use.
        unsolicited_ = true;
        return Unsolicited::kBytes;
    }
    return got < 0 ? Unsolicited::kEnded : Unsolicited::kNone;
}

void Channel::DrainOutput() {
    net::Stream& reader = reader_ ? *reader_ : *writer_;
    reader.StopReading();
    ParseAll();  // a pause may have left whole frames behind
    while (!broken_) {
        input_.Reserve(kReadSize + kPadding);
        int64_t got = reader.TryRead(input_.tail(), kReadSize);
        if (got <= 0) {
            break;
        }
        input_.Commit(static_cast<size_t>(got));
        ParseAll();
    }
}

// Nothing follows any more: a handler that wants to pause gets the rest all the same.
void Channel::ParseAll() {
    do {
        paused_ = false;
        Parse();
    } while (paused_ && !broken_);
}

void Channel::Resume() {
    if (!paused_ || broken_) {
        return;
    }
    paused_ = false;
    Parse();
    if (!paused_ && !broken_) {
        (reader_ ? *reader_ : *writer_).StartReading();
    }
}

std::span<char> Channel::OnReadBuffer() {
    input_.Reserve(kReadSize + kPadding);
    return {input_.tail(), input_.room() - kPadding};
}

void Channel::OnData(size_t size) {
    input_.Commit(size);
    received_ += size;
    Parse();
    if (mid_frame()) {
        WatchFrame();
    }
}

// The rest of a frame is missing: it has a moment to come.
void Channel::WatchFrame() {
    if (broken_ || paused_) {
        return;
    }
    if (!patience_) {
        patience_ = std::make_unique<net::Timer>(loop_, [this] { OnPatienceEnded(); });
    }
    if (!patience_->armed()) {
        received_then_ = received_;
        bool header = body_left_ == 0 && input_.size() < kFrameBase;
        patience_->Arm(header ? kHeaderPatience : kFramePatience);
    }
}

void Channel::OnPatienceEnded() {
    if (!mid_frame() || broken_ || paused_) {
        return;
    }
    if (received_ != received_then_) {
        WatchFrame();
        return;
    }
    Break(false, "a frame began and did not go on");
}

void Channel::OnClosed(net::CloseReason) {
    // A killed worker resets its socket, and may leave half a frame: both are its end, and what
    // came of a frame is still there for mid_frame() to tell.
    Break(true, "the worker closed its relay");
}

void Channel::OnDrained() {
    if (!broken_) {
        handler_.OnSent();
    }
}

void Channel::Break(bool ended, const char* what) {
    if (broken_) {
        return;
    }
    broken_ = true;
    if (reader_) {
        reader_->StopReading();
    }
    writer_->StopReading();
    handler_.OnBroken(ended, what, input_.view().substr(0, 4096));
}

void Channel::Parse() {
    if (parsing_) {
        return;
    }
    parsing_ = true;
    while (!broken_ && !paused_) {
        Step step = body_left_ > 0             ? DeliverBody()
                    : dialect_ == Dialect::kV2 ? ParseV2()
                                               : ParseV3();
        if (step == Step::kStop) {
            break;
        }
    }
    parsing_ = false;
    if (paused_ && !broken_) {
        (reader_ ? *reader_ : *writer_).StopReading();
    }
    if (input_.empty()) {
        input_.Clear(kKeepInput);
    }
}

Channel::Step Channel::ParseV3() {
    if (input_.empty()) {
        return Step::kStop;
    }
    FrameHeader header;
    FrameScan scan = ScanFrameHeader(input_.view(), max_payload_, header);
    if (scan.status == FrameStatus::kNeedMore) {
        return Step::kStop;
    }
    if (scan.status == FrameStatus::kBad) {
        Break(false, Describe(scan.error));
        return Step::kStop;
    }
    return Deliver(header, header.size());
}

// header_size bytes stand in front of the payload, of which option[0] bytes are the context.
Channel::Step Channel::Deliver(const FrameHeader& header, size_t header_size) {
    bool plain = (header.flags & (flag::kControl | flag::kError)) != 0 || header.options == 0;
    size_t context = plain ? header.payload : header.option[0];
    if (context > header.payload) {
        Break(false, "the context is longer than its frame");
        return Step::kStop;
    }
    if (context > kMaxContext) {
        Break(false, "the context is longer than 16 MiB");
        return Step::kStop;
    }
    bool whole = header.payload <= kWhole;
    size_t needed = whole ? header.payload : context;
    if (input_.size() < header_size + needed) {
        input_.Reserve(header_size + needed - input_.size() + kPadding);
        return Step::kStop;
    }
    const char* payload = input_.data() + header_size;
    Bytes head(payload, plain ? 0 : context);
    Bytes body(payload + head.size(), needed - head.size());
    body_left_ = header.payload - needed;
    // Consumed first, so that Peek() inside the call sees only what follows this frame. The bytes
    // stay where they are until something is appended, which no handler does.
    input_.Consume(header_size + needed);
    paused_ = !handler_.OnFrame(header, head, body, body_left_ == 0);
    return Step::kMore;
}

Channel::Step Channel::DeliverBody() {
    if (input_.empty()) {
        return Step::kStop;
    }
    size_t size = std::min<uint64_t>(input_.size(), body_left_);
    body_left_ -= size;
    Bytes piece = input_.view().substr(0, size);
    input_.Consume(size);
    paused_ = !handler_.OnBody(piece, body_left_ == 0);
    return Step::kMore;
}

Channel::Step Channel::ParseV2() {
    if (input_.empty()) {
        return Step::kStop;
    }
    v2::Prefix first;
    v2::Scan scan = v2::ScanPrefix(input_.view(), max_payload_, first);
    if (scan == v2::Scan::kNeedMore) {
        return Step::kStop;
    }
    if (scan != v2::Scan::kPrefix) {
        Break(false, "the worker's output is no Goridge v2 message");
        return Step::kStop;
    }
    if (first.payload > kMaxContext) {
        Break(false, "the context is longer than 16 MiB");
        return Step::kStop;
    }
    if ((first.flags & v2::flag::kControl) == 0) {
        Break(false, "a body came where a context was expected");
        return Step::kStop;
    }
    size_t first_end = v2::kPrefixSize + first.payload;
    bool error = (first.flags & v2::flag::kError) != 0;
    bool control = (first.flags & (v2::flag::kRaw | v2::flag::kNone)) == 0;
    if (error || control) {
        FrameHeader header = AsFrame(first.flags, 0, first.payload);
        header.options = 0;
        header.flags |= control ? flag::kControl : 0;
        return Deliver(header, v2::kPrefixSize);
    }
    if (input_.size() < first_end) {
        return Step::kStop;
    }
    v2::Prefix second;
    scan = v2::ScanPrefix(input_.view().substr(first_end), max_payload_ - first.payload, second);
    if (scan == v2::Scan::kNeedMore) {
        return Step::kStop;
    }
    if (scan != v2::Scan::kPrefix) {
        Break(false, "the worker's output is no Goridge v2 message");
        return Step::kStop;
    }
    // Closes the gap of the second prefix, so that context and body stand side by side as in v3.
    FrameHeader header = AsFrame(first.flags, first.payload, second.payload);
    bool whole = header.payload <= kWhole;
    if (whole && input_.size() < first_end + v2::kPrefixSize + second.payload) {
        return Step::kStop;
    }
    std::copy_backward(input_.data(), input_.data() + first_end,
                       input_.data() + first_end + v2::kPrefixSize);
    return Deliver(header, 2 * v2::kPrefixSize);
}

}  // namespace rr::relay
