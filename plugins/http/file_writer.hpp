// FileWriter: the files of one request, written in order on a helper thread while more arrives.
//
// Bytes are collected while the batch before is on its way to the disk; when full() the connection
// stops reading until OnFilesWritten.
//
// Thread: its loop; a batch in flight belongs to the helper thread.
// Owns:   the files, their names and the batches. Release() ends it: named files that are still
//         there are deleted, then the object deletes itself, for a batch may still be in flight.
// Fails:  per file: entry(i).failure. A failed file swallows what follows.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/callback.hpp"
#include "core/base/file.hpp"
#include "core/base/loop.hpp"

namespace rr::http {

class FileWriterHandler {
public:
    // A batch reached the disk: full() may have changed, or idle() holds. Never inside a call.
    virtual void OnFilesWritten() = 0;

protected:
    ~FileWriterHandler() = default;
};

class FileWriter final : private LoopBound {
public:
    enum class Failure : uint8_t { kNone, kCreate, kWrite };

    struct Entry {
        std::string path;  // empty: a spooled body, or not created
        uint64_t size = 0;
        Failure failure = Failure::kNone;
        std::string reason;  // of the failure
        File file;
        bool named = false;
    };

    struct Releaser {
        void operator()(FileWriter* writer) const { writer->Release(); }
    };
    using Pointer = std::unique_ptr<FileWriter, Releaser>;

    // gone: called on the loop when the object has ended and every file is cleaned up.
    static Pointer Make(Loop& loop, FileWriterHandler* handler, std::string directory,
                        File::Owner owner, Callback<void()> gone);

    // Begins a file and returns its index. A spooled body has no name.
    size_t Begin(bool named);
    // Adds bytes to the file begun last.
    void Write(Bytes bytes);
    // Nothing more comes for the file begun last; a named one is closed.
    void End();
    // Starts writing what is collected, however little.
    void Flush();

    bool full() const { return collecting_.bytes.size() >= kFull; }
    // Everything begun is on the disk. Only then entries may be read.
    bool idle() const { return !in_flight_ && collecting_.steps.empty(); }
    size_t files() const { return entries_.size(); }
    const Entry& entry(size_t index) const;
    // The descriptor of a spooled body.
    int descriptor(size_t index) const { return entry(index).file.descriptor(); }

private:
    static constexpr size_t kPiece = 64 * 1024;  // worth a trip to the helper thread
    static constexpr size_t kFull = 256 * 1024;

    enum class What : uint8_t { kBegin, kWrite, kEnd };
    struct Step {
        What what;
        Entry* entry;
        size_t size;  // of kWrite
    };
    struct Batch {
        std::vector<Step> steps;
        Buffer bytes;
    };

    FileWriter(Loop& loop, FileWriterHandler* handler, std::string directory, File::Owner owner,
               Callback<void()> gone);
    ~FileWriter() = default;

    void Release();
    void CleanUp();
    void StartBatch();
    void RunBatch();  // on the helper thread
    void RunStep(const Step& step, Bytes& bytes);
    void FinishBatch();

    FileWriterHandler* handler_;  // null: released
    const std::string directory_;
    const File::Owner owner_;
    Callback<void()> gone_;
    std::deque<Entry> entries_;  // addresses stay while more are added
    Batch collecting_;
    Batch writing_;  // the helper thread's while in_flight_
    bool in_flight_ = false;
};

}  // namespace rr::http
