// Legacy: configuration in the shape of RoadRunner 1.x, read as version 3.
//
//   http.workers.command, .relay, .user      server.command, server.relay, server.user
//   http.workers.pool.*                      http.pool.*
//   limit.interval, limit.services.http.*    http.pool.supervisor.*
//   env.*                                    server.env.*, with RR=true and RR_HTTP=true
//   headers, static, gzip, trustedSubnets    http.headers, http.static, ... and http.middleware
//   health                                   status
//
// Integers of durations are seconds there. Translated values keep their file and line; each
// translated section gives one warning. `server.protocol` becomes v2 (Goridge v2).
//
// Thread: pure, but for the environment.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config/expand.hpp"
#include "core/config/node.hpp"
#include "core/config/report.hpp"

namespace rr::config {

// True for a file without `version` and `server` that has http.workers, rpc.enable or limit.
bool IsLegacy(const Node& root);

// RR_HTTP_ADDRESS and the like: one variable per leaf key of 1.x, or per leaf that the file has.
// What a worker inherits (RR_RELAY, RR_RPC, RR_MODE, RR_VERSION, RR_HTTP) is never an override.
void OverrideFromEnvironment(Node& root, int source_order, Environment& environment);

void Translate(Node& root, Report& report);

// For a version 3 file: keys of 1.x are warnings that name the new key, and http.workers without
// a `server` section is a problem. Returns the paths it spoke about.
std::vector<std::string> ReportLegacyKeys(const Node& root, Report& report);

}  // namespace rr::config
