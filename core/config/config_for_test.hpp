// A configuration from a text that is right; for tests.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

namespace rr::config {

inline std::unique_ptr<Config> Read(std::string_view text,
                                    std::vector<std::string> overrides = {}) {
    Result<std::unique_ptr<Config>> config =
        Config::FromText(text, ".rr.yaml", std::move(overrides));
    INFO((config ? "" : config.error().message));
    REQUIRE(config.has_value());
    return std::move(*config);
}

}  // namespace rr::config
