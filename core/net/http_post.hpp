// HttpPost: POSTs a body to one URL and waits for the answer; for helper threads (Loop::Offload). By
// libcurl, which is loaded when the first one is opened: it and what it needs would cost every server
// 4 MB and every command 30 ms.
//
//   Result<std::unique_ptr<HttpPost>> post = HttpPost::Open(settings);         // main thread
//   HttpPost::Answer answer = (*post)->Send(body, deadline, stop);             // a helper thread
//
// HTTP/1.1, the connection is kept for the next call. Proxies as curl's: http_proxy, https_proxy,
// no_proxy; never to this machine itself. Redirects are not followed.
//
// Thread: Open on main; then one call at a time, on any thread.
// Owns:   the connection.
// Fails:  Open: kNotFound: no libcurl; kInvalid: no URL that it takes. Send: through the answer.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace rr::net {

struct HttpPostSettings {
    std::string url;  // http:// or https://
    std::vector<std::pair<std::string, std::string>> headers;
    Duration timeout = std::chrono::seconds(10);  // of one call, from the look-up of the name on
    std::string ca;                               // PEM file; empty: the system's
    std::string cert;                             // PEM file of ours; empty: none
    std::string key;
};

class HttpPost final {
public:
    struct Answer {
        int status = 0;          // 0: none came, see error
        std::string body;        // its first 4 KiB
        Duration retry_after{};  // zero: not said, or as a date
        std::string error;       // for a person
    };

    static Result<std::unique_ptr<HttpPost>> Open(HttpPostSettings settings);
    ~HttpPost();
    HttpPost(const HttpPost&) = delete;
    HttpPost& operator=(const HttpPost&) = delete;

    // Ends at the deadline, and within a second once `stop` is true.
    Answer Send(Bytes body, Deadline deadline, const std::atomic<bool>& stop);

private:
    struct Curl;
    struct Call;

    HttpPost(HttpPostSettings settings, const Curl& curl);
    bool Prepare();

    const HttpPostSettings settings_;
    const Curl& curl_;
    void* handle_ = nullptr;
    void* headers_ = nullptr;
};

}  // namespace rr::net
