// A TLS client's session: the input is what a server sends, in pieces of the first byte's size, in
// answer to the hello or (if that byte is odd) behind a handshake. None of it may end a handshake or
// come out as plaintext.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/net/tls_for_test.hpp"
#include "core/net/tls_session.hpp"

namespace {

using rr::Bytes;
using rr::net::TlsContext;
using rr::net::TlsSession;
using Status = TlsSession::Status;

constexpr size_t kMostWire = 64 * 1024;  // an answer to garbage is short

struct Contexts {
    Contexts() {
        rr::net::CertificateFolder folder;
        folder.MakeAs("server", {.hosts = "DNS:server"});
        auto opened = TlsContext::Open(folder.Settings("server"));
        auto trusting = TlsContext::OpenClient({.root_ca = folder.Certificate("server")});
        RR_CHECK(opened && trusting);
        server = *opened;
        client = *trusting;
    }
    std::shared_ptr<TlsContext> server;
    std::shared_ptr<TlsContext> client;
};

// Gives each what the other has to say.
Status Exchange(TlsSession& from, TlsSession& to) {
    to.Feed(from.wire().view());
    Status status = to.Handshake();
    to.Keep();
    from.wire().Clear();
    return status;
}

void ShakeHands(TlsSession& client, TlsSession& server) {
    Status status = client.Handshake();
    for (int turn = 0; turn < 16 && status == Status::kNeedMore; ++turn) {
        Exchange(client, server);
        status = Exchange(server, client);
    }
    RR_CHECK(status == Status::kData);
    client.wire().Clear();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1 || size > 64 * 1024) {
        return 0;
    }
    static const Contexts contexts;
    TlsSession client(contexts.client, "server");
    TlsSession server(contexts.server);
    bool behind = (data[0] & 1) != 0;
    if (behind) {
        ShakeHands(client, server);
    } else {
        RR_CHECK(client.Handshake() == Status::kNeedMore);
        client.wire().Clear();
    }
    std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    size_t piece = (data[0] >> 1) == 127 ? std::max<size_t>(bytes.size(), 1) : 1 + (data[0] >> 1);
    Status status = Status::kNeedMore;
    while (!bytes.empty()) {
        client.Feed(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        Status now = behind ? client.Ready() : client.Handshake();
        RR_CHECK(now != Status::kData);
        RR_CHECK(status == Status::kNeedMore || now == status);  // an end is for good
        RR_CHECK((now == Status::kFailed) == !client.fault().empty());
        RR_CHECK(client.wire().size() < kMostWire);
        status = now;
        client.Keep();
    }
    if (status == Status::kFailed) {
        RR_CHECK(!client.Write("x"));
    }
    return 0;
}
