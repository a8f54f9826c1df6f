#include "plugins/http/boot_page.hpp"

#include <algorithm>

#include "plugins/http/canonical.hpp"

namespace rr::http {
namespace {

constexpr Bytes kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width"><title>The workers do not start</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#fafafa;color:#222}
main{max-width:60rem;margin:3rem auto;padding:0 1.5rem}
h1{font-size:1.4rem;color:#b00020}
pre{background:#1e1e1e;color:#eee;padding:1rem;overflow:auto;white-space:pre-wrap}
@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}h1{color:#ff6e7f}}
</style></head><body><main><h1>The workers do not start</h1>
<p>)";
constexpr Bytes kTail = R"(
<p>This page goes when an edit has helped: it looks every two seconds.</p></main></body></html>
)";

// Colours for terminals: ESC [ ... letter.
size_t EscapeLength(Bytes text) {
    if (!text.starts_with("\x1b[")) {
        return 0;
    }
    size_t end = 2;
    while (end < text.size() && (text[end] < '@' || text[end] > '~')) {
        ++end;
    }
    return std::min(end + 1, text.size());
}

void AppendEscaped(Bytes text, std::string& out) {
    while (!text.empty()) {
        if (size_t skip = EscapeLength(text)) {
            text.remove_prefix(skip);
            continue;
        }
        switch (text.front()) {
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '&': out += "&amp;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&#39;"; break;
            case '\0': out += ' '; break;
            default: out += text.front();
        }
        text.remove_prefix(1);
    }
}

}  // namespace

std::string BootPage(Bytes text) {
    std::string page(kHead);
    size_t line = std::min(text.find('\n'), text.size());
    AppendEscaped(text.substr(0, line), page);
    page += "</p>";
    if (line < text.size()) {
        page += "\n<pre>";
        AppendEscaped(text.substr(line + 1), page);
        page += "</pre>";
    }
    return page.append(kTail);
}

bool AcceptsHtml(Bytes accept) {
    std::string lower(accept);
    std::transform(lower.begin(), lower.end(), lower.begin(), ToLower);
    return lower.find("text/html") != std::string::npos ||
           lower.find("application/xhtml") != std::string::npos;
}

}  // namespace rr::http
