#include "plugins/http/file_writer.hpp"

#include <utility>

namespace rr::http {

FileWriter::Pointer FileWriter::Make(Loop& loop, FileWriterHandler* handler, std::string directory,
                                     File::Owner owner, Callback<void()> gone) {
    return Pointer(new FileWriter(loop, handler, std::move(directory), owner, std::move(gone)));
}

FileWriter::FileWriter(Loop& loop, FileWriterHandler* handler, std::string directory,
                       File::Owner owner, Callback<void()> gone)
    : LoopBound(loop),
      handler_(handler),
      directory_(std::move(directory)),
      owner_(owner),
      gone_(std::move(gone)) {}

const FileWriter::Entry& FileWriter::entry(size_t index) const {
    AssertInLoop();
    RR_ASSERT(idle());
    return entries_[index];
}

size_t FileWriter::Begin(bool named) {
    AssertInLoop();
    Entry& entry = entries_.emplace_back();
    entry.named = named;
    collecting_.steps.push_back({What::kBegin, &entry, 0});
    return entries_.size() - 1;
}

void FileWriter::Write(Bytes bytes) {
    AssertInLoop();
    RR_ASSERT(!entries_.empty());
    if (bytes.empty()) {
        return;
    }
    collecting_.bytes.Append(bytes);
    auto& steps = collecting_.steps;
    Entry* entry = &entries_.back();
    if (!steps.empty() && steps.back().what == What::kWrite && steps.back().entry == entry) {
        steps.back().size += bytes.size();
    } else {
        steps.push_back({What::kWrite, entry, bytes.size()});
    }
    if (collecting_.bytes.size() >= kPiece) {
        StartBatch();
    }
}

void FileWriter::End() {
    AssertInLoop();
    RR_ASSERT(!entries_.empty());
    collecting_.steps.push_back({What::kEnd, &entries_.back(), 0});
}

void FileWriter::Flush() {
    AssertInLoop();
    StartBatch();
}

void FileWriter::StartBatch() {
    if (in_flight_ || collecting_.steps.empty()) {
        return;
    }
    in_flight_ = true;
    std::swap(collecting_, writing_);
    loop_.Offload([this] { RunBatch(); }, [this] { FinishBatch(); });
}

void FileWriter::RunBatch() {
    Bytes bytes = writing_.bytes.view();
    for (const Step& step : writing_.steps) {
        RunStep(step, bytes);
    }
}

void FileWriter::RunStep(const Step& step, Bytes& bytes) {
    Entry& entry = *step.entry;
    if (step.what == What::kBegin) {
        auto created = entry.named ? File::CreateNamed(directory_, "upload", owner_, entry.path)
                                   : File::CreateUnlinked(directory_);
        if (!created) {
            entry.failure = Failure::kCreate;
            entry.reason = created.error().message;
            entry.path.clear();
            return;
        }
        entry.file = std::move(*created);
        return;
    }
    if (step.what == What::kEnd) {
        if (entry.named) {
            entry.file.Close();
        }
        return;
    }
    Bytes piece = bytes.substr(0, step.size);
    bytes.remove_prefix(step.size);
    if (entry.failure != Failure::kNone) {
        return;
    }
    auto written = entry.file.Write(piece);
    if (!written) {
        entry.failure = Failure::kWrite;
        entry.reason = written.error().message;
        return;
    }
    entry.size += piece.size();
}

void FileWriter::FinishBatch() {
    in_flight_ = false;
    writing_.steps.clear();
    writing_.bytes.Clear();
    if (handler_ == nullptr) {
        CleanUp();
        return;
    }
    if (collecting_.bytes.size() >= kPiece) {
        StartBatch();
    }
    handler_->OnFilesWritten();
}

void FileWriter::Release() {
    AssertInLoop();
    handler_ = nullptr;
    collecting_.steps.clear();
    if (!in_flight_) {
        CleanUp();
    }
}

void FileWriter::CleanUp() {
    // Closing a large file without a name frees its pages, which takes its time: not on the loop.
    loop_.Offload(
        [this] {
            for (Entry& entry : entries_) {
                entry.file.Close();
                if (!entry.path.empty()) {
                    RemoveFile(entry.path);
                }
            }
        },
        [this] {
            gone_();
            delete this;
        });
}

}  // namespace rr::http
