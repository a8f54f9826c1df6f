// FileServer: requests of its own endpoint, answered with files below prefixes.
//
// Thread: one. A file that is not in the cache blocks for as long as opening it takes.
// Owns:   a cache for each prefix, and what was compressed. Borrows the background.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/time.hpp"
#include "core/files/file_cache.hpp"
#include "core/files/serve.hpp"
#include "core/web/request.hpp"
#include "plugins/fileserver/config.hpp"

namespace rr::fileserver {

class FileServer {
public:
    FileServer(const FileServerConfig& config, files::Background& background);

    web::Answer Answer(const web::Request& request, Instant now);

private:
    struct Folder {
        std::string prefix;
        bool compress;
        files::ServeOptions options;
        std::unique_ptr<files::FileCache> cache;
        // By name; what belongs to another state of the file is made anew.
        std::unordered_map<std::string, files::CachedFile> compressed;
        size_t compressed_memory = 0;
    };
    const files::CachedFile* Find(Folder& folder, Bytes name, Instant now);
    const files::CachedFile& Compressed(Folder& folder, const std::string& name,
                                        const files::CachedFile& plain);

    const FileServerConfig config_;
    std::vector<Folder> folders_;
    std::string scratch_;
};

}  // namespace rr::fileserver
