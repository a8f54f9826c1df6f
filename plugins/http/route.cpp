#include "plugins/http/route.hpp"

#include <algorithm>

#include "core/base/hex.hpp"
#include "core/config/section.hpp"
#include "plugins/http/canonical.hpp"
#include "plugins/http/head.hpp"

namespace rr::http {

namespace {

using config::Section;

// `/a%2db` is `/a-b`: another spelling is no way around a route.
std::string Decode(Bytes path) {
    std::string decoded;
    decoded.reserve(path.size());
    for (size_t i = 0; i < path.size(); ++i) {
        const int byte = path[i] == '%' ? EscapedByte(path, i) : -1;
        decoded.push_back(byte < 0 ? path[i] : static_cast<char>(byte));
        i += byte < 0 ? 0 : 2;
    }
    return decoded;
}

bool MatchesPath(Bytes pattern, Bytes path) {
    if (pattern.find('*') != Bytes::npos) {
        return MatchesPattern(pattern, path);
    }
    if (pattern.ends_with('/')) {
        pattern.remove_suffix(1);
    }
    return path.starts_with(pattern) &&
           (path.size() == pattern.size() || path[pattern.size()] == '/');
}

std::string Lower(Bytes text) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), ToLower);
    return lower;
}

// `example.com:80`, `[::1]:80`
Bytes WithoutPort(Bytes host) {
    size_t colon = host.rfind(':');
    bool port = colon != Bytes::npos && host.find(']', colon) == Bytes::npos &&
                (host.find(':') == colon || host.starts_with('['));
    return port ? host.substr(0, colon) : host;
}

Bytes PathOf(const RequestHead& head) {
    Bytes path = head.target.substr(0, head.target.find('?'));
    if (head.form == TargetForm::kAbsolute) {
        size_t authority = path.find("//");
        size_t slash = authority == Bytes::npos ? authority : path.find('/', authority + 2);
        return slash == Bytes::npos ? Bytes("/") : path.substr(slash);
    }
    return path;
}

Route ParseRoute(const std::string& name, const Section& s) {
    Route route;
    route.name = name;
    bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return ToLower(c) != c || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    });
    if (!plain) {
        s.Problem("", "the name of a pool has letters, digits, - and _ only");
    }
    Section match = s.Sub("match");
    route.paths = match.List("path");
    route.hosts = match.List("host");
    route.methods = match.List("method");
    route.headers = match.Pairs("header");
    for (std::string& host : route.hosts) {
        host = Lower(host);
    }
    for (const std::string& path : route.paths) {
        if (!path.starts_with('/') && !path.starts_with('*')) {
            match.Problem("path", "must begin with / or *: " + path);
        }
    }
    bool any = !route.paths.empty() || !route.hosts.empty() || !route.methods.empty() ||
               !route.headers.empty();
    if (!any) {
        s.Problem("match",
                  "missing: say which requests this pool is for (path, host, method, "
                  "header)");
    }
    route.pool = pool::ParsePoolConfig(s.Sub("pool"));
    return route;
}

}  // namespace

bool MatchesPattern(Bytes pattern, Bytes text) {
    // The last star takes one more byte whenever what follows it does not fit.
    size_t p = 0;
    size_t t = 0;
    size_t star = Bytes::npos;
    size_t taken = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            taken = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != Bytes::npos) {
            p = star + 1;
            t = ++taken;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == Bytes::npos;
}

bool Route::Matches(const RequestHead& head) const {
    if (!methods.empty() &&
        std::find(methods.begin(), methods.end(), head.method) == methods.end()) {
        return false;
    }
    if (!paths.empty()) {
        Bytes path = PathOf(head);
        std::string decoded;
        if (path.find('%') != Bytes::npos) {
            decoded = Decode(path);
            path = decoded;
        }
        if (std::none_of(paths.begin(), paths.end(),
                         [path](const std::string& each) { return MatchesPath(each, path); })) {
            return false;
        }
    }
    if (!hosts.empty()) {
        std::string host = Lower(WithoutPort(head.host));
        if (std::none_of(hosts.begin(), hosts.end(),
                         [&host](const std::string& each) { return MatchesPattern(each, host); })) {
            return false;
        }
    }
    return std::all_of(headers.begin(), headers.end(), [&head](const auto& wanted) {
        return std::any_of(head.fields.begin(), head.fields.end(), [&](const HeaderField& field) {
            return EqualsIgnoreCase(field.name, wanted.first) &&
                   MatchesPattern(wanted.second, field.value);
        });
    });
}

std::vector<Route> ParseRoutes(const Section& pools) {
    std::vector<Route> routes;
    for (const auto& [name, section] : pools.Children()) {
        routes.push_back(ParseRoute(name, section));
    }
    return routes;
}

}  // namespace rr::http
