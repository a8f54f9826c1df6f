#include "plugins/headers/config.hpp"

#include <algorithm>

#include "core/api/http_text.hpp"
#include "core/config/section.hpp"

namespace rr::headers {
namespace {

using config::Section;

HeadersConfig::Pairs ReadHeaders(const Section& s, std::string_view key) {
    HeadersConfig::Pairs pairs = s.Pairs(key);
    for (auto& [name, value] : pairs) {
        if (!http_text::IsToken(name) || !http_text::IsValue(value)) {
            s.Problem(key, "no header: " + name);
        }
        name = http_text::Canonical(name);  // the reader has taken the user's case away
    }
    return pairs;
}

// Leaves `tokens` as they are if nothing is listed.
void ReadTokens(const Section& s, std::string_view key, std::vector<std::string>& tokens) {
    std::vector<std::string> listed = s.List(key);
    std::erase(listed, "");
    for (const std::string& token : listed) {
        if (!http_text::IsToken(token)) {
            s.Problem(key, "must be names, not " + token);
        }
    }
    if (!listed.empty()) {
        tokens = std::move(listed);
    }
}

void ReadMethods(const Section& s, CorsConfig& c) {
    ReadTokens(s, "allowed_methods", c.methods);
    for (const std::string& method : c.methods) {
        if (std::any_of(method.begin(), method.end(),
                        [](char letter) { return letter >= 'a' && letter <= 'z'; })) {
            s.Warning("allowed_methods", method + ": methods compare letter for letter");
        }
    }
}

void ReadAllowedHeaders(const Section& s, CorsConfig& c) {
    ReadTokens(s, "allowed_headers", c.headers);
    for (std::string& name : c.headers) {
        std::transform(name.begin(), name.end(), name.begin(), http_text::Lower);
        c.all_headers = c.all_headers || name == "*";
    }
    std::sort(c.headers.begin(), c.headers.end());
}

void ReadExposed(const Section& s, CorsConfig& c) {
    std::vector<std::string> names;
    ReadTokens(s, "exposed_headers", names);
    for (const std::string& name : names) {
        c.exposed.append(c.exposed.empty() ? "" : ", ").append(http_text::Canonical(name));
    }
}

int ReadStatus(const Section& s) {
    constexpr std::string_view kKey = "options_success_status";
    constexpr int kDefault = 200;
    const int64_t status = s.Integer(kKey, kDefault, 0, 299);
    if (status != 0 && status < kDefault) {
        s.Problem(kKey, "must be from 200 to 299: browsers take nothing else for success");
        return kDefault;
    }
    return status == 0 ? kDefault : static_cast<int>(status);
}

void ReadOrigins(const Section& s, CorsConfig& c) {
    const std::string pattern = s.String("allowed_origin_regex", "");
    const std::vector<std::string> listed = s.List("allowed_origin");
    if (pattern.empty()) {
        c.origins = Origins::Listed(listed);
        return;
    }
    Result<Origins> origins = Origins::Matching(pattern);
    if (!origins) {
        s.Problem("allowed_origin_regex", origins.error().message);
        return;
    }
    if (s.Has("allowed_origin")) {
        s.Warning("allowed_origin", "without effect beside allowed_origin_regex");
    }
    c.origins = std::move(*origins);
}

}  // namespace

HeadersConfig ParseHeadersConfig(const Section& section) {
    HeadersConfig c;
    c.request = ReadHeaders(section, "request");
    c.response = ReadHeaders(section, "response");

    const Section s = section.Sub("cors");
    c.cors_enabled = s.present();
    ReadOrigins(s, c.cors);
    ReadMethods(s, c.cors);
    ReadAllowedHeaders(s, c.cors);
    ReadExposed(s, c.cors);
    constexpr int64_t kLongest = 1 << 30;
    if (const int64_t seconds = s.Integer("max_age", 0, -1, kLongest); seconds != 0) {
        c.cors.max_age = std::to_string(std::max<int64_t>(seconds, 0));
    }
    c.cors.credentials = s.Bool("allow_credentials", false);
    c.cors.success_status = ReadStatus(s);
    c.cors.debug = s.Bool("debug", false);
    return c;
}

}  // namespace rr::headers
