#include "plugins/http/context.hpp"

#include <algorithm>
#include <array>

#include "core/base/json_text.hpp"
#include "plugins/http/canonical.hpp"
#include "relay/frame.hpp"

namespace rr::http {
namespace {

// Bytes that stand in a path as they are; `%` begins an escape that was checked before.
constexpr std::array<bool, 256> MakePathTable() {
    std::array<bool, 256> table{};
    for (size_t c = 0; c < 128; ++c) {
        table[c] = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
    for (char c : Bytes("-_.~!$&'()*+,;=:@[]%/")) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}
constexpr std::array<bool, 256> MakeQueryTable() {
    std::array<bool, 256> table{};
    for (size_t c = 0x21; c < 0x7f; ++c) {
        table[c] = true;
    }
    return table;
}
constexpr auto kPath = MakePathTable();
constexpr auto kQuery = MakeQueryTable();

void AppendEncoded(Bytes text, const std::array<bool, 256>& fine, Buffer& out) {
    constexpr char kHex[] = "0123456789ABCDEF";
    size_t from = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        unsigned char c = static_cast<unsigned char>(text[i]);
        if (fine[c]) {
            continue;
        }
        out.Append(text.substr(from, i - from));
        const char escape[] = {'%', kHex[c >> 4], kHex[c & 15]};
        out.Append({escape, sizeof escape});
        from = i + 1;
    }
    out.Append(text.substr(from));
}

void AppendPathAndQuery(Bytes text, Buffer& out) {
    size_t mark = std::min(text.find('?'), text.size());
    AppendEncoded(text.substr(0, mark), kPath, out);
    AppendEncoded(text.substr(mark), kQuery, out);
}

bool ReachesPhp(const RequestHead& head, HeaderId id) {
    switch (id) {
        case HeaderId::kHost:
        case HeaderId::kTransferEncoding:
        case HeaderId::kTrailer: return false;
        case HeaderId::kContentLength: return !head.chunked;
        default: return true;
    }
}

// Protobuf, written forward: sizes are computed before.
size_t VarintSize(uint64_t value) {
    size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        ++size;
    }
    return size;
}
void AppendVarint(uint64_t value, Buffer& out) {
    out.Reserve(10);
    while (value >= 0x80) {
        out.Append(static_cast<char>(value | 0x80));
        value >>= 7;
    }
    out.Append(static_cast<char>(value));
}
constexpr char Tag(int field) { return static_cast<char>(field << 3 | 2); }
size_t FieldSize(size_t length) { return 1 + VarintSize(length) + length; }
void AppendField(int field, Bytes value, Buffer& out) {
    out.Append(Tag(field));
    AppendVarint(value.size(), out);
    out.Append(value);
}
// An entry of map<string, HeaderValue> with one value.
void AppendPair(int field, Bytes name, Bytes value, Buffer& out) {
    size_t list = FieldSize(value.size());
    out.Append(Tag(field));
    AppendVarint(FieldSize(name.size()) + FieldSize(list), out);
    AppendField(1, name, out);
    out.Append(Tag(2));
    AppendVarint(list, out);
    AppendField(1, value, out);
}
void AppendText(int field, Bytes value, Buffer& out) {
    if (!value.empty()) {  // proto3: absent
        AppendField(field, value, out);
    }
}

}  // namespace

uint8_t CodecFlag(Codec codec) {
    return codec == Codec::kJson ? relay::flag::kJson : relay::flag::kProto;
}

bool PeerHost(Bytes peer, Bytes& host) {
    host = {};
    size_t colon = peer.rfind(':');
    if (colon == Bytes::npos) {
        host = peer;
        return true;
    }
    if (!peer.empty() && peer.front() == '[') {
        size_t close = peer.find(']');
        if (close == Bytes::npos || close + 1 != colon) {
            return false;
        }
        host = peer.substr(1, close - 1);
        return true;
    }
    if (peer.find(':') != colon || peer.find('[') != Bytes::npos || peer.find(']') != Bytes::npos) {
        return false;
    }
    host = peer.substr(0, colon);
    return true;
}

void AppendUri(const RequestHead& head, bool https, Buffer& out) {
    switch (head.form) {
        case TargetForm::kAuthority:
            out.Append("//");
            out.Append(head.target);
            return;
        case TargetForm::kAbsolute: {
            size_t authority = head.target.find("://") + 3;
            for (char c : head.target.substr(0, authority)) {
                out.Append(ToLower(c));
            }
            Bytes rest = head.target.substr(authority);
            size_t path = std::min(rest.find_first_of("/?"), rest.size());
            out.Append(rest.substr(0, path));
            AppendPathAndQuery(rest.substr(path), out);
            return;
        }
        case TargetForm::kOrigin:
        case TargetForm::kAsterisk:
            out.Append(https ? Bytes("https://") : Bytes("http://"));
            out.Append(head.host);
            AppendPathAndQuery(head.target, out);
            return;
    }
}

void ContextWriter::Write(Codec codec, const RequestHead& head, const ContextFacts& facts,
                          Buffer& out) {
    uri_.Clear(16 * 1024);
    AppendUri(head, facts.https, uri_);
    Bytes uri = uri_.view();
    size_t mark = uri.find('?');
    query_ = mark == Bytes::npos ? Bytes() : uri.substr(mark + 1);

    Group(head);
    cookies_.Clear();
    for (const HeaderField& field : head.fields) {
        if (field.id == HeaderId::kCookie) {
            cookies_.Add(field.value);
        }
    }
    if (codec == Codec::kJson) {
        WriteJson(head, facts, out);
    } else {
        WriteProtobuf(head, facts, out);
    }
}

// Chains the fields that share a name. A field whose hash bit is new has no earlier one.
void ContextWriter::Group(const RequestHead& head) {
    links_.clear();
    uint64_t seen = 0;
    for (size_t i = 0; i < head.fields.size(); ++i) {
        const HeaderField& field = head.fields[i];
        links_.push_back({kNone, !ReachesPhp(head, field.id)});
        uint64_t bit = uint64_t{1} << (field.hash & 63);
        if ((seen & bit) != 0) {
            for (size_t j = i; j-- > 0;) {
                if (head.fields[j].hash == field.hash &&
                    EqualsIgnoreCase(head.fields[j].name, field.name)) {
                    links_[j].next = static_cast<uint32_t>(i);
                    links_[i].skip = true;
                    break;
                }
            }
        }
        seen |= bit;
    }
}

Bytes ContextWriter::Canonical(const HeaderField& field) {
    if (field.id != HeaderId::kOther) {
        return CanonicalName(field.id);
    }
    name_.Clear();
    name_.Reserve(field.name.size());
    memo_.Begin(name_);
    if (const Bytes known = memo_.Find(field.name).canonical; !known.empty()) {
        return known;
    }
    Canonicalise(field.name, name_.tail());
    name_.Commit(field.name.size());
    return name_.view();
}

void ContextWriter::WriteJson(const RequestHead& head, const ContextFacts& facts, Buffer& out) {
    out.Append("{\"remoteAddr\":");
    AppendJsonString(facts.remote_addr, out);
    out.Append(",\"protocol\":");
    AppendJsonString(head.protocol, out);
    out.Append(",\"method\":");
    AppendJsonString(head.method, out);
    out.Append(",\"uri\":");
    AppendJsonString(uri_.view(), out);
    out.Append(",\"headers\":{");
    bool first = true;
    for (size_t i = 0; i < head.fields.size(); ++i) {
        if (links_[i].skip) {
            continue;
        }
        if (!first) {
            out.Append(',');
        }
        first = false;
        AppendJsonString(Canonical(head.fields[i]), out);
        out.Append(":[");
        AppendJsonString(head.fields[i].value, out);
        for (uint32_t j = links_[i].next; j != kNone; j = links_[j].next) {
            out.Append(',');
            AppendJsonString(head.fields[j].value, out);
        }
        out.Append(']');
    }
    out.Append("},\"cookies\":{");
    for (size_t i = 0; i < cookies_.size(); ++i) {
        if (i > 0) {
            out.Append(',');
        }
        AppendJsonString(cookies_.name(i), out);
        out.Append(':');
        AppendJsonString(cookies_.value(i), out);
    }
    out.Append("},\"rawQuery\":");
    AppendJsonString(query_, out);
    out.Append(facts.parsed ? Bytes(",\"parsed\":true,\"uploads\":")
                            : Bytes(",\"parsed\":false,\"uploads\":"));
    out.Append(facts.uploads.empty() ? Bytes("null") : facts.uploads);
    out.Append(",\"attributes\":{");
    for (size_t i = 0; i < facts.attributes.size(); ++i) {
        if (i > 0) {
            out.Append(',');
        }
        AppendJsonString(facts.attributes[i].name, out);
        out.Append(':');
        AppendJsonString(facts.attributes[i].value, out);
    }
    out.Append("}}");
}

void ContextWriter::WriteProtobuf(const RequestHead& head, const ContextFacts& facts, Buffer& out) {
    AppendText(1, facts.remote_addr, out);
    AppendText(2, head.protocol, out);
    AppendText(3, head.method, out);
    AppendText(4, uri_.view(), out);
    for (size_t i = 0; i < head.fields.size(); ++i) {
        if (links_[i].skip) {
            continue;
        }
        Bytes name = Canonical(head.fields[i]);
        size_t values = 0;
        for (uint32_t j = static_cast<uint32_t>(i); j != kNone; j = links_[j].next) {
            values += FieldSize(head.fields[j].value.size());
        }
        out.Append(Tag(5));
        AppendVarint(FieldSize(name.size()) + FieldSize(values), out);
        AppendField(1, name, out);
        out.Append(Tag(2));
        AppendVarint(values, out);
        for (uint32_t j = static_cast<uint32_t>(i); j != kNone; j = links_[j].next) {
            AppendField(1, head.fields[j].value, out);
        }
    }
    for (size_t i = 0; i < cookies_.size(); ++i) {
        AppendPair(6, cookies_.name(i), cookies_.value(i), out);
    }
    AppendText(7, query_, out);
    if (facts.parsed) {
        out.Append("\x40\x01");
    }
    AppendText(9, facts.uploads, out);
    for (const ContextAttribute& attribute : facts.attributes) {
        AppendPair(10, attribute.name, attribute.value, out);
    }
}

}  // namespace rr::http
