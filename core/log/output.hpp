// Output: where lines end up: a standard stream, a file, a file with rotation.
//
// Thread: opened on any thread; Write and Reopen on the log's thread; GiveUp from any.
// Owns:   its file.
// Fails:  with the text of the system; what could not be written is lost.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/log/config.hpp"

namespace rr::log {

class Output {
public:
    virtual ~Output() = default;

    // Writes whole lines.
    virtual Result<void> Write(std::string_view lines) = 0;

    // Files: closes and opens the same path again, after somebody moved it away.
    virtual Result<void> Reopen() { return {}; }

    // From now on nobody waits for a reader that does not read.
    void GiveUp() { gave_up_.store(true, std::memory_order_relaxed); }

protected:
    bool gave_up() const { return gave_up_.load(std::memory_order_relaxed); }

private:
    std::atomic<bool> gave_up_{false};
};

// descriptor: 1 or 2, borrowed.
std::unique_ptr<Output> OpenStream(int descriptor);

// Appends to a file (0644, without rotation); its folder must exist. With rotation the file is
// 0600 and missing folders are made.
Result<std::unique_ptr<Output>> OpenFile(const std::string& path);
Result<std::unique_ptr<Output>> OpenRotated(const RotationConfig& rotation);

}  // namespace rr::log
