// Calls: from a request to its answer. Finds the method, decodes, calls, and when the method has
// answered, now or later, writes the answer to whoever asked, if it is still there.
//
// Thread: main.
// Owns:   the calls that run, and spare ones: after warm-up a call allocates nothing of its own.
//         Calls may outlive it: a method may hold its RpcReply longer than anybody else lives.
// Fails:  never; every failure is an answer.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/api/rpc.hpp"
#include "core/base/bytes.hpp"
#include "core/rpc/codec.hpp"
#include "core/rpc/methods.hpp"
#include "core/rpc/wire.hpp"

namespace rr::rpc {

class Call;

// Those of one caller; for Call.
struct CallList {
    Call* first = nullptr;
    size_t size = 0;
};

// Caller: somebody who asks, usually a connection. Two requests of one caller may have the same
// number: each gets its answer.
class Caller {
public:
    // The place for one answer, behind what is there; null: answers are not wanted any more.
    virtual Buffer* AnswerBuffer() = 0;
    // It stands there. May be called inside of Calls::Run.
    virtual void OnAnswered() = 0;

    // Requests without an answer yet.
    size_t running() const { return calls_.size; }

    // Answers every request that has none with this error.
    void FailCalls(std::string_view text);
    // What is still to be answered is dropped. REQUIRES before a caller dies.
    void ForgetCalls();

    CallList& call_list() { return calls_; }

protected:
    ~Caller() = default;

private:
    CallList calls_;
};

class Calls {
public:
    // Requests of one caller that may wait at once; more are answered with an error.
    static constexpr size_t kMostRunning = 16384;

    explicit Calls(Methods& methods);
    ~Calls();
    Calls(const Calls&) = delete;
    Calls& operator=(const Calls&) = delete;

    // Runs one request; its views are needed during the call only.
    void Run(const Request& request, Caller& caller);

private:
    friend class Call;
    static constexpr size_t kSpare = 1024;

    Call& Take();
    void GiveBack(Call& call);

    Methods& methods_;
    Argument argument_;
    std::vector<std::unique_ptr<Call>> spare_;
    CallList running_;
};

}  // namespace rr::rpc
