// Backups: the old files of a rotated log, named as lumberjack (RoadRunner's library) names them:
// `app.log` -> `app-2026-11-21T01-52-36.000.log`, or `....log.gz` once compressed.
//
// Thread: the names: any. Tidier: the log's thread; the work itself runs on a thread of its own,
//         because compressing 100 MB takes seconds in which records must not be lost.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "core/base/result.hpp"
#include "core/log/config.hpp"

namespace rr::log {

// Path of the backup that is made of `path` now (UTC, milliseconds).
std::string BackupPath(const std::string& path, int64_t unix_ms);

// The time in a backup's file name (no folder); empty if it is no backup of `path`.
std::optional<int64_t> BackupTime(const std::string& path, std::string_view file_name);

// Removes the backups of rotation.log_output that are too many or too old and compresses the rest.
// Stops between pieces of work when `stop` becomes true. Troubles with one file spare the others.
void TidyBackups(const RotationConfig& rotation, int64_t now_unix_ms,
                 const std::atomic<bool>& stop);

class Tidier {
public:
    explicit Tidier(RotationConfig rotation) : rotation_(std::move(rotation)) {}
    ~Tidier();

    // Begins to tidy; a run that is still under way is awaited first.
    void Start();

private:
    const RotationConfig rotation_;
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

}  // namespace rr::log
