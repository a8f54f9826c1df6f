// Header names: which bytes they may have, their canonical form, and the names that rr itself
// looks at.
//
// Thread: values only.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/api/http_text.hpp"
#include "core/base/bytes.hpp"

namespace rr::http {

// Names that something in rr asks for; everything else is kOther.
enum class HeaderId : uint8_t {
    kOther,
    kAccept,
    kAcceptEncoding,
    kAcceptLanguage,
    kAuthorization,
    kCacheControl,
    kConnection,
    kContentEncoding,
    kContentLength,
    kContentType,
    kCookie,
    kDate,
    kExpect,
    kHost,
    kHttp2Push,
    kIfModifiedSince,
    kIfNoneMatch,
    kOrigin,
    kRange,
    kReferer,
    kServer,
    kSetCookie,
    kTrailer,
    kTransferEncoding,
    kUpgrade,
    kUserAgent,
    kCount,
};

// RFC 9110 `tchar`.
bool IsTokenByte(char c);
// True for one or more token bytes.
bool IsToken(Bytes text);

inline char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
inline char ToUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c; }

// ASCII letters compare without case.
inline bool EqualsIgnoreCase(Bytes a, Bytes b) { return http_text::Equal(a, b); }

// True if the comma-separated list has `token` (without case, blanks around items trimmed).
bool HasListToken(Bytes list, Bytes token);

// Without blanks and tabs at both ends.
Bytes TrimBlanks(Bytes text);

// Which known name this is, in any case.
HeaderId IdentifyHeader(Bytes name);
// The canonical form of a known name; empty for kOther.
Bytes CanonicalName(HeaderId id);

// Writes name.size() bytes: the first letter of each part between `-` upper, the rest lower. Names
// that are no token are copied as they are (Go's rule).
void Canonicalise(Bytes name, char* out);

// A number that is equal for names that differ in case only.
uint32_t NameHash(Bytes name);
// IdentifyHeader for a name whose hash is known.
HeaderId IdentifyHashed(Bytes name, uint32_t hash);
// How many token bytes `text` begins with, and the hash of these.
size_t TokenPrefix(Bytes text, uint32_t& hash);

}  // namespace rr::http
