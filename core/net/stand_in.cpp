#include "core/net/datagrams.hpp"
#include "core/net/proxy_header.hpp"
#include "core/net/stream.hpp"
#include "core/net/tls.hpp"
namespace rr::net {
std::string Peer::ToString() const { return ""; }
Result<Peer> Peer::Parse(std::string_view) { return Fail(Errc::kInvalid, ""); }
size_t Peer::Hash() const { return 0; }
Result<std::unique_ptr<Datagrams>> Datagrams::Bind(Loop&, const Address&) {
    return Fail(Errc::kUnsupported, "no udp");
}
Datagrams::~Datagrams() {}
void Datagrams::Start(DatagramHandler&) {}
void Datagrams::StopReading() {}
Datagrams::Sent Datagrams::Send(const Peer&, Bytes) { return Sent::kFailed; }
Result<std::shared_ptr<TlsContext>> TlsContext::Open(const TlsSettings&) {
    return Fail(Errc::kUnsupported, "no tls");
}
TlsContext::~TlsContext() {}
void Stream::Secure(std::shared_ptr<TlsContext>, Bytes) {}
const std::string& Stream::tls_fault() const {
    static std::string s;
    return s;
}
ProxyHeader ReadProxyHeader(Bytes) {
    ProxyHeader h;
    h.status = ProxyHeader::Status::kInvalid;
    return h;
}
}  // namespace rr::net
