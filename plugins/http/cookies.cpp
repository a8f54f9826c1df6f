#include "plugins/http/cookies.hpp"

#include <algorithm>

#include "core/base/hex.hpp"
#include "plugins/http/canonical.hpp"

namespace rr::http {
namespace {

constexpr size_t kLinear = 16;  // up to so many cookies a scan beats the table

bool IsCookieValue(Bytes value) {
    return std::all_of(value.begin(), value.end(),
                       [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

// Appends the decoded value; false leaves `out` as it was.
bool Decode(Bytes value, Buffer& out) {
    out.Reserve(value.size());
    char* to = out.tail();
    for (size_t i = 0; i < value.size(); ++i) {
        char c = value[i];
        if (c == '%') {
            const int byte = EscapedByte(value, i);
            if (byte < 0) {
                return false;
            }
            c = static_cast<char>(byte);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        *to++ = c;
    }
    out.Commit(static_cast<size_t>(to - out.tail()));
    return true;
}

uint32_t HashExactly(Bytes name) {  // cookie names are case-sensitive
    uint32_t hash = 2166136261U;
    for (char c : name) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    }
    return hash;
}

}  // namespace

void CookieJar::Clear() {
    cookies_.clear();
    decoded_.Clear(16 * 1024);
    parts_ = 0;
    too_many_ = false;
}

void CookieJar::Add(Bytes line) {
    parts_ += static_cast<size_t>(std::count(line.begin(), line.end(), ';')) + 1;
    if (parts_ > kMost) {
        too_many_ = true;
        cookies_.clear();
    }
    if (too_many_) {
        return;
    }
    while (!line.empty()) {
        size_t semicolon = std::min(line.find(';'), line.size());
        Bytes part = TrimBlanks(line.substr(0, semicolon));
        line.remove_prefix(std::min(semicolon + 1, line.size()));
        size_t equals = std::min(part.find('='), part.size());
        Bytes name = TrimBlanks(part.substr(0, equals));
        Bytes value = part.substr(std::min(equals + 1, part.size()));
        if (!IsToken(name)) {
            continue;
        }
        if (value.size() > 1 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        size_t before = decoded_.size();
        if (!IsCookieValue(value) || !Decode(value, decoded_)) {
            continue;
        }
        uint32_t hash = HashExactly(name);
        uint32_t at = static_cast<uint32_t>(before);
        uint32_t size = static_cast<uint32_t>(decoded_.size() - before);
        if (Cookie* known = Find(name, hash)) {
            known->at = at;
            known->size = size;
            continue;
        }
        cookies_.push_back({name, at, size, hash});
        if (cookies_.size() > kLinear) {
            Index(hash, cookies_.size() - 1);
        }
    }
}

CookieJar::Cookie* CookieJar::Find(Bytes name, uint32_t hash) {
    if (cookies_.size() <= kLinear) {
        for (Cookie& cookie : cookies_) {
            if (cookie.hash == hash && cookie.name == name) {
                return &cookie;
            }
        }
        return nullptr;
    }
    size_t mask = table_.size() - 1;
    for (size_t slot = hash & mask; table_[slot] != 0; slot = (slot + 1) & mask) {
        Cookie& cookie = cookies_[table_[slot] - size_t{1}];
        if (cookie.hash == hash && cookie.name == name) {
            return &cookie;
        }
    }
    return nullptr;
}

void CookieJar::Index(uint32_t hash, size_t position) {
    if (position == kLinear || cookies_.size() * 2 > table_.size()) {
        Rehash();
        return;
    }
    size_t mask = table_.size() - 1;
    size_t slot = hash & mask;
    while (table_[slot] != 0) {
        slot = (slot + 1) & mask;
    }
    table_[slot] = static_cast<uint16_t>(position + 1);
}

void CookieJar::Rehash() {
    size_t size = 64;
    while (size < cookies_.size() * 4) {
        size *= 2;
    }
    table_.assign(size, 0);
    for (size_t i = 0; i < cookies_.size(); ++i) {
        size_t slot = cookies_[i].hash & (size - 1);
        while (table_[slot] != 0) {
            slot = (slot + 1) & (size - 1);
        }
        table_[slot] = static_cast<uint16_t>(i + 1);
    }
}

}  // namespace rr::http
