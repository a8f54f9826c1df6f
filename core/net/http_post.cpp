#include "core/net/http_post.hpp"

#include <curl/curl.h>
#include <dlfcn.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "core/base/check.hpp"

namespace rr::net {
namespace {

constexpr size_t kAnswer = 4096;   // bytes of an answer's body that are kept
constexpr size_t kMost = 1 << 20;  // bytes of it that are waited for
constexpr Duration kLongestPause = std::chrono::hours(1);

// The host of `scheme://[user@]host[:port]/...`, an IPv6 address without brackets.
std::string_view HostOf(std::string_view url) {
    size_t begin = url.find("://");
    url.remove_prefix(begin == std::string_view::npos ? 0 : begin + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    url.remove_prefix(url.rfind('@') == std::string_view::npos ? 0 : url.rfind('@') + 1);
    if (url.starts_with('[')) {
        return url.substr(1, url.find(']') - 1);
    }
    return url.substr(0, url.find(':'));
}

bool IsThisMachine(std::string_view host) {
    return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// Sockets of ours do not go on in workers.
curl_socket_t OpenSocket(void*, curlsocktype, curl_sockaddr* address) noexcept {
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

}  // namespace

// What is used of libcurl.
struct HttpPost::Curl {
    decltype(&curl_global_init) global_init;
    decltype(&curl_easy_init) easy_init;
    decltype(&curl_easy_setopt) easy_setopt;
    decltype(&curl_easy_perform) easy_perform;
    decltype(&curl_easy_getinfo) easy_getinfo;
    decltype(&curl_easy_strerror) easy_strerror;
    decltype(&curl_easy_cleanup) easy_cleanup;
    decltype(&curl_slist_append) slist_append;
    decltype(&curl_slist_free_all) slist_free_all;

    static Result<const Curl*> Load();
};

struct HttpPost::Call {
    Answer answer;
    size_t received = 0;
    const std::atomic<bool>* stop;
};

// Loaded once and for good: it has threads, and handlers for the end of the process.
Result<const HttpPost::Curl*> HttpPost::Curl::Load() {
    static Curl curl{};
    static bool loaded = false;  // main thread only
    if (loaded) {
        return &curl;
    }
    void* library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library == nullptr) {
        return Fail(Errc::kNotFound,
                    std::string("needs libcurl (Debian's package libcurl4): ") + dlerror());
    }
    bool complete = true;
    const auto find = [&](const char* name, auto& function) {
        void* symbol = dlsym(library, name);
        function = reinterpret_cast<std::decay_t<decltype(function)>>(symbol);
        complete = complete && symbol != nullptr;
    };
    find("curl_global_init", curl.global_init);
    find("curl_easy_init", curl.easy_init);
    find("curl_easy_setopt", curl.easy_setopt);
    find("curl_easy_perform", curl.easy_perform);
    find("curl_easy_getinfo", curl.easy_getinfo);
    find("curl_easy_strerror", curl.easy_strerror);
    find("curl_easy_cleanup", curl.easy_cleanup);
    find("curl_slist_append", curl.slist_append);
    find("curl_slist_free_all", curl.slist_free_all);
    if (!complete || curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return Fail(Errc::kUnsupported, "libcurl.so.4 is not the one that is needed");
    }
    loaded = true;
    return &curl;
}

Result<std::unique_ptr<HttpPost>> HttpPost::Open(HttpPostSettings settings) {
    auto curl = Curl::Load();
    if (!curl) {
        return Forward(curl);
    }
    std::unique_ptr<HttpPost> post(new HttpPost(std::move(settings), **curl));
    if (!post->Prepare()) {
        return Fail(Errc::kInvalid, "libcurl does not take " + post->settings_.url);
    }
    return post;
}

HttpPost::HttpPost(HttpPostSettings settings, const Curl& curl)
    : settings_(std::move(settings)), curl_(curl) {}

HttpPost::~HttpPost() {
    if (handle_ != nullptr) {
        curl_.easy_cleanup(handle_);
    }
    curl_.slist_free_all(static_cast<curl_slist*>(headers_));
}

bool HttpPost::Prepare() {
    handle_ = curl_.easy_init();
    if (handle_ == nullptr) {
        return false;
    }
    // No question `Expect: 100-continue` first: it costs a round trip.
    curl_slist* headers = curl_.slist_append(nullptr, "Expect:");
    for (const auto& [name, value] : settings_.headers) {
        // A value may be empty: `;` says so to curl.
        std::string line = name + (value.empty() ? ";" : ": " + value);
        headers = curl_.slist_append(headers, line.c_str());
    }
    headers_ = headers;
    bool taken = headers != nullptr;
    const auto set = [&](CURLoption option, auto value) {
        taken = curl_.easy_setopt(handle_, option, value) == CURLE_OK && taken;
    };
    set(CURLOPT_URL, settings_.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_HTTPHEADER, headers);
    set(CURLOPT_POST, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_NOPROGRESS, 0L);
    if (IsThisMachine(HostOf(settings_.url))) {
        set(CURLOPT_PROXY, "");
    }
    if (!settings_.ca.empty()) {
        set(CURLOPT_CAINFO, settings_.ca.c_str());
    }
    if (!settings_.cert.empty()) {
        set(CURLOPT_SSLCERT, settings_.cert.c_str());
        set(CURLOPT_SSLKEY, (settings_.key.empty() ? settings_.cert : settings_.key).c_str());
    }
    set(CURLOPT_OPENSOCKETFUNCTION, &OpenSocket);
    using Write = size_t (*)(char*, size_t, size_t, void*);
    set(CURLOPT_WRITEFUNCTION, Write([](char* data, size_t, size_t size, void* self) -> size_t {
            Call& call = *static_cast<Call*>(self);
            std::string& body = call.answer.body;
            body.append(data, std::min(size, kAnswer - body.size()));
            call.received += size;
            return call.received <= kMost ? size : 0;
        }));
    using Progress = int (*)(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
    set(CURLOPT_XFERINFOFUNCTION,
        Progress([](void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) -> int {
            return static_cast<Call*>(self)->stop->load(std::memory_order_relaxed) ? 1 : 0;
        }));
    return taken;
}

HttpPost::Answer HttpPost::Send(Bytes body, Deadline deadline, const std::atomic<bool>& stop) {
    Call call;
    call.stop = &stop;
    const Duration left = std::min(settings_.timeout, Duration(deadline - Clock::now()));
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    if (milliseconds <= 0) {
        call.answer.error = "no time is left";
        return std::move(call.answer);
    }
    std::array<char, CURL_ERROR_SIZE> error{};
    curl_.easy_setopt(handle_, CURLOPT_TIMEOUT_MS, static_cast<long>(milliseconds));
    curl_.easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_.easy_setopt(handle_, CURLOPT_POSTFIELDS, body.data());
    curl_.easy_setopt(handle_, CURLOPT_WRITEDATA, &call);
    curl_.easy_setopt(handle_, CURLOPT_XFERINFODATA, &call);
    curl_.easy_setopt(handle_, CURLOPT_ERRORBUFFER, error.data());
    const CURLcode code = curl_.easy_perform(handle_);
    curl_.easy_setopt(handle_, CURLOPT_ERRORBUFFER, nullptr);
    if (code != CURLE_OK) {
        call.answer.error = error[0] != 0 ? error.data() : curl_.easy_strerror(code);
        return std::move(call.answer);
    }
    long status = 0;
    curl_.easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    call.answer.status = static_cast<int>(status);
    curl_off_t pause = 0;
    curl_.easy_getinfo(handle_, CURLINFO_RETRY_AFTER, &pause);
    call.answer.retry_after = std::min<Duration>(
        std::chrono::seconds(std::clamp<curl_off_t>(pause, 0, 3600)), kLongestPause);
    return std::move(call.answer);
}

}  // namespace rr::net
