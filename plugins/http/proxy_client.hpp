// ProxyClient: a connection before its PROXY header: it reads that, and hands over to a Connection that
// has the name of the client behind the proxy.
//
// Thread: its loop.
// Owns:   its stream. The server owns it, and deletes it in Remove or Replace.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/bytes.hpp"
#include "core/net/stream.hpp"
#include "plugins/http/client.hpp"

namespace rr::http {

class HttpServer;

class ProxyClient final : public Client, private net::StreamHandler {
public:
    // secure: TLS follows.
    ProxyClient(HttpServer& server, std::unique_ptr<net::Stream> stream, bool secure);

    // Client
    void Start() override;
    const std::string& peer() const override { return peer_; }
    void OnTimeout() override;
    void OnTick(int64_t, int64_t) override {}

private:
    // net::StreamHandler
    std::span<char> OnReadBuffer() override { return net::ReadScratch(); }
    void OnData(size_t size) override;
    void OnClosed(net::CloseReason reason) override;

    HttpServer& server_;
    std::unique_ptr<net::Stream> stream_;
    std::string peer_;  // the proxy
    const bool secure_;
    Buffer header_;
};

}  // namespace rr::http
