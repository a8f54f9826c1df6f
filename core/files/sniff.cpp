#include "core/files/sniff.hpp"

#include <algorithm>
#include <cstdint>

namespace rr::files {
namespace {

using namespace std::string_view_literals;

// Tags in upper case; behind them a blank or `>` must follow.
constexpr Bytes kHtml[] = {
    "<!DOCTYPE HTML", "<HTML", "<HEAD",  "<SCRIPT", "<IFRAME", "<H1",   "<DIV", "<FONT",
    "<TABLE",         "<A",    "<STYLE", "<TITLE",  "<B",      "<BODY", "<BR",  "<P",
    "<!--",
};

// A pattern at the start; `.` in `mask` means that the byte does not matter, and bytes beyond the
// mask's end count.
struct Signature {
    Bytes pattern;
    Bytes mask;
    Bytes type;
};
constexpr Signature kSignatures[] = {
    {"%PDF-", "", "application/pdf"},
    {"%!PS-Adobe-", "", "application/postscript"},
    {"\xFE\xFF\0\0"sv, "xx..", "text/plain; charset=utf-16be"},
    {"\xFF\xFE\0\0"sv, "xx..", "text/plain; charset=utf-16le"},
    {"\xEF\xBB\xBF\0"sv, "xxx.", "text/plain; charset=utf-8"},
    {"\0\0\1\0"sv, "", "image/x-icon"},
    {"\0\0\2\0"sv, "", "image/x-icon"},
    {"BM", "", "image/bmp"},
    {"GIF87a", "", "image/gif"},
    {"GIF89a", "", "image/gif"},
    {"RIFF\0\0\0\0WEBPVP"sv, "xxxx....", "image/webp"},
    {"\x89PNG\r\n\x1A\n", "", "image/png"},
    {"\xFF\xD8\xFF", "", "image/jpeg"},
    {"FORM\0\0\0\0AIFF"sv, "xxxx....", "audio/aiff"},
    {"ID3", "", "audio/mpeg"},
    {"OggS\0"sv, "", "application/ogg"},
    {"MThd\0\0\0\6"sv, "", "audio/midi"},
    {"RIFF\0\0\0\0AVI "sv, "xxxx....", "video/avi"},
    {"RIFF\0\0\0\0WAVE"sv, "xxxx....", "audio/wave"},
};
constexpr Signature kLaterSignatures[] = {
    {"\x1A\x45\xDF\xA3", "", "video/webm"},
    {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0LP"sv,
     "..................................", "application/vnd.ms-fontobject"},
    {"\0\1\0\0"sv, "", "font/ttf"},
    {"OTTO", "", "font/otf"},
    {"ttcf", "", "font/collection"},
    {"wOFF", "", "font/woff"},
    {"wOF2", "", "font/woff2"},
    {"\x1F\x8B\x08", "", "application/x-gzip"},
    {"PK\3\4", "", "application/zip"},
    {"Rar!\x1A\7\0"sv, "", "application/x-rar-compressed"},
    {"Rar!\x1A\7\1\0"sv, "", "application/x-rar-compressed"},
    {"\0asm"sv, "", "application/wasm"},
};

bool Matches(const Signature& signature, Bytes data) {
    if (data.size() < signature.pattern.size()) {
        return false;
    }
    for (size_t i = 0; i < signature.pattern.size(); ++i) {
        bool counts = i >= signature.mask.size() || signature.mask[i] != '.';
        if (counts && data[i] != signature.pattern[i]) {
            return false;
        }
    }
    return true;
}

bool IsHtml(Bytes text) {
    for (Bytes tag : kHtml) {
        if (text.size() <= tag.size()) {
            continue;
        }
        bool same = std::equal(tag.begin(), tag.end(), text.begin(), [](char want, char have) {
            return want == (want >= 'A' && want <= 'Z' ? static_cast<char>(have & 0xdf) : have);
        });
        char next = text[tag.size()];
        if (same && (next == ' ' || next == '>')) {
            return true;
        }
    }
    return false;
}

bool IsMp4(Bytes data) {
    if (data.size() < 12) {
        return false;
    }
    uint32_t box = 0;
    for (size_t i = 0; i < 4; ++i) {
        box = box << 8 | static_cast<unsigned char>(data[i]);
    }
    if (data.size() < box || box % 4 != 0 || data.substr(4, 4) != "ftyp") {
        return false;
    }
    for (size_t at = 8; at < box; at += 4) {
        if (at != 12 && data.substr(at, 3) == "mp4") {  // 12: the major brand's version
            return true;
        }
    }
    return false;
}

bool IsText(Bytes text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        unsigned char b = static_cast<unsigned char>(c);
        return b <= 0x08 || b == 0x0b || (b >= 0x0e && b <= 0x1a) || (b >= 0x1c && b <= 0x1f);
    });
}

}  // namespace

Bytes DetectContentType(Bytes data) {
    data = data.substr(0, kSniffBytes);
    size_t start = std::min(data.find_first_not_of("\t\n\x0c\r "), data.size());
    Bytes text = data.substr(start);
    if (!text.empty() && text[0] == '<') {
        if (IsHtml(text)) {
            return "text/html; charset=utf-8";
        }
        if (text.substr(0, 5) == "<?xml") {
            return "text/xml; charset=utf-8";
        }
    }
    for (const Signature& signature : kSignatures) {
        if (Matches(signature, data)) {
            return signature.type;
        }
    }
    if (IsMp4(data)) {
        return "video/mp4";
    }
    for (const Signature& signature : kLaterSignatures) {
        if (Matches(signature, data)) {
            return signature.type;
        }
    }
    return IsText(text) ? Bytes("text/plain; charset=utf-8") : Bytes("application/octet-stream");
}

}  // namespace rr::files
