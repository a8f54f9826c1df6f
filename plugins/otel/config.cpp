#include "plugins/otel/config.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "core/api/http_text.hpp"
#include "core/base/uuid.hpp"
#include "core/config/section.hpp"

namespace rr::otel {
namespace {

using config::Section;
using Pairs = OtelConfig::Pairs;

constexpr std::string_view kTracesPath = "/v1/traces";
constexpr const char* kNoGrpc =
    "grpc is not served: use http, on the collector's port for it (4318, not 4317)";

// The variable for traces, else the one for all signals; `name`: which of them it was.
std::string OfOtlp(const Environment& environment, std::string_view what,
                   std::string* name = nullptr) {
    for (const char* prefix : {"OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_"}) {
        const std::string variable = prefix + std::string(what);
        if (std::string value = environment(variable.c_str()); !value.empty()) {
            if (name != nullptr) {
                *name = variable;
            }
            return value;
        }
    }
    return {};
}

bool IsTrue(std::string_view text) { return http_text::Equal(text, "true") || text == "1"; }

int64_t Number(const Section& s, const Environment& environment, const char* name,
               int64_t fallback) {
    const std::string text = environment(name);
    if (text.empty()) {
        return fallback;
    }
    int64_t number = 0;
    auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed != std::errc() || end != text.data() + text.size() || number <= 0 ||
        number > 1'000'000'000) {
        s.Warning("", std::string(name) + ": must be a number above 0, not " + text);
        return fallback;
    }
    return number;
}

std::string Decode(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        const char* digits = text.data() + i + 1;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
            out += static_cast<char>(value);
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

// `key=value,key2=value2`, values percent-encoded.
Pairs ReadPairs(std::string_view text) {
    Pairs pairs;
    for (std::string_view item; http_text::Next(text, ',', item);) {
        const size_t equal = item.find('=');
        if (equal == std::string_view::npos || equal == 0) {
            continue;
        }
        pairs.emplace_back(Decode(http_text::Trim(item.substr(0, equal))),
                           Decode(http_text::Trim(item.substr(equal + 1))));
    }
    return pairs;
}

void Set(Pairs& pairs, std::string_view key, std::string_view value) {
    auto found = std::find_if(pairs.begin(), pairs.end(),
                              [key](const auto& pair) { return pair.first == key; });
    if (found == pairs.end()) {
        pairs.emplace_back(key, value);
    } else {
        found->second = value;
    }
}

Target ReadExporter(const Section& s) {
    const std::string word = s.OneOf(
        "exporter", "otlp", {"otlp", "zipkin", "stdout", "stderr", "jaeger", "jaeger_agent"});
    if (word.starts_with("jaeger")) {
        s.Problem("exporter", word + " is gone: Jaeger takes otlp, on its port 4318");
    }
    return word == "zipkin"   ? Target::kZipkin
           : word == "stdout" ? Target::kStdout
           : word == "stderr" ? Target::kStderr
                              : Target::kOtlp;
}

void CheckClient(const Section& s, const Environment& environment, bool otlp) {
    const std::string client = s.OneOf("client", "", {"", "http", "grpc"});
    if (client == "grpc" && otlp) {
        s.Problem("client", kNoGrpc);
    }
    if (!client.empty() || !otlp) {
        return;
    }
    std::string name;
    const std::string protocol = OfOtlp(environment, "PROTOCOL", &name);
    if (protocol == "grpc") {
        s.Problem("client", name + ": " + kNoGrpc);
    } else if (!protocol.empty() && protocol != "http/protobuf") {
        s.Warning("client", name + ": " + protocol + " is not served; http/protobuf is used");
    }
}

// The path of `url` from its `/` on; npos: it has none.
size_t PathOf(std::string_view url) {
    const size_t scheme = url.find("://");
    return url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
}

std::string JoinPath(std::string base, std::string_view path) {
    while (base.ends_with('/')) {
        base.pop_back();
    }
    return base + (path.starts_with('/') ? "" : "/") + std::string(path);
}

std::string OtlpUrl(const Section& s, const Environment& environment) {
    const std::string endpoint = s.String("endpoint", "");
    const std::string custom = s.String("custom_url", "");
    const bool insecure = s.Bool("insecure", IsTrue(OfOtlp(environment, "INSECURE")));
    const std::string scheme = insecure ? "http://" : "https://";
    if (custom.find("://") != std::string::npos) {
        return custom;
    }
    std::string url;
    bool whole = false;  // nothing is added
    if (!endpoint.empty()) {
        url = endpoint.find("://") == std::string::npos ? scheme + endpoint : endpoint;
        const size_t path = PathOf(url);
        whole = path != std::string::npos && path + 1 < url.size();
    } else if (std::string traces = environment("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
               !traces.empty()) {
        url = std::move(traces);
        whole = true;
    } else if (std::string all = environment("OTEL_EXPORTER_OTLP_ENDPOINT"); !all.empty()) {
        url = std::move(all);
    } else {
        url = scheme + "localhost:4318";
    }
    if (!custom.empty()) {
        return JoinPath(url.substr(0, PathOf(url)), custom);
    }
    return whole ? url : JoinPath(url, kTracesPath);
}

void ReadEndpoint(const Section& s, const Environment& environment, OtelConfig& c) {
    std::string otlp = OtlpUrl(s, environment);  // every key is read, whatever the exporter is
    const bool compress = OfOtlp(environment, "COMPRESSION") == "gzip";
    c.compress = s.Bool("compress", compress) && c.exporter == Target::kOtlp;
    c.headers = s.Pairs("headers");
    if (c.exporter == Target::kOtlp) {
        c.url = std::move(otlp);
        if (c.headers.empty()) {
            c.headers = ReadPairs(OfOtlp(environment, "HEADERS"));
        }
        c.ca = OfOtlp(environment, "CERTIFICATE");
        c.cert = OfOtlp(environment, "CLIENT_CERTIFICATE");
        c.key = OfOtlp(environment, "CLIENT_KEY");
        std::string name = "OTEL_EXPORTER_OTLP_TIMEOUT";
        OfOtlp(environment, "TIMEOUT", &name);
        c.timeout = std::chrono::milliseconds(Number(s, environment, name.c_str(), 10'000));
    } else if (c.exporter == Target::kZipkin) {
        c.url = s.String("endpoint", environment("OTEL_EXPORTER_ZIPKIN_ENDPOINT"));
        if (c.url.empty()) {
            c.url = "http://localhost:9411/api/v2/spans";
        }
    }
    if (!c.url.empty() && !c.url.starts_with("http://") && !c.url.starts_with("https://")) {
        s.Problem("endpoint", "must be host:port, http://... or https://..., not " + c.url);
    }
}

// The section beats the variables, and these beat what we say without any.
void ReadResource(const Section& s, const Environment& environment, Pairs& resource) {
    resource = ReadPairs(environment("OTEL_RESOURCE_ATTRIBUTES"));
    if (std::string name = environment("OTEL_SERVICE_NAME"); !name.empty()) {
        Set(resource, "service.name", name);
    }
    const Section section = s.Sub("resource");
    for (const char* old : {"service_name", "service_version"}) {
        if (s.Has(old)) {
            s.Warning(old, std::string("is deprecated; write otel.resource.") + old);
        }
    }
    const auto take = [&](const char* key, const char* attribute, const std::string& deprecated,
                          const std::string& fallback) {
        std::string value = section.String(key, "");
        if (value.empty()) {
            value = deprecated;
        }
        const bool known = std::any_of(resource.begin(), resource.end(), [&](const auto& pair) {
            return pair.first == attribute && !pair.second.empty();
        });
        if (value.empty() && !known) {
            value = fallback;
        }
        if (!value.empty()) {
            Set(resource, attribute, value);
        }
    };
    take("service_name", "service.name", s.String("service_name", ""), "RoadRunner");
    take("service_version", "service.version", s.String("service_version", ""), "1.0.0");
    take("service_namespace", "service.namespace", "", "RoadRunner-" + Uuid::Random().ToString());
    take("service_instance_id", "service.instance.id", "", Uuid::Random().ToString());
}

double ReadRatio(const Section& s, const std::string& text) {
    if (text.empty()) {
        return 1;
    }
    double ratio = 0;
    auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), ratio);
    if (failed != std::errc() || end != text.data() + text.size() || !(ratio >= 0 && ratio <= 1)) {
        s.Warning("", "OTEL_TRACES_SAMPLER_ARG: must be between 0 and 1, not " + text);
        return 1;
    }
    return ratio;
}

Sampler ReadSampler(const Section& s, const Environment& environment) {
    const std::string name = environment("OTEL_TRACES_SAMPLER");
    constexpr std::string_view kByParent = "parentbased_";
    std::string_view root = name;
    Sampler sampler;
    sampler.by_parent = name.empty() || name.starts_with(kByParent);
    if (!name.empty() && sampler.by_parent) {
        root.remove_prefix(kByParent.size());
    }
    if (root.empty() || root == "always_on") {
        return sampler;
    }
    if (root == "always_off") {
        sampler.bound = 0;
    } else if (root == "traceidratio") {
        const double ratio = ReadRatio(s, environment("OTEL_TRACES_SAMPLER_ARG"));
        sampler.bound = static_cast<uint64_t>(std::ldexp(ratio, 63));
    } else {
        s.Warning("",
                  "OTEL_TRACES_SAMPLER: " + name + " is not known; parentbased_always_on is used");
        return Sampler();
    }
    return sampler;
}

}  // namespace

Environment OwnEnvironment() {
    return [](const char* name) -> std::string {
        const char* value = std::getenv(name);
        return value == nullptr ? "" : value;
    };
}

OtelConfig ParseOtelConfig(const Section& s, const Environment& environment) {
    OtelConfig c;
    c.exporter = ReadExporter(s);
    CheckClient(s, environment, c.exporter == Target::kOtlp);
    ReadEndpoint(s, environment, c);
    ReadResource(s, environment, c.resource);
    c.sampler = ReadSampler(s, environment);
    c.delay = std::chrono::milliseconds(Number(s, environment, "OTEL_BSP_SCHEDULE_DELAY", 5000));
    c.queue = static_cast<size_t>(Number(s, environment, "OTEL_BSP_MAX_QUEUE_SIZE", 2048));
    c.batch = std::min(c.queue, static_cast<size_t>(
                                    Number(s, environment, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512)));
    return c;
}

}  // namespace rr::otel
