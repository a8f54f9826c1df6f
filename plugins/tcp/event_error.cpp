#include "plugins/tcp/event_error.hpp"

namespace rr::tcp {

bool ReachedWorker(pool::JobEnd end) {
    switch (end) {
        case pool::JobEnd::kDone:
        case pool::JobEnd::kSoftError:
        case pool::JobEnd::kWorkerDied:
        case pool::JobEnd::kProtocol:
        case pool::JobEnd::kExecTtl: return true;
        case pool::JobEnd::kBootFailed:
        case pool::JobEnd::kStandstill:
        case pool::JobEnd::kNoWorker:
        case pool::JobEnd::kQueueFull:
        case pool::JobEnd::kClosed:
        case pool::JobEnd::kTooLarge:
        case pool::JobEnd::kCancelled: return false;
    }
    return false;
}

std::string DescribeFailure(const pool::JobResult& result) {
    std::string text;
    switch (result.end) {
        case pool::JobEnd::kDone:
        case pool::JobEnd::kCancelled: return "";
        case pool::JobEnd::kSoftError: text = "sync_worker_receive_frame: SoftJobError: "; break;
        case pool::JobEnd::kWorkerDied: text = "sync_worker_receive_frame: Network: EOF"; break;
        case pool::JobEnd::kProtocol: text = "sync_worker_receive_frame: Network: "; break;
        case pool::JobEnd::kExecTtl:
            return "worker_exec_with_timeout: ExecTTL: context deadline exceeded";
        case pool::JobEnd::kBootFailed:
        case pool::JobEnd::kStandstill:
        case pool::JobEnd::kNoWorker: text = "static_pool_exec: NoFreeWorkers: "; break;
        case pool::JobEnd::kQueueFull: return "static_pool_exec: QueueSize: max queue size reached";
        case pool::JobEnd::kClosed:
            return "static_pool_exec: WatcherStopped: the server is stopping";
        case pool::JobEnd::kTooLarge: text = "static_pool_exec: "; break;
    }
    if (result.end == pool::JobEnd::kWorkerDied && !result.message.empty()) {
        text += ": ";
    }
    text += result.message;
    return text;
}

}  // namespace rr::tcp
