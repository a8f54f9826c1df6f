#include "core/pool/worker_log.hpp"

namespace rr::pool {

WorkerLog::WorkerLog(Loop& loop, int descriptor, log::Logger log)
    : log_(log), stream_(loop, net::Stream::Kind::kPipe, descriptor, AsHandler()) {
    stream_.StartReading();
}

void WorkerLog::Finish() {
    stream_.StopReading();
    auto scratch = net::ReadScratch();
    int64_t got;
    while ((got = stream_.TryRead(scratch.data(), scratch.size())) > 0) {
        Take(Bytes(scratch.data(), static_cast<size_t>(got)));
    }
    FlushLine();
}

void WorkerLog::Take(Bytes bytes) {
    tail_.append(bytes.size() > kKept ? bytes.substr(bytes.size() - kKept) : bytes);
    if (tail_.size() > 2 * kKept) {
        tail_.erase(0, tail_.size() - kKept);
    }
    while (!bytes.empty()) {
        size_t end = bytes.find('\n');
        line_.append(bytes.substr(0, end));
        if (end == Bytes::npos) {
            if (line_.size() >= kLongestLine) {
                FlushLine();
            }
            return;
        }
        FlushLine();
        bytes.remove_prefix(end + 1);
    }
}

void WorkerLog::FlushLine() {
    if (!line_.empty() && line_.back() == '\r') {
        line_.pop_back();
    }
    if (!line_.empty()) {
        log_.Info(line_);
        line_.clear();
    }
}

}  // namespace rr::pool
