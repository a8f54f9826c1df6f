#include "core/base/json_text.hpp"

#include <string>

#include <catch2/catch.hpp>

namespace rr {
namespace {

std::string Json(Bytes text) {
    Buffer out;
    AppendJsonString(text, out);
    return std::string(out.view());
}

}  // namespace

TEST_CASE("json text: strings of every length, with an escape at every place") {
    const std::string plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (size_t size = 0; size <= plain.size(); ++size) {
        const std::string text = plain.substr(0, size);
        REQUIRE(Json(text) == '"' + text + '"');
        for (size_t at = 0; at < size; ++at) {
            for (const auto& [special, escaped] :
                 {std::pair<const char*, const char*>{"\"", "\\\""},
                  {"\n", "\\n"},
                  {"<", "\\u003c"},
                  {"\x01", "\\u0001"},
                  {"\xff", "\\ufffd"}}) {
                const std::string before = text.substr(0, at);
                const std::string behind = text.substr(at + 1);
                REQUIRE(Json(before + special + behind) == '"' + before + escaped + behind + '"');
                REQUIRE(Json(before + special + behind + special) ==
                        '"' + before + escaped + behind + escaped + '"');
            }
        }
    }
}

}  // namespace rr
