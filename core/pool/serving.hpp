// Serving: the life of a server that stands on a data loop in front of a pool, told by a plugin on the
// main loop: open, drain, stop, in whatever order they meet.
//
//   serving_.emplace(*main_, *data_, *group_);
//   serving_->Open(*services_, "tcp", config_.pool, {
//       .make = [this](std::unique_ptr<pool::WorkerPool> pool) { return ...; },    // data loop
//       .start = [this](TcpServer& server) { server.Open(std::move(listening_)); },  // data loop
//       .discard = [this] { listening_.clear(); }},                                  // data loop
//       [this](Result<void> result) { ... });                                        // main loop
//
// Server: pool(), Drain(Deadline, Callback<void()>), Close(Deadline, Callback<void()>).
//
// Thread: main, but for what is marked; what both sides need is handed over by Post.
// Owns:   the server. Borrows the loops and the group.
// Fails:  Open: through `opened`, with the pool's text.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/pool/group.hpp"
#include "core/pool/pool.hpp"
#include "core/pool/services.hpp"

namespace rr::pool {

template <class Server>
class Serving {
public:
    struct Steps {
        Callback<std::unique_ptr<Server>(std::unique_ptr<WorkerPool>)> make;
        Callback<void(Server&)> start;  // takes clients from now on
        Callback<void()> discard;       // instead of `start`: the sockets that were bound for it
    };

    Serving(Loop& main, Loop& data, PoolGroup& group) : main_(main), data_(data), group_(group) {}

    // services and config outlive it. opened: once, when the server serves, or why it does not.
    void Open(const Services& services, std::string name, const PoolConfig& config, Steps steps,
              Callback<void(Result<void>)> opened) {
        steps_ = std::move(steps);
        opened_ = std::move(opened);
        data_.Post([this, &services, name = std::move(name), &config] {
            opening_ = true;
            WorkerPool::Open(
                data_, services, name, config, group_.writable_pulse(),
                [this](Result<std::unique_ptr<WorkerPool>> pool) { OnPool(std::move(pool)); });
        });
    }

    void Drain(Deadline deadline, Callback<void()> done) {
        drained_ = std::move(done);
        data_.Post([this, deadline] {
            if (!server_) {
                main_.Post(std::move(drained_));
                return;
            }
            server_->Drain(deadline, [this] { main_.Post(std::move(drained_)); });
        });
    }

    void Stop(Deadline deadline, Callback<void()> done) {
        stopped_ = std::move(done);
        data_.Post([this, deadline] { StopServer(deadline); });
    }

    // On the data loop: null before and after it serves.
    Server* server() { return server_.get(); }

private:
    // On the data loop, like all that follows.
    void OnPool(Result<std::unique_ptr<WorkerPool>> pool) {
        opening_ = false;
        if (!pool) {
            steps_.discard();
            Tell(Fail(Errc::kProcess, std::move(pool.error().message)));
            if (stopping_) {
                OnClosed();
            }
            return;
        }
        server_ = steps_.make(std::move(*pool));
        group_.Attach(server_->pool());
        if (stopping_) {
            StopServer(stop_deadline_);
            return;
        }
        steps_.start(*server_);
        Tell({});
    }

    void Tell(Result<void> result) {
        main_.Post([this, result = std::move(result)]() mutable {
            auto opened = std::move(opened_);
            opened_ = nullptr;
            opened(std::move(result));
        });
    }

    void StopServer(Deadline deadline) {
        stopping_ = true;
        stop_deadline_ = deadline;
        if (steps_.discard) {
            steps_.discard();
        }
        if (opening_) {
            return;  // OnPool goes on
        }
        if (!server_) {
            OnClosed();
            return;
        }
        server_->Close(deadline, [this] { OnClosed(); });
    }

    void OnClosed() {
        // Not inside the server's own callback.
        data_.Post([this] {
            group_.Detach();
            server_.reset();
            main_.Post(std::move(stopped_));
        });
    }

    Loop& main_;
    Loop& data_;
    PoolGroup& group_;
    Steps steps_;

    // The main thread's, until they are called.
    Callback<void(Result<void>)> opened_;
    Callback<void()> drained_;
    Callback<void()> stopped_;

    // The data loop's.
    std::unique_ptr<Server> server_;
    bool opening_ = false;
    bool stopping_ = false;
    Deadline stop_deadline_{};
};

}  // namespace rr::pool
