// What proxies say about clients, one header line per line of input, the first byte chooses the entry:
// what is chosen is an address and stands in the input, and what a trusted proxy adds is found.
#include "plugins/proxy_ip_parser/forwarded.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include "core/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr;
    using proxy_ip_parser::Chooser;
    using proxy_ip_parser::Entry;
    static const net::Subnets kTrusted = {*net::ParseSubnet("10.0.0.0/8"),
                                          *net::ParseSubnet("fc00::/7")};
    std::string_view in(reinterpret_cast<const char*>(data), size);
    if (in.empty()) {
        return 0;
    }
    const auto entry = static_cast<Entry>(static_cast<unsigned char>(in[0]) % 3);
    in.remove_prefix(1);
    (void)net::ParseSubnet(in);

    Chooser forwarded(entry, kTrusted);
    Chooser list(entry, kTrusted);
    while (!in.empty()) {
        const size_t end = std::min(in.find('\n'), in.size());
        forwarded.AddForwarded(in.substr(0, end));
        list.AddList(in.substr(0, end));
        in.remove_prefix(std::min(end + 1, in.size()));
    }
    for (const Chooser* chooser : {&forwarded, &list}) {
        RR_CHECK(chooser->address().empty() || net::ParseIp(chooser->address()));
    }
    if (entry != Entry::kFirst) {
        forwarded.AddForwarded("for=192.0.2.1");
        list.AddList("192.0.2.1");
        RR_CHECK(forwarded.address() == "192.0.2.1");
        RR_CHECK(list.address() == "192.0.2.1");
    }
    return 0;
}
