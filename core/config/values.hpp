// Values: the one parser each for durations, sizes, booleans and numbers, and the type that YAML
// gives a plain scalar.
//
// Thread: pure functions.
// Fails:  kInvalid, with a text that names the value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace rr::config {

class Node;

enum class Type : uint8_t { kNull, kBool, kInteger, kFloat, kString };

// The type that RoadRunner's YAML reader sees: quoted scalars and yes, no, on, off are strings.
Type ScalarType(const Node& scalar);

// The text that RoadRunner hands to a string key: plain booleans become 1 and 0, plain numbers
// lose underscores, bases and trailing zeros.
std::string ScalarText(const Node& scalar);

// true, false, t, f, 1, 0, yes, no, on, off in any case.
Result<bool> ParseBool(std::string_view text);

// Decimal, 0x, 0b, octal as 0o755 and 0755, with underscores between digits.
Result<int64_t> ParseInteger(std::string_view text);

Result<double> ParseNumber(std::string_view text);
std::string FormatNumber(double value);

// Go's syntax: 1h2m3.5s, 500ms, us, ns. A number without a unit fails, but for 0.
Result<Duration> ParseDuration(std::string_view text);
// As Go prints it: 1m30s, 1.5s, 250ms.
std::string FormatDuration(Duration value);

// 16KB, 64MB, 1GB or bare bytes; K, M, G, T are powers of 1024, `B` and `iB` may be left out.
Result<int64_t> ParseSize(std::string_view text);

std::string LowerCase(std::string_view text);
// Without blanks, tabs and line ends at either side.
std::string_view Trim(std::string_view text);

}  // namespace rr::config
