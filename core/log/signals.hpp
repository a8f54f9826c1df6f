// SignalsBlocked: threads started in its scope never run signal handlers: signals belong to the
// main thread's loop. A write to a closed pipe is an error there, not the end of the process.
//
// Thread: a local value.
#pragma once

#include <pthread.h>

#include <csignal>

namespace rr::log {

class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_;
};

}  // namespace rr::log
