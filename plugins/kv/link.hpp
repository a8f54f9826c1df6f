// Link: the one connection of a networked driver to one server. Calls go out at once, one behind the
// other, and are answered in that order; nobody waits for the answer before.
//
//   Link link(loop, settings, address, std::make_unique<SomeDialect>(), owner);
//   link.Submit(std::move(call));       // owner.OnAnswer(link, call, result), exactly once
//
// It connects when there is a call, and again when the connection is lost. What was not answered then
// is sent anew, so calls must bear to be run twice. Between attempts that fail it pauses, longer each
// time. A call fails when its deadline passes, or when max_retries attempts after the first have
// failed; while a server is known to be down, the next failed attempt ends it.
//
// Thread: its loop. LoopBound.
// Owns:   the connection, calls that are not answered. Borrows the owner, which outlives it and
//         destroys it in no callback of its own.
// Fails:  OnAnswer with kTimeout, kClosed, kIo, kDenied, kNotFound, kProtocol: the server cannot be
//         reached or does not speak the dialect; kBusy: too much waits already.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/net/address.hpp"
#include "core/net/connector.hpp"
#include "core/net/stream.hpp"
#include "core/net/timer.hpp"
#include "core/net/tls.hpp"

namespace rr::kv {

struct LinkSettings {
    Duration dial_timeout = std::chrono::seconds(5);  // of an attempt to connect, and of a greeting
    // While bytes wait to be taken and nothing is answered.
    Duration write_timeout = std::chrono::seconds(3);
    int64_t max_retries = 3;
    Duration min_backoff = std::chrono::milliseconds(8);
    Duration max_backoff = std::chrono::milliseconds(512);
    Duration idle_timeout = Duration::zero();  // a connection idle for so long is not used; 0: is
    Duration max_age = Duration::zero();       // the same for old ones
    size_t max_waiting = 64u << 20;            // bytes of calls that are not answered
    std::shared_ptr<net::TlsContext> tls;      // null: in the clear
};

// One request; drivers derive theirs, with room for the answer.
struct Call {
    virtual ~Call() = default;
    // It is sent once more: what was read of its answer is void.
    virtual void Again() {}

    std::string wire;  // what is sent
    Deadline deadline{};
    int64_t attempts = 0;  // that failed
};

// What is spoken on a link. One object per link; it keeps the bytes that are not a whole answer yet.
class Dialect {
public:
    virtual ~Dialect() = default;

    // A new connection begins: forgets what is left of the one before. What must be said and answered
    // before anything else; null: nothing.
    virtual std::unique_ptr<Call> Greet() = 0;
    // Is the greeting's answer a good one?
    virtual Result<void> Greeted(Call& greeting) = 0;

    virtual Result<void> Feed(Bytes bytes) = 0;
    // True if that completes the answer of `call`, the oldest that is not answered.
    virtual Result<bool> Read(Call& call) = 0;
    // True if no byte is left over.
    virtual bool quiet() const = 0;
};

// Where the server is, if that changes: asked before each attempt to connect.
class Locator {
public:
    using Located = Callback<void(Result<net::Address>)>;
    // located: exactly once, perhaps inside the call, unless forgotten.
    virtual void Locate(Located located) = 0;
    virtual void Forget() = 0;

protected:
    ~Locator() = default;
};

class Link;

class LinkOwner {
public:
    // May come inside Submit.
    virtual void OnAnswer(Link& link, std::unique_ptr<Call> call, Result<void> result) = 0;
    // The server cannot be reached, or calls were lost; said once until OnUp.
    virtual void OnDown(Link& link, const Error& error) = 0;
    // It answers again.
    virtual void OnUp(Link& link) = 0;

protected:
    ~LinkOwner() = default;
};

class Link final : private LoopBound, private net::StreamHandler {
public:
    Link(Loop& loop, const LinkSettings& settings, net::Address address,
         std::unique_ptr<Dialect> dialect, LinkOwner& owner);
    ~Link();
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    // Asks `locator` from now on instead of taking the address for granted. It outlives the link.
    void SetLocator(Locator& locator) { locator_ = &locator; }

    void Submit(std::unique_ptr<Call> call);

    // Connects now, though nobody has a call yet.
    void Warm();

    // Gives the connection up for a new one; what is not answered goes there.
    void Restart(const Error& why);

    // Ends everything: calls fail with kClosed, later ones too.
    void Close();

    // The address, or the one that was located last.
    const net::Address& address() const { return address_; }
    bool down() const { return down_; }
    bool idle() const { return sent_.empty() && waiting_.empty(); }

private:
    enum class State : uint8_t {
        kIdle,        // no connection; the next call begins an attempt
        kPausing,     // after a failed attempt; retry_ is armed
        kConnecting,  // locating, connecting
        kGreeting,    // connected; no TLS yet, or greeting_ not answered yet
        kReady,
        kClosed,
    };
    using Calls = std::vector<std::unique_ptr<Call>>;

    std::span<char> OnReadBuffer() override { return net::ReadScratch(); }
    void OnData(size_t size) override;
    void OnClosed(net::CloseReason reason) override;
    void OnDrained() override { stalled_.reset(); }
    void OnSecured() override;

    void Begin();
    void Dial();
    void OnMade(Result<net::Connection> made);
    void Ready();
    void Write(std::unique_ptr<Call> call);
    bool Stale() const;
    void Lost(const Error& why);
    void AttemptFailed(const Error& why);
    void Disconnect();
    void GoOn();
    Duration Pause() const;
    void TakeBack(Calls& given_up);
    void DropWaiting(Calls& given_up, bool attempt_failed);
    void GiveUp(Calls& calls, const Error& why);
    void Answer(std::unique_ptr<Call> call, Result<void> result);
    void WatchFor(Deadline deadline);
    void OnAlarm();

    const LinkSettings settings_;
    net::Address address_;
    const std::unique_ptr<Dialect> dialect_;
    LinkOwner& owner_;
    Locator* locator_ = nullptr;

    State state_ = State::kIdle;
    net::Connector connector_;
    std::unique_ptr<net::Stream> stream_;  // of kGreeting and kReady
    std::unique_ptr<Call> greeting_;
    std::deque<std::unique_ptr<Call>> waiting_;  // empty in kReady
    std::deque<std::unique_ptr<Call>> sent_;     // oldest first; empty but in kReady
    size_t bytes_ = 0;                           // of both
    int64_t failures_ = 0;                       // in a row, without an answer between them
    uint64_t connection_ = 0;                    // counts streams
    bool silent_ = true;                         // nothing came on this one yet
    bool down_ = false;
    Instant born_{};
    Instant used_{};
    Instant not_before_{};             // the next attempt
    std::optional<Instant> stalled_;   // since when the peer takes no bytes
    std::optional<Instant> securing_;  // the end of the time for a TLS handshake
    std::string last_error_;
    net::Timer retry_;
    net::Timer alarm_;  // for the nearest deadline
    Instant alarm_at_{};
};

}  // namespace rr::kv
