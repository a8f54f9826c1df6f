// Job: one request to a worker. JobSink: who hears the answer.
//
// Thread: the pool's loop.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/bytes.hpp"

namespace rr::pool {

// Writable bytes that the caller leaves in front of a job's context: the frame header goes there.
inline constexpr size_t kHeadroom = 24;

// The bytes belong to the caller and stay unchanged and in place until OnDone.
struct Job {
    char* context = nullptr;  // kHeadroom writable bytes in front of it, the body right behind
    uint32_t context_size = 0;
    uint32_t body_size = 0;  // bytes behind the context
    int body_file = -1;      // a body too large for memory: read from offset 0, not closed
    uint64_t body_file_size = 0;
    uint8_t codec = 0;        // frame flags: relay::flag::kJson, kProto, kRaw ...
    bool replayable = false;  // may run a second time if the worker dies before it answered

    // For plugins whose workers may answer once, several times or not at all: the job ends when the
    // worker is back in its wait loop, which the fence behind the frame proves. Each answer is an
    // OnHead with its chunks. An ERROR frame is told by OnDone (kSoftError), as for other jobs.
    bool event = false;
    bool patient = false;   // neither the bound of the queue nor allocate_timeout is for it
    uint64_t affinity = 0;  // jobs of one number run on one worker while it lives; 0: on any
};

enum class JobEnd : uint8_t {
    kDone,        // answered
    kSoftError,   // the worker sent an ERROR frame; message is its text
    kWorkerDied,  // the worker ended, or its relay broke, during the job
    kProtocol,    // the worker broke the wire format
    kExecTtl,     // exec_ttl passed; the worker was killed
    kBootFailed,  // a debug pool's worker for this job did not start
    kStandstill,  // --watch: the code as it is now does not start
    kNoWorker,    // no worker became free within allocate_timeout
    kQueueFull,   // max_queue_size was reached
    kClosed,      // the pool is closing
    kTooLarge,    // context + body exceed what a frame can carry
    kCancelled,   // Cancel() was called
};

struct JobResult {
    JobEnd end = JobEnd::kDone;
    Bytes message;  // for logs and debug pages; valid during OnDone
};

// One frame of an answer begins.
struct AnswerHead {
    Bytes context;           // valid during the call; kPadding readable bytes follow it
    uint64_t body_size = 0;  // of this frame; its bytes come in OnChunk calls
    uint8_t flags = 0;       // codec bits
    bool more = false;       // further frames follow: a stream
    bool whole = false;      // the body comes in one OnChunk (or none if empty), at once

    static constexpr size_t kPadding = 64;  // simdjson reads ahead
};

class JobSink {
public:
    virtual void OnHead(const AnswerHead& head) = 0;
    // A piece of the body. False pauses the worker's output until WorkerPool::Resume.
    virtual bool OnChunk(Bytes body) = 0;
    // Exactly once, last, never before Exec returned.
    virtual void OnDone(const JobResult& result) = 0;
    // What the job is, in a few words for people: `GET /slow`.
    virtual std::string Summary() const { return {}; }

protected:
    ~JobSink() = default;
};

struct Ticket {
    uint64_t id = 0;  // 0: none
    explicit operator bool() const { return id != 0; }
};

}  // namespace rr::pool
