#include "plugins/http/fcgi_params.hpp"

#include <algorithm>
#include <charconv>

#include "plugins/http/fcgi_records.hpp"

namespace rr::http {

namespace {

constexpr Bytes kHeaderPrefix = "HTTP_";
constexpr size_t kOfTheGateway = 16 * 1024;
constexpr size_t kLineOverhead = 4;  // `: ` and the end of a line in HTTP/1.1

// The variables that are no headers.
struct Variables {
    Bytes method;
    Bytes protocol;
    Bytes uri;
    Bytes script;
    Bytes path;
    Bytes query;
    Bytes https;
    Bytes host;
    Bytes content_type;
    Bytes content_length;
    Bytes remote_address;
    Bytes remote_port;
};

// False: the last pair is cut.
bool ReadVariables(Bytes params, Variables& v) {
    static constexpr struct {
        Bytes name;
        Bytes Variables::* place;
    } kPlaces[] = {{"REQUEST_METHOD", &Variables::method},
                   {"SERVER_PROTOCOL", &Variables::protocol},
                   {"REQUEST_URI", &Variables::uri},
                   {"SCRIPT_NAME", &Variables::script},
                   {"PATH_INFO", &Variables::path},
                   {"QUERY_STRING", &Variables::query},
                   {"HTTPS", &Variables::https},
                   {"HTTP_HOST", &Variables::host},
                   {"CONTENT_TYPE", &Variables::content_type},
                   {"CONTENT_LENGTH", &Variables::content_length},
                   {"REMOTE_ADDR", &Variables::remote_address},
                   {"REMOTE_PORT", &Variables::remote_port}};
    v = Variables();
    FcgiPair pair;
    while (TakeFcgiPair(params, pair)) {
        for (const auto& [name, place] : kPlaces) {
            if (pair.name == name) {
                v.*place = pair.value;
                break;
            }
        }
    }
    return params.empty();
}

// What HTTP/1.1 could not have in its request line: blanks, control bytes.
bool IsTargetText(Bytes text) {
    return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
    });
}

bool IsValueText(Bytes text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7f;
    });
}

bool IsDigits(Bytes text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Bytes Protocol(Bytes said) {
    for (Bytes known : {Bytes("HTTP/1.0"), Bytes("HTTP/2.0"), Bytes("HTTP/3.0")}) {
        if (said == known) {
            return known;
        }
    }
    return "HTTP/1.1";
}

void ReadPeer(const Variables& v, std::string& peer) {
    if (v.remote_address == "unix:") {
        peer = "@";
        return;
    }
    bool address = !v.remote_address.empty() && v.remote_address.size() < 64 &&
                   v.remote_address.find_first_not_of("0123456789abcdefABCDEF.:") == Bytes::npos;
    if (!address) {
        return;
    }
    bool six = v.remote_address.find(':') != Bytes::npos;
    peer.assign(six ? "[" : "").append(v.remote_address).append(six ? "]:" : ":");
    bool port = IsDigits(v.remote_port) && v.remote_port.size() <= 5;
    peer.append(port ? v.remote_port : Bytes("0"));
}

int ReadLength(Bytes text, RequestHead& head) {
    if (text.empty()) {
        return 0;
    }
    const char* end = text.data() + text.size();
    auto [stop, error] = std::from_chars(text.data(), end, head.content_length);
    head.has_content_length =
        error == std::errc() && stop == end && head.content_length <= uint64_t{INT64_MAX};
    if (!head.has_content_length) {
        head.content_length = 0;
        return 400;
    }
    return 0;
}

int ReadTarget(const Variables& v, const HeadLimits& limits, RequestHead& head) {
    if (v.uri.size() > limits.target) {
        return 414;
    }
    TargetForm form;
    if (!IsTargetText(v.uri) || !IdentifyTarget(v.uri, head.verb, form)) {
        return 400;
    }
    head.target = v.uri;
    head.form = form;
    if (!IsHostText(v.host)) {
        return 400;
    }
    head.host = v.host;
    return 0;
}

// `_` was `-`, most likely.
void RestoreName(char* name, size_t size) { std::replace(name, name + size, '_', '-'); }

// pairs: how many bytes of `params` they take.
int ReadHeaders(Buffer& params, size_t pairs, const Variables& v, const HeadLimits& limits,
                RequestHead& head) {
    size_t size = head.method.size() + head.target.size();
    auto add = [&head, &limits, &size](Bytes name, Bytes value) {
        value = TrimBlanks(value);
        size += name.size() + value.size() + kLineOverhead;
        if (!IsToken(name) || !IsValueText(value)) {
            return 400;
        }
        if (size > limits.head || head.fields.size() >= limits.headers) {
            return 431;
        }
        head.Add(name, value);
        return 0;
    };
    int status = v.content_type.empty() ? 0 : add("Content-Type", v.content_type);
    if (status == 0 && !v.content_length.empty()) {
        status = add("Content-Length", v.content_length);
    }
    Bytes rest = params.view().substr(0, pairs);
    FcgiPair pair;
    while (status == 0 && TakeFcgiPair(rest, pair)) {
        if (!pair.name.starts_with(kHeaderPrefix)) {
            continue;
        }
        Bytes name = pair.name.substr(kHeaderPrefix.size());
        // The gateway has taken the framing of the request off, and says in its own words what is
        // inside.
        if (name == "CONTENT_LENGTH" || name == "TRANSFER_ENCODING" ||
            (name == "CONTENT_TYPE" && !v.content_type.empty())) {
            continue;
        }
        RestoreName(params.data() + (name.data() - params.data()), name.size());
        status = add(name, pair.value);
    }
    return status;
}

}  // namespace

size_t MostFcgiParams(const HeadLimits& limits) {
    return size_t{limits.head} + size_t{limits.target} * 4 + kOfTheGateway;
}

int ReadFcgiParams(Buffer& params, const HeadLimits& limits, RequestHead& head, std::string& peer) {
    head.Reset();
    head.protocol = "HTTP/1.1";
    head.keep_alive = true;  // whether the connection goes on is no matter of this request
    size_t pairs = params.size();
    Variables v;
    bool whole = ReadVariables(params.view(), v);
    if (v.uri.empty() && !(v.script.empty() && v.path.empty())) {
        std::string uri(v.script);
        uri.append(v.path).append(v.query.empty() ? "" : "?").append(v.query);
        params.Append(uri);  // the bytes may move
        ReadVariables(params.view().substr(0, pairs), v);
        v.uri = params.view().substr(pairs);
    }
    head.protocol = Protocol(v.protocol);
    head.secure = !v.https.empty() && !EqualsIgnoreCase(v.https, "off");
    ReadPeer(v, peer);
    if (!whole || !IsToken(v.method)) {
        return 400;
    }
    head.method = v.method;
    head.verb = IdentifyMethod(head.method);
    int status = ReadTarget(v, limits, head);
    if (status == 0) {
        status = ReadLength(v.content_length, head);
    }
    return status != 0 ? status : ReadHeaders(params, pairs, v, limits, head);
}

}  // namespace rr::http
