#include "plugins/http/response.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "core/api/http_text.hpp"
#include "core/base/json_text.hpp"
#include "core/files/sniff.hpp"

namespace rr::http {
namespace {

struct NamedStatus {
    int code;
    Bytes line;
};
#define RR_STATUS(code, text) NamedStatus{code, "HTTP/1.1 " #code " " text "\r\n"}
constexpr NamedStatus kStatuses[] = {
    RR_STATUS(100, "Continue"),
    RR_STATUS(101, "Switching Protocols"),
    RR_STATUS(102, "Processing"),
    RR_STATUS(103, "Early Hints"),
    RR_STATUS(200, "OK"),
    RR_STATUS(201, "Created"),
    RR_STATUS(202, "Accepted"),
    RR_STATUS(203, "Non-Authoritative Information"),
    RR_STATUS(204, "No Content"),
    RR_STATUS(205, "Reset Content"),
    RR_STATUS(206, "Partial Content"),
    RR_STATUS(207, "Multi-Status"),
    RR_STATUS(208, "Already Reported"),
    RR_STATUS(226, "IM Used"),
    RR_STATUS(300, "Multiple Choices"),
    RR_STATUS(301, "Moved Permanently"),
    RR_STATUS(302, "Found"),
    RR_STATUS(303, "See Other"),
    RR_STATUS(304, "Not Modified"),
    RR_STATUS(305, "Use Proxy"),
    RR_STATUS(307, "Temporary Redirect"),
    RR_STATUS(308, "Permanent Redirect"),
    RR_STATUS(400, "Bad Request"),
    RR_STATUS(401, "Unauthorized"),
    RR_STATUS(402, "Payment Required"),
    RR_STATUS(403, "Forbidden"),
    RR_STATUS(404, "Not Found"),
    RR_STATUS(405, "Method Not Allowed"),
    RR_STATUS(406, "Not Acceptable"),
    RR_STATUS(407, "Proxy Authentication Required"),
    RR_STATUS(408, "Request Timeout"),
    RR_STATUS(409, "Conflict"),
    RR_STATUS(410, "Gone"),
    RR_STATUS(411, "Length Required"),
    RR_STATUS(412, "Precondition Failed"),
    RR_STATUS(413, "Request Entity Too Large"),
    RR_STATUS(414, "Request URI Too Long"),
    RR_STATUS(415, "Unsupported Media Type"),
    RR_STATUS(416, "Requested Range Not Satisfiable"),
    RR_STATUS(417, "Expectation Failed"),
    RR_STATUS(418, "I'm a teapot"),
    RR_STATUS(421, "Misdirected Request"),
    RR_STATUS(422, "Unprocessable Entity"),
    RR_STATUS(423, "Locked"),
    RR_STATUS(424, "Failed Dependency"),
    RR_STATUS(425, "Too Early"),
    RR_STATUS(426, "Upgrade Required"),
    RR_STATUS(428, "Precondition Required"),
    RR_STATUS(429, "Too Many Requests"),
    RR_STATUS(431, "Request Header Fields Too Large"),
    RR_STATUS(451, "Unavailable For Legal Reasons"),
    RR_STATUS(500, "Internal Server Error"),
    RR_STATUS(501, "Not Implemented"),
    RR_STATUS(502, "Bad Gateway"),
    RR_STATUS(503, "Service Unavailable"),
    RR_STATUS(504, "Gateway Timeout"),
    RR_STATUS(505, "HTTP Version Not Supported"),
    RR_STATUS(506, "Variant Also Negotiates"),
    RR_STATUS(507, "Insufficient Storage"),
    RR_STATUS(508, "Loop Detected"),
    RR_STATUS(510, "Not Extended"),
    RR_STATUS(511, "Network Authentication Required"),
};
#undef RR_STATUS

constexpr std::array<Bytes, 500> MakeLines() {
    std::array<Bytes, 500> lines{};
    for (const NamedStatus& status : kStatuses) {
        lines[static_cast<size_t>(status.code - 100)] = status.line;
    }
    return lines;
}
constexpr auto kLines = MakeLines();
constexpr size_t kCodeAt = 9;  // in a status line
constexpr size_t kNameAt = 13;
constexpr size_t kMinorAt = 7;

Bytes KnownLine(int status) {
    return status >= 100 && status <= 599 ? kLines[static_cast<size_t>(status - 100)] : Bytes();
}

void AppendLine(Bytes name, Bytes value, Buffer& out) {
    out.Append(name);
    out.Append(": ");
    out.Append(value);
    out.Append("\r\n");
}

// Blanks around a worker's value go.
Bytes TrimForeign(Bytes value) {
    auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    while (!value.empty() && blank(value.front())) {
        value.remove_prefix(1);
    }
    while (!value.empty() && blank(value.back())) {
        value.remove_suffix(1);
    }
    return value;
}

// Copies `value` to `to` and returns its end there; control bytes become blanks.
char* CopyForeign(Bytes value, char* to) {
    std::memcpy(to, value.data(), value.size());
    char* const end = to + value.size();
    constexpr uint64_t kEach = 0x0101010101010101;
    while (end - to >= 8) {
        uint64_t eight = 0;
        std::memcpy(&eight, to, sizeof eight);
        const uint64_t unlike_delete = eight ^ (kEach * 0x7f);
        const uint64_t odd =
            ((eight - kEach * ' ') & ~eight) | ((unlike_delete - kEach) & ~unlike_delete);
        if ((odd & (kEach * 0x80)) != 0) {
            break;  // one of them is a control byte
        }
        to += 8;
    }
    for (; to != end; ++to) {
        const auto byte = static_cast<unsigned char>(*to);
        *to = (byte < ' ' && byte != '\t') || byte == 0x7f ? ' ' : *to;
    }
    return end;
}

void AppendForeignValue(Bytes value, Buffer& out) {
    value = TrimForeign(value);
    if (value.empty()) {
        return;
    }
    out.Reserve(value.size());
    CopyForeign(value, out.tail());
    out.Commit(value.size());
}

void AppendForeign(Bytes name, Bytes value, Buffer& out) {
    value = TrimForeign(value);
    const size_t size = name.size() + value.size() + 4;
    out.Reserve(size);
    char* to = out.tail();
    std::memcpy(to, name.data(), name.size());
    to += name.size();
    *to++ = ':';
    *to++ = ' ';
    if (!value.empty()) {
        to = CopyForeign(value, to);
    }
    *to++ = '\r';
    *to = '\n';
    out.Commit(size);
}

// Beside Connection, which has its own rules.
bool IsHopByHop(Bytes name) {
    constexpr Bytes kNames[] = {"Keep-Alive", "Proxy-Connection", "Upgrade", "Te"};
    return std::any_of(std::begin(kNames), std::end(kNames),
                       [name](Bytes each) { return EqualsIgnoreCase(name, each); });
}

// `Status: 200 OK`, the first line of a CGI answer.
void AppendCgiStatus(int status, Buffer& out) {
    out.Append("Status: ");
    AppendDecimal(static_cast<uint64_t>(status), out);
    Bytes name = StatusText(status);
    if (!name.empty()) {
        out.Append(' ');
        out.Append(name);
    }
    out.Append("\r\n");
}

}  // namespace

void AppendStatusLine(int status, uint8_t minor, Buffer& out) {
    Bytes known = KnownLine(status);
    size_t at = out.size();
    if (!known.empty()) {
        out.Append(known);
    } else {
        out.Append("HTTP/1.1 ");
        AppendDecimal(static_cast<uint64_t>(status), out);
        out.Append(" status code ");
        AppendDecimal(static_cast<uint64_t>(status), out);
        out.Append("\r\n");
    }
    out.data()[at + kMinorAt] = minor == 0 ? '0' : '1';
}

Bytes StatusText(int status) {
    Bytes line = KnownLine(status);
    return line.empty() ? line : line.substr(kNameAt, line.size() - kNameAt - 2);
}

bool AllowsBody(int status) { return status >= 200 && status != 204 && status != 304; }

void CarriedFields::Add(const Answer& informational) {
    for (const AnswerField& field : informational.fields) {
        fields_.push_back({static_cast<uint32_t>(bytes_.size()),
                           static_cast<uint32_t>(field.name.size()),
                           static_cast<uint32_t>(field.value.size())});
        bytes_.Append(field.name);
        bytes_.Append(field.value);
    }
}

void CarriedFields::Clear() {
    bytes_.Clear(4096);
    fields_.clear();
}

void CarriedFields::AppendTo(std::vector<AnswerField>& out) const {
    for (const Field& field : fields_) {
        Bytes both(bytes_.data() + field.at, size_t{field.name} + field.value);
        out.push_back({both.substr(0, field.name), both.substr(field.name)});
    }
}

// Fills lines_ with what may be sent, names canonical, sorted; trailers leave for `trailers`.
void ResponseWriter::Collect(const Answer& answer, const CarriedFields* carried, Buffer* trailers) {
    fields_.clear();
    lines_.clear();
    if (carried != nullptr) {
        carried->AppendTo(fields_);
    }
    fields_.insert(fields_.end(), answer.fields.begin(), answer.fields.end());
    if (trailers != nullptr) {
        TakeTrailers(*trailers);
    }
    size_t bytes = 0;
    for (const AnswerField& field : fields_) {
        bytes += field.name.size();
    }
    names_.Clear(16 * 1024);
    names_.Reserve(bytes);  // names_ must not move below
    memo_.Begin(names_);
    for (const AnswerField& field : fields_) {
        const NameMemo::Name name = memo_.Find(field.name);
        // No token; or what RoadRunner leaks: browsers removed server push.
        if (name.canonical.empty() || name.id == HeaderId::kHttp2Push) {
            continue;
        }
        lines_.push_back({name.canonical, field.value, name.start, name.id,
                          static_cast<uint32_t>(lines_.size())});
    }
    std::sort(lines_.begin(), lines_.end(), [](const Line& a, const Line& b) {
        if (a.start != b.start) {
            return a.start < b.start;
        }
        int order = a.name.compare(b.name);
        return order != 0 ? order < 0 : a.order < b.order;
    });
}

// `Trailer`, by this exact name, lists others by their exact names; they are sent after the body
// as they are written there.
void ResponseWriter::TakeTrailers(Buffer& trailers) {
    announced_.clear();
    for (const AnswerField& field : fields_) {
        if (field.name != "Trailer") {
            continue;
        }
        Bytes list = field.value;
        while (!list.empty()) {
            size_t comma = std::min(list.find(','), list.size());
            announced_.push_back(TrimBlanks(list.substr(0, comma)));
            list.remove_prefix(std::min(comma + 1, list.size()));
        }
    }
    if (announced_.empty()) {
        return;
    }
    std::sort(announced_.begin(), announced_.end());
    announced_.erase(std::unique(announced_.begin(), announced_.end()), announced_.end());
    for (Bytes name : announced_) {
        HeaderId id = IdentifyHeader(name);
        bool framing = id == HeaderId::kContentLength || id == HeaderId::kTransferEncoding ||
                       id == HeaderId::kTrailer || id == HeaderId::kConnection;
        if (!IsToken(name) || framing || IsHopByHop(name)) {
            continue;
        }
        for (const AnswerField& field : fields_) {
            if (field.name == name) {
                AppendForeign(name, field.value, trailers);
            }
        }
    }
    std::erase_if(fields_, [this](const AnswerField& field) {
        return field.name == "Trailer" ||
               std::binary_search(announced_.begin(), announced_.end(), field.name);
    });
}

ResponseWriter::Said ResponseWriter::Listen() const {
    Said said;
    for (const Line& line : lines_) {
        switch (line.id) {
            case HeaderId::kContentType: said.content_type = true; break;
            case HeaderId::kContentEncoding:
                said.content_encoding = said.content_encoding || !line.value.empty();
                break;
            case HeaderId::kDate: said.date = true; break;
            case HeaderId::kTransferEncoding:
                said.chunked = said.chunked || EqualsIgnoreCase(TrimBlanks(line.value), "chunked");
                break;
            case HeaderId::kConnection:
                said.connection = true;
                said.close = said.close || HasListToken(line.value, "close");
                break;
            case HeaderId::kContentLength:
                if (!said.length) {
                    said.length = http_text::ParseLength(TrimBlanks(line.value), said.length_value);
                }
                break;
            default: break;
        }
    }
    return said;
}

ResponsePlan ResponseWriter::Decide(const ResponseFacts& facts, const Said& said, int status,
                                    bool trailers, WireForm form) const {
    ResponsePlan plan;
    plan.keep_alive = facts.keep_alive && !said.close;
    bool body = facts.whole ? facts.body_size > 0 : true;
    if (facts.head_request || !AllowsBody(status)) {
        plan.drops_body = body;
        return plan;
    }
    bool text = form == WireForm::kHttp1;
    if (text && facts.minor > 0 && (said.chunked || trailers)) {  // NOLINT: the order of questions
        plan.framing = Framing::kChunked;
    } else if (facts.whole) {
        plan.framing = Framing::kLength;
        plan.length = facts.body_size;
    } else if (said.length) {
        plan.framing = Framing::kLength;
        plan.length = said.length_value;
    } else if (!text) {
        plan.framing = Framing::kOuter;
    } else if (facts.minor > 0) {
        plan.framing = Framing::kChunked;
    } else {
        plan.framing = Framing::kClose;
        plan.keep_alive = false;
    }
    return plan;
}

// A head as text: HTTP/1.1's and FastCGI's.
class ResponseWriter::Text {
public:
    Text(Buffer& out, bool plain) : out_(out), plain_(plain) {}

    void Foreign(const Line& line) { AppendForeign(line.name, line.value, out_); }
    void Own(Bytes name, Bytes value) { AppendLine(name, value, out_); }
    void Number(Bytes name, uint64_t value) {
        out_.Append(name);
        out_.Append(": ");
        AppendDecimal(value, out_);
        out_.Append("\r\n");
    }
    bool hop_by_hop() const { return !plain_; }

private:
    Buffer& out_;
    const bool plain_;  // FastCGI: the connection is the other server's business
};

// A head as the fields of HTTP/2: names in lower case, nothing that belongs to one connection.
class ResponseWriter::Fields {
public:
    Fields(Buffer& out, std::vector<Sent>& spans) : out_(out), spans_(spans) {}

    void Foreign(const Line& line) {
        size_t at = Begin(line.name);
        AppendForeignValue(line.value, out_);
        End(at, line.name.size());
    }
    void Own(Bytes name, Bytes value) {
        size_t at = Begin(name);
        out_.Append(value);
        End(at, name.size());
    }
    void Number(Bytes name, uint64_t value) {
        size_t at = Begin(name);
        AppendDecimal(value, out_);
        End(at, name.size());
    }
    static constexpr bool hop_by_hop() { return false; }

private:
    size_t Begin(Bytes name) {
        size_t at = out_.size();
        out_.Reserve(name.size());
        char* to = out_.tail();
        for (size_t i = 0; i < name.size(); ++i) {
            to[i] = name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] + 32) : name[i];
        }
        out_.Commit(name.size());
        return at;
    }
    void End(size_t at, size_t name) {
        spans_.push_back({static_cast<uint32_t>(at), static_cast<uint32_t>(name),
                          static_cast<uint32_t>(out_.size() - at - name)});
    }

    Buffer& out_;
    std::vector<Sent>& spans_;
};

ResponsePlan ResponseWriter::WriteHead(const Answer& answer, const ResponseFacts& facts,
                                       const CarriedFields* carried, Wire& wire, Buffer& trailers) {
    int status = static_cast<int>(answer.status);
    size_t before = trailers.size();
    Collect(answer, carried, &trailers);
    Said said = Listen();
    ResponsePlan plan = Decide(facts, said, status, trailers.size() > before, wire.form);
    if (plan.framing != Framing::kChunked && wire.form != WireForm::kHttp2) {
        trailers.Truncate(before);
    }
    if (wire.form == WireForm::kHttp2) {
        sent_.Clear(16 * 1024);
        spans_.clear();
        Fields fields(sent_, spans_);
        Finish(facts, said, plan, status, fields);
        bool body = plan.framing == Framing::kOuter || plan.length > 0 ||
                    (trailers.size() > before && plan.framing != Framing::kNone);
        SendFields(status, body, wire);
        return plan;
    }
    bool plain = wire.form == WireForm::kFastCgi;
    if (plain) {
        AppendCgiStatus(status, wire.out);
    } else {
        AppendStatusLine(status, facts.minor, wire.out);
    }
    Text text(wire.out, plain);
    Finish(facts, said, plan, status, text);
    wire.out.Append("\r\n");
    return plan;
}

void ResponseWriter::SendFields(int status, bool body, Wire& wire) {
    sent_fields_.clear();
    for (const Sent& span : spans_) {
        Bytes both(sent_.data() + span.at, size_t{span.name} + span.value);
        sent_fields_.push_back({both.substr(0, span.name), both.substr(span.name)});
    }
    wire.Head(status, sent_fields_, body);
}

template <class Out>
void ResponseWriter::Finish(const ResponseFacts& facts, const Said& said, const ResponsePlan& plan,
                            int status, Out& out) const {
    bool own_close = !plan.keep_alive && !said.close;
    bool length_sent = false;
    for (const Line& line : lines_) {
        switch (line.id) {
            case HeaderId::kTransferEncoding: continue;  // ours
            case HeaderId::kContentLength: {
                // The worker's figure is sent where it is the truth or a promise; a whole answer
                // has its true length in any case.
                bool bodiless = plan.framing == Framing::kNone && status >= 200 && status != 204;
                if (length_sent || !said.length ||
                    (plan.framing != Framing::kLength && !bodiless)) {
                    continue;
                }
                length_sent = true;
                out.Number("Content-Length", bodiless ? said.length_value : plan.length);
                continue;
            }
            case HeaderId::kConnection:
                if (own_close || !out.hop_by_hop()) {
                    continue;  // it says otherwise, or there is no such connection
                }
                break;
            case HeaderId::kUpgrade:
            case HeaderId::kOther:
                if (!out.hop_by_hop() && IsHopByHop(line.name)) {
                    continue;
                }
                break;
            default: break;
        }
        out.Foreign(line);
    }
    if (!said.date && !facts.date.empty()) {
        out.Own("Date", facts.date);
    }
    if (plan.framing == Framing::kLength && !length_sent) {
        out.Number("Content-Length", plan.length);
    }
    if (!said.content_type && !said.content_encoding && !said.chunked && AllowsBody(status) &&
        !facts.body_start.empty()) {
        out.Own("Content-Type", files::DetectContentType(facts.body_start));
    }
    if (!out.hop_by_hop()) {
        return;
    }
    if (own_close && facts.minor > 0) {
        out.Own("Connection", "close");
    } else if (plan.keep_alive && facts.minor == 0 && !said.connection) {
        out.Own("Connection", "keep-alive");
    }
    if (plan.framing == Framing::kChunked) {
        out.Own("Transfer-Encoding", "chunked");
    }
}

void ResponseWriter::WriteInformational(const Answer& answer, uint8_t minor, Wire& wire) {
    if (minor == 0 || wire.form == WireForm::kFastCgi) {
        return;  // they know no 1xx
    }
    Collect(answer, nullptr, nullptr);
    std::erase_if(lines_, [](const Line& line) {
        return line.id == HeaderId::kContentLength || line.id == HeaderId::kTransferEncoding;
    });
    int status = static_cast<int>(answer.status);
    if (wire.form == WireForm::kHttp2) {
        sent_.Clear(16 * 1024);
        spans_.clear();
        Fields fields(sent_, spans_);
        for (const Line& line : lines_) {
            if (line.id != HeaderId::kConnection && !IsHopByHop(line.name)) {
                fields.Foreign(line);
            }
        }
        SendFields(status, true, wire);
        return;
    }
    AppendStatusLine(status, minor, wire.out);
    Text text(wire.out, false);
    for (const Line& line : lines_) {
        text.Foreign(line);
    }
    wire.out.Append("\r\n");
}

size_t WriteChunkHead(uint64_t size, char* out) {
    char* end = std::to_chars(out, out + 16, size, 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    return static_cast<size_t>(end - out);
}

void AppendLastChunk(Bytes trailers, Buffer& out) {
    out.Append("0\r\n");
    out.Append(trailers);
    out.Append("\r\n");
}

void AppendOwnAnswer(const OwnAnswer& answer, Buffer& out) {
    AppendStatusLine(answer.status, answer.minor, out);
    if (!answer.text.empty()) {
        out.Append("Content-Type: text/plain; charset=utf-8\r\n");
    }
    if (answer.retry_after) {
        out.Append("Retry-After: 1\r\n");
    }
    if (answer.nosniff) {
        out.Append("X-Content-Type-Options: nosniff\r\n");
    }
    if (!answer.date.empty()) {
        AppendLine("Date", answer.date, out);
    }
    if (AllowsBody(answer.status)) {
        out.Append("Content-Length: ");
        AppendDecimal(answer.text.size(), out);
        out.Append("\r\n");
    }
    if (answer.close && answer.minor > 0) {
        out.Append("Connection: close\r\n");
    } else if (!answer.close && answer.minor == 0) {
        out.Append("Connection: keep-alive\r\n");
    }
    out.Append("\r\n");
    if (!answer.head_request && AllowsBody(answer.status)) {
        out.Append(answer.text);
    }
}

void AppendRefusal(int status, Bytes detail, Buffer& out) {
    Bytes line = KnownLine(status);
    Bytes text = line.substr(kCodeAt, line.size() - kCodeAt - 2);  // `400 Bad Request`
    size_t size = text.size() + (detail.empty() ? 0 : detail.size() + 2);
    auto append_text = [&] {
        out.Append(text);
        if (!detail.empty()) {
            out.Append(": ");
            out.Append(detail);
        }
    };
    out.Append("HTTP/1.1 ");
    append_text();
    out.Append("\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ");
    AppendDecimal(size, out);
    out.Append("\r\nConnection: close\r\n\r\n");
    append_text();
}

}  // namespace rr::http
