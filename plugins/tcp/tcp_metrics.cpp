#include "plugins/tcp/tcp_metrics.hpp"

#include <utility>

namespace rr::tcp {
namespace {

struct Row {
    const char* name;
    const char* help;
    MetricFamily::Kind kind;
    Count ServerStats::* count;
};

constexpr auto kCounter = MetricFamily::Kind::kCounter;
constexpr Row kRows[] = {
    {"rr_tcp_connections", "Open connections", MetricFamily::Kind::kGauge,
     &ServerStats::connections},
    {"rr_tcp_connections_total", "Connections that were accepted, datagrams that came", kCounter,
     &ServerStats::accepted},
    {"rr_tcp_connections_refused_total", "Connections over a limit, and failed handshakes",
     kCounter, &ServerStats::refused},
    {"rr_tcp_events_total", "Events that were given to workers", kCounter, &ServerStats::events},
    {"rr_tcp_events_failed_total", "Events that no worker could handle", kCounter,
     &ServerStats::failed},
    {"rr_tcp_dropped_total", "Datagrams over a limit, and pushes to clients that do not read",
     kCounter, &ServerStats::dropped},
    {"rr_tcp_bytes_read_total", "Bytes from clients", kCounter, &ServerStats::bytes_in},
    {"rr_tcp_bytes_written_total", "Bytes to clients", kCounter, &ServerStats::bytes_out},
};

}  // namespace

void TcpMetrics::Collect(std::vector<MetricFamily>& families) const {
    for (const Row& row : kRows) {
        MetricFamily family{row.name, row.help, row.kind, {}};
        for (const ServerStats& stats : stats_) {
            family.samples.push_back(
                {{{"server", stats.name}}, static_cast<double>((stats.*row.count).value())});
        }
        families.push_back(std::move(family));
    }
}

}  // namespace rr::tcp
