// Config::State: what Config and Section share, hidden from everyone else.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.hpp"
#include "core/config/node.hpp"
#include "core/config/report.hpp"

namespace rr::config {

// KnownKeys: which keys were asked for, and how; what was not is unknown.
//
// Thread: a plain value.
class KnownKeys {
public:
    enum Use : uint8_t {
        kAsked = 1,    // by Has
        kValue = 2,    // as a value: what is below belongs to it
        kSection = 4,  // as a section: its keys must be known one by one
        kIgnored = 8,  // with all that is below
    };

    void Add(std::string_view section, std::string_view key, uint8_t use);

    // Calls unknown(path, entry, nearest known sibling or empty) for every key nobody asked for.
    using Visitor =
        std::function<void(const std::string&, const Node::Entry&, std::string_view nearest)>;
    void FindUnknown(const Node& node, const std::string& path, const Visitor& unknown) const;

private:
    using Keys = std::map<std::string, uint8_t, std::less<>>;
    std::map<std::string, Keys, std::less<>> sections_;
};

struct Config::State {
    Node root;
    Report report;
    KnownKeys known;
    bool legacy = false;
    std::vector<Callback<void()>> checks;  // of AfterInit
};

std::string JoinPath(std::string_view section, std::string_view key);

}  // namespace rr::config
