#include "plugins/http/head.hpp"

#include <array>

#include <llhttp.h>

namespace rr::http {
namespace {

constexpr std::array<bool, 256> MakeHostTable() {
    std::array<bool, 256> table{};
    for (int c = 0; c < 256; ++c) {
        table[static_cast<size_t>(c)] =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    for (char c : Bytes("!$%&'()*+,-.:;=[]_~")) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}
constexpr auto kHostByte = MakeHostTable();

bool IsHex(char c) { return (c >= '0' && c <= '9') || (ToLower(c) >= 'a' && ToLower(c) <= 'f'); }

// Every `%` of a path must begin an escape; Go refuses the request otherwise.
bool EscapesFine(Bytes path) {
    for (size_t i = path.find('%'); i != Bytes::npos; i = path.find('%', i + 3)) {
        if (i + 2 >= path.size() || !IsHex(path[i + 1]) || !IsHex(path[i + 2])) {
            return false;
        }
    }
    return true;
}

bool IsScheme(Bytes text) {
    if (text.empty() || ToLower(text[0]) < 'a' || ToLower(text[0]) > 'z') {
        return false;
    }
    for (char c : text) {
        bool fine = (c >= '0' && c <= '9') || (ToLower(c) >= 'a' && ToLower(c) <= 'z') ||
                    c == '+' || c == '-' || c == '.';
        if (!fine) {
            return false;
        }
    }
    return true;
}

// `user@host:80` without what names the user.
Bytes HostIn(Bytes authority) {
    size_t at = authority.rfind('@');
    return at == Bytes::npos ? authority : authority.substr(at + 1);
}

bool IsAbsolute(Bytes target) {
    size_t colon = target.find("://");
    if (colon == Bytes::npos || !IsScheme(target.substr(0, colon))) {
        return false;
    }
    Bytes rest = target.substr(colon + 3);
    Bytes authority = rest.substr(0, rest.find_first_of("/?"));
    Bytes host = HostIn(authority);
    Bytes user = authority.substr(0, authority.size() - host.size());
    user.remove_suffix(user.empty() ? 0 : 1);
    rest.remove_prefix(authority.size());
    return !host.empty() && IsHostText(user) && IsHostText(host) &&
           EscapesFine(rest.substr(0, rest.find('?')));
}

// llhttp's part: the header lines once more, under a request line of ours.
struct Reading {
    size_t headers = 0;
    bool complete = false;
};

int OnHeader(llhttp_t* parser) noexcept {
    ++static_cast<Reading*>(parser->data)->headers;
    return 0;
}
int OnHeadersComplete(llhttp_t* parser) noexcept {
    static_cast<Reading*>(parser->data)->complete = true;
    return HPE_PAUSED;
}

const llhttp_settings_t& Settings() {
    static const llhttp_settings_t settings = [] {
        llhttp_settings_t fresh;
        llhttp_settings_init(&fresh);
        fresh.on_header_value_complete = OnHeader;
        fresh.on_headers_complete = OnHeadersComplete;
        return fresh;
    }();
    return settings;
}

bool ParserAgrees(Bytes in, const HeadGuard& guard) {
    constexpr Bytes kLine[] = {"GET / HTTP/1.0\r\n", "GET / HTTP/1.1\r\n"};
    Reading reading;
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &Settings());
    parser.data = &reading;
    Bytes line = kLine[guard.minor()];
    if (llhttp_execute(&parser, line.data(), line.size()) != HPE_OK) {
        return false;
    }
    llhttp_errno_t error =
        llhttp_execute(&parser, in.data() + guard.lines_at(), guard.size() - guard.lines_at());
    if ((error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE) || !reading.complete) {
        return false;
    }
    bool chunked = (parser.flags & F_CHUNKED) != 0;
    bool length = (parser.flags & F_CONTENT_LENGTH) != 0;
    return reading.headers == guard.fields().size() && chunked == guard.chunked() &&
           length == guard.has_length() && (!length || parser.content_length == guard.length());
}

}  // namespace

bool IsHostText(Bytes value) {
    for (char c : value) {
        if (!kHostByte[static_cast<unsigned char>(c)]) {
            return false;
        }
    }
    return true;
}

Method IdentifyMethod(Bytes name) {
    switch (name.size()) {
        case 3: return name == "GET" ? Method::kGet : name == "PUT" ? Method::kPut : Method::kOther;
        case 4:
            return name == "POST" ? Method::kPost : name == "HEAD" ? Method::kHead : Method::kOther;
        case 5: return name == "PATCH" ? Method::kPatch : Method::kOther;
        case 6: return name == "DELETE" ? Method::kDelete : Method::kOther;
        case 7:
            return name == "OPTIONS"   ? Method::kOptions
                   : name == "CONNECT" ? Method::kConnect
                                       : Method::kOther;
        default: return Method::kOther;
    }
}

bool IdentifyTarget(Bytes target, Method method, TargetForm& form) {
    if (target.empty()) {
        return false;
    }
    if (target[0] == '/') {
        form = TargetForm::kOrigin;
        return EscapesFine(target.substr(0, target.find('?')));
    }
    if (method == Method::kConnect) {
        form = TargetForm::kAuthority;
        return IsHostText(target);
    }
    if (target == "*") {
        form = TargetForm::kAsterisk;
        return method == Method::kOptions;
    }
    form = TargetForm::kAbsolute;
    return IsAbsolute(target);
}

Bytes RequestHead::query() const {
    size_t mark = target.find('?');
    return mark == Bytes::npos ? Bytes() : target.substr(mark + 1);
}

Bytes RequestHead::Find(HeaderId id) const {
    for (const HeaderField& field : fields) {
        if (field.id == id) {
            return field.value;
        }
    }
    return {};
}

Bytes RequestHead::Find(Bytes name) const {
    uint32_t hash = NameHash(name);
    for (const HeaderField& field : fields) {
        if (field.hash == hash && EqualsIgnoreCase(field.name, name)) {
            return field.value;
        }
    }
    return {};
}

HeaderField MakeField(Bytes name, Bytes value) {
    uint32_t hash = NameHash(name);
    return {name, value, hash, IdentifyHashed(name, hash)};
}

void RequestHead::Add(Bytes name, Bytes value) { fields.push_back(MakeField(name, value)); }

void RequestHead::Remove(Bytes name, uint32_t hash) {
    std::erase_if(fields, [name, hash](const HeaderField& field) {
        return field.hash == hash && EqualsIgnoreCase(field.name, name);
    });
}

void RequestHead::Rebase(const char* from, size_t size, const char* to) {
    auto move = [from, size, to](Bytes& view) {
        if (view.data() >= from && view.data() <= from + size) {
            view = Bytes(to + (view.data() - from), view.size());
        }
    };
    move(method);
    move(target);
    move(host);
    for (HeaderField& field : fields) {
        move(field.name);
        move(field.value);
    }
}

void RequestHead::Reset() {
    std::vector<HeaderField> kept = std::move(fields);
    kept.clear();
    *this = RequestHead{};
    fields = std::move(kept);
}

HeadFault ParseHead(Bytes in, const HeadGuard& guard, RequestHead& head) {
    if (!ParserAgrees(in, guard)) {
        return HeadFault::kParser;
    }
    const char* base = in.data();
    head.Reset();
    head.method = guard.method().In(base);
    head.verb = IdentifyMethod(head.method);
    head.target = guard.target().In(base);
    head.minor = guard.minor();
    head.protocol = head.minor == 0 ? "HTTP/1.0" : "HTTP/1.1";
    head.has_content_length = guard.has_length();
    head.content_length = guard.length();
    head.chunked = guard.chunked();
    if (!IdentifyTarget(head.target, head.verb, head.form)) {
        return HeadFault::kTarget;
    }
    if (guard.host() != HeadGuard::kAbsent) {
        head.host = guard.fields()[guard.host()].value.In(base);
    }
    if (head.form == TargetForm::kAbsolute) {
        // RFC 9112, 3.2.2: the target counts.
        Bytes rest = head.target.substr(head.target.find("://") + 3);
        head.host = HostIn(rest.substr(0, rest.find_first_of("/?")));
    }

    bool close = false;
    bool keep = false;
    bool upgrade_token = false;
    bool upgrade_header = false;
    for (const HeadGuard::Field& found : guard.fields()) {
        const HeaderField& field = head.fields.emplace_back(
            HeaderField{found.name.In(base), found.value.In(base), found.hash, found.id});
        if (field.id == HeaderId::kConnection) {
            close = close || HasListToken(field.value, "close");
            keep = keep || HasListToken(field.value, "keep-alive");
            upgrade_token = upgrade_token || HasListToken(field.value, "upgrade");
        } else if (field.id == HeaderId::kUpgrade) {
            upgrade_header = true;
        } else if (field.id == HeaderId::kExpect && head.minor > 0 && !field.value.empty()) {
            bool known = HasListToken(field.value, "100-continue");
            head.expect_continue = head.expect_continue || known;
            head.expect_other = head.expect_other || !known;
        }
    }
    head.keep_alive = !close && (head.minor > 0 || keep);
    head.upgrade = upgrade_token && upgrade_header;
    return HeadFault::kNone;
}

}  // namespace rr::http
