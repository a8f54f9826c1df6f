// Plugin: one feature of the server and its life: Init, Serve, Drain, Stop.
//
// Thread: all four calls come on the main thread.
#pragma once

#include "core/base/callback.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace rr {

class Container;
namespace config {
class Config;
}

class Plugin {
public:
    virtual ~Plugin() = default;

    // Parses its section, looks up what it needs, publishes what it offers. In dependency order,
    // loops not yet running. False: disabled, which is no error.
    // Must not open sockets or start threads or processes.
    virtual Result<bool> Init(config::Config& config, Container& container) = 0;

    // Enumerates providers, listens, starts pools. After every Init, on the main loop, in
    // dependency order. `served` is called once when the plugin is up, or with the error that
    // stops the start; the next plugin is served after it. Must not block.
    virtual void Serve(Callback<void(Result<void>)> served) = 0;

    // Stops taking work and finishes what was accepted. All plugins at once, before the first Stop.
    virtual void Drain(Deadline deadline, Callback<void()> done) {
        (void)deadline;
        done();
    }

    // Releases everything. Strict reverse order, one after another.
    virtual void Stop(Deadline deadline, Callback<void()> done) = 0;
};

}  // namespace rr
