// TlsSession: our side of one TLS connection, as bytes in and bytes out: no socket, no loop. Which side
// that is, the context says; a client's begins: its first Handshake() needs no bytes.
//
//   session.Feed(from_the_socket);
//   if (session.Handshake() == TlsSession::Status::kData) ...  // then Ready() and Read(), Write()
//   send(session.wire());
//   session.Keep();  // before what was fed goes away
//
// Thread: one at a time.
// Owns:   the OpenSSL state, ciphertext that waits to be read or sent; shares the context.
// Fails:  kFailed, for good; fault() says why, and wire() has the alert for the peer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/bytes.hpp"
#include "core/net/tls.hpp"

struct bio_method_st;
struct ssl_st;

namespace rr::net {

class TlsSession final {
public:
    enum class Status : uint8_t {
        kNeedMore,  // all that was fed is consumed
        kData,      // plaintext is there; from Handshake(): it is done
        kEnd,       // the peer said that it finished sending
        kFailed
    };

    // host: a client's: the name or number that the server's certificate must have; empty: any.
    explicit TlsSession(std::shared_ptr<TlsContext> context, const std::string& host = {});
    ~TlsSession();
    TlsSession(const TlsSession&) = delete;
    TlsSession& operator=(const TlsSession&) = delete;

    // Lends ciphertext from the peer until Keep(), which copies what was not consumed. After an end
    // or a failure it counts for nothing.
    // REQUIRES: what was lent before is consumed.
    void Feed(Bytes ciphertext);
    void Keep();

    Status Handshake();

    // After the handshake. Read: the bytes that are there, as far as they fit; 0 unless Ready() said
    // kData. Write: false if the session failed or was closed; else everything is in wire().
    Status Ready();
    size_t Read(char* out, size_t size);
    bool Write(Bytes plaintext);

    // A client that has not said anything yet.
    bool begins() const;
    // Tells the peer that nothing follows. Reading goes on.
    void Close();

    // Ready() has something to say without more from the peer.
    bool HasInput() const;
    // What the peer is to get; whoever sends it consumes it.
    Buffer& wire() { return wire_; }
    const Buffer& wire() const { return wire_; }
    // The ALPN choice; empty without one.
    std::string_view protocol() const;
    // The peer is gone: failed for this reason, unless there is one.
    void Lose(std::string_view why);
    // `client` or `server`: who is at the other end.
    std::string_view peer() const { return context_->client() ? "server" : "client"; }
    // For TlsContext: why the peer's certificate is refused.
    static TlsSession& Of(ssl_st* ssl);
    void SetCertificateFault(std::string text) { certificate_fault_ = std::move(text); }
    bool failed() const { return last_ == Status::kFailed; }
    const std::string& fault() const { return fault_; }

private:
    static const bio_method_st* Method();
    size_t TakeInput(char* out, size_t size);
    Status Judge(int returned);
    void Expect(const std::string& host);

    const std::shared_ptr<TlsContext> context_;
    ssl_st* ssl_;
    Bytes lent_;  // behind kept_
    Buffer kept_;
    Buffer wire_;
    size_t answers_ = 0;  // bytes of the protocol's own since the handshake
    std::string fault_;
    std::string certificate_fault_;
    Status last_ = Status::kNeedMore;  // kEnd and kFailed stay
};

}  // namespace rr::net
