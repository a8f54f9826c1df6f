// A TLS server's session: the input is what a client sends, in pieces of the first byte's size, in
// place of a handshake or (if that byte is odd) behind one. None of it may come out as plaintext.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "core/net/stream.hpp"
#include "core/net/tls_for_test.hpp"
#include "core/net/tls_session.hpp"

namespace {

using rr::Bytes;
using rr::net::TlsSession;
using Status = TlsSession::Status;

constexpr size_t kMostWire = 64 * 1024;  // an answer to garbage is short

std::shared_ptr<rr::net::TlsContext> Context() {
    static const std::shared_ptr<rr::net::TlsContext> context = [] {
        rr::net::CertificateFolder folder;
        folder.Make("server");
        rr::net::TlsSettings settings = folder.Settings("server");
        settings.client_auth = rr::net::ClientAuth::kVerifyIfGiven;
        settings.root_ca = settings.cert;
        settings.protocols = {"h2", "http/1.1"};
        auto opened = rr::net::TlsContext::Open(settings);
        RR_CHECK(opened);
        return *opened;
    }();
    return context;
}

void ShakeHands(TlsSession& session) {
    auto ends = rr::net::ConnectedPair();
    rr::net::TestTlsClient client(ends[1], {});
    Status status = Status::kNeedMore;
    for (int turn = 0; turn < 16 && status == Status::kNeedMore; ++turn) {
        client.Pump();
        char bytes[16 * 1024];
        ssize_t got = read(ends[0], bytes, sizeof(bytes));
        session.Feed(Bytes(bytes, static_cast<size_t>(std::max<ssize_t>(got, 0))));
        status = session.Handshake();
        session.Keep();
        ssize_t sent = write(ends[0], session.wire().data(), session.wire().size());
        RR_CHECK(sent == static_cast<ssize_t>(session.wire().size()));
        session.wire().Clear();
    }
    RR_CHECK(status == Status::kData);
    close(ends[0]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size < 1 || size > 64 * 1024) {
        return 0;
    }
    TlsSession session(Context());
    bool behind = (data[0] & 1) != 0;
    if (behind) {
        ShakeHands(session);
    }
    std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    size_t piece = (data[0] >> 1) == 127 ? std::max<size_t>(bytes.size(), 1) : 1 + (data[0] >> 1);
    Status status = Status::kNeedMore;
    while (!bytes.empty()) {
        session.Feed(bytes.substr(0, piece));
        bytes.remove_prefix(std::min(piece, bytes.size()));
        Status now = behind ? session.Ready() : session.Handshake();
        RR_CHECK(now != Status::kData);
        RR_CHECK(status == Status::kNeedMore || now == status);  // an end is for good
        RR_CHECK((now == Status::kFailed) == !session.fault().empty());
        RR_CHECK(session.wire().size() < kMostWire);
        status = now;
        session.Keep();
    }
    if (status == Status::kFailed) {
        RR_CHECK(!session.Write("x"));
    }
    return 0;
}
