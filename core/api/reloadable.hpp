// Reloadable: a plugin that holds files which others replace: logs, certificates (SIGHUP).
//
// Thread: main.
#pragma once

#include "core/base/result.hpp"

namespace rr {

class Reloadable {
public:
    // Opens the files anew. On failure the old ones stay in use.
    virtual Result<void> Reload() = 0;

protected:
    ~Reloadable() = default;
};

}  // namespace rr
