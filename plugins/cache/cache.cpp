#include "plugins/cache/cache.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/api/http_text.hpp"
#include "plugins/cache/rules.hpp"

namespace rr::cache {

using http_text::Equal;
using http_text::Next;

namespace {

constexpr std::string_view kCacheFor = "X-Cache-For";
constexpr size_t kMostVaryNames = 8;
constexpr auto kRelaxed = std::memory_order_relaxed;

// False: Vary is a star, or too much of a list.
bool ReadVary(std::string_view line, const HttpRequest& request, Pairs& vary) {
    for (std::string_view name; Next(line, ',', name);) {
        if (name == "*" || vary.size() == kMostVaryNames) {
            return false;
        }
        std::string lower(name);
        std::transform(lower.begin(), lower.end(), lower.begin(), http_text::Lower);
        std::string wish = WishOf(request, lower);
        vary.emplace_back(std::move(lower), std::move(wish));
    }
    return true;
}

}  // namespace

// What passes of one answer. The filter may end before the request, or after it.
struct Cache::Capture {
    Capture(Cache& the_owner, std::shared_ptr<Entry> the_entry)
        : owner(the_owner), entry(std::move(the_entry)) {}
    Capture(const Capture&) = delete;
    Capture& operator=(const Capture&) = delete;
    ~Capture() { owner.passing_.fetch_sub(taken, kRelaxed); }

    void Take(Bytes in) {
        const auto size = static_cast<int64_t>(in.size());
        if (!whole) {
            return;
        }
        taken += size;
        const int64_t all = owner.passing_.fetch_add(size, kRelaxed) + size;
        if (taken > owner.config_.max_entry || all > owner.config_.max_memory) {
            whole = false;
            entry.reset();
            owner.passing_.fetch_sub(std::exchange(taken, 0), kRelaxed);
            return;
        }
        entry->body.append(in);
    }

    Cache& owner;
    std::shared_ptr<Entry> entry;
    int64_t taken = 0;  // of owner.passing_
    bool whole = true;  // nothing was lost so far
    bool ended = false;
};

struct Cache::Captured final : HttpState {
    explicit Captured(std::shared_ptr<Capture> c) : capture(std::move(c)) {}
    std::shared_ptr<Capture> capture;
};

class Cache::CaptureFilter final : public HttpBodyFilter {
public:
    explicit CaptureFilter(std::shared_ptr<Capture> capture) : capture_(std::move(capture)) {}

    bool Filter(std::string_view in, Step step, Buffer& out) override {
        capture_->Take(in);
        capture_->ended = step == Step::kLast;
        out.Append(in);
        return true;
    }
    bool KeepsSize() const override { return true; }

private:
    const std::shared_ptr<Capture> capture_;
};

struct Cache::Wish {
    bool get = false;
    bool head = false;
    bool special = false;      // asks for something that only the worker can do
    bool conditional = false;  // If-None-Match, which makes If-Modified-Since mean nothing
    std::string_view modified_since;
};

Cache::Cache(const CacheConfig& config, log::Logger log, Now now)
    : config_(config), log_(log), now_(now), store_(config.max_memory) {}

Cache::Wish Cache::Listen(const HttpRequest& request) const {
    Wish wish;
    wish.get = request.method() == "GET";
    wish.head = request.method() == "HEAD";
    if (!wish.get && !wish.head) {
        return wish;
    }
    wish.special = request.debugged();
    for (size_t i = 0; i < request.headers(); ++i) {
        const auto [name, value] = request.header(i);
        switch (name.size()) {
            case 5: wish.special |= Equal(name, "Range"); break;
            case 7: wish.special |= Equal(name, "Upgrade"); break;
            case 8: wish.special |= Equal(name, "If-Match"); break;
            case 13:
                wish.special |= Equal(name, "Authorization") && !config_.authorization;
                wish.conditional |= Equal(name, "If-None-Match");
                break;
            case 14: wish.special |= Equal(name, "Content-Length") && value != "0"; break;
            case 17:
                wish.special |= Equal(name, "Transfer-Encoding");
                if (Equal(name, "If-Modified-Since")) {
                    wish.modified_since = value;
                }
                break;
            case 19: wish.special |= Equal(name, "If-Unmodified-Since"); break;
            default: break;
        }
    }
    return wish;
}

bool Cache::OnRequest(HttpRequest& request, HttpAnswer& answer) {
    const Wish wish = Listen(request);
    if ((!wish.get && !wish.head) || wish.special) {
        return true;
    }
    Instant now{};
    std::shared_ptr<const Entry> entry;
    if (!store_.empty()) {
        now = now_();
        entry = store_.Find(request, now);
    }
    if (entry == nullptr) {
        misses_.fetch_add(1, kRelaxed);
        return true;
    }
    hits_.fetch_add(1, kRelaxed);
    Answer(request, wish, *entry, answer);
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now - entry->made);
    answer.headers.Add("Age", std::to_string(age.count()));
    return false;
}

void Cache::Answer(const HttpRequest& request, const Wish& wish, const Entry& entry,
                   HttpAnswer& answer) const {
    bool has_it = !wish.conditional && !entry.last_modified.empty() &&
                  wish.modified_since == entry.last_modified;
    for (size_t i = 0; wish.conditional && !has_it && i < request.headers(); ++i) {
        const HttpField field = request.header(i);
        has_it = Equal(field.name, "If-None-Match") && MatchesTag(field.value, entry.etag);
    }
    if (has_it && entry.status == 200) {
        answer.status = 304;
        for (const auto& [name, value] : entry.headers) {
            if (!DescribesBody(name)) {
                answer.headers.Add(name, value);
            }
        }
        return;
    }
    answer.status = entry.status;
    answer.headers.AddAll(entry.headers);
    answer.body.assign(entry.body);
}

int64_t Cache::Allowed(HttpResponse& response) {
    const std::string_view wish = response.Header(kCacheFor);
    if (!wish.empty()) {
        const int64_t seconds = ParseSeconds(wish);
        if (seconds < 0 && !warned_.exchange(true)) {
            log_.Warn("X-Cache-For is no number of seconds; said once", {{"value", wish}});
        }
        response.RemoveHeader(kCacheFor);  // is for us
        return std::max<int64_t>(seconds, 0);
    }
    if (!config_.honour_cache_control) {
        return 0;
    }
    int64_t seconds = -1;
    for (size_t i = 0; i < response.headers(); ++i) {
        const HttpField field = response.header(i);
        if (Equal(field.name, "Cache-Control")) {
            const int64_t age = SharedMaxAge(field.value);
            if (age == 0) {
                return 0;
            }
            seconds = std::max(seconds, age);
        }
    }
    return std::max<int64_t>(seconds, 0);
}

void Cache::OnResponse(const HttpRequest& request, HttpResponse& response) {
    const int status = response.status();
    if (!IsSafe(request.method()) && status >= 200 && status < 400) {
        store_.Drop({request.secure(), request.host(), request.target()}, UnixNanoseconds());
    }
    const int64_t seconds = Allowed(response);
    if (seconds == 0 || !IsKept(status) || response.body_size() > config_.max_entry) {
        return;
    }
    const Wish wish = Listen(request);
    if (!wish.get || wish.special) {
        return;
    }
    std::shared_ptr<Entry> entry = Begin(request, response);
    if (entry == nullptr) {
        return;
    }
    entry->made = now_();
    entry->expires = entry->made + std::chrono::seconds(seconds);
    auto capture = std::make_shared<Capture>(*this, std::move(entry));
    if (response.has_body()) {
        capture->entry->body.reserve(
            static_cast<size_t>(std::max<int64_t>(response.body_size(), 0)));
        response.AddFilter(std::make_unique<CaptureFilter>(capture));
    } else {
        capture->ended = true;
    }
    request.state() = std::make_unique<Captured>(std::move(capture));
}

// Null: its headers forbid keeping it.
std::shared_ptr<Entry> Cache::Begin(const HttpRequest& request,
                                    const HttpResponse& response) const {
    auto entry = std::make_shared<Entry>();
    entry->secure = request.secure();
    entry->host = request.host();
    entry->target = request.target();
    entry->status = response.status();
    for (size_t i = 0; i < response.headers(); ++i) {
        const auto [name, value] = response.header(i);
        if (Equal(name, "Set-Cookie") || Equal(name, "Content-Range") || Equal(name, "Trailer") ||
            (Equal(name, "Vary") && !ReadVary(value, request, entry->vary))) {
            return nullptr;
        }
        if (IsPassing(name)) {
            continue;
        }
        if (Equal(name, "ETag")) {
            entry->etag = value;
        }
        if (Equal(name, "Last-Modified")) {
            entry->last_modified = value;
        }
        entry->headers.emplace_back(name, value);
    }
    return entry;
}

void Cache::OnFinished(const HttpRequest& request, const HttpOutcome& outcome) {
    std::unique_ptr<HttpState>& state = request.state();
    if (state == nullptr) {
        return;
    }
    Capture& capture = *static_cast<Captured&>(*state).capture;
    if (outcome.complete && capture.whole && capture.ended) {
        capture.entry->body.shrink_to_fit();
        store_.Insert(std::move(capture.entry), outcome.start_unix_ns);
    }
    state.reset();
}

void Cache::Describe(std::vector<RpcMethod>& methods) {
    methods.push_back(
        {"Clear", RpcType::Text(), RpcType{RpcKind::kUint},
         [this](const RpcArgument& in, RpcReply reply) { reply.Send(RpcValue(Clear(in.bytes))); }});
}

void Cache::Collect(std::vector<MetricFamily>& families) const {
    using Kind = MetricFamily::Kind;
    auto add = [&families](std::string name, std::string help, Kind kind, double value) {
        families.push_back({std::move(name), std::move(help), kind, {{{}, value}}});
    };
    add("rr_http_cache_hits_total", "Requests that were answered from the cache", Kind::kCounter,
        static_cast<double>(hits_.load(kRelaxed)));
    add("rr_http_cache_misses_total", "Requests that could have been, and were not", Kind::kCounter,
        static_cast<double>(misses_.load(kRelaxed)));
    add("rr_http_cache_evicted_total", "Entries that made room for others before their time",
        Kind::kCounter, static_cast<double>(store_.evicted()));
    add("rr_http_cache_entries", "Answers in the cache", Kind::kGauge,
        static_cast<double>(store_.entries()));
    add("rr_http_cache_bytes", "Memory that they take", Kind::kGauge,
        static_cast<double>(store_.bytes()));
}

}  // namespace rr::cache
