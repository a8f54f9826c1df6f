#include "plugins/static/static_files.hpp"

#include <algorithm>
#include <utility>

#include "core/api/http_text.hpp"

namespace rr::static_files {
namespace {

using files::UrlPath;

constexpr Bytes kPath = "{path}";

files::FileCache::Options CacheOptions(const StaticConfig& config) {
    files::FileCache::Options options;
    options.root.folder = config.dir;
    options.root.link_folders = config.symlink_roots;
    options.root.dotfiles = config.dotfiles;
    if (config.calculate_etag) {
        options.etag = config.weak ? files::ETag::kWeak : files::ETag::kStrong;
    }
    options.precompressed = config.precompressed;
    options.max_files = static_cast<size_t>(config.max_files);
    options.max_memory = config.max_memory;
    options.revalidate = config.revalidate;
    return options;
}

bool Contains(const std::vector<std::string>& list, Bytes extension) {
    return std::any_of(list.begin(), list.end(), [extension](const std::string& each) {
        return http_text::Equal(each, extension);
    });
}

bool IsRead(Bytes method) { return method == "GET" || method == "HEAD"; }

// `name` is `folder` or lies in it.
bool IsIn(Bytes name, Bytes folder) {
    return name.substr(0, folder.size()) == folder &&
           (name.size() == folder.size() || name[folder.size()] == '/');
}

void Join(Bytes folder, Bytes name, std::string& out) {
    out.assign(folder);
    if (!folder.empty()) {
        out += '/';
    }
    out.append(name);
}

// False: the template does not fit: `{path}.html` of a folder.
bool Expand(const UrlPath& path, Bytes text, std::string& out) {
    const size_t at = text.find(kPath);
    if (at == Bytes::npos) {
        out.assign(text);
        return true;
    }
    const Bytes rest = text.substr(at + kPath.size());
    if (path.kind == UrlPath::Kind::kFolder && !rest.empty() && rest[0] != '/') {
        return false;
    }
    out.assign(text.substr(0, at)).append(path.name).append(rest);
    if (!out.empty() && out[0] == '/') {  // {path} is empty
        out.erase(0, 1);
    }
    return !out.empty();
}

}  // namespace

StaticFiles::StaticFiles(const StaticConfig& config, files::Background& background)
    : config_(config), cache_(CacheOptions(config), background) {
    options_.headers = config_.response;
    options_.cache_control = config_.cache_control;
    fallback_options_ = options_;
    // It is the start of an application whose next version has the same URL.
    fallback_options_.cache_control = "no-cache";
    std::erase_if(fallback_options_.headers, [](const auto& header) {
        return http_text::Equal(header.first, "Cache-Control");
    });
    fallback_options_.headers.emplace_back("Vary", "Accept");  // others get a worker's answer
}

bool StaticFiles::Answer(HttpRequest& request, HttpAnswer& answer, Now now) {
    const Call call{request, answer, now, files::ParseUrlPath(request.target(), cache_.scratch())};
    switch (call.path.kind) {
        case UrlPath::Kind::kUp: answer.status = 403; return true;
        case UrlPath::Kind::kNone: return false;
        case UrlPath::Kind::kFile: break;
        case UrlPath::Kind::kFolder: return TryOthers(call);
    }
    const Bytes extension = files::ExtensionOf(call.path.name);
    if (!extension.empty() && !MayShow(extension)) {
        return false;  // it is a worker's, and no page of ours stands for it
    }
    if (Try(call, call.path.name, options_) || TryOthers(call)) {
        return true;
    }
    if (extension.empty() || !Contains(config_.always, extension)) {
        return false;
    }
    answer.status = 404;
    return true;
}

// Pages that the path does not name: only for who wants to read one. A form that is sent to the same
// path is a worker's.
bool StaticFiles::TryOthers(const Call& call) {
    return IsRead(call.request.method()) &&
           (TryIndex(call) || TryTemplates(call) || TryFallback(call));
}

bool StaticFiles::MayShow(Bytes extension) const {
    return !extension.empty() && !Contains(config_.forbid, extension) &&
           (config_.allow.empty() || Contains(config_.allow, extension));
}

bool StaticFiles::Try(const Call& call, Bytes name, const files::ServeOptions& options) {
    if (!MayShow(files::ExtensionOf(name))) {
        return false;
    }
    const files::CachedFile& file = cache_.Find(name, call.now());
    if (!file.is_file()) {
        return false;
    }
    for (const auto& [header, value] : config_.request) {
        call.request.AddHeader(header, value);
    }
    files::Serve(files::ReadFileRequest(call.request), file, options, call.answer);
    return true;
}

bool StaticFiles::TryIndex(const Call& call) {
    const bool folder = call.path.kind == UrlPath::Kind::kFolder;
    if (config_.index.empty() || (!folder && !IsFolder(call))) {
        return false;
    }
    std::string& name = cache_.candidate();
    for (const std::string& index : config_.index) {
        Join(call.path.name, index, name);
        if (folder ? Try(call, name, options_)
                   : MayShow(files::ExtensionOf(name)) && cache_.Find(name, call.now()).is_file()) {
            if (!folder) {
                // Links in the page count from its folder. Made from the clean name: `//host` in
                // the target must not become a link to elsewhere.
                const Bytes target = call.request.target();
                const size_t query = std::min(target.find('?'), target.size());
                std::string location = files::EncodeUrlPath(call.path.name) + "/";
                location.append(target.substr(query));
                call.answer.status = 301;
                call.answer.headers.Add("Location", location);
            }
            return true;
        }
    }
    return false;
}

bool StaticFiles::IsFolder(const Call& call) {
    return cache_.Find(call.path.name, call.now()).status == files::OpenedFile::Status::kFolder;
}

bool StaticFiles::TryTemplates(const Call& call) {
    std::string& name = cache_.candidate();
    for (const std::string& text : config_.try_files) {
        if (Expand(call.path, text, name) && Try(call, name, options_)) {
            return true;
        }
    }
    return false;
}

bool StaticFiles::TryFallback(const Call& call) {
    if (config_.fallback.empty() ||
        call.request.Header("Accept").find("text/html") == Bytes::npos) {
        return false;
    }
    for (const std::string& folder : config_.fallback_exclude) {
        if (IsIn(call.path.name, folder)) {
            return false;
        }
    }
    return Try(call, config_.fallback, fallback_options_);
}

}  // namespace rr::static_files
