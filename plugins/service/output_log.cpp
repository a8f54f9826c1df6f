#include "plugins/service/output_log.hpp"

#include <algorithm>
#include <chrono>

namespace rr::service {
namespace {

constexpr Duration kPause = std::chrono::milliseconds(1);

}  // namespace

OutputLog::OutputLog(Loop& loop, int descriptor, log::Logger log)
    : log_(log),
      stream_(loop, net::Stream::Kind::kPipe, descriptor, AsHandler()),
      pause_(loop, [this] { stream_.StartReading(); }) {
    stream_.StartReading();
}

void OutputLog::OnData(size_t size) {
    Take({piece_.data(), size});
    if (size == piece_.size()) {
        stream_.StopReading();
        pause_.Arm(kPause);
    }
}

void OutputLog::Finish() {
    stream_.StopReading();
    pause_.Disarm();
    int64_t got;
    while ((got = stream_.TryRead(piece_.data(), piece_.size())) > 0) {
        Take({piece_.data(), static_cast<size_t>(got)});
    }
    FlushLine();
}

void OutputLog::Take(Bytes bytes) {
    while (!bytes.empty()) {
        const size_t end = std::min(bytes.find('\n'), bytes.size());
        const size_t take = std::min(end, kLongestLine - line_.size());
        line_.append(bytes.substr(0, take));
        const bool ended = take == end && end < bytes.size();
        bytes.remove_prefix(take + (ended ? 1 : 0));
        if (ended || line_.size() == kLongestLine) {
            FlushLine();
        }
    }
}

void OutputLog::FlushLine() {
    line_.erase(line_.find_last_not_of(" \t\r") + 1);
    if (!line_.empty()) {
        log_.Info(line_);
        line_.clear();
    }
}

}  // namespace rr::service
