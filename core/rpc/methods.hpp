// Methods: what can be called, by name.
//
// Thread: main. Filled once, when all services are known.
// Owns:   the methods. Borrows the services behind them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/api/rpc.hpp"

namespace rr::rpc {

class Methods {
public:
    struct Entry {
        std::string full_name;  // `rpc.Version`
        RpcMethod method;
    };

    // Adds the service's methods; a name that is there already stays as it is.
    void Add(RpcService& service);

    // Null: unknown; Missing() says how.
    Entry* Find(std::string_view full_name) const {
        auto found = by_name_.find(full_name);
        return found == by_name_.end() ? nullptr : found->second;
    }

    // The text for a name that Find does not know: as Go's net/rpc has it.
    std::string Missing(std::string_view full_name) const;

    // Names of the services, in order, each once.
    const std::vector<std::string>& services() const { return services_; }

private:
    std::vector<std::unique_ptr<Entry>> entries_;
    std::unordered_map<std::string_view, Entry*> by_name_;  // keys: the entries' names
    std::vector<std::string> services_;
};

}  // namespace rr::rpc
