// The keys of sections that bring certificates: `cert`, `key`, `root_ca`, `client_auth_type`.
//
// Thread: main. Problems are reported through the section.
#pragma once

#include <string>
#include <string_view>

#include "core/net/tls.hpp"

namespace rr::config {

class Section;

// A path whose file has to be there; `what` for the text: `key file 'x' does not exists`.
std::string ReadTlsFile(const Section& section, std::string_view key, std::string_view what,
                        bool required);

// All four; cert and key are required.
net::TlsSettings ReadTls(const Section& section);

net::ClientAuth ReadClientAuth(const Section& section);

}  // namespace rr::config
