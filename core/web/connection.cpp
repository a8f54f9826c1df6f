#include "core/web/connection.hpp"

#include <algorithm>
#include <ctime>
#include <string>
#include <utility>

#include "core/files/http_date.hpp"

namespace rr::web {
namespace {

constexpr size_t kKeepInput = 4 * 1024;
constexpr size_t kBlock = 64 * 1024;         // of a file that is read
constexpr uint64_t kTurn = 4 * 1024 * 1024;  // of files, then others have theirs

std::string_view ReasonOf(int status) {
    switch (status) {
        case 200: return "OK";
        case 204: return "No Content";
        case 206: return "Partial Content";
        case 304: return "Not Modified";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 412: return "Precondition Failed";
        case 413: return "Request Entity Too Large";
        case 416: return "Requested Range Not Satisfiable";
        case 429: return "Too Many Requests";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 502: return "Bad Gateway";
        case 503: return "Service Unavailable";
        case 504: return "Gateway Timeout";
        case 505: return "HTTP Version Not Supported";
        default: return "Status";
    }
}

std::string Date() {
    char text[files::kHttpDateSize];
    files::WriteHttpDate(std::time(nullptr), text);
    return {text, sizeof text};
}

int StatusOf(RequestParser::Status fault) {
    switch (fault) {
        case RequestParser::Status::kHeadTooLarge: return 431;
        case RequestParser::Status::kBodyTooLarge: return 413;
        case RequestParser::Status::kVersion: return 505;
        default: return 400;
    }
}

}  // namespace

Connection::Connection(Endpoint& endpoint, net::Stream::Kind kind, int descriptor)
    : endpoint_(endpoint),
      stream_(endpoint.loop(), kind, descriptor, this),
      since_(endpoint.loop().Now()) {}

Connection::~Connection() {
    if (link_) {
        *link_ = nullptr;
    }
}

void Connection::Start() { stream_.StartReading(); }

void Connection::OnData(size_t size) {
    if (state_ != State::kReading) {
        return;
    }
    input_.Append(Bytes(net::ReadScratch().data(), size));
    Advance();
}

void Connection::OnClosed(net::CloseReason reason) {
    eof_ = true;
    if (state_ == State::kSending && reason != net::CloseReason::kReset) {
        keep_alive_ = false;
        return;  // it has only closed its own direction
    }
    if (reason == net::CloseReason::kReset || stream_.queued() == 0) {
        Close();
        return;
    }
    // Answers are on their way to a client that has only closed its own direction.
    Linger();
}

void Connection::OnDrained() {
    if (state_ == State::kSending) {
        Pump();
    } else if (state_ == State::kStalled) {
        Enter(State::kReading);
        Advance();
    } else if (state_ == State::kLinger && eof_) {
        Close();
    }
}

void Connection::Advance() {
    if (advancing_) {
        return;  // the handler answered at once: the loop below goes on
    }
    advancing_ = true;
    while (state_ == State::kReading && Step()) {
    }
    advancing_ = false;
    if (state_ == State::kReading) {
        input_.Clear(kKeepInput);
        stream_.StartReading();
    } else if (state_ == State::kAnswering || state_ == State::kSending ||
               state_ == State::kStalled) {
        stream_.StopReading();
    }
}

bool Connection::Step() {
    size_t used = 0;
    const RequestParser::Status status = parser_.Feed(input_.view(), used);
    input_.Consume(used);
    if (parser_.in_request() && !in_request_) {
        in_request_ = true;
        since_ = endpoint_.loop().Now();
    }
    switch (status) {
        case RequestParser::Status::kNeedMore: return false;
        case RequestParser::Status::kContinue:
            stream_.Queue("HTTP/1.1 100 Continue\r\n\r\n");
            return false;
        case RequestParser::Status::kRequest: break;
        default: Refuse(StatusOf(status)); return false;
    }
    in_request_ = false;
    first_ = false;
    Enter(State::kAnswering);
    link_ = std::make_shared<Connection*>(this);
    endpoint_.Handle(parser_.request(), Responder(link_));
    return true;
}

void Connection::Send(Answer answer) {
    link_.reset();
    if (state_ != State::kAnswering) {
        return;  // the client is gone
    }
    keep_alive_ = parser_.keep_alive() && !eof_;
    Write(answer, keep_alive_);
    if (!answer.pieces.empty() && parser_.request().method != "HEAD") {
        pieces_ = std::move(answer.pieces);
        piece_ = 0;
        piece_sent_ = 0;
        piece_text_ = false;
        Enter(State::kSending);
        Pump();
        return;
    }
    Finish();
}

// Until all is out or the client has enough for now; OnDrained goes on.
void Connection::Pump() {
    const uint64_t start = pumped_;
    while (piece_ < pieces_.size()) {
        const HttpPiece& piece = pieces_[piece_];
        if (!piece_text_) {
            stream_.Queue(piece.text);
            piece_text_ = true;
        }
        if (piece.file.file && piece_sent_ < piece.file.size) {
            if (stream_.queued() >= kMostQueued) {
                stream_.Flush();
                // Not all went: OnDrained comes. It has all gone: on with it.
                if (state_ == State::kClosed || stream_.queued() > 0) {
                    return;
                }
            }
            if (!SendSome(piece.file)) {
                // It has become shorter than was promised: the client must see that.
                stream_.Abort();
                Close();
                return;
            }
            since_ = endpoint_.loop().Now();
            if (pumped_ - start >= kTurn) {
                link_ = std::make_shared<Connection*>(this);
                endpoint_.loop().Post([link = link_] {
                    if (*link != nullptr && (*link)->state_ == State::kSending) {
                        (*link)->Pump();
                    }
                });
                return;
            }
            continue;
        }
        ++piece_;
        piece_sent_ = 0;
        piece_text_ = false;
    }
    pieces_.clear();
    Finish();
}

bool Connection::SendSome(const HttpFile& file) {
    const uint64_t offset = file.offset + piece_sent_;
    const uint64_t left = file.size - piece_sent_;
    const int64_t sent = stream_.SendFile(file.file->descriptor(), offset, left);
    if (sent != 0) {
        piece_sent_ += static_cast<uint64_t>(std::max<int64_t>(sent, 0));
        pumped_ += static_cast<uint64_t>(std::max<int64_t>(sent, 0));
        return sent > 0;
    }
    Buffer& to = stream_.queue();
    const size_t size = std::min<uint64_t>(left, kBlock);
    to.Reserve(size);
    const Result<size_t> got = file.file->ReadAt(offset, to.tail(), size);
    if (!got || *got == 0) {
        return false;
    }
    to.Commit(*got);
    stream_.Flushed();
    piece_sent_ += *got;
    pumped_ += *got;
    return true;
}

void Connection::Finish() {
    if (!keep_alive_) {
        Linger();
        return;
    }
    if (stream_.queued() > kMostQueued) {
        stream_.Flush();
    }
    if (state_ == State::kClosed) {
        return;  // the client was gone
    }
    Enter(stream_.queued() > kMostQueued ? State::kStalled : State::kReading);
    Advance();
}

void Connection::Refuse(int status) {
    Write({status, std::to_string(status) + " " + std::string(ReasonOf(status)) + "\n"}, false);
    Linger();
}

void Connection::Write(const Answer& answer, bool keep_alive) {
    std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " ";
    head.append(ReasonOf(answer.status));
    if (!answer.content_type.empty()) {
        head.append("\r\nContent-Type: ").append(answer.content_type);
        head.append("\r\nX-Content-Type-Options: nosniff");
    }
    for (const auto& [name, value] : answer.headers) {
        head.append("\r\n").append(name).append(": ").append(value);
    }
    uint64_t size = answer.body.size();
    for (const HttpPiece& piece : answer.pieces) {
        size += piece.text.size() + piece.file.size;
    }
    if (answer.status != 304) {
        head.append("\r\nContent-Length: ").append(std::to_string(size));
    }
    head.append("\r\nDate: ").append(Date());
    if (!keep_alive) {
        head.append("\r\nConnection: close");
    } else if (parser_.old_version()) {
        head.append("\r\nConnection: keep-alive");
    }
    head.append("\r\n\r\n");
    stream_.Queue(head);
    if (state_ != State::kAnswering || parser_.request().method != "HEAD") {
        stream_.Queue(answer.body);
    }
}

// Half-closes and reads on for a moment: a close with unread input would be a reset, which can
// overtake the answer.
void Connection::Linger() {
    if (state_ == State::kClosed) {
        return;
    }
    Enter(State::kLinger);
    input_.Clear(0);
    stream_.ShutdownWhenSent();
    if (!eof_) {
        stream_.StartReading();
        return;
    }
    stream_.Flush();
    if (state_ == State::kLinger && stream_.queued() == 0) {
        Close();
    }
}

void Connection::OnTick(Instant now) {
    Duration limit = endpoint_.options_.request;
    switch (state_) {
        case State::kAnswering:
        case State::kClosed: return;
        case State::kSending:
        case State::kStalled: limit = endpoint_.options_.write; break;
        case State::kLinger:
            limit = stream_.queued() > 0 ? endpoint_.options_.write : kLingerTime;
            break;
        case State::kReading:
            if (stream_.queued() > 0) {
                limit = endpoint_.options_.write;
            } else if (!first_ && !in_request_) {
                limit = endpoint_.options_.idle;
            }
    }
    if (now - since_ >= limit) {
        Close();
    }
}

void Connection::FlushLast() {
    if (state_ != State::kClosed) {
        stream_.Flush();
    }
}

void Connection::Close() {
    if (state_ != State::kClosed) {
        state_ = State::kClosed;
        stream_.StopReading();
        endpoint_.Remove(*this);
    }
}

void Connection::Enter(State state) {
    state_ = state;
    since_ = endpoint_.loop().Now();
}

}  // namespace rr::web
