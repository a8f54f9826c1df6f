// RequestBody: what becomes of a request's body on its way to the worker.
//
//   raw        behind the context in memory; above spool_threshold into an unlinked file
//   form       collected, then parsed into a JSON tree
//   multipart  parsed as it arrives: fields into the JSON tree, files into uploads.dir
//   others     read and dropped
//
// Thread: its loop.
// Owns:   the form's parts and the files, until Reset: uploads that nobody moved are deleted then.
// Fails:  kBad with fault(): the status and the reason for the client.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/callback.hpp"
#include "core/base/file.hpp"
#include "core/base/loop.hpp"
#include "core/pool/job.hpp"
#include "plugins/http/body_fault.hpp"
#include "plugins/http/chunked.hpp"
#include "plugins/http/classify.hpp"
#include "plugins/http/config.hpp"
#include "plugins/http/context.hpp"
#include "plugins/http/file_writer.hpp"
#include "plugins/http/head.hpp"
#include "plugins/http/uploads.hpp"

namespace rr::http {

// What bodies of one loop share.
struct BodyTools {
    Loop& loop;
    const HttpConfig& config;
    std::string directory;  // for spooled bodies and uploads
    File::Owner owner;      // of uploads
    ContextWriter context;
    uint64_t writers = 0;  // FileWriters alive, cleaning up included
};

class BodyHandler {
public:
    // The disk caught up: ask status() again. Never inside a call.
    virtual void OnBodyProgress() = 0;
    // A file could not be stored: PHP is told by its error code, people by the log.
    virtual void OnUploadFailed(Bytes reason) = 0;

protected:
    ~BodyHandler() = default;
};

class RequestBody final : private FileWriterHandler, private UploadSink {
public:
    enum class Status : uint8_t {
        kMore,      // feed on
        kFull,      // stop reading until OnBodyProgress
        kDisk,      // all bytes came; OnBodyProgress tells when the disk has them
        kComplete,  // the job is ready
        kBad,       // fault()
    };

    RequestBody();
    RequestBody(const RequestBody&) = delete;
    RequestBody& operator=(const RequestBody&) = delete;
    ~RequestBody();

    // Starts with a request whose head, peer's name and attributes stay in place until Reset.
    Status Begin(BodyTools& tools, BodyHandler& handler, const RequestHead& head, Bytes remote_addr,
                 std::span<const ContextAttribute> attributes = {});

    // Starts with a request that is answered without its body: that is read and dropped as after a
    // fault, and ends in kBad.
    Status Drop(BodyTools& tools, BodyHandler& handler, const RequestHead& head);

    // Takes bytes from the front of `in`; fewer than all only if the body ends among them.
    Status Feed(Bytes in, size_t& consumed);
    // The end of a body whose protocol frames it (RequestHead::framed).
    Status Finish();

    Status status() const { return r_.status; }
    const BodyFault& fault() const { return r_.fault; }
    // After kBad: every byte of the body was read all the same, so the connection can go on.
    bool drained() const { return r_.ended; }
    // Bytes of the body, without chunk framing.
    uint64_t received() const { return r_.received; }

    // What the worker gets; after kComplete, until Reset.
    pool::Job job();

    // Forgets the request; buffers keep up to 64 KiB each.
    void Reset();

private:
    static constexpr uint64_t kDrainMost = 256 * 1024;  // read after a fault to save the connection

    struct Multipart;

    void Take(Bytes data);
    void TakeRaw(Bytes data);
    void Spool(Bytes data);
    void Fault(uint16_t status, const char* reason);
    void Fault(BodyFault fault);
    void End();
    void Complete();
    void CompleteForm();
    void CompleteMultipart();
    void WriteContext(bool parsed, Bytes uploads);
    void WriteTree(const FormFields& fields);
    FileWriter& Files();

    void OnFilesWritten() override;
    void OnFile(size_t index) override;
    void OnFileData(size_t index, Bytes data) override;
    void OnFileEnd(size_t index) override;

    // Buffers, kept from request to request.
    Buffer job_;   // headroom, context, body
    Buffer form_;  // a urlencoded body

    struct Request {
        BodyTools* tools = nullptr;
        BodyHandler* handler = nullptr;
        const RequestHead* head = nullptr;
        Bytes remote_addr;
        std::span<const ContextAttribute> attributes;
        BodyKind kind = BodyKind::kIgnored;
        Status status = Status::kMore;
        bool ended = false;  // every byte came
        bool spooled = false;
        uint64_t received = 0;
        uint64_t after_fault = 0;
        uint32_t context_size = 0;
        BodyFault fault;
        ChunkedDecoder chunked;
        FileWriter::Pointer files;
        std::unique_ptr<Multipart> multipart;
    };
    Request r_;
};

}  // namespace rr::http
