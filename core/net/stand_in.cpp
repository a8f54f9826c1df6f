#include "core/net/stream.hpp"
#include "core/net/tls.hpp"
namespace rr::net {
Result<std::shared_ptr<TlsContext>> TlsContext::Open(const TlsSettings&) {
    return Fail(Errc::kUnsupported, "no tls");
}
TlsContext::~TlsContext() {}
void Stream::Secure(std::shared_ptr<TlsContext>, Bytes) {}
const std::string& Stream::tls_fault() const {
    static std::string s;
    return s;
}
}  // namespace rr::net
