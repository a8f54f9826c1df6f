#include "plugins/metrics/process_metrics.hpp"

#include "core/base/self_usage.hpp"
#include "plugins/metrics/exposition.hpp"

namespace rr::metrics {

void CollectProcess(std::vector<prometheus::MetricFamily>& families) {
    using prometheus::MetricType;
    const process::SelfUsage usage = process::ReadSelfUsage();
    const auto add = [&](const char* name, const char* help, MetricType type, double value) {
        families.push_back(Single(name, help, type, value));
    };
    add("process_cpu_seconds_total", "Processor time of the server, user and system, in seconds",
        MetricType::Counter, usage.cpu_seconds);
    add("process_open_fds", "Open file descriptors", MetricType::Gauge,
        static_cast<double>(usage.open_descriptors));
    add("process_max_fds", "Limit of open file descriptors", MetricType::Gauge,
        static_cast<double>(usage.max_descriptors));
    add("process_resident_memory_bytes", "Resident memory in bytes", MetricType::Gauge,
        static_cast<double>(usage.resident_bytes));
    add("process_virtual_memory_bytes", "Virtual memory in bytes", MetricType::Gauge,
        static_cast<double>(usage.virtual_bytes));
    add("process_start_time_seconds", "When the process started, in seconds since 1970",
        MetricType::Gauge, usage.start_unix_seconds);
}

std::vector<std::string> ProcessNames() {
    std::vector<prometheus::MetricFamily> families;
    CollectProcess(families);
    std::vector<std::string> names;
    for (const auto& family : families) {
        names.push_back(family.name);
    }
    return names;
}

}  // namespace rr::metrics
