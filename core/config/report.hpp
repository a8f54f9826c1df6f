// Report: collects problems and warnings about the configuration and gives them in file order.
//
// Thread: a plain value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config/node.hpp"

namespace rr::config {

class Report {
public:
    // `file:line: path: text`; the same line twice counts once.
    void Problem(const Place& place, std::string_view path, std::string_view text) {
        Add(problems_, place, path, text);
    }
    void Warning(const Place& place, std::string_view path, std::string_view text) {
        Add(warnings_, place, path, text);
    }

    // Takes over what another one collected.
    void Absorb(const Report& other);

    const std::vector<std::string>& problems() const { return Sorted(problems_); }
    const std::vector<std::string>& warnings() const { return Sorted(warnings_); }

    // All problems, one per line.
    std::string Joined() const;

private:
    struct Finding {
        int order;
        int line;
        std::string text;
    };
    struct Findings {
        std::vector<Finding> found;
        mutable std::vector<std::string> sorted;  // of all in `found`, if as many
    };
    static void Add(Findings& to, const Place& place, std::string_view path, std::string_view text);
    static void Add(Findings& to, Finding finding);
    static const std::vector<std::string>& Sorted(const Findings& of);

    Findings problems_;
    Findings warnings_;
};

}  // namespace rr::config
