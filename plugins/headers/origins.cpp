#include "plugins/headers/origins.hpp"

#include <re2/re2.h>

#include <algorithm>

#include "core/api/http_text.hpp"

namespace rr::headers {
namespace {

using http_text::Equal;

constexpr int64_t kRegexMemory = 1 << 20;
// A longer one is none; what a regular expression costs stays small.
constexpr size_t kLongest = 4096;

bool EndsWith(std::string_view text, std::string_view end) {
    return text.size() >= end.size() && Equal(text.substr(text.size() - end.size()), end);
}

}  // namespace

Origins Origins::Listed(const std::vector<std::string>& origins) {
    Origins listed;
    for (const std::string& origin : origins) {
        const size_t star = origin.find('*');
        if (origin == "*") {
            return {};
        }
        if (star != std::string::npos) {
            listed.parts_.push_back({origin.substr(0, star), origin.substr(star + 1)});
        } else if (!origin.empty()) {
            listed.exact_.push_back(origin);
        }
    }
    return listed;
}

Result<Origins> Origins::Matching(const std::string& pattern) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kRegexMemory);
    auto regex = std::make_shared<const RE2>(pattern, options);
    if (!regex->ok()) {
        return Fail(Errc::kInvalid, "no regular expression: " + regex->error());
    }
    Origins matching;
    matching.regex_ = std::move(regex);
    return matching;
}

bool Origins::Allow(std::string_view origin) const {
    if (all()) {
        return true;
    }
    if (origin.size() > kLongest) {
        return false;
    }
    if (regex_ != nullptr) {
        return RE2::PartialMatch(re2::StringPiece(origin.data(), origin.size()), *regex_);
    }
    return std::any_of(exact_.begin(), exact_.end(),
                       [origin](const std::string& each) { return Equal(each, origin); }) ||
           std::any_of(parts_.begin(), parts_.end(), [origin](const Parts& each) {
               return origin.size() >= each.before.size() + each.behind.size() &&
                      http_text::StartsWith(origin, each.before) && EndsWith(origin, each.behind);
           });
}

}  // namespace rr::headers
