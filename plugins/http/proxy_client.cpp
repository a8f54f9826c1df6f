#include "plugins/http/proxy_client.hpp"

#include <utility>

#include "core/net/proxy_header.hpp"
#include "plugins/http/connection.hpp"
#include "plugins/http/server.hpp"

namespace rr::http {

ProxyClient::ProxyClient(HttpServer& server, std::unique_ptr<net::Stream> stream, bool secure)
    : server_(server), stream_(std::move(stream)), peer_(stream_->PeerName()), secure_(secure) {
    stream_->SetHandler(this);
}

void ProxyClient::Start() {
    server_.Touch(*this, Wait::kFirst);
    stream_->StartReading();
}

void ProxyClient::OnData(size_t size) {
    header_.Append(Bytes(net::ReadScratch().data(), size));
    net::ProxyHeader header = net::ReadProxyHeader(header_.view());
    if (header.status == net::ProxyHeader::Status::kNeedMore) {
        return;
    }
    if (header.status == net::ProxyHeader::Status::kInvalid) {
        server_.OnHandshakeFailed(peer_, header.fault);
        server_.Remove(*this);
        return;
    }
    Buffer received = std::move(header_);
    received.Consume(header.size);
    std::unique_ptr<net::Stream> stream = std::move(stream_);
    if (secure_) {
        stream->Secure(server_.tls(), received.view());
        received.Clear();
    }
    auto* next = new Connection(server_, std::move(stream), std::move(header.peer));
    server_.Replace(*this, *next);  // ends this object
    next->Start(received.view());
}

void ProxyClient::OnClosed(net::CloseReason) { server_.Remove(*this); }

void ProxyClient::OnTimeout() {
    server_.OnHandshakeFailed(peer_, "the PROXY header did not come in time");
    server_.Remove(*this);
}

}  // namespace rr::http
