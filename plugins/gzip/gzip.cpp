#include "plugins/gzip/gzip.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "core/api/http_text.hpp"
#include "core/files/sniff.hpp"
#include "plugins/gzip/media_types.hpp"

namespace rr::gzip {

using http_text::Equal;
using http_text::Lists;

namespace {

constexpr std::string_view kAcceptEncoding = "Accept-Encoding";
constexpr std::string_view kNoCompression = "No-Gzip-Compression";
constexpr std::string_view kSendFile = "X-Sendfile";
constexpr auto kRelaxed = std::memory_order_relaxed;

// They are true of the bytes as they are only.
constexpr std::string_view kDigests[] = {"Digest", "Content-Digest", "Repr-Digest", "Content-MD5"};

bool IsDigest(std::string_view name) {
    return std::any_of(std::begin(kDigests), std::end(kDigests),
                       [name](std::string_view each) { return Equal(each, name); });
}

std::vector<Encoding> BySmallestMemory(std::vector<Encoding> encodings) {
    std::stable_sort(encodings.begin(), encodings.end(), [](Encoding a, Encoding b) {
        return Compressors::MemoryOf(a) < Compressors::MemoryOf(b);
    });
    return encodings;
}

// One line that names Accept-Encoding: not every cache reads a second one.
void AddVary(HttpResponse& response) {
    std::string all;
    for (size_t i = 0; i < response.headers(); ++i) {
        const HttpField field = response.header(i);
        if (!Equal(field.name, "Vary")) {
            continue;
        }
        if (Lists(field.value, kAcceptEncoding) || Lists(field.value, "*")) {
            return;
        }
        if (!field.value.empty()) {
            all.append(field.value).append(", ");
        }
    }
    if (all.empty()) {
        response.SetHeader("Vary", kAcceptEncoding);
        return;
    }
    response.SetHeader("Vary", all.append(kAcceptEncoding));
}

bool IsStrong(std::string_view etag) { return !etag.empty() && etag.front() == '"'; }

// A tag names bytes, and these are others now.
void WeakenTag(HttpResponse& response, std::string_view etag) {
    if (IsStrong(etag)) {
        response.SetHeader("ETag", std::string("W/").append(etag));
    }
}

}  // namespace

struct Gzip::Said {
    bool plain = true;     // nothing speaks against it
    bool refused = false;  // No-Gzip-Compression
    std::string_view type;
    std::string_view etag;
    int64_t length = -1;  // Content-Length
};

Gzip::Gzip(GzipConfig config)
    : config_(std::move(config)),
      of_streams_(BySmallestMemory(config_.encodings)),
      compressors_(config_.levels, config_.max_memory) {}

Gzip::Said Gzip::Listen(const HttpResponse& response) const {
    Said said;
    for (size_t i = 0; i < response.headers(); ++i) {
        const auto [name, value] = response.header(i);
        switch (name.size()) {
            case 4:
                if (Equal(name, "ETag")) {
                    said.etag = value;
                }
                break;
            case kSendFile.size():
                // A file takes the body's place further out.
                if (Equal(name, kSendFile) && !value.empty()) {
                    said.plain = false;
                }
                break;
            case 12:
                if (Equal(name, "Content-Type")) {
                    said.type = value;
                }
                break;
            case 13:
                if (Equal(name, "Cache-Control") && Lists(value, "no-transform")) {
                    said.plain = false;
                }
                if (Equal(name, "Content-Range")) {
                    said.plain = false;
                }
                break;
            case 14:
                if (Equal(name, "Content-Length")) {
                    uint64_t length = 0;
                    said.length =
                        http_text::ParseLength(value, length) ? static_cast<int64_t>(length) : -1;
                }
                break;
            case 16:
                if (Equal(name, "Content-Encoding")) {
                    said.plain = false;
                }
                break;
            case 19:
                if (Equal(name, kNoCompression)) {
                    said.refused = true;
                }
                break;
            default: break;
        }
        if (IsDigest(name)) {
            said.plain = false;
        }
    }
    return said;
}

bool Gzip::IsWorthIt(const Said& said) const {
    if (!said.plain || said.refused || said.type.empty() ||
        (said.length >= 0 && said.length < config_.min_size)) {
        return false;
    }
    return config_.types.empty() ? IsCompressible(said.type) : IsAmong(said.type, config_.types);
}

void Gzip::OnResponse(const HttpRequest& request, HttpResponse& response) {
    const int status = response.status();
    const int64_t size = response.body_size();
    if (response.has_body() && size >= 0 && size < config_.min_size) {
        response.RemoveHeader(kNoCompression);
        return;
    }
    Said said = Listen(response);
    if (said.refused) {
        response.RemoveHeader(kNoCompression);
    }
    if (status == 206) {
        return;  // parts of other bytes
    }
    if (!response.has_body()) {
        // The answer with a body would vary.
        const bool head = status == 200 && request.method() == "HEAD" && IsWorthIt(said);
        const bool not_modified = status == 304 && said.plain && !said.refused;
        if (not_modified && IsStrong(said.etag) &&
            Lists(request.Header("If-None-Match"), std::string("W/").append(said.etag))) {
            WeakenTag(response, said.etag);  // the one that the client has from here
        }
        if (head || not_modified) {
            AddVary(response);
        }
        return;
    }
    if (size >= 0) {
        said.length = size;
    }
    // Http looks for the type of a body without one, but not into an encoded one.
    const bool unsaid = said.type.empty() && !response.body_start().empty();
    if (unsaid) {
        said.type = files::DetectContentType(response.body_start());
    }
    if (!IsWorthIt(said)) {
        return;
    }
    AddVary(response);
    const Encoding encoding = Choose(request, size >= 0);
    if (encoding != Encoding::kIdentity && Compress(response, said, encoding) && unsaid) {
        response.SetHeader("Content-Type", said.type);
    }
}

Encoding Gzip::Choose(const HttpRequest& request, bool whole) const {
    files::AcceptEncoding accept;
    for (size_t i = 0; i < request.headers(); ++i) {
        const HttpField field = request.header(i);
        if (Equal(field.name, kAcceptEncoding)) {
            accept.Add(field.value);
        }
    }
    return accept.Choose(whole ? config_.encodings : of_streams_);
}

bool Gzip::Compress(HttpResponse& response, const Said& said, Encoding encoding) {
    std::unique_ptr<HttpBodyFilter> filter = compressors_.Make(encoding, response.body_size() < 0);
    if (filter == nullptr) {
        no_memory_.fetch_add(1, kRelaxed);
        return false;
    }
    compressed_[static_cast<size_t>(encoding)].fetch_add(1, kRelaxed);
    WeakenTag(response, said.etag);
    response.SetHeader("Content-Encoding", NameOf(encoding));
    response.RemoveHeader("Accept-Ranges");
    response.AddFilter(std::move(filter));
    return true;
}

void Gzip::Collect(std::vector<MetricFamily>& families) const {
    using Kind = MetricFamily::Kind;
    MetricFamily compressed{
        "rr_http_compressed_total", "Answers that were compressed", Kind::kCounter, {}};
    for (Encoding encoding : config_.encodings) {
        const uint64_t count = compressed_[static_cast<size_t>(encoding)].load(kRelaxed);
        compressed.samples.push_back(
            {{{"encoding", std::string(NameOf(encoding))}}, static_cast<double>(count)});
    }
    families.push_back(std::move(compressed));
    families.push_back(
        {"rr_http_compression_refused_total",
         "Answers that were sent as they are because http.gzip.max_memory was in use",
         Kind::kCounter,
         {{{}, static_cast<double>(no_memory_.load(kRelaxed))}}});
    families.push_back({"rr_http_compression_bytes",
                        "Memory of the compressors in use",
                        Kind::kGauge,
                        {{{}, static_cast<double>(compressors_.memory_used())}}});
}

}  // namespace rr::gzip
