#include "core/files/serve.hpp"

#include <algorithm>
#include <array>

#include "core/api/http_text.hpp"
#include "core/base/uuid.hpp"
#include "core/files/accept_encoding.hpp"
#include "core/files/ranges.hpp"

namespace rr::files {
namespace {

using http_text::Equal;

const Representation& Choose(const FileRequest& request, const CachedFile& file) {
    AcceptEncoding accept;
    accept.Add(request.accept_encoding);
    for (const Bytes line : request.more_encodings) {
        accept.Add(line);
    }
    constexpr const auto& kAll = CachedFile::kEncodings;
    std::array<Encoding, kAll.size()> there{};
    size_t count = 0;
    for (size_t i = 0; i < kAll.size(); ++i) {
        if (file.encoded[i]) {
            there[count++] = kAll[i];
        }
    }
    const Encoding chosen = accept.Choose({there.data(), count});
    const auto* const found = std::find(kAll.begin(), kAll.end(), chosen);
    return found == kAll.end() ? file.plain
                               : *file.encoded[static_cast<size_t>(found - kAll.begin())];
}

bool Has(const ServeOptions& options, Bytes name) {
    return std::any_of(options.headers.begin(), options.headers.end(),
                       [name](const auto& header) { return Equal(header.first, name); });
}

// A part of the file behind `text`.
void AddPart(const Representation& file, std::string text, ByteRange part, HttpAnswer& answer) {
    if (file.file) {
        HttpPiece& piece = answer.pieces.emplace_back();
        piece.text = std::move(text);
        if (part.size > 0) {
            piece.file = {file.file, part.offset, part.size};
        }
        return;
    }
    answer.body.append(text);
    answer.body.append(file.content, static_cast<size_t>(part.offset),
                       static_cast<size_t>(part.size));
}

std::string ContentRange(ByteRange part, uint64_t size) {
    return "bytes " + std::to_string(part.offset) + "-" +
           std::to_string(part.offset + part.size - 1) + "/" + std::to_string(size);
}

void AnswerParts(const Representation& file, const Ranges& ranges, Bytes type, HttpAnswer& answer) {
    answer.status = 206;
    if (ranges.parts().size() == 1) {
        const ByteRange part = ranges.parts()[0];
        answer.headers.Add("Content-Range", ContentRange(part, file.size));
        answer.headers.Add("Content-Type", type);
        AddPart(file, {}, part, answer);
        return;
    }
    // Nobody can put it into a file beforehand.
    const std::string boundary = Uuid::Random().ToString();
    std::string line;
    for (const ByteRange part : ranges.parts()) {
        line.append("--").append(boundary).append("\r\nContent-Range: ");
        line.append(ContentRange(part, file.size)).append("\r\nContent-Type: ").append(type);
        line.append("\r\n\r\n");
        AddPart(file, std::move(line), part, answer);
        line = "\r\n";
    }
    AddPart(file, "\r\n--" + boundary + "--\r\n", {}, answer);
    answer.headers.Add("Content-Type", "multipart/byteranges; boundary=" + boundary);
}

void AnswerUnsatisfiable(const Representation& file, Ranges::Kind kind, HttpAnswer& answer) {
    answer.status = 416;
    if (kind == Ranges::Kind::kNoOverlap) {
        answer.headers.Add("Content-Range", "bytes */" + std::to_string(file.size));
        answer.body = "invalid range: failed to overlap\n";
    } else {
        answer.body = "invalid range\n";
    }
    answer.headers.Add("Content-Type", "text/plain; charset=utf-8");
    answer.headers.Add("X-Content-Type-Options", "nosniff");
}

}  // namespace

FileRequest ReadFileRequest(const HttpRequest& request) {
    FileRequest read;
    read.method = request.method();
    for (size_t i = 0; i < request.headers(); ++i) {
        const HttpField field = request.header(i);
        if (field.name.size() == 15 && Equal(field.name, "accept-encoding")) {
            read.AddEncodings(field.value);
            continue;
        }
        read.conditions.Take(field.name, field.value);
    }
    return read;
}

void Serve(const FileRequest& request, const CachedFile& cached, const ServeOptions& options,
           HttpAnswer& answer) {
    const bool varies = cached.has_encoded();
    const Representation& file = varies ? Choose(request, cached) : cached.plain;
    const Bytes modified(file.last_modified, kHttpDateSize);
    answer.headers.AddAll(options.headers);
    if (!file.etag.empty()) {
        answer.headers.Add("ETag", file.etag);
    }
    if (varies) {
        answer.headers.Add("Vary", "Accept-Encoding");
    }
    if (!options.cache_control.empty() && !Has(options, "Cache-Control")) {
        answer.headers.Add("Cache-Control", options.cache_control);
    }
    Ranges ranges;
    if (request.conditions.any()) {
        const std::string pending = file.digest ? StrongTagStart(file.size) : std::string();
        const Validators validators{file.etag, file.stamp.modified_seconds(), pending};
        const Verdict verdict = Judge(request.conditions, validators, request.safe());
        if (verdict != Verdict::kSend) {
            answer.status = verdict == Verdict::kNotModified ? 304 : 412;
            if (answer.status == 412 || file.etag.empty()) {
                answer.headers.Add("Last-Modified", modified);
            }
            if (answer.status == 304) {
                answer.headers.Remove("Content-Type");  // nothing is said of the content
            }
            return;
        }
        if (options.ranges && request.safe() && RangeCounts(request.conditions, validators)) {
            ranges = Ranges::Parse(request.conditions.range, file.size);
        }
    }
    answer.headers.Add("Last-Modified", modified);
    if (options.ranges) {
        answer.headers.Add("Accept-Ranges", "bytes");
    }
    if (ranges.kind() == Ranges::Kind::kBroken || ranges.kind() == Ranges::Kind::kNoOverlap) {
        answer.headers.Remove("Content-Type");
        answer.headers.Remove("Cache-Control");
        AnswerUnsatisfiable(file, ranges.kind(), answer);
        return;
    }
    if (!file.encoding.empty()) {
        answer.headers.Add("Content-Encoding", file.encoding);
    }
    if (ranges.kind() == Ranges::Kind::kParts) {
        const Bytes own = answer.headers.Get("Content-Type");
        const std::string type(own.empty() ? file.content_type : own);
        answer.headers.Remove("Content-Type");
        AnswerParts(file, ranges, type, answer);
        return;
    }
    if (options.headers.empty() || !Has(options, "Content-Type")) {
        answer.headers.Add("Content-Type", file.content_type);
    }
    AddPart(file, {}, {0, file.size}, answer);
}

}  // namespace rr::files
