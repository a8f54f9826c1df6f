#include "core/net/signals.hpp"

#include <signal.h>

#include <uv.h>

namespace rr::net {

namespace {

constexpr int kNumbers[kSignals] = {SIGINT, SIGTERM, SIGQUIT, SIGABRT, SIGHUP, SIGUSR1, SIGUSR2};

void Mask(int how) {
    sigset_t set;
    sigemptyset(&set);
    for (int number : kNumbers) {
        sigaddset(&set, number);
    }
    pthread_sigmask(how, &set, nullptr);
}

}  // namespace

void HoldSignals() { Mask(SIG_BLOCK); }

struct Signals::Handle {
    uv_signal_t uv;
    Signals* owner;
    Signal signal;
};

Signals::Signals(Loop& loop, Callback<void(Signal)> caught)
    : LoopBound(loop), caught_(std::move(caught)) {
    for (size_t i = 0; i < kSignals; ++i) {
        auto* handle = new Handle{{}, this, static_cast<Signal>(i)};
        handles_[i] = handle;
        handle->uv.data = handle;
        RR_CHECK(uv_signal_init(loop_.raw(), &handle->uv) == 0);
        RR_CHECK(uv_signal_start(
                     &handle->uv,
                     [](uv_signal_t* uv, int) noexcept {
                         auto* caught_by = static_cast<Handle*>(uv->data);
                         if (caught_by->owner != nullptr) {
                             caught_by->owner->caught_(caught_by->signal);
                         }
                     },
                     kNumbers[i]) == 0);
    }
    Mask(SIG_UNBLOCK);
}

Signals::~Signals() {
    for (Handle* handle : handles_) {
        handle->owner = nullptr;
        uv_close(reinterpret_cast<uv_handle_t*>(&handle->uv),
                 [](uv_handle_t* uv) noexcept { delete static_cast<Handle*>(uv->data); });
    }
}

}  // namespace rr::net
