// Cells: numbers and times as RoadRunner's tables write them.
//
// Thread: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.hpp"

namespace rr::cmd {

// 1,234,567
std::string WithCommas(uint64_t number);

// 29 MB, 1.8 MB, 7 B: powers of 1000.
std::string MemorySize(uint64_t bytes);

// `now`, `2 seconds ago`, `1 minute ago` ... `a long while ago`.
std::string Age(Duration age);

// 1.17
std::string Percent(double value);

// How long something lasts, for people: 350ms, 1.2s, 2m05s, 3h20m.
std::string Lasting(Duration time);

// Without what moves the cursor or changes colours: what other programs said may hold anything.
std::string Harmless(std::string_view text);

// What stands behind RoadRunner's error texts: their operations and line ends on one line.
std::string OneLine(std::string_view text);

// Columns that a text fills in a terminal; one for each character.
size_t DisplayWidth(std::string_view text);
// Lines of at most so many columns, broken at blanks; a longer word widens the limit.
std::vector<std::string> Broken(std::string_view text, size_t columns);
// At most `columns` wide, with … at the end of what was cut.
std::string Shortened(std::string_view text, size_t columns);
// A line with colours, cut at so many columns.
std::string Clipped(std::string_view line, size_t columns);

}  // namespace rr::cmd
