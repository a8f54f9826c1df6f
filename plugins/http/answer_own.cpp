// AnswerWriter, what does not come from a worker's frames: answers of rr's own, of middlewares, and files.
#include <algorithm>
#include <charconv>
#include <string>

#include "core/files/sniff.hpp"
#include "plugins/http/answer_writer.hpp"
#include "plugins/http/boot_page.hpp"

namespace rr::http {

namespace {

constexpr size_t kBlock = 64 * 1024;      // read of a file at once
constexpr uint64_t kGather = 256 * 1024;  // up to here, filters get all at once: its size is known
constexpr uint64_t kSendFileLeast = 32 * 1024;   // below, reading costs less
constexpr uint64_t kPumpMost = 2 * 1024 * 1024;  // of files, before others have their turn

uint64_t SizeOf(const std::vector<HttpPiece>* pieces) {
    uint64_t size = 0;
    if (pieces != nullptr) {
        for (const HttpPiece& piece : *pieces) {
            size += piece.text.size() + piece.file.size;
        }
    }
    return size;
}

}  // namespace

void AnswerWriter::Refuse(int status, Bytes text, bool close) {
    WriteOwn(status, text, close);
    EndOwn();
}

void AnswerWriter::Send(const HttpAnswer& answer, bool close) {
    int status = answer.status;
    if (status < 200 || status > 599) {
        r_.handler->OnAnswerTrouble("execute",
                                    "a middleware answered with a status outside "
                                    "200..599");
        status = r_.tools->config.ErrorStatus(500);
    }
    std::vector<AnswerField>& fields = r_.tools->answer.fields;
    fields.clear();
    for (const auto& [name, value] : answer.headers) {
        fields.push_back({name, value});
    }
    WriteShort(status, answer.body, answer.pieces.empty() ? nullptr : &answer.pieces, close);
    EndOwn();
}

AnswerEnd AnswerWriter::EndOfOwn() const {
    if (r_.cut) {
        return AnswerEnd::kAbort;
    }
    return r_.plan.keep_alive ? AnswerEnd::kKeepAlive : AnswerEnd::kClose;
}

// An answer that no worker has to end.
void AnswerWriter::EndOwn() {
    r_.worker_done = true;
    if (r_.pieces != nullptr) {
        Pump();
        return;
    }
    r_.handler->OnAnswerEnd(EndOfOwn());
}

void AnswerWriter::WriteBootPage(int status, Bytes reason) {
    bool html = r_.handler->AcceptsHtml();
    std::vector<AnswerField>& fields = r_.tools->answer.fields;
    fields.clear();
    fields.push_back(
        {"Content-Type", html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8"});
    fields.push_back({"Cache-Control", "no-store"});
    fields.push_back({"X-Content-Type-Options", "nosniff"});
    if (status == 503) {
        fields.push_back({"Retry-After", "1"});
    }
    carried_.Clear();
    filters_.clear();
    WriteShort(status, html ? BootPage(reason) : std::string(reason) + "\n", nullptr, false);
}

void AnswerWriter::WriteOwn(int status, Bytes text, bool close) {
    std::string line;
    if (!text.empty()) {
        line.assign(text).append("\n");
    }
    if (r_.tools->edited || r_.wire->form != WireForm::kHttp1) {
        std::vector<AnswerField>& fields = r_.tools->answer.fields;
        fields.clear();
        if (!line.empty()) {
            fields.push_back({"Content-Type", "text/plain; charset=utf-8"});
            fields.push_back({"X-Content-Type-Options", "nosniff"});
        }
        if (status == 503) {
            fields.push_back({"Retry-After", "1"});
        }
        carried_.Clear();
        filters_.clear();
        WriteShort(status, line, nullptr, close);
        return;
    }
    OwnAnswer own;
    own.status = status;
    own.text = line;
    own.nosniff = !line.empty();
    own.retry_after = status == 503;
    own.minor = r_.minor;
    own.head_request = r_.head_request;
    own.date = r_.tools->Date();
    r_.plan.keep_alive = !close && r_.wants_more && r_.handler->KeepsAlive();
    own.close = !r_.plan.keep_alive;
    AppendOwnAnswer(own, r_.wire->out);
    r_.status = status;
    r_.written = r_.head_request ? 0 : line.size();
    r_.state = State::kOwn;
    r_.wire->Flushed();
}

// An answer of known size with the fields in tools->answer. With pieces, Pump sends the rest.
void AnswerWriter::WriteShort(int status, Bytes body, const std::vector<HttpPiece>* pieces,
                              bool close) {
    Answer& answer = r_.tools->answer;
    answer.status = status;
    uint64_t size = body.size() + SizeOf(pieces);
    if (r_.tools->edited && !r_.replaced) {
        Bytes start = body.empty() && pieces != nullptr ? Bytes(pieces->front().text) : body;
        EditHead(true, size, start.substr(0, files::kSniffBytes));
        if (r_.replaced) {
            body = {};
            pieces = &replacement_;
            size = SizeOf(pieces);
        }
    }
    bool whole = true;
    r_.written = size;
    if (!filters_.empty()) {
        static const std::vector<HttpPiece> kNone;
        bool gathered = size <= kGather && Gather(body, pieces != nullptr ? *pieces : kNone) &&
                        RunFilters(r_.tools->block.view(), HttpBodyFilter::Step::kLast);
        whole = gathered || !r_.resized;
        if (gathered) {
            filters_.clear();
            body = filtered_.view();
            pieces = nullptr;
            size = body.size();
        }
        r_.tools->block.Clear(kBlock);
    }
    char digits[20];
    if (r_.head_request && AllowsBody(static_cast<int>(answer.status)) &&
        std::none_of(answer.fields.begin(), answer.fields.end(), IsLength)) {
        // Says what GET would have.
        char* end = std::to_chars(digits, digits + sizeof digits, size).ptr;
        answer.fields.push_back(
            {"Content-Length", Bytes(digits, static_cast<size_t>(end - digits))});
    }
    WriteHead(whole, size, body.substr(0, files::kSniffBytes), close);
    r_.state = State::kOwn;
    if (r_.plan.framing == Framing::kNone) {
        r_.written = 0;
        r_.wire->End({});
        return;
    }
    if (!filters_.empty()) {
        WriteFiltered(body, HttpBodyFilter::Step::kMore);
    } else {
        WritePiece(body);
    }
    if (pieces != nullptr) {
        r_.pieces = pieces;
        return;
    }
    r_.state = State::kBody;
    FinishBody();
    r_.state = State::kOwn;
    r_.wire->Flushed();
}

// A middleware has put another body in the place of the worker's.
void AnswerWriter::SendReplacement() {
    WriteShort(static_cast<int>(r_.tools->answer.status), {}, &replacement_, false);
    if (r_.pieces != nullptr) {
        Pump();
    }
}

// All of it into tools->block; false: a file is shorter than said.
bool AnswerWriter::Gather(Bytes body, const std::vector<HttpPiece>& pieces) {
    Buffer& block = r_.tools->block;
    block.Clear();
    block.Append(body);
    for (const HttpPiece& piece : pieces) {
        block.Append(piece.text);
        if (!piece.file.file) {
            continue;
        }
        block.Reserve(piece.file.size);
        auto got = piece.file.file->ReadAt(piece.file.offset, block.tail(), piece.file.size);
        if (!got || *got != piece.file.size) {
            return false;
        }
        block.Commit(*got);
    }
    return true;
}

// Sends pieces until all are out or the client has enough for now.
void AnswerWriter::Pump() {
    // Filters may take long for a block: one of them a turn.
    const uint64_t most = filters_.empty() ? kPumpMost : kBlock;
    uint64_t pumped = 0;
    while (r_.wire != nullptr && r_.piece < r_.pieces->size()) {
        const HttpPiece& piece = (*r_.pieces)[r_.piece];
        if (!r_.piece_text) {
            r_.piece_text = true;
            if (!filters_.empty()) {
                WriteFiltered(piece.text, HttpBodyFilter::Step::kMore);
            } else {
                WritePiece(piece.text);
            }
        }
        if (piece.file.file && r_.piece_sent < piece.file.size && !r_.cut) {
            if (pumped >= most || r_.wire->queued() >= kHighWater) {
                r_.wire->Flushed();
                r_.handler->OnAnswerPaused();
                return;
            }
            const uint64_t before = r_.piece_sent;
            const bool went = PumpFile(piece.file);
            pumped += r_.piece_sent - before;
            if (!went) {
                r_.cut = true;
                r_.handler->OnAnswerTrouble("write response", "the file became shorter");
            }
        }
        if (r_.cut) {
            break;
        }
        if (!piece.file.file || r_.piece_sent == piece.file.size) {
            ++r_.piece;
            r_.piece_text = false;
            r_.piece_sent = 0;
        }
    }
    if (r_.wire == nullptr) {
        return;
    }
    r_.pieces = nullptr;
    AnswerEnd end = FinishBody();
    r_.wire->Flushed();
    r_.cut = r_.cut || end == AnswerEnd::kAbort;
    if (r_.worker_done) {
        r_.handler->OnAnswerEnd(end);
    }
}

// The next part of a file: past the queue where that is possible. False: it has become shorter.
bool AnswerWriter::PumpFile(const HttpFile& file) {
    uint64_t offset = file.offset + r_.piece_sent;
    uint64_t left = file.size - r_.piece_sent;
    bool plain = filters_.empty() &&
                 (r_.plan.framing == Framing::kLength || r_.plan.framing == Framing::kOuter);
    if (plain && left >= kSendFileLeast) {
        int64_t sent = r_.wire->SendFile(*file.file, offset, left);
        if (sent != 0) {
            r_.piece_sent += static_cast<uint64_t>(std::max<int64_t>(sent, 0));
            r_.length_left -=
                std::min(r_.length_left, static_cast<uint64_t>(std::max<int64_t>(sent, 0)));
            return sent > 0;
        }
    }
    Buffer& to = plain ? r_.wire->out : r_.tools->block;
    if (!plain) {
        to.Clear();
    }
    size_t size = std::min<uint64_t>(left, kBlock);
    to.Reserve(size);
    auto got = file.file->ReadAt(offset, to.tail(), size);
    if (!got || *got == 0) {
        return false;
    }
    to.Commit(*got);
    r_.piece_sent += *got;
    if (plain) {
        r_.length_left -= std::min<uint64_t>(r_.length_left, *got);
    } else if (filters_.empty()) {
        WritePiece(to.view());
    } else {
        WriteFiltered(to.view(), HttpBodyFilter::Step::kMore);
    }
    r_.wire->Flushed();
    return true;
}

}  // namespace rr::http
