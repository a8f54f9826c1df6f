// What is wrong with the peer's certificate, to a person: whom it is for, who signed it, when it ran
// out.
//
// Thread: pure functions.
#pragma once

#include <string>

struct x509_store_ctx_st;

namespace rr::net {

// store: that just refused the certificate. `it is for a.example, b.example`.
std::string CertificateFault(x509_store_ctx_st* store);

}  // namespace rr::net
