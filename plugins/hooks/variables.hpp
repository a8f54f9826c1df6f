// Variables: what a hook's command finds in its environment: RR_EVENT and RR_EVENT_*.
//
// Thread: pure. Values are copied from the event; what a variable cannot hold (NUL) becomes a
// space, and values are cut at 8 KiB.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/api/events.hpp"
#include "plugins/hooks/config.hpp"

namespace rr::hooks {

using Variables = std::vector<std::pair<std::string, std::string>>;

Event KindOf(const ServerEvent& event);
Event KindOf(const WorkerEvent& event);
Event KindOf(const ResetEvent& event);
Event KindOf(const RequestEvent& event);
Event KindOf(const ConnectionEvent& event);

// RR_EVENT comes first. What the event does not know (no exit code, say) is not set.
Variables Describe(Event event);
Variables Describe(const ServerEvent& event);
Variables Describe(const WorkerEvent& event);
Variables Describe(const ResetEvent& event);
Variables Describe(const RequestEvent& event);
Variables Describe(const ConnectionEvent& event);

}  // namespace rr::hooks
