// ErrorStream: text for standard error, byte for byte, from a loop that must not wait for its reader.
//
// Texts come out in order. They are written by a helper thread; while it writes, about 1 MiB may wait,
// and what comes on top is dropped: a warning in the log says how much, as soon as there is room.
//
// Thread: its loop.
// Owns:   what waits. The output may be one of a test's own.
// Fails:  never; what cannot be written is lost.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/log/logger.hpp"
#include "core/log/output.hpp"

namespace rr::app {

class ErrorStream final : private LoopBound {
public:
    static constexpr size_t kMost = 1024 * 1024;

    ErrorStream(Loop& loop, log::Logger log, std::shared_ptr<log::Output> output);

    void Write(std::string_view text);

    // Calls `written` when nothing waits any more; nobody may write from then on.
    void Finish(Callback<void()> written);
    // Stops waiting for a reader who does not read: `written` comes soon.
    void GiveUp() { output_->GiveUp(); }

private:
    void Next();

    const log::Logger log_;
    const std::shared_ptr<log::Output> output_;  // shared with the helper thread
    std::string waiting_;
    uint64_t dropped_ = 0;  // texts since the last warning
    bool writing_ = false;
    Callback<void()> finished_;
};

}  // namespace rr::app
