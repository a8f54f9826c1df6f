// Route: which requests go to a pool of their own (`http.pools.<name>`).
//
//   path    `/reports` is that path and what lies below it; `*` stands for any text
//   host    `api.example.com`, `*.example.com`; a port does not count
//   method  one or several
//   header  names with the text they must have; `*` stands for any text, also here
//
// All that is given must match. The first route of the file that does takes the request.
//
// Thread: constant after ParseRoutes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/pool/config.hpp"

namespace rr::config {
class Section;
}

namespace rr::http {

struct RequestHead;

struct Route {
    std::string name;                // `slow` of http.pools.slow
    std::vector<std::string> paths;  // empty: any, as below
    std::vector<std::string> hosts;
    std::vector<std::string> methods;
    std::vector<std::pair<std::string, std::string>> headers;
    pool::PoolConfig pool;

    bool Matches(const RequestHead& head) const;
};

// Reads `http.pools`; problems are reported through it. watch: what holds for all pools.
std::vector<Route> ParseRoutes(const config::Section& pools, const pool::PoolConfig::Watch& watch);

// `*` stands for any text, an empty one too; letters compare as they are.
bool MatchesPattern(Bytes pattern, Bytes text);

}  // namespace rr::http
