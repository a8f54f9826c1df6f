#include "core/web/connection.hpp"

#include <cstdio>
#include <ctime>
#include <string>
#include <utility>

namespace rr::web {
namespace {

constexpr size_t kKeepInput = 4 * 1024;

std::string_view ReasonOf(int status) {
    switch (status) {
        case 200: return "OK";
        case 204: return "No Content";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 413: return "Request Entity Too Large";
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
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    char text[64];
    // Not strftime's names: those follow the locale.
    std::snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[utc.tm_wday],
                  utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                  utc.tm_sec);
    return text;
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
    if (reason == net::CloseReason::kReset || stream_.queued() == 0) {
        Close();
        return;
    }
    // Answers are on their way to a client that has only closed its own direction.
    Linger();
}

void Connection::OnDrained() {
    if (state_ == State::kStalled) {
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
    } else if (state_ == State::kAnswering || state_ == State::kStalled) {
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
    const bool keep_alive = parser_.keep_alive() && !eof_;
    Write(answer, keep_alive);
    if (!keep_alive) {
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
    head.append(ReasonOf(answer.status)).append("\r\nContent-Type: ").append(answer.content_type);
    head.append("\r\nX-Content-Type-Options: nosniff\r\nContent-Length: ");
    head.append(std::to_string(answer.body.size())).append("\r\nDate: ").append(Date());
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
