// How often a test program has asked for memory: for tests of what is to run without. Only in programs
// with allocations_for_test.cpp among their sources.
#pragma once

#include <cstddef>

namespace rr {

size_t AllocationsSoFar();

}  // namespace rr
