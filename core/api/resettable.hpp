// Resettable: a plugin whose workers can be replaced by new ones while it serves.
//
// Thread: main; `done` comes on the main loop.
#pragma once

#include <string_view>

#include "core/base/callback.hpp"
#include "core/base/result.hpp"

namespace rr {

class Resettable {
public:
    virtual std::string_view reset_name() const = 0;
    // done: when the new generation serves, or why it does not.
    virtual void Reset(Callback<void(Result<void>)> done) = 0;

protected:
    ~Resettable() = default;
};

}  // namespace rr
