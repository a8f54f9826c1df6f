// StaticFiles: which requests are answered with a file, and with which.
//
//   /css/a.css     the file of that name, if its extension may be shown
//   /docs/         `index` in that folder; /docs is sent there. This and the next: GET and HEAD
//   /about         `try_files`: about.html, say
//   /user/7        `fallback`, for a browser's own navigation only
//   a..b           403, as RoadRunner has it
//   all else       a worker, to which a path with an extension that is not shown goes at once
//
// Thread: one: each loop has its own. A name that is not in the cache blocks for as long as opening
// it takes.
// Owns:   the cache. Borrows the background, which outlives it.
#pragma once

#include <string>
#include <string_view>

#include "core/api/http_middleware.hpp"
#include "core/base/bytes.hpp"
#include "core/base/time.hpp"
#include "core/files/file_cache.hpp"
#include "core/files/serve.hpp"
#include "core/files/url_path.hpp"
#include "plugins/static/config.hpp"

namespace rr::static_files {

class StaticFiles {
public:
    StaticFiles(const StaticConfig& config, files::Background& background);

    using Now = Instant (*)();

    // True: `answer` is filled. now: asked where a file is looked for; most requests are for none.
    bool Answer(HttpRequest& request, HttpAnswer& answer, Now now);

private:
    struct Call {
        HttpRequest& request;
        HttpAnswer& answer;
        Now now;
        files::UrlPath path;
    };
    bool MayShow(Bytes extension) const;
    bool Try(const Call& call, Bytes name, const files::ServeOptions& options);
    bool TryOthers(const Call& call);
    bool TryIndex(const Call& call);
    bool TryTemplates(const Call& call);
    bool TryFallback(const Call& call);
    bool IsFolder(const Call& call);

    const StaticConfig config_;
    files::FileCache cache_;
    files::ServeOptions options_;
    files::ServeOptions fallback_options_;
};

}  // namespace rr::static_files
