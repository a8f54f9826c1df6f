#include "core/base/self_usage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "core/base/time.hpp"

using namespace rr;

TEST_CASE("self usage: the process has memory, descriptors and a start in the past") {
    const process::SelfUsage usage = process::ReadSelfUsage();
    REQUIRE(usage.resident_bytes > 0);
    REQUIRE(usage.virtual_bytes >= usage.resident_bytes);
    REQUIRE(usage.max_descriptors >= usage.open_descriptors);
    const double now = static_cast<double>(UnixNanoseconds()) / 1e9;
    REQUIRE(usage.start_unix_seconds > now - 3600);
    REQUIRE(usage.start_unix_seconds < now + 2);
    REQUIRE(usage.cpu_seconds >= 0);
}

TEST_CASE("self usage: an open file is counted") {
    const uint64_t before = process::ReadSelfUsage().open_descriptors;
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    REQUIRE(process::ReadSelfUsage().open_descriptors == before + 1);
    close(fd);
    REQUIRE(process::ReadSelfUsage().open_descriptors == before);
}
