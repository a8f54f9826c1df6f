// Who asks for the debug pool, one header line per line of input: whatever a client sends, an untrusted
// address that its proxy adds, on a line of its own or behind the client's, is seen.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "core/base/check.hpp"
#include "plugins/http/canonical.hpp"
#include "plugins/http/debug_rules.hpp"
#include "plugins/http/head.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr;
    static const http::DebugRules kRules = [] {
        http::DebugRules rules;
        rules.header = "X-Debug";
        rules.cookie = "C";
        rules.trusted = {*net::ParseSubnet("127.0.0.0/8")};
        rules.client_by = {"Forwarded", "X-Forwarded-For"};
        return rules;
    }();
    http::RequestHead head;
    Bytes in(reinterpret_cast<const char*>(data), size);
    Bytes last;
    while (!in.empty()) {
        Bytes line = in.substr(0, in.find('\n'));
        in.remove_prefix(std::min(line.size() + 1, in.size()));
        size_t colon = std::min(line.find(':'), line.size());
        Bytes value = http::TrimBlanks(line.substr(std::min(colon + 1, line.size())));
        head.Add(line.substr(0, colon), value);
        last = value;
    }
    (void)kRules.Asks(head);
    auto trusts = [&head] { return kRules.Trusts(head, "127.0.0.1:1", "127.0.0.1:1", false); };
    bool before = trusts();
    const std::string appended_pair = std::string(last) + ", for=192.0.2.1";
    const std::string appended = std::string(last) + ", 192.0.2.1";
    for (const auto& [name, value] : {std::pair<Bytes, Bytes>{"Forwarded", "for=192.0.2.1"},
                                      {"Forwarded", appended_pair},
                                      {"X-Forwarded-For", "192.0.2.1"},
                                      {"X-Forwarded-For", appended}}) {
        head.Add(name, value);
        RR_CHECK(!trusts());
        head.fields.pop_back();
    }
    RR_CHECK(trusts() == before);
    return 0;
}
