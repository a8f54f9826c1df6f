// Serve: a cached file as the answer to a request: which of its encodings, whether the client has it
// already, which parts of it.
//
// Thread: pure functions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/api/http_middleware.hpp"
#include "core/base/bytes.hpp"
#include "core/files/conditions.hpp"
#include "core/files/file_cache.hpp"

namespace rr::files {

// What of a request decides how a file is sent.
struct FileRequest {
    Bytes method;
    Bytes accept_encoding;
    std::vector<Bytes> more_encodings;  // further lines of it
    ConditionFields conditions;

    // A line of Accept-Encoding.
    void AddEncodings(Bytes line) {
        (accept_encoding.empty() ? accept_encoding : more_encodings.emplace_back()) = line;
    }
    bool safe() const { return method == "GET" || method == "HEAD"; }
};
FileRequest ReadFileRequest(const HttpRequest& request);

struct ServeOptions {
    // Added to every answer; a Content-Type or Cache-Control among them wins over ours.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string cache_control;  // empty: none
    bool ranges = true;
};

// answer is empty. What it shares with the file is alive on its own.
void Serve(const FileRequest& request, const CachedFile& file, const ServeOptions& options,
           HttpAnswer& answer);

}  // namespace rr::files
