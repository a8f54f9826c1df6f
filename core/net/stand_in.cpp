#include "core/net/datagrams.hpp"
#include "core/net/proxy_header.hpp"
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
ProxyHeader ReadProxyHeader(Bytes) {
    ProxyHeader h;
    h.status = ProxyHeader::Status::kInvalid;
    return h;
}
}  // namespace rr::net
