// The `service` section: processes that run beside the workers. Keys and defaults are RoadRunner's.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/time.hpp"

namespace rr::config {
class Section;
}

namespace rr::service {

struct ServiceConfig {
    static constexpr int64_t kMostProcesses = 1024;
    static constexpr int64_t kMostSeconds = int64_t{10} * 365 * 24 * 3600;
    static constexpr int64_t kRestartSec = 30;
    static constexpr int64_t kTimeoutStopSec = 5;

    std::string name;
    std::vector<std::string> command;  // required
    int64_t process_num = 1;
    Duration exec_timeout{};         // zero: none
    bool remain_after_exit = false;  // started again after any exit
    Duration restart = std::chrono::seconds(kRestartSec);
    Duration timeout_stop = std::chrono::seconds(kTimeoutStopSec);
    bool service_name_in_log = false;
    std::vector<std::pair<std::string, std::string>> env;  // names become upper case
    std::string user;                                      // empty: the server's own
};

// In the order of the file.
std::vector<ServiceConfig> ParseServices(const config::Section& section);

}  // namespace rr::service
