#include "core/files/sniff.hpp"

#include <string>

#include <catch2/catch.hpp>

using namespace rr::files;
using namespace std::string_literals;

namespace {

std::string Type(const std::string& data) { return std::string(DetectContentType(data)); }

}  // namespace

TEST_CASE("sniff: text, JSON and nothing are plain text") {
    REQUIRE(Type("") == "text/plain; charset=utf-8");
    REQUIRE(Type("Hello World!") == "text/plain; charset=utf-8");
    REQUIRE(Type(R"({"a":1})") == "text/plain; charset=utf-8");
    REQUIRE(Type("\x1b[0m \xff\xfe") == "text/plain; charset=utf-8");
    REQUIRE(Type("caf\xc3\xa9") == "text/plain; charset=utf-8");
}

TEST_CASE("sniff: HTML needs a tag and something behind it") {
    for (const char* html :
         {"<!DOCTYPE html>", " \n\t<hTmL >", "<b>", "<p ", "<!-->", "<a>x", "\r\n<script>"}) {
        REQUIRE(Type(html) == "text/html; charset=utf-8");
    }
    for (const char* text : {"<", "<b", "<bx>", "<p/>", "<html", "x<b>"}) {
        REQUIRE(Type(text) == "text/plain; charset=utf-8");
    }
    REQUIRE(Type(" <?xml version") == "text/xml; charset=utf-8");
}

TEST_CASE("sniff: signatures of files") {
    const std::pair<std::string, const char*> table[] = {
        {"%PDF-1.4", "application/pdf"},
        {"%!PS-Adobe-3", "application/postscript"},
        {"\xFE\xFF\0a"s, "text/plain; charset=utf-16be"},
        {"\xFF\xFE"
         "a\0"s,
         "text/plain; charset=utf-16le"},
        {"\xEF\xBB\xBF"
         "a",
         "text/plain; charset=utf-8"},
        {"\0\0\1\0"s, "image/x-icon"},
        {"\0\0\2\0"s, "image/x-icon"},
        {"BMxx", "image/bmp"},
        {"GIF87a..", "image/gif"},
        {"GIF89a..", "image/gif"},
        {"RIFFxxxxWEBPVP8 ", "image/webp"},
        {"\x89PNG\r\n\x1A\n", "image/png"},
        {"\xFF\xD8\xFF", "image/jpeg"},
        {"FORMxxxxAIFF", "audio/aiff"},
        {"ID3x", "audio/mpeg"},
        {"OggS\0"s, "application/ogg"},
        {"MThd\0\0\0\6x"s, "audio/midi"},
        {"RIFFxxxxAVI x", "video/avi"},
        {"RIFFxxxxWAVEx", "audio/wave"},
        {"\0\0\0\x18"
         "ftypmp42\0\0\0\0mp42isom"s,
         "video/mp4"},
        {"\0\0\0\x14"
         "ftypisom\0\0\0\0mp41"s,
         "video/mp4"},
        {"\x1A\x45\xDF\xA3", "video/webm"},
        {std::string(34, 'x') + "LP", "application/vnd.ms-fontobject"},
        {"\0\1\0\0"s, "font/ttf"},
        {"OTTO", "font/otf"},
        {"ttcf", "font/collection"},
        {"wOFF", "font/woff"},
        {"wOF2", "font/woff2"},
        {"\x1F\x8B\x08", "application/x-gzip"},
        {"PK\3\4", "application/zip"},
        {"Rar!\x1A\7\0"s, "application/x-rar-compressed"},
        {"Rar!\x1A\7\1\0"s, "application/x-rar-compressed"},
        {"\0asm"s, "application/wasm"},
        {"\1\2\3", "application/octet-stream"},
        {"text\0text"s, "application/octet-stream"},
        {"\0\0\0\x18"
         "ftypisom\0\0\0\0"s,
         "application/octet-stream"},
    };
    for (const auto& [data, type] : table) {
        INFO(type);
        REQUIRE(Type(data) == type);
    }
}

TEST_CASE("sniff: only 512 bytes count") {
    REQUIRE(Type(std::string(512, 'a') + "\1") == "text/plain; charset=utf-8");
    REQUIRE(Type(std::string(511, 'a') + "\1") == "application/octet-stream");
}
