// OutputLog: what a process writes, line by line into the log.
//
// It is read at a pace: 4 KiB a millisecond at most. A process that writes without end is held up by
// its full pipe, and not the loop by its lines.
//
// Thread: its loop. Owns: the descriptor. Fails: never; a longer line than 8 KiB is cut in pieces.
#pragma once

#include <array>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/loop.hpp"
#include "core/log/logger.hpp"
#include "core/net/stream.hpp"
#include "core/net/timer.hpp"

namespace rr::service {

class OutputLog final : private net::StreamHandler {
public:
    static constexpr size_t kLongestLine = 8 * 1024;
    static constexpr size_t kPiece = 4 * 1024;

    OutputLog(Loop& loop, int descriptor, log::Logger log);

    // Reads what is there, and gives out the last line even without its end.
    void Finish();

private:
    std::span<char> OnReadBuffer() override { return piece_; }
    void OnData(size_t size) override;
    void OnClosed(net::CloseReason) override { FlushLine(); }
    void Take(Bytes bytes);
    void FlushLine();
    net::StreamHandler* AsHandler() { return this; }

    const log::Logger log_;
    std::array<char, kPiece> piece_;
    std::string line_;  // begun, not ended
    net::Stream stream_;
    net::Timer pause_;  // armed: reading rests
};

}  // namespace rr::service
