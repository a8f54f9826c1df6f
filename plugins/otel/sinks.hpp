// Sinks: where spans end up.
//
// Thread: Open on main; Deliver on helper threads, one call at a time. It may block.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "plugins/otel/config.hpp"
#include "plugins/otel/recording.hpp"
#include "plugins/otel/span.hpp"

namespace rr::otel {

struct Delivery {
    enum class Kind : uint8_t {
        kTaken,
        kLater,    // nobody there, or busy: again after `pause` at least
        kRefused,  // it would be refused again
    };
    Kind kind = Kind::kTaken;
    std::string reason;   // for a person; of kTaken: why some were rejected
    size_t rejected = 0;  // spans of kTaken that were not taken after all
    Duration pause{};
};

class Sink {
public:
    virtual ~Sink() = default;
    // Ends at the deadline, and soon once `stop` is true.
    virtual Delivery Deliver(const Batch& batch, Deadline deadline,
                             const std::atomic<bool>& stop) = 0;
};

// What config.exporter says.
Result<std::shared_ptr<Sink>> OpenSink(const OtelConfig& config, const Resource& resource);

}  // namespace rr::otel
