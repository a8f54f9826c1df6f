#include "core/rpc/methods.hpp"

#include <algorithm>

namespace rr::rpc {

void Methods::Add(RpcService& service) {
    std::vector<RpcMethod> methods;
    service.Describe(methods);
    std::string name(service.rpc_name());
    if (std::find(services_.begin(), services_.end(), name) == services_.end()) {
        services_.push_back(name);
    }
    for (RpcMethod& method : methods) {
        auto entry = std::make_unique<Entry>();
        entry->full_name = name + "." + std::string(method.name);
        entry->method = std::move(method);
        if (by_name_.try_emplace(entry->full_name, entry.get()).second) {
            entries_.push_back(std::move(entry));
        }
    }
}

std::string Methods::Missing(std::string_view full_name) const {
    size_t dot = full_name.rfind('.');
    std::string_view what = "rpc: can't find method ";
    if (dot == std::string_view::npos) {
        what = "rpc: service/method request ill-formed: ";
    } else if (std::find(services_.begin(), services_.end(), full_name.substr(0, dot)) ==
               services_.end()) {
        what = "rpc: can't find service ";
    }
    return std::string(what).append(full_name);
}

}  // namespace rr::rpc
