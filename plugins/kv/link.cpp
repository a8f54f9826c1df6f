#include "plugins/kv/link.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace rr::kv {

namespace {

const std::string kThisMachine = "localhost";

}  // namespace

Link::Link(Loop& loop, const LinkSettings& settings, net::Address address,
           std::unique_ptr<Dialect> dialect, LinkOwner& owner)
    : LoopBound(loop),
      settings_(settings),
      address_(std::move(address)),
      dialect_(std::move(dialect)),
      owner_(owner),
      connector_(loop),
      retry_(loop, [this] { Begin(); }),
      alarm_(loop, [this] { OnAlarm(); }) {}

Link::~Link() {
    if (locator_ != nullptr && state_ == State::kConnecting) {
        locator_->Forget();
    }
}

void Link::Submit(std::unique_ptr<Call> call) {
    if (state_ == State::kClosed) {
        owner_.OnAnswer(*this, std::move(call), Fail(Errc::kClosed, "the storage was closed"));
        return;
    }
    if (bytes_ + call->wire.size() > settings_.max_waiting && bytes_ > 0) {
        owner_.OnAnswer(*this, std::move(call),
                        Fail(Errc::kBusy, address_.ToString() + ": too many calls wait"));
        return;
    }
    bytes_ += call->wire.size();
    call->attempts = std::max(call->attempts, std::min(failures_, settings_.max_retries));
    WatchFor(call->deadline);
    if (state_ == State::kReady && sent_.empty() && Stale()) {
        Disconnect();
        state_ = State::kIdle;
    }
    if (state_ == State::kReady) {
        Write(std::move(call));
        return;
    }
    waiting_.push_back(std::move(call));
    if (state_ == State::kIdle) {
        GoOn();
    }
}

void Link::Warm() {
    if (state_ == State::kIdle) {
        Begin();
    }
}

bool Link::Stale() const {
    const Instant now = loop_.Now();
    return (settings_.idle_timeout > Duration::zero() && now - used_ > settings_.idle_timeout) ||
           (settings_.max_age > Duration::zero() && now - born_ > settings_.max_age);
}

// Begins an attempt now, or when the pause after the last one is over.
void Link::GoOn() {
    const Instant now = loop_.Now();
    if (now >= not_before_) {
        Begin();
        return;
    }
    state_ = State::kPausing;
    retry_.Arm(not_before_ - now);
}

void Link::Begin() {
    state_ = State::kConnecting;
    if (locator_ == nullptr) {
        Dial();
        return;
    }
    locator_->Locate([this](Result<net::Address> found) {
        if (!found) {
            AttemptFailed(found.error());
            return;
        }
        address_ = std::move(*found);
        Dial();
    });
}

void Link::Dial() {
    connector_.Connect(address_, settings_.dial_timeout,
                       [this](Result<net::Connection> made) { OnMade(std::move(made)); });
}

void Link::OnMade(Result<net::Connection> made) {
    if (!made) {
        AttemptFailed(made.error());
        return;
    }
    ++connection_;
    silent_ = true;
    // An address without a host is this machine.
    const std::string& host = address_.host.empty() ? kThisMachine : address_.host;
    stream_ =
        std::make_unique<net::Stream>(loop_, made->kind, made->descriptor,
                                      static_cast<net::StreamHandler*>(this), settings_.tls, host);
    stream_->StartReading();
    stalled_.reset();
    born_ = used_ = loop_.Now();
    greeting_ = dialect_->Greet();
    state_ = State::kGreeting;
    if (settings_.tls != nullptr) {
        securing_ = loop_.Now() + settings_.dial_timeout;
        WatchFor(*securing_);
    }
    if (greeting_ == nullptr) {
        if (!securing_) {
            Ready();
        }
        return;
    }
    greeting_->deadline = loop_.Now() + settings_.dial_timeout;
    WatchFor(greeting_->deadline);
    stream_->Queue(greeting_->wire);
}

void Link::OnSecured() {
    securing_.reset();
    if (greeting_ == nullptr) {
        Ready();
    }
}

void Link::Ready() {
    state_ = State::kReady;
    auto waited = std::move(waiting_);
    waiting_.clear();
    for (auto& call : waited) {
        Write(std::move(call));
    }
}

void Link::Write(std::unique_ptr<Call> call) {
    used_ = loop_.Now();
    if (stream_->queued() == 0) {
        stalled_ = used_;
        WatchFor(used_ + settings_.write_timeout);
    }
    stream_->Queue(call->wire);
    sent_.push_back(std::move(call));
}

void Link::OnData(size_t size) {
    silent_ = false;
    used_ = loop_.Now();
    const uint64_t connection = connection_;
    if (stalled_) {
        stalled_ = used_;
    }
    if (auto fed = dialect_->Feed(Bytes(net::ReadScratch().data(), size)); !fed) {
        Lost(fed.error());
        return;
    }
    while (greeting_ != nullptr || !sent_.empty()) {
        Call& oldest = greeting_ != nullptr ? *greeting_ : *sent_.front();
        Result<bool> whole = dialect_->Read(oldest);
        if (!whole) {
            Lost(whole.error());
            return;
        }
        if (!*whole) {
            return;
        }
        if (greeting_ != nullptr) {
            auto greeting = std::move(greeting_);
            if (auto good = dialect_->Greeted(*greeting); !good) {
                AttemptFailed(good.error());
                return;
            }
            Ready();
            continue;
        }
        auto call = std::move(sent_.front());
        sent_.pop_front();
        failures_ = 0;
        if (std::exchange(down_, false)) {
            owner_.OnUp(*this);
        }
        Answer(std::move(call), {});
        if (connection != connection_ || stream_ == nullptr) {
            return;  // the owner wanted another one
        }
    }
    if (!dialect_->quiet()) {
        Lost(Error(Errc::kProtocol, "an answer that nobody asked for"));
    }
}

void Link::OnClosed(net::CloseReason) {
    const std::string& fault = stream_->tls_fault();
    if (!fault.empty()) {
        Lost(Error(Errc::kIo, "TLS: " + fault));
        return;
    }
    // TLS 1.3 refuses a client behind the handshake, and its alert may be lost with the connection.
    Lost(Error(Errc::kClosed,
               settings_.tls != nullptr && silent_
                   ? "the server closed the connection behind the TLS handshake: does "
                     "it want a certificate of ours?"
                   : "the server closed the connection"));
}

void Link::Restart(const Error& why) {
    if (stream_ != nullptr) {
        Lost(why);
    }
}

void Link::Close() {
    if (locator_ != nullptr && state_ == State::kConnecting) {
        locator_->Forget();
    }
    Disconnect();
    state_ = State::kClosed;
    alarm_.Disarm();
    retry_.Disarm();
    Calls left;
    std::move(sent_.begin(), sent_.end(), std::back_inserter(left));
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(left));
    sent_.clear();
    waiting_.clear();
    for (auto& call : left) {
        Answer(std::move(call), Fail(Errc::kClosed, "the storage was closed"));
    }
}

void Link::Disconnect() {
    connector_.Cancel();
    stream_.reset();
    greeting_.reset();
    stalled_.reset();
    securing_.reset();
}

// A connection that served is gone, or one that greeted.
void Link::Lost(const Error& why) {
    if (state_ == State::kGreeting) {
        AttemptFailed(settings_.tls == nullptr
                          ? why
                          : Error(why.code, address_.ToString() + ": " + why.message, why.at));
        return;
    }
    Error named(why.code, address_.ToString() + ": " + why.message, why.at);
    Disconnect();
    state_ = State::kIdle;
    // The first time it is tried again at once: most servers come back, or only the connection died.
    not_before_ = loop_.Now() + (failures_ == 0 ? Duration::zero() : Pause());
    ++failures_;
    last_error_ = named.message;
    Calls given_up;
    TakeBack(given_up);
    if (!waiting_.empty()) {
        GoOn();
    }
    if ((!given_up.empty() || failures_ > 1) && !std::exchange(down_, true)) {
        owner_.OnDown(*this, named);
    }
    GiveUp(given_up, named);
}

// What was sent waits again, in front, unless it has waited or tried enough.
void Link::TakeBack(Calls& given_up) {
    const Instant now = loop_.Now();
    auto sent = std::move(sent_);
    sent_.clear();
    for (auto call = sent.rbegin(); call != sent.rend(); ++call) {
        if (++(*call)->attempts > settings_.max_retries || (*call)->deadline <= now) {
            given_up.push_back(std::move(*call));
        } else {
            (*call)->Again();
            waiting_.push_front(std::move(*call));
        }
    }
    std::reverse(given_up.begin(), given_up.end());
}

void Link::AttemptFailed(const Error& why) {
    Disconnect();
    state_ = State::kIdle;
    ++failures_;
    not_before_ = loop_.Now() + Pause();
    last_error_ = why.message;
    Calls given_up;
    DropWaiting(given_up, true);
    if (!waiting_.empty()) {
        GoOn();
    }
    if (!std::exchange(down_, true)) {
        owner_.OnDown(*this, why);
    }
    GiveUp(given_up, why);
}

// Takes out of waiting_ what has waited or tried enough.
void Link::DropWaiting(Calls& given_up, bool attempt_failed) {
    const Instant now = loop_.Now();
    auto enough = [&](std::unique_ptr<Call>& call) {
        const bool tired = attempt_failed && ++call->attempts > settings_.max_retries;
        if (tired || call->deadline <= now) {
            given_up.push_back(std::move(call));
            return true;
        }
        return false;
    };
    waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), enough), waiting_.end());
}

Duration Link::Pause() const {
    const int64_t doublings = std::clamp<int64_t>(failures_ - 1, 0, 30);
    return std::min(settings_.max_backoff, settings_.min_backoff * (int64_t{1} << doublings));
}

void Link::GiveUp(Calls& calls, const Error& why) {
    for (auto& call : calls) {
        Answer(std::move(call), Result<void>(tl::unexpected<Error>(why)));
    }
}

void Link::Answer(std::unique_ptr<Call> call, Result<void> result) {
    bytes_ -= call->wire.size();
    owner_.OnAnswer(*this, std::move(call), std::move(result));
}

void Link::WatchFor(Deadline deadline) {
    if (!alarm_.armed() || deadline < alarm_at_) {
        alarm_at_ = deadline;
        alarm_.Arm(std::max(deadline - loop_.Now(), Duration::zero()));
    }
}

void Link::OnAlarm() {
    const Instant now = loop_.Now();
    const auto late = [now](const std::unique_ptr<Call>& call) { return call->deadline <= now; };
    if (stream_ != nullptr && stream_->queued() == 0) {
        stalled_.reset();
    }
    if (securing_ && *securing_ <= now) {
        AttemptFailed(Error(Errc::kTimeout, address_.ToString() + ": no TLS handshake in time"));
    } else if (greeting_ != nullptr && greeting_->deadline <= now) {
        AttemptFailed(Error(Errc::kTimeout, address_.ToString() + ": no answer in time"));
    } else if (std::any_of(sent_.begin(), sent_.end(), late)) {
        Lost(Error(Errc::kTimeout, "no answer in time"));
    } else if (stalled_ && *stalled_ + settings_.write_timeout <= now) {
        Lost(Error(Errc::kTimeout, "the server takes no more bytes"));
    }
    Calls given_up;
    DropWaiting(given_up, false);
    if (!given_up.empty()) {
        std::string text = securing_ ? "no TLS handshake in time" : "no connection in time";
        GiveUp(given_up,
               Error(Errc::kTimeout, last_error_.empty() ? address_.ToString() + ": " + text
                                                         : last_error_ + " (" + text + ")"));
    }
    std::optional<Deadline> next;
    const auto consider = [&next](Deadline deadline) {
        next = next ? std::min(*next, deadline) : deadline;
    };
    if (greeting_ != nullptr) {
        consider(greeting_->deadline);
    }
    if (securing_) {
        consider(*securing_);
    }
    if (stalled_) {
        consider(*stalled_ + settings_.write_timeout);
    }
    for (const auto* calls : {&sent_, &waiting_}) {
        for (const auto& call : *calls) {
            consider(call->deadline);
        }
    }
    if (next && state_ != State::kClosed) {
        WatchFor(*next);
    }
}

}  // namespace rr::kv
