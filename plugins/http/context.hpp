// ContextWriter: writes the request context that PHP reads, as JSON or as protobuf.
//
//   JSON      {"remoteAddr":"127.0.0.1","protocol":"HTTP/1.1","method":"GET","uri":"http://h/a",
//              "headers":{"Accept":["*/*"]},"cookies":{"a":"1"},"rawQuery":"","parsed":false,
//              "uploads":null,"attributes":{}}
//   protobuf  message Request of context.proto
//
// Thread: one per loop.
// Owns:   scratch for cookies, reused: no allocation once it has grown.
// Fails:  never: what cannot be said is escaped, replaced or left out as the README tells.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/bytes.hpp"
#include "plugins/http/cookies.hpp"
#include "plugins/http/head.hpp"
#include "plugins/http/name_memo.hpp"

namespace rr::http {

enum class Codec : uint8_t { kJson, kProtobuf };

// The frame flag that goes with a context of this codec (relay::flag::kJson, kProto).
uint8_t CodecFlag(Codec codec);

struct ContextAttribute {
    Bytes name;
    Bytes value;
};

struct ContextFacts {
    Bytes remote_addr;  // PeerHost() of the peer's address
    bool https = false;
    bool parsed = false;  // the body was read into a tree
    Bytes uploads{};      // JSON document of the upload tree; empty: none
    std::span<const ContextAttribute> attributes{};
};

// The host part of `127.0.0.1:1234`, `[::1]:1234`, `@`; text without a colon is taken as it is.
// False, and an empty host, for anything else.
bool PeerHost(Bytes peer, Bytes& host);

class ContextWriter {
public:
    // Appends the context to `out`, behind whatever room its owner left there for a frame header.
    void Write(Codec codec, const RequestHead& head, const ContextFacts& facts, Buffer& out);

private:
    void WriteJson(const RequestHead& head, const ContextFacts& facts, Buffer& out);
    void WriteProtobuf(const RequestHead& head, const ContextFacts& facts, Buffer& out);

    void Group(const RequestHead& head);
    Bytes Canonical(const HeaderField& field);

    static constexpr uint32_t kNone = UINT32_MAX;
    struct Link {
        uint32_t next;  // next field of the same name
        bool skip;      // not the first of its name, or not for PHP
    };
    std::vector<Link> links_;  // beside head.fields
    CookieJar cookies_;
    Buffer uri_;
    NameMemo memo_;
    Buffer name_;  // one that memo_ has no place for
    Bytes query_;  // onto uri_
};

// Appends scheme, host and target as PHP sees them (without JSON escaping).
void AppendUri(const RequestHead& head, bool https, Buffer& out);

}  // namespace rr::http
