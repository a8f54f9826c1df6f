// How often the test program has asked for memory; counted in warm_test.cpp.
#pragma once

#include <cstddef>

namespace rr::http {

size_t AllocationsSoFar();

}  // namespace rr::http
