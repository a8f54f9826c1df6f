#include "plugins/fileserver/file_server.hpp"

#include <algorithm>
#include <utility>

#include "core/api/http_text.hpp"
#include "core/files/url_path.hpp"
#include "plugins/fileserver/gzip.hpp"

namespace rr::fileserver {
namespace {

using files::CachedFile;
using files::UrlPath;

constexpr uint64_t kLeastCompressed = 1024;
constexpr uint64_t kMostCompressed = 256 << 10;  // a few milliseconds
constexpr size_t kMostMemory = 16 << 20;
constexpr size_t kGzip = 2;  // of CachedFile::encoded

// The name below `prefix`, which compares without case; false: it lies elsewhere.
bool Below(Bytes name, Bytes prefix, Bytes& rest) {
    if (!prefix.empty()) {
        prefix.remove_prefix(1);  // its slash
    }
    if (!http_text::StartsWith(name, prefix)) {
        return false;
    }
    rest = name.substr(prefix.size());
    if (prefix.empty() || rest.empty()) {
        return true;
    }
    if (rest[0] != '/') {
        return false;
    }
    rest.remove_prefix(1);
    return true;
}

bool IsText(Bytes type) {
    return type.starts_with("text/") || type.starts_with("application/json") ||
           type.find("+xml") != Bytes::npos || type.find("+json") != Bytes::npos ||
           type.starts_with("application/wasm") || type.starts_with("application/manifest");
}

files::FileRequest Read(const web::Request& request) {
    files::FileRequest read;
    read.method = request.method;
    for (const auto& [name, value] : request.fields) {
        if (name == "accept-encoding") {
            read.AddEncodings(value);
        }
        read.conditions.Take(name, value);
    }
    return read;
}

}  // namespace

FileServer::FileServer(const FileServerConfig& config, files::Background& background)
    : config_(config) {
    for (const FileServerConfig::Serve& serve : config_.serve) {
        Folder& folder = folders_.emplace_back();
        folder.prefix = serve.prefix;
        folder.compress = serve.compress;
        folder.options.ranges = serve.bytes_range;
        if (serve.max_age > 0) {
            folder.options.cache_control = "public, max-age=" + std::to_string(serve.max_age);
        }
        files::FileCache::Options options;
        options.root.folder = serve.root;
        options.root.link_folders = {config_.directory};
        options.polynomial = files::Polynomial::kFileserver;
        if (config_.calculate_etag) {
            options.etag = config_.weak ? files::ETag::kWeak : files::ETag::kStrong;
        }
        options.revalidate = std::max(serve.cache_duration, Duration::zero());
        if (serve.cache_duration < Duration::zero()) {
            options.max_files = 0;
        }
        folder.cache = std::make_unique<files::FileCache>(std::move(options), background);
    }
}

web::Answer FileServer::Answer(const web::Request& request, Instant now) {
    const files::FileRequest read = Read(request);
    const UrlPath path = files::ParseUrlPath(request.path, scratch_);
    const bool named = path.kind == UrlPath::Kind::kFile || path.kind == UrlPath::Kind::kFolder;
    for (Folder& folder : folders_) {
        Bytes name;
        if (!read.safe() || !named || !Below(path.name, folder.prefix, name)) {
            continue;
        }
        if (const CachedFile* file = Find(folder, name, now)) {
            HttpAnswer made;
            files::Serve(read, *file, folder.options, made);
            web::Answer answer;
            answer.status = made.status;
            answer.content_type.clear();
            for (const auto& [header, value] : made.headers) {
                answer.headers.emplace_back(header, value);
            }
            answer.body = std::move(made.body);
            answer.pieces = std::move(made.pieces);
            return answer;
        }
    }
    return {.status = 404, .body = "Cannot " + request.method + " " + request.path};
}

// A folder is its index.html.
const CachedFile* FileServer::Find(Folder& folder, Bytes name, Instant now) {
    std::string full(name);
    const CachedFile* file = &folder.cache->Find(full, now);
    if (file->status == files::OpenedFile::Status::kFolder) {
        full.append(full.empty() ? "" : "/").append("index.html");
        file = &folder.cache->Find(full, now);
    }
    if (!file->is_file()) {
        return nullptr;
    }
    const files::Representation& plain = file->plain;
    const bool worth = folder.compress && IsText(plain.content_type) &&
                       plain.size >= kLeastCompressed && plain.size <= kMostCompressed;
    return worth ? &Compressed(folder, full, *file) : file;
}

// The file with a compressed sibling, which is in memory only.
const CachedFile& FileServer::Compressed(Folder& folder, const std::string& name,
                                         const CachedFile& plain) {
    CachedFile& made = folder.compressed[name];
    if (made.is_file() && made.plain.stamp == plain.plain.stamp && plain.plain.settled) {
        return made;
    }
    const auto old = made.encoded[kGzip] ? made.encoded[kGzip]->content.size() : 0;
    if (folder.compressed_memory - old > kMostMemory) {
        folder.compressed.clear();
        folder.compressed_memory = 0;
        return Compressed(folder, name, plain);
    }
    made = CachedFile{.status = plain.status, .plain = plain.plain, .encoded = {}};
    std::string text = plain.plain.content;
    if (plain.plain.file) {
        text.resize(static_cast<size_t>(plain.plain.size));
        const Result<size_t> got = plain.plain.file->ReadAt(0, text.data(), text.size());
        text.resize(got ? *got : 0);
    }
    auto sibling = std::make_unique<files::Representation>(plain.plain);
    sibling->file.reset();
    sibling->content = Gzip(text);
    sibling->size = sibling->content.size();
    sibling->encoding = "gzip";
    if (config_.calculate_etag && !config_.weak) {
        sibling->etag =
            "\"" + std::to_string(sibling->size) + "-" +
            std::to_string(files::Checksum(files::Polynomial::kFileserver, sibling->content)) +
            "\"";
    } else if (config_.calculate_etag) {
        sibling->etag.insert(sibling->etag.size() - 1, "-gzip");
    }
    folder.compressed_memory += sibling->size - old;
    made.encoded[kGzip] = std::move(sibling);
    return made;
}

}  // namespace rr::fileserver
