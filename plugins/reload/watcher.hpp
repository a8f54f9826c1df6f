// Watcher: watches the files of all services and says once per burst of changes which were touched.
//
// Thread: its loop.
// Owns:   the watches and the timer.
// Fails:  what cannot be watched is a warning; the rest is watched.
#pragma once

#include <memory>
#include <vector>

#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/log/logger.hpp"
#include "core/net/file_watch.hpp"
#include "core/net/timer.hpp"
#include "plugins/reload/bursts.hpp"
#include "plugins/reload/config.hpp"

namespace rr::reload {

class Watcher final : private LoopBound {
public:
    using Due = Callback<void(std::vector<Bursts::Touched>)>;

    // Begins to watch. services outlives it. due: at the end of each burst; Touched::service is the
    // place in services.
    Watcher(Loop& loop, Duration interval, const std::vector<ReloadConfig::Service>& services,
            log::Logger log, Due due);
    ~Watcher();

    size_t folders() const;

private:
    class One;
    void Touch(size_t service, std::string_view path);
    void OnQuiet();

    const log::Logger log_;
    Due due_;
    Bursts bursts_;
    net::Timer quiet_;
    std::vector<std::unique_ptr<One>> services_;
};

}  // namespace rr::reload
