#include "plugins/http/redirect.hpp"

#include <algorithm>
#include <string>

#include "plugins/http/context.hpp"
#include "plugins/http/response.hpp"

namespace rr::http {
namespace {

constexpr uint16_t kHttpsPort = 443;
// RoadRunner's.
constexpr const char* kHsts = "max-age=31536000; includeSubDomains; preload";

std::string EscapeHtml(const std::string& text) {
    std::string out;
    for (char c : text) {
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&#34;"; break;
            case '\'': out += "&#39;"; break;
            default: out += c;
        }
    }
    return out;
}

// Bytes that no URL has go percent-encoded.
std::string EscapeHost(Bytes host) {
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string out;
    for (char c : host) {
        auto byte = static_cast<unsigned char>(c);
        if (byte > ' ' && byte < 0x7f) {
            out += c;
        } else {
            out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
        }
    }
    return out;
}

Bytes WithoutPort(Bytes authority) {
    size_t colon = authority.rfind(':');
    bool port = colon != Bytes::npos && authority.find(']', colon) == Bytes::npos;
    return port ? authority.substr(0, colon) : authority;
}

}  // namespace

HttpAnswer RedirectToHttps(const RequestHead& head, int code, uint16_t port) {
    Buffer uri;
    AppendUri(head, true, uri);
    Bytes rest = uri.view();
    rest.remove_prefix(rest.find("//") + 2);
    size_t path = std::min(rest.find_first_of("/?"), rest.size());
    Bytes authority = rest.substr(0, path);
    authority.remove_prefix(authority.rfind('@') + 1);  // npos + 1: nothing
    Bytes host = WithoutPort(authority);

    HttpAnswer answer;
    if (host.empty()) {
        answer.status = 400;
        answer.headers.Add("Content-Type", "text/plain; charset=utf-8");
        answer.body = "missing Host: where to is not known\n";
        return answer;
    }
    std::string location = "https://" + EscapeHost(host);
    if (port != kHttpsPort && port != 0) {
        location += ":" + std::to_string(port);
    }
    location += rest.substr(path);
    answer.status = code;
    if (head.verb == Method::kGet || head.verb == Method::kHead) {
        // What Go says.
        answer.headers.Add("Content-Type", "text/html; charset=utf-8");
        answer.body = "<a href=\"" + EscapeHtml(location) + "\">" + std::string(StatusText(code)) +
                      "</a>.\n\n";
    }
    answer.headers.Add("Location", location);
    answer.headers.Add("Strict-Transport-Security", kHsts);
    return answer;
}

}  // namespace rr::http
