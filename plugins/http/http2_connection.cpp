#include "plugins/http/http2_connection.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "plugins/http/exchange.hpp"
#include "plugins/http/server.hpp"

namespace rr::http {

namespace {

uint8_t* Unconst(Bytes bytes) {
    return reinterpret_cast<uint8_t*>(const_cast<char*>(bytes.data()));
}

nghttp2_nv Field(Bytes name, Bytes value) {
    return {Unconst(name), Unconst(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

bool EndsStream(const nghttp2_frame* frame) {
    return (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
}

// `Name: value\r\n` ...
template <class Each>
void EachLine(Bytes lines, Each each) {
    while (!lines.empty()) {
        size_t end = std::min(lines.find("\r\n"), lines.size());
        Bytes line = lines.substr(0, end);
        size_t colon = line.find(": ");
        if (colon != Bytes::npos) {
            each(line.substr(0, colon), line.substr(colon + 2));
        }
        lines.remove_prefix(std::min(end + 2, lines.size()));
    }
}

}  // namespace

// What nghttp2 calls; `user` is the connection.
struct Http2Connection::Callbacks {
    static Http2Connection& Of(void* user) { return *static_cast<Http2Connection*>(user); }

    static int OnBeginFrame(nghttp2_session*, const nghttp2_frame_hd* head, void* user) {
        Http2Connection& self = Of(user);
        if (head->type == NGHTTP2_HEADERS) {
            self.Count(head->stream_id);
            self.head_since_ms_ = self.server_.loop().NowMilliseconds();
        } else if (head->type != NGHTTP2_CONTINUATION) {
            self.head_since_ms_ = 0;
        }
        return 0;
    }

    static int OnBeginHeaders(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
            Of(user).Open(frame->hd.stream_id);
        }
        return 0;
    }

    static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                        size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                        void* user) {
        if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
            return 0;  // trailers of a request: nobody is told, as in HTTP/1.1
        }
        Http2Stream* stream = Of(user).Find(frame->hd.stream_id);
        if (stream != nullptr) {
            stream->Field({reinterpret_cast<const char*>(name), name_size},
                          {reinterpret_cast<const char*>(value), value_size});
        }
        return 0;
    }

    static int OnInvalidHeader(nghttp2_session*, const nghttp2_frame*, const uint8_t*, size_t,
                               const uint8_t*, size_t, uint8_t, void* user) {
        Of(user).Spend(4);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // the stream is reset
    }

    static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
        Http2Connection& self = Of(user);
        switch (frame->hd.type) {
            case NGHTTP2_HEADERS:
            case NGHTTP2_DATA: {
                Http2Stream* stream = self.Find(frame->hd.stream_id);
                if (frame->hd.type == NGHTTP2_HEADERS) {
                    self.head_since_ms_ = 0;
                }
                if (frame->hd.length == 0) {
                    self.Spend(1);
                }
                if (stream == nullptr) {
                    return 0;
                }
                if (frame->hd.type == NGHTTP2_HEADERS &&
                    frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
                    stream->OnHead(EndsStream(frame));
                } else if (EndsStream(frame)) {
                    stream->OnBodyEnd();
                }
                return 0;
            }
            case NGHTTP2_PRIORITY:
            case NGHTTP2_PING:
            case NGHTTP2_SETTINGS: self.Spend(1); return 0;
            case NGHTTP2_RST_STREAM: self.Spend(4); return 0;
            default: return 0;
        }
    }

    static int OnData(nghttp2_session*, uint8_t, int32_t stream_id, const uint8_t* data,
                      size_t size, void* user) {
        Http2Stream* stream = Of(user).Find(stream_id);
        if (stream != nullptr) {
            stream->OnBody({reinterpret_cast<const char*>(data), size});
        } else {
            Of(user).Consume(stream_id, size);
        }
        return 0;
    }

    static int OnStreamClose(nghttp2_session*, int32_t stream_id, uint32_t, void* user) {
        Http2Stream* stream = Of(user).Find(stream_id);
        if (stream != nullptr) {
            Of(user).Close(*stream);
        }
        return 0;
    }

    // An answer that is complete before its request: the client need not send the rest.
    static int OnFrameSent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
        if (frame->hd.type == NGHTTP2_RST_STREAM) {
            // nghttp2's own: a client that breaks the rules of its streams resets them through us.
            const uint32_t code = frame->rst_stream.error_code;
            bool ours = code == NGHTTP2_NO_ERROR || code == NGHTTP2_INTERNAL_ERROR ||
                        code == NGHTTP2_CANCEL;
            Of(user).Spend(ours ? 0 : 4);
            return 0;
        }
        bool ends = (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
                    EndsStream(frame);
        Http2Stream* stream = ends ? Of(user).Find(frame->hd.stream_id) : nullptr;
        if (stream != nullptr && !stream->request_ended()) {
            nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                      NGHTTP2_NO_ERROR);
        }
        return 0;
    }

    static int OnFrameNotSent(nghttp2_session*, const nghttp2_frame* frame, int error, void* user) {
        Http2Connection& self = Of(user);
        Http2Stream* stream = self.Find(frame->hd.stream_id);
        bool over = error == NGHTTP2_ERR_SESSION_CLOSING || error == NGHTTP2_ERR_STREAM_CLOSING ||
                    error == NGHTTP2_ERR_STREAM_CLOSED || error == NGHTTP2_ERR_STREAM_SHUT_WR;
        if (frame->hd.type == NGHTTP2_HEADERS && stream != nullptr && !over) {
            self.server_.troubles().Report(
                self.server_.loop().NowMilliseconds(), "write response",
                std::string("its head can't be sent: ") + nghttp2_strerror(error),
                UnixNanoseconds(), 0);
            self.Reset(*stream);
        }
        return 0;
    }

    // How much of the answer goes into the next frame.
    static ssize_t OnReadBody(nghttp2_session*, int32_t stream_id, uint8_t*, size_t most,
                              uint32_t* flags, nghttp2_data_source*, void* user) {
        Http2Stream* stream = Of(user).Find(stream_id);
        if (stream == nullptr) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
        size_t size = std::min(stream->body().size(), most);
        if (size == 0 && !stream->body_ended()) {
            stream->deferred = true;
            return NGHTTP2_ERR_DEFERRED;
        }
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
        if (size == stream->body().size() && stream->body_ended()) {
            *flags |= NGHTTP2_DATA_FLAG_EOF;
            if (!stream->trailers().empty()) {
                *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
                Of(user).SubmitTrailers(*stream);
            }
        }
        return static_cast<ssize_t>(size);
    }

    static int OnSendBody(nghttp2_session*, nghttp2_frame* frame, const uint8_t* head, size_t size,
                          nghttp2_data_source*, void* user) {
        Http2Connection& self = Of(user);
        Http2Stream* stream = self.Find(frame->hd.stream_id);
        if (stream == nullptr) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
        Buffer& out = self.stream_->queue();
        out.Reserve(9 + size);
        out.Append({reinterpret_cast<const char*>(head), 9});
        out.Append(stream->body().view().substr(0, size));
        stream->body().Consume(size);
        stream->moved = stream->moved || size > 0;
        return 0;
    }

    static nghttp2_session_callbacks* Make() {
        nghttp2_session_callbacks* calls;
        RR_CHECK(nghttp2_session_callbacks_new(&calls) == 0);
        nghttp2_session_callbacks_set_on_begin_frame_callback(calls, OnBeginFrame);
        nghttp2_session_callbacks_set_on_begin_headers_callback(calls, OnBeginHeaders);
        nghttp2_session_callbacks_set_on_header_callback(calls, OnHeader);
        nghttp2_session_callbacks_set_on_invalid_header_callback(calls, OnInvalidHeader);
        nghttp2_session_callbacks_set_on_frame_recv_callback(calls, OnFrame);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, OnData);
        nghttp2_session_callbacks_set_on_stream_close_callback(calls, OnStreamClose);
        nghttp2_session_callbacks_set_on_frame_send_callback(calls, OnFrameSent);
        nghttp2_session_callbacks_set_on_frame_not_send_callback(calls, OnFrameNotSent);
        nghttp2_session_callbacks_set_send_data_callback(calls, OnSendBody);
        return calls;
    }
};

Http2Connection::Http2Connection(HttpServer& server, std::unique_ptr<net::Stream> stream,
                                 std::string peer)
    : server_(server),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      secure_(stream_->secure()) {
    static nghttp2_session_callbacks* const calls = Callbacks::Make();
    stream_->SetHandler(this);
    const HttpConfig& config = server_.config();
    nghttp2_option* option;
    RR_CHECK(nghttp2_option_new(&option) == 0);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_send_header_block_length(option, kSendHeadMost);
    RR_CHECK(nghttp2_session_server_new2(&session_, calls, this, option) == 0);
    nghttp2_option_del(option);
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, config.http2.max_concurrent_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<uint32_t>(kWindow)},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, config.limits.head},
    };
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, std::size(settings));
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindow);
}

Http2Connection::~Http2Connection() {
    server_.loop().ForgetTurnEnd(*this);
    streams_.clear();  // their exchanges leave
    nghttp2_session_del(session_);
}

void Http2Connection::Start(Bytes received) {
    server_.Touch(*this, Wait::kFirst);
    if (server_.draining()) {
        OnDrain();
    }
    if (!received.empty()) {
        Receive(received);
        RunReady();
    }
    server_.loop().AtTurnEnd(*this);
    stream_->StartReading();
}

bool Http2Connection::Upgrade(Bytes settings, const RequestHead& head) {
    if (nghttp2_session_upgrade2(session_, reinterpret_cast<const uint8_t*>(settings.data()),
                                 settings.size(), head.verb == Method::kHead ? 1 : 0,
                                 nullptr) != 0) {
        return false;
    }
    last_id_ = 1;
    Http2Stream& stream = Open(1);
    stream.Field(":method", head.method);
    stream.Field(":path", head.target);
    stream.Field(":authority", head.host);
    std::string name;
    for (const HeaderField& field : head.fields) {
        bool left_behind = field.id == HeaderId::kHost || field.id == HeaderId::kConnection ||
                           field.id == HeaderId::kUpgrade ||
                           EqualsIgnoreCase(field.name, "HTTP2-Settings");
        if (!left_behind) {
            name.assign(field.name);
            std::transform(name.begin(), name.end(), name.begin(), ToLower);
            stream.Field(name, field.value);
        }
    }
    stream.Upgraded();
    stream.OnHead(true);
    return true;
}

std::span<char> Http2Connection::OnReadBuffer() { return net::ReadScratch(); }

void Http2Connection::OnData(size_t size) {
    if (lingering_) {
        return;
    }
    Receive({net::ReadScratch().data(), size});
    RunReady();
    server_.loop().AtTurnEnd(*this);
}

void Http2Connection::Receive(Bytes in) {
    if (failed_) {
        return;
    }
    ssize_t used =
        nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(in.data()), in.size());
    if (used < 0) {
        GiveUp(NGHTTP2_PROTOCOL_ERROR);
    }
    Touch();
}

// The pool may use the loop's scratch, where the input was until now.
void Http2Connection::RunReady() {
    for (size_t i = 0; i < ready_.size(); ++i) {
        Http2Stream* stream = Find(ready_[i]);
        if (stream != nullptr && stream->ready()) {
            stream->Run();
        }
    }
    ready_.clear();
}

void Http2Connection::RunLater(Http2Stream& stream) {
    ready_.push_back(stream.id());
    server_.loop().AtTurnEnd(*this);  // if no input is being read
}

void Http2Connection::ResumeLater(Http2Stream&) {
    paused_ = true;
    server_.loop().AtNextTurnEnd(*this);
}

void Http2Connection::HasOutput(Http2Stream& stream) {
    if (stream.deferred) {
        stream.deferred = false;
        nghttp2_session_resume_data(session_, stream.id());
    }
    server_.loop().AtTurnEnd(*this);
}

std::string Http2Connection::sender() const { return server_.SenderOf(*stream_, peer_); }

void Http2Connection::Consume(int32_t stream_id, size_t size) {
    if (size > 0) {
        nghttp2_session_consume(session_, stream_id, size);
        server_.loop().AtTurnEnd(*this);
    }
}

void Http2Connection::SubmitHead(Http2Stream& stream, int status,
                                 std::span<const AnswerField> fields, bool body) {
    char digits[4];
    char* end = std::to_chars(digits, digits + sizeof digits, status).ptr;
    fields_.clear();
    fields_.push_back(Field(":status", Bytes(digits, static_cast<size_t>(end - digits))));
    for (const AnswerField& field : fields) {
        fields_.push_back(Field(field.name, field.value));
    }
    if (status < 200) {
        nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id(), nullptr, fields_.data(),
                               fields_.size(), nullptr);
    } else {
        nghttp2_data_provider provider{};
        provider.read_callback = Callbacks::OnReadBody;
        nghttp2_submit_response(session_, stream.id(), fields_.data(), fields_.size(),
                                body ? &provider : nullptr);
    }
    server_.loop().AtTurnEnd(*this);
}

void Http2Connection::SubmitTrailers(Http2Stream& stream) {
    std::string lower(stream.trailers());
    for (char& c : lower) {
        c = ToLower(c);
    }
    fields_.clear();
    EachLine(stream.trailers(), [&](Bytes name, Bytes value) {
        size_t at = static_cast<size_t>(name.data() - stream.trailers().data());
        fields_.push_back(Field(Bytes(lower).substr(at, name.size()), value));
    });
    nghttp2_submit_trailer(session_, stream.id(), fields_.data(), fields_.size());
}

void Http2Connection::Reset(Http2Stream& stream) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id(), NGHTTP2_INTERNAL_ERROR);
    server_.loop().AtTurnEnd(*this);
}

Http2Stream& Http2Connection::Open(int32_t stream_id) {
    Exchange& exchange = server_.TakeExchange();
    if (spare_.empty()) {
        streams_.push_back(std::make_unique<Http2Stream>(*this));
    } else {
        streams_.push_back(std::move(spare_.back()));
        spare_.pop_back();
    }
    Http2Stream& stream = *streams_.back();
    stream.Begin(stream_id, exchange);
    nghttp2_session_set_stream_user_data(session_, stream_id, &stream);
    return stream;
}

Http2Stream* Http2Connection::Find(int32_t stream_id) const {
    return static_cast<Http2Stream*>(nghttp2_session_get_stream_user_data(session_, stream_id));
}

void Http2Connection::Close(Http2Stream& stream) {
    nghttp2_session_set_stream_user_data(session_, stream.id(), nullptr);
    Consume(stream.id(), stream.TakeUnconsumed());  // of the connection's window
    stream.Leave();
    auto found = std::find_if(streams_.begin(), streams_.end(),
                              [&stream](auto& each) { return each.get() == &stream; });
    if (spare_.size() < kSpareStreams) {
        spare_.push_back(std::move(*found));
    }
    std::swap(*found, streams_.back());
    streams_.pop_back();
    server_.loop().AtTurnEnd(*this);
}

// Frames that cost us something and bring nobody anything.
void Http2Connection::Spend(uint32_t cost) {
    if (patience_ >= cost) {
        patience_ -= cost;
        return;
    }
    patience_ = 0;
    if (!failed_) {
        GiveUp(NGHTTP2_ENHANCE_YOUR_CALM);
        server_.troubles().Report(server_.loop().NowMilliseconds(), "http2",
                                  "a client sent too many frames without use", UnixNanoseconds(),
                                  0);
    }
}

// nghttp2 takes a stream that was left out for one that is closed, and says nothing.
void Http2Connection::Count(int32_t stream_id) {
    if (stream_id % 2 == 0) {
        return;  // refused anyhow
    }
    if (stream_id > last_id_) {
        if (stream_id > last_id_ + 2) {
            if (gaps_.size() == kGaps) {
                gaps_.erase(gaps_.begin());
            }
            gaps_.push_back({last_id_ + 2, stream_id - 2});
        }
        last_id_ = stream_id;
        return;
    }
    for (const Gap& gap : gaps_) {
        if (stream_id >= gap.from && stream_id <= gap.to && !failed_) {
            GiveUp(NGHTTP2_PROTOCOL_ERROR);
        }
    }
}

// The client is told why, and then that was it.
void Http2Connection::GiveUp(uint32_t error) {
    failed_ = true;
    nghttp2_session_terminate_session(session_, error);
    server_.loop().AtTurnEnd(*this);
}

void Http2Connection::Touch() {
    if (!lingering_) {
        bool idle = streams_.empty() && stream_->queued() == 0;
        server_.Touch(*this, idle ? Wait::kIdle : Wait::kBusy);
    }
}

void Http2Connection::OnClosed(net::CloseReason) {
    // A client that has finished sending can't acknowledge anything: its streams are of no use.
    server_.Remove(*this);
}

void Http2Connection::OnDrained() { server_.loop().AtTurnEnd(*this); }

// Between reading and sleeping: what waits is run, what there is goes into frames.
void Http2Connection::OnTurnEnd() {
    if (lingering_) {
        return;
    }
    RunReady();
    if (paused_) {
        paused_ = false;
        // A resumed answer may end its stream: the list is walked by index.
        for (size_t i = 0; i < streams_.size(); ++i) {
            streams_[i]->ResumeIfRoom();
            paused_ = paused_ || streams_[i]->paused();
        }
    }
    if (!Write()) {
        failed_ = true;
        stream_->Abort();
        server_.Remove(*this);
        return;
    }
    Touch();
    if (paused_ && std::any_of(streams_.begin(), streams_.end(),
                               [](auto& each) { return each->paused() && each->has_room(); })) {
        server_.loop().AtNextTurnEnd(*this);
    }
    bool waits = drain_ms_ != 0 && !drained_ && !failed_;  // for what is on its way
    if (!waits && nghttp2_session_want_read(session_) == 0 &&
        nghttp2_session_want_write(session_) == 0) {
        Linger();
        return;
    }
    stream_->Flush();  // last: it may find that the client has gone
}

// Frames into the queue, as many as it is good to have there.
bool Http2Connection::Write() {
    if (stream_->queue().capacity() == 0) {
        stream_->queue() = server_.TakeBuffer();
    }
    while (stream_->queued() < kQueueMost) {
        const uint8_t* bytes;
        ssize_t size = nghttp2_session_mem_send(session_, &bytes);
        if (size < 0) {
            return false;
        }
        if (size == 0) {
            break;
        }
        stream_->queue().Append({reinterpret_cast<const char*>(bytes), static_cast<size_t>(size)});
    }
    return true;
}

void Http2Connection::Linger() {
    lingering_ = true;
    server_.Touch(*this, Wait::kLinger);
    stream_->ShutdownWhenSent();
    stream_->StartReading();
    stream_->Flush();
}

void Http2Connection::OnTimeout() {
    if (wait == Wait::kIdle && !failed_ && nghttp2_session_want_read(session_) != 0) {
        // Told before it is cut: the client sends its next request elsewhere.
        GiveUp(NGHTTP2_NO_ERROR);
        server_.Touch(*this, Wait::kLinger);
        return;
    }
    server_.Remove(*this);
}

void Http2Connection::OnDrain() {
    if (drain_ms_ == 0 && !failed_) {
        drain_ms_ = server_.loop().NowMilliseconds();
        nghttp2_submit_shutdown_notice(session_);
        server_.loop().AtTurnEnd(*this);
    }
}

bool Http2Connection::WindowClosed(const Http2Stream& stream) const {
    return nghttp2_session_get_remote_window_size(session_) <= 0 ||
           nghttp2_session_get_stream_remote_window_size(session_, stream.id()) <= 0;
}

// From its first byte; a stop does not wait for the rest of it.
bool Http2Connection::HeadTakesTooLong(int64_t now_ms) const {
    int64_t most = server_.config().timeouts.header / std::chrono::milliseconds(1);
    if (drain_ms_ != 0) {
        most = most > 0 ? std::min(most, kDrainNoticeMs) : kDrainNoticeMs;
    }
    return head_since_ms_ != 0 && most > 0 && now_ms - head_since_ms_ >= most;
}

void Http2Connection::OnTick(int64_t now_ms, int64_t write_ms) {
    patience_ = std::min(kPatience, patience_ + kPatienceBack);
    const bool waiting = stream_->queued() > 0;
    if (write_watch_.Stuck(*stream_, waiting, now_ms, write_ms)) {
        stream_->Abort();
        server_.Remove(*this);
        return;
    }
    if (lingering_ || failed_) {
        if (waiting && !failed_) {
            since_ms = now_ms;
        } else if (now_ms - since_ms >= (server_.draining() ? kDrainLingerMs : kLingerMs)) {
            server_.Remove(*this);
        }
        return;
    }
    if (HeadTakesTooLong(now_ms)) {
        GiveUp(NGHTTP2_PROTOCOL_ERROR);
        return;
    }
    if (drain_ms_ != 0 && !drained_ && now_ms - drain_ms_ >= kDrainNoticeMs) {
        drained_ = true;
        nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(session_), NGHTTP2_NO_ERROR,
                              nullptr, 0);
        server_.loop().AtTurnEnd(*this);
    }
    const int64_t body_ms = server_.config().timeouts.body / std::chrono::milliseconds(1);
    for (auto& stream : streams_) {
        if (stream->Stuck(WindowClosed(*stream), now_ms, write_ms)) {
            nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream->id(), NGHTTP2_CANCEL);
            server_.loop().AtTurnEnd(*this);
            continue;
        }
        if (body_ms > 0 && stream->body_since_ms() != 0 &&
            now_ms - stream->body_since_ms() >= body_ms) {
            stream->TimeOut();
            break;  // the list may have changed; the next tick goes on
        }
    }
    if (streams_.empty() && !waiting) {
        server_.Touch(*this, Wait::kIdle);
    } else {
        since_ms = now_ms;
    }
}

}  // namespace rr::http
