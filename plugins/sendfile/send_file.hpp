// SendFile: an answer with `X-Sendfile: path` gets that file for its body.
//
// Files are opened each time: a worker may have written one a moment ago, or delete it in the next.
//
// Thread: any; nothing is kept. Blocks for as long as opening a file takes.
#pragma once

#include <string>
#include <vector>

#include "core/api/http_middleware.hpp"
#include "core/log/logger.hpp"

namespace rr::sendfile {

struct SendFileConfig {
    std::string directory;           // relative names count from here
    std::vector<std::string> roots;  // files must lie below one of these; empty: anywhere
};

class SendFile {
public:
    SendFile(SendFileConfig config, log::Logger log) : config_(std::move(config)), log_(log) {}

    void Apply(const HttpRequest& request, HttpResponse& response) const;

private:
    bool MayShow(const File& file) const;

    const SendFileConfig config_;
    const log::Logger log_;
};

}  // namespace rr::sendfile
