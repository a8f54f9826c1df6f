// Values of a query string, read as Go reads them: `+` is a blank, %41 a byte, pairs with a broken
// escape or a semicolon are skipped.
//
// Thread: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rr::web {

// Every value of `name`, in the order they were sent: `?plugin=a&plugin=b`.
std::vector<std::string> QueryValues(std::string_view query, std::string_view name);

}  // namespace rr::web
