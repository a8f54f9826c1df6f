#include "plugins/http/body.hpp"

#include <algorithm>
#include <utility>

namespace rr::http {

namespace {

constexpr size_t kKeep = 64 * 1024;          // buffers that a burst grew beyond are given back
constexpr uint64_t kFrameMost = UINT32_MAX;  // context and body of one frame
constexpr const char* kTooLarge = "http: request body too large";

}  // namespace

struct RequestBody::Multipart {
    Multipart(const HttpConfig& config, UploadSink& sink)
        : form(config.uploads.rules, sink), parser(Limits(config), form) {}

    static MultipartLimits Limits(const HttpConfig& config) {
        MultipartLimits limits;
        limits.form = config.form_limit;
        return limits;
    }

    MultipartForm form;
    MultipartParser parser;
    std::vector<size_t> written;  // which of the form's files each file of the writer is
};

RequestBody::RequestBody() = default;
RequestBody::~RequestBody() = default;

RequestBody::Status RequestBody::Begin(BodyTools& tools, BodyHandler& handler,
                                       const RequestHead& head, Bytes remote_addr,
                                       std::span<const ContextAttribute> attributes) {
    r_.tools = &tools;
    r_.handler = &handler;
    r_.head = &head;
    r_.remote_addr = remote_addr;
    r_.attributes = attributes;
    r_.kind = ClassifyBody(head, tools.config.raw_body);
    if (head.content_length > tools.config.max_request_size) {
        Fault(413, kTooLarge);
        return r_.status;
    }
    if (r_.kind == BodyKind::kForm && head.content_length > tools.config.form_limit) {
        Fault(413, kTooLarge);
        return r_.status;
    }
    if (r_.kind == BodyKind::kRaw) {
        WriteContext(false, {});
        if (head.content_length > kFrameMost - r_.context_size) {
            Fault(413, kTooLarge);
            return r_.status;
        }
        if (head.content_length <= tools.config.spool_threshold) {
            job_.Reserve(head.content_length);
        }
    }
    if (r_.kind == BodyKind::kMultipart) {
        r_.multipart = std::make_unique<Multipart>(tools.config, static_cast<UploadSink&>(*this));
        Fault(r_.multipart->parser.Open(head.Find(HeaderId::kContentType)));
    }
    if (!head.has_body()) {
        End();
    } else if (r_.fault && head.expect_continue) {
        r_.status = Status::kBad;  // the client waits for our word: no body will come
    }
    return r_.status;
}

RequestBody::Status RequestBody::Drop(BodyTools& tools, BodyHandler& handler,
                                      const RequestHead& head) {
    r_.tools = &tools;
    r_.handler = &handler;
    r_.head = &head;
    Fault(204, "");  // any: the answer is somebody else's
    if (!head.has_body()) {
        End();
    } else if (head.expect_continue) {
        r_.status = Status::kBad;
    }
    return r_.status;
}

RequestBody::Status RequestBody::Feed(Bytes in, size_t& consumed) {
    consumed = 0;
    if (r_.head->framed) {
        consumed = in.size();
        Take(in);
        return r_.status;
    }
    if (!r_.head->chunked) {
        consumed = std::min<uint64_t>(in.size(), r_.head->content_length - r_.received);
        Take(in.substr(0, consumed));
        if (r_.received == r_.head->content_length) {
            End();
        }
        return r_.status;
    }
    while (!r_.ended) {
        auto step = r_.chunked.Next(in.substr(consumed));
        consumed += step.consumed;
        if (step.status == ChunkedDecoder::Status::kNeedMore) {
            break;
        }
        if (step.status == ChunkedDecoder::Status::kBad) {
            Fault(400, "malformed chunked encoding");
            r_.status = Status::kBad;  // nobody knows where the body ends
            consumed = in.size();
            break;
        }
        if (step.status == ChunkedDecoder::Status::kDone) {
            End();
            break;
        }
        Take(step.data);
        if (r_.status == Status::kBad) {
            break;
        }
    }
    return r_.status;
}

RequestBody::Status RequestBody::Finish() {
    if (!r_.ended) {
        End();
    }
    return r_.status;
}

void RequestBody::Take(Bytes data) {
    r_.received += data.size();
    if (r_.fault) {
        r_.after_fault += data.size();
        if (r_.after_fault > kDrainMost) {
            r_.status = Status::kBad;
        }
        return;
    }
    if (r_.received > r_.tools->config.max_request_size) {
        Fault(413, kTooLarge);
        return;
    }
    switch (r_.kind) {
        case BodyKind::kRaw: TakeRaw(data); break;
        case BodyKind::kForm:
            if (form_.size() + data.size() > r_.tools->config.form_limit) {
                Fault(413, kTooLarge);
                break;
            }
            form_.Append(data);
            break;
        case BodyKind::kMultipart: Fault(r_.multipart->parser.Feed(data)); break;
        case BodyKind::kIgnored:
        case BodyKind::kFormEmpty: break;
    }
    if (r_.status == Status::kMore && r_.files && r_.files->full()) {
        r_.status = Status::kFull;
    }
}

void RequestBody::TakeRaw(Bytes data) {
    size_t held = job_.size() - pool::kHeadroom - r_.context_size;
    if (!r_.spooled && held + data.size() <= r_.tools->config.spool_threshold) {
        job_.Append(data);
        return;
    }
    if (!r_.spooled) {
        r_.spooled = true;
        Files().Begin(false);
        Files().Write(job_.view().substr(pool::kHeadroom + r_.context_size));
        job_.Truncate(pool::kHeadroom + r_.context_size);
    }
    Files().Write(data);
}

void RequestBody::Fault(uint16_t status, const char* reason) { Fault(BodyFault{status, reason}); }

// A request refused in the middle of its body: 413 at once; else what is left is read and dropped
// as far as that is reasonable, so that the answer is not lost behind unread bytes.
void RequestBody::Fault(BodyFault fault) {
    if (!fault || r_.fault) {
        return;
    }
    r_.fault = std::move(fault);
    if (r_.fault.status == 413 || r_.kind == BodyKind::kRaw) {
        r_.status = Status::kBad;
        return;
    }
    if (!r_.head->chunked &&
        r_.head->content_length - std::min(r_.received, r_.head->content_length) > kDrainMost) {
        r_.status = Status::kBad;
    }
}

void RequestBody::End() {
    r_.ended = true;
    if (r_.fault) {
        r_.status = Status::kBad;
        return;
    }
    if (r_.kind == BodyKind::kMultipart) {
        Fault(r_.multipart->parser.Finish());
        if (r_.fault) {
            r_.status = Status::kBad;
            return;
        }
    }
    if (r_.files) {
        r_.files->Flush();
        r_.status = r_.files->idle() ? Status::kComplete : Status::kDisk;
        if (r_.status == Status::kDisk) {
            return;
        }
    }
    Complete();
}

void RequestBody::OnFilesWritten() {
    if (r_.status == Status::kFull && !r_.files->full()) {
        r_.status = Status::kMore;
        r_.handler->OnBodyProgress();
        return;
    }
    if (r_.status == Status::kDisk) {
        r_.files->Flush();
        if (r_.files->idle()) {
            Complete();
            r_.handler->OnBodyProgress();
        }
    }
}

void RequestBody::Complete() {
    r_.status = Status::kComplete;
    switch (r_.kind) {
        case BodyKind::kRaw:
            if (r_.spooled && r_.files->entry(0).failure != FileWriter::Failure::kNone) {
                r_.fault = BodyFault{500, "request body: " + r_.files->entry(0).reason};
                r_.status = Status::kBad;
            }
            break;
        case BodyKind::kIgnored: WriteContext(false, {}); break;
        case BodyKind::kForm:
        case BodyKind::kFormEmpty: CompleteForm(); break;
        case BodyKind::kMultipart: CompleteMultipart(); break;
    }
}

void RequestBody::CompleteForm() {
    FormFields fields;
    r_.fault =
        ParseForm(r_.head->Find(HeaderId::kContentType), form_.view(), r_.head->query(), fields);
    if (r_.fault) {
        r_.status = Status::kBad;
        return;
    }
    WriteContext(true, {});
    WriteTree(fields);
}

void RequestBody::CompleteMultipart() {
    r_.fault = CheckQuery(r_.head->query());
    if (r_.fault) {
        r_.status = Status::kBad;
        return;
    }
    auto& uploads = r_.multipart->form.files();
    for (size_t i = 0; i < r_.multipart->written.size(); ++i) {
        const FileWriter::Entry& entry = r_.files->entry(i);
        Upload& upload = uploads[r_.multipart->written[i]];
        if (entry.failure == FileWriter::Failure::kCreate) {
            upload.error = UploadError::kNoTmpDir;
            r_.handler->OnUploadFailed(entry.reason);
            continue;
        }
        upload.tmp_name = entry.path;
        upload.size = entry.size;
        if (entry.failure == FileWriter::Failure::kWrite) {
            upload.error = UploadError::kCantWrite;
            r_.handler->OnUploadFailed(entry.reason);
        }
    }
    Buffer tree;
    r_.multipart->form.AppendUploadsJson(tree);
    WriteContext(true, tree.view());
    WriteTree(r_.multipart->form.fields());
}

void RequestBody::WriteContext(bool parsed, Bytes uploads) {
    RR_ASSERT(job_.empty());
    job_.Reserve(pool::kHeadroom + 512);
    job_.Commit(pool::kHeadroom);
    ContextFacts facts;
    facts.remote_addr = r_.remote_addr;
    facts.https = r_.head->secure;
    facts.parsed = parsed;
    facts.uploads = uploads;
    facts.attributes = r_.attributes;
    r_.tools->context.Write(r_.tools->config.context_codec, *r_.head, facts, job_);
    r_.context_size = static_cast<uint32_t>(job_.size() - pool::kHeadroom);
}

void RequestBody::WriteTree(const FormFields& fields) {
    // RoadRunner's protobuf generation sends no bytes for an empty tree, its JSON one `{}`.
    if (fields.empty() && r_.tools->config.context_codec == Codec::kProtobuf) {
        return;
    }
    if (fields.empty()) {
        job_.Append("{}");
        return;
    }
    fields.AppendJson(job_);
}

pool::Job RequestBody::job() {
    pool::Job job;
    job.context = job_.data() + pool::kHeadroom;
    job.context_size = r_.context_size;
    job.codec = CodecFlag(r_.tools->config.context_codec);
    job.replayable = r_.tools->config.retry_safe_methods && r_.head->safe() && !r_.head->has_body();
    if (r_.spooled) {
        job.body_file = r_.files->descriptor(0);
        job.body_file_size = r_.files->entry(0).size;
        return job;
    }
    job.body_size = static_cast<uint32_t>(job_.size() - pool::kHeadroom - r_.context_size);
    return job;
}

FileWriter& RequestBody::Files() {
    if (!r_.files) {
        ++r_.tools->writers;
        r_.files = FileWriter::Make(r_.tools->loop, this, r_.tools->directory, r_.tools->owner,
                                    [tools = r_.tools] { --tools->writers; });
    }
    return *r_.files;
}

void RequestBody::OnFile(size_t index) {
    Files().Begin(true);
    r_.multipart->written.push_back(index);
}

void RequestBody::OnFileData(size_t, Bytes data) { Files().Write(data); }

void RequestBody::OnFileEnd(size_t) { Files().End(); }

void RequestBody::Reset() {
    job_.Clear(kKeep);
    form_.Clear(kKeep);
    r_ = Request();
}

}  // namespace rr::http
