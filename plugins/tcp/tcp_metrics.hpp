// TcpMetrics: the counters of each server, for the metrics plugin: rr_tcp_*{server="..."}.
//
// Thread: main. Borrows the counters.
#pragma once

#include <deque>
#include <vector>

#include "core/api/metric_source.hpp"
#include "plugins/tcp/stats.hpp"

namespace rr::tcp {

class TcpMetrics final : public MetricSource {
public:
    explicit TcpMetrics(const std::deque<ServerStats>& stats) : stats_(stats) {}
    void Collect(std::vector<MetricFamily>& families) const override;

private:
    const std::deque<ServerStats>& stats_;
};

}  // namespace rr::tcp
