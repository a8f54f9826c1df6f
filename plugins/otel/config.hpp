// OtelConfig: the `otel` section, and the variables OTEL_* that stand in for what it does not say.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/time.hpp"
#include "plugins/otel/sampler.hpp"

namespace rr::config {
class Section;
}

namespace rr::otel {

enum class Target : uint8_t { kOtlp, kZipkin, kStdout, kStderr };

struct OtelConfig {
    using Pairs = std::vector<std::pair<std::string, std::string>>;

    Target exporter = Target::kOtlp;
    std::string url;  // of otlp and zipkin
    bool compress = false;
    Pairs headers;
    std::string ca;  // PEM files; empty: the system's, none, none
    std::string cert;
    std::string key;
    Duration timeout = std::chrono::seconds(10);  // of one attempt

    Pairs resource;  // `service.name` and so on; no name twice

    Sampler sampler;
    Duration delay = std::chrono::seconds(5);  // a span waits no longer for others
    size_t batch = 512;                        // spans of one export
    size_t queue = 2048;                       // spans that may wait
};

// What an environment variable says; empty: nothing.
using Environment = std::function<std::string(const char* name)>;
Environment OwnEnvironment();

OtelConfig ParseOtelConfig(const config::Section& section, const Environment& environment);

}  // namespace rr::otel
