#include "core/files/url_path.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/base/hex.hpp"

namespace rr::files {
namespace {

// `http://host/path` is the path alone; empty without one.
Bytes PathOf(Bytes target) {
    if (target.empty() || target[0] != '/') {
        const size_t scheme = target.find("://");
        const size_t slash =
            scheme == Bytes::npos ? Bytes::npos : target.find_first_of("/?#", scheme + 3);
        if (slash == Bytes::npos || target[slash] != '/') {
            return {};
        }
        target.remove_prefix(slash);
    }
    return target.substr(0, target.find_first_of("?#"));
}

enum class Letter : uint8_t { kPlain, kDot, kSlash, kEnd, kOther };

constexpr std::array<Letter, 256> MakeLetters() {
    std::array<Letter, 256> letters{};
    letters['.'] = Letter::kDot;
    letters['/'] = Letter::kSlash;
    letters['?'] = letters['#'] = Letter::kEnd;
    letters['%'] = letters['\\'] = letters[0] = Letter::kOther;
    return letters;
}
constexpr auto kLetters = MakeLetters();

// Most paths say what they mean: one look at each letter, and nothing has to be decoded or taken
// out. False: not so for sure.
bool IsPlain(Bytes target, size_t& size) {
    if (target.empty() || target[0] != '/') {
        return false;
    }
    Letter before = Letter::kSlash;
    for (size = 1; size < target.size(); ++size) {
        const Letter letter = kLetters[static_cast<unsigned char>(target[size])];
        if (letter == Letter::kPlain) {
            before = letter;
            continue;
        }
        if (letter == Letter::kEnd) {
            return true;
        }
        if (letter == Letter::kOther || before != Letter::kPlain) {
            return false;
        }
        before = letter;
    }
    return true;
}

// False: a broken escape.
bool Decode(Bytes path, std::string& out) {
    out.clear();
    for (size_t i = 0; i < path.size(); ++i) {
        if (path[i] != '%') {
            out += path[i];
            continue;
        }
        const int byte = EscapedByte(path, i);
        if (byte < 0) {
            return false;
        }
        out += static_cast<char>(byte);
        i += 2;
    }
    return true;
}

// True if nothing in a decoded path has to be taken out but its first slash.
bool IsClean(Bytes path) {
    return path.find("//") == Bytes::npos && path.find("/./") == Bytes::npos &&
           !(path.size() >= 2 && path.substr(path.size() - 2) == "/.");
}

void Clean(std::string& path) {
    size_t to = 0;
    for (size_t from = 0; from < path.size();) {
        const size_t end = std::min(path.find('/', from), path.size());
        const Bytes part = Bytes(path).substr(from, end - from);
        if (!part.empty() && part != ".") {
            if (to > 0) {
                path[to++] = '/';
            }
            std::copy_n(path.begin() + static_cast<std::ptrdiff_t>(from), part.size(),
                        path.begin() + static_cast<std::ptrdiff_t>(to));
            to += part.size();
        }
        from = end + 1;
    }
    path.resize(to);
}

}  // namespace

UrlPath ParseUrlPath(Bytes target, std::string& scratch) {
    if (size_t size = 0; IsPlain(target, size)) {
        Bytes name = target.substr(1, size - 1);
        if (target[size - 1] != '/') {
            return {UrlPath::Kind::kFile, name};
        }
        name.remove_suffix(name.empty() ? 0 : 1);
        return {UrlPath::Kind::kFolder, name};
    }
    Bytes path = PathOf(target);
    if (path.empty()) {
        return {};
    }
    if (path.find('%') != Bytes::npos) {
        if (!Decode(path, scratch)) {
            return {};
        }
        path = scratch;
    }
    if (path.find("..") != Bytes::npos) {
        return {UrlPath::Kind::kUp, {}};
    }
    if (path.find('\0') != Bytes::npos || path.find('\\') != Bytes::npos) {
        return {};
    }
    const bool folder =
        path.back() == '/' || (path.size() >= 2 && path.substr(path.size() - 2) == "/.");
    if (!IsClean(path)) {
        if (path.data() != scratch.data()) {
            scratch.assign(path);
        }
        Clean(scratch);
        return {folder ? UrlPath::Kind::kFolder : UrlPath::Kind::kFile, scratch};
    }
    path.remove_prefix(1);
    if (folder && !path.empty()) {
        path.remove_suffix(1);
    }
    return {folder ? UrlPath::Kind::kFolder : UrlPath::Kind::kFile, path};
}

std::string EncodeUrlPath(Bytes name) {
    static constexpr Bytes kPlain = "-_.~!$&'()*+,;=:@/";
    static constexpr char kHex[] = "0123456789ABCDEF";
    std::string out = "/";
    for (const char c : name) {
        const bool letter =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (letter || kPlain.find(c) != Bytes::npos) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
    return out;
}

Bytes ExtensionOf(Bytes name) {
    const size_t slash = name.rfind('/');
    const Bytes last = slash == Bytes::npos ? name : name.substr(slash + 1);
    const size_t dot = last.rfind('.');
    return dot == Bytes::npos ? Bytes() : last.substr(dot + 1);
}

}  // namespace rr::files
