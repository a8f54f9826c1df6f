// What went wrong with an event, in RoadRunner's words.
//
// Thread: pure functions.
#pragma once

#include <string>

#include "core/pool/job.hpp"

namespace rr::tcp {

// A worker has seen the event, or may have.
bool ReachedWorker(pool::JobEnd end);

// `sync_worker_receive_frame: SoftJobError: boom`
std::string DescribeFailure(const pool::JobResult& result);

}  // namespace rr::tcp
