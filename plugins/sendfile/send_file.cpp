#include "plugins/sendfile/send_file.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "core/files/conditions.hpp"
#include "core/files/content_type.hpp"
#include "core/files/http_date.hpp"
#include "core/files/ranges.hpp"
#include "core/files/root.hpp"
#include "core/files/serve.hpp"
#include "core/files/sniff.hpp"
#include "core/files/url_path.hpp"

namespace rr::sendfile {
namespace {

using files::OpenedFile;

constexpr std::string_view kHeader = "X-Sendfile";

// As Go's http.Error.
void Refuse(HttpResponse& response, int status, std::string text) {
    if (!text.empty()) {
        text += '\n';
        response.SetHeader("Content-Type", "text/plain; charset=utf-8");
        response.SetHeader("X-Content-Type-Options", "nosniff");
    }
    response.RemoveHeader("Content-Encoding");
    response.Replace(status, std::move(text), {});
}

std::string TypeOf(const OpenedFile& opened, const std::string& path) {
    if (Bytes type = files::TypeOfExtension(files::ExtensionOf(path)); !type.empty()) {
        return std::string(type);
    }
    char start[files::kSniffBytes];
    const Result<size_t> got = opened.file->ReadAt(0, start, sizeof start);
    return std::string(files::DetectContentType({start, got ? *got : 0}));
}

// True: the client needs less than all of the file, and has been answered.
bool AnswerInPart(const HttpRequest& request, const OpenedFile& opened, HttpResponse& response) {
    const files::FileRequest read = files::ReadFileRequest(request);
    if (response.status() != 200 || !read.safe() || !read.conditions.any()) {
        return false;
    }
    // The worker may know better.
    const std::string etag(response.Header("ETag"));
    files::Validators validators{etag, opened.stamp.modified_seconds()};
    if (const auto date = files::ParseHttpDate(response.Header("Last-Modified"))) {
        validators.modified_seconds = *date;
    }
    const files::Verdict verdict = files::Judge(read.conditions, validators, true);
    if (verdict != files::Verdict::kSend) {
        for (std::string_view name : {"Content-Type", "Content-Encoding", "Content-Length"}) {
            response.RemoveHeader(name);
        }
        response.Replace(verdict == files::Verdict::kNotModified ? 304 : 412, {}, {});
        return true;
    }
    if (!files::RangeCounts(read.conditions, validators)) {
        return false;
    }
    const uint64_t size = opened.stamp.size;
    const auto ranges = files::Ranges::Parse(read.conditions.range, size);
    if (ranges.kind() == files::Ranges::Kind::kBroken) {
        Refuse(response, 416, "invalid range");
        return true;
    }
    if (ranges.kind() == files::Ranges::Kind::kNoOverlap) {
        response.SetHeader("Content-Range", "bytes */" + std::to_string(size));
        Refuse(response, 416, "invalid range: failed to overlap");
        return true;
    }
    // Several parts would need several pieces: the client gets all.
    if (ranges.parts().size() != 1) {
        return false;
    }
    const files::ByteRange part = ranges.parts()[0];
    response.SetHeader("Content-Range", "bytes " + std::to_string(part.offset) + "-" +
                                            std::to_string(part.offset + part.size - 1) + "/" +
                                            std::to_string(size));
    response.Replace(206, {}, {opened.file, part.offset, part.size});
    return true;
}

}  // namespace

void SendFile::Apply(const HttpRequest& request, HttpResponse& response) const {
    const std::string named(response.Header(kHeader));
    response.RemoveHeader(kHeader);  // also one that names nothing
    if (named.empty()) {
        return;
    }
    if (named.find("..") != std::string::npos) {
        log_.Warn("a worker named a file with two dots", {{"file", named}});
        Refuse(response, 403, {});
        return;
    }
    const std::string path = named[0] == '/' ? named : config_.directory + "/" + named;
    OpenedFile opened = files::OpenAnyFile(path);
    if (opened.status != OpenedFile::Status::kFile) {
        log_.Warn("the file that a worker named can't be sent",
                  {{"file", path}, {"error", files::ErrorText(opened.error)}});
        const bool missing = opened.status == OpenedFile::Status::kMissing;
        Refuse(response, missing ? 404 : 500,
               missing ? "not found" : files::ErrorText(opened.error));
        return;
    }
    if (!MayShow(*opened.file)) {
        log_.Warn("a worker named a file outside of http.sendfile.roots", {{"file", path}});
        Refuse(response, 403, {});
        return;
    }
    if (response.Header("Content-Type").empty()) {
        response.SetHeader("Content-Type", TypeOf(opened, path));
    }
    if (response.Header("Last-Modified").empty()) {
        char date[files::kHttpDateSize];
        files::WriteHttpDate(opened.stamp.modified_seconds(), date);
        response.SetHeader("Last-Modified", {date, sizeof date});
    }
    response.SetHeader("Accept-Ranges", "bytes");
    if (!AnswerInPart(request, opened, response)) {
        response.Replace(response.status(), {}, {opened.file, 0, opened.stamp.size});
    }
}

bool SendFile::MayShow(const File& file) const {
    if (config_.roots.empty()) {
        return true;
    }
    const std::string path = files::TruePath(file);
    return std::any_of(config_.roots.begin(), config_.roots.end(), [&path](const auto& root) {
        std::error_code error;
        const std::string folder = std::filesystem::canonical(root, error).string();
        return !error && files::IsBelow(path, folder);
    });
}

}  // namespace rr::sendfile
