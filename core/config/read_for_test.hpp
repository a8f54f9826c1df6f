// A section read from text, with what was said about it; for tests of plugins' parsers.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

namespace rr::config {

template <class Parsed>
struct ReadForTest {
    // text: the file without `version`. parse: of the section `name`.
    ReadForTest(const std::string& text, const char* name, Parsed (*parse)(const Section&)) {
        auto loaded = Config::FromText("version: \"3\"\n" + text);
        REQUIRE(loaded.has_value());
        file = std::move(*loaded);
        config = parse(file->Get(name));
        file->Finish();
    }
    // The lines without `.rr.yaml:N: `.
    static std::string Texts(const std::vector<std::string>& lines) {
        std::string out;
        for (const std::string& line : lines) {
            out += line.substr(line.find(": ") + 2) + "\n";
        }
        return out;
    }
    std::string problems() const { return Texts(file->problems()); }
    std::string warnings() const { return Texts(file->warnings()); }

    std::unique_ptr<Config> file;
    Parsed config;
};

}  // namespace rr::config
