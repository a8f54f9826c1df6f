// WorkerLog: a worker's error output, line by line into the log, with the last lines kept so that a
// worker that dies can be quoted.
//
// Thread: the pool's loop. Owns: the descriptor. Fails: never; an endless line is cut at 8 KiB.
#pragma once

#include <string>

#include "core/base/loop.hpp"
#include "core/log/logger.hpp"
#include "core/net/stream.hpp"

namespace rr::pool {

class WorkerLog final : private net::StreamHandler {
public:
    static constexpr size_t kLongestLine = 8 * 1024;
    static constexpr size_t kKept = 4 * 1024;

    WorkerLog(Loop& loop, int descriptor, log::Logger log);

    // Reads what is there, and gives out the last line even without its end.
    void Finish();

    // The end of what it wrote.
    const std::string& tail() const { return tail_; }

private:
    std::span<char> OnReadBuffer() override { return net::ReadScratch(); }
    void OnData(size_t size) override { Take(Bytes(net::ReadScratch().data(), size)); }
    void OnClosed(net::CloseReason) override { FlushLine(); }
    void Take(Bytes bytes);
    void FlushLine();

    log::Logger log_;
    std::string line_;  // begun, not ended
    std::string tail_;
    net::StreamHandler* AsHandler() { return this; }
    net::Stream stream_;
};

}  // namespace rr::pool
