#include "core/pool/proc_text.hpp"

#include <catch2/catch.hpp>

namespace rr::pool {

using Where = SyscallText::Where;

TEST_CASE("proc text: a process's state stands behind its name, whatever that is") {
    REQUIRE(ParseStat("12 (php) S 1 12").state == 'S');
    StatText odd = ParseStat("12 (a) R (b) D 1 12");
    REQUIRE(odd.state == 'D');
    REQUIRE(odd.name == "a) R (b");
    for (const char* text : {"", "12", "12 (php", "12 (php)", "12 php) S", ")(", "12 (php) "}) {
        CAPTURE(text);
        REQUIRE(ParseStat(text).state == '\0');
    }
}

TEST_CASE("proc text: a system call with its arguments") {
    SyscallText call = ParseSyscall("7 0x7ffc1 0x1 0x3e8 0x0 0x0 0xffffffffffffffff 0x7ffc 0x7f\n");
    REQUIRE(call.where == Where::kInside);
    REQUIRE(call.number == 7);
    REQUIRE(call.argument == std::array<uint64_t, 6>{0x7ffc1, 1, 1000, 0, 0, UINT64_MAX});
    REQUIRE(ParseSyscall("running\n").where == Where::kRunning);
    REQUIRE(ParseSyscall("-1 0x7ffc 0x7f\n").where == Where::kOutside);
    for (const char* text : {"", "\n", "7", "7 0x1 0x2", "x 0x1 0x2 0x3 0x4 0x5 0x6",
                             "7 1 2 3 4 5 6", "7 0x 0x2 0x3 0x4 0x5 0x6"}) {
        CAPTURE(text);
        REQUIRE(ParseSyscall(text).where == Where::kUnknown);
    }
}

TEST_CASE("proc text: the peak of a process's memory") {
    REQUIRE(ParsePeakMemory("Name:\tphp\nVmHWM:\t    1660 kB\nVmRSS:\t 1 kB\n") == 1660 * 1024);
    REQUIRE(ParsePeakMemory("Name:\tVmHWM: 5 kB\nThreads: 1\n") == 0);
    REQUIRE(ParsePeakMemory("VmHWM:\n") == 0);
    REQUIRE(ParsePeakMemory("VmHWM: 99999999999999999999 kB\n") == 0);
    REQUIRE(ParsePeakMemory("VmHWM: 18446744073709551615 kB\n") == 0);
}

TEST_CASE("proc text: sockets, what an epoll watches, children") {
    REQUIRE(ParseSocketLink("socket:[1234]") == 1234);
    REQUIRE_FALSE(ParseSocketLink("socket:[]"));
    REQUIRE_FALSE(ParseSocketLink("socket:[12"));
    REQUIRE_FALSE(ParseSocketLink("/tmp/socket:[12]"));
    const char* watched =
        "pos:\t0\nflags:\t02\ntfd:        5 events:  19 data: 5\ntfd:       16 events: 1 data: 1\n";
    REQUIRE(ParseWatched(watched, 8) == std::vector<int>{5, 16});
    REQUIRE(ParseWatched(watched, 1) == std::vector<int>{5});
    REQUIRE(ParseWatched("tfd:", 8).empty());
    REQUIRE(ParseFirstChild("4711 4712 \n") == 4711);
    REQUIRE(ParseFirstChild("") == 0);
    REQUIRE(ParseFirstChild("-1") == 0);
}

TEST_CASE("proc text: a line of the list of sockets") {
    auto four = ParseSocketLine(
        "   1: 0100007F:B2C4 0100007F:18EB 02 00000001:00000000 01:00000032 00000000  1000        "
        "0 "
        "98765 2 0000000000000000 20 0 0 10 -1");
    REQUIRE(four);
    REQUIRE(four->inode == 98765);
    REQUIRE(four->address == "127.0.0.1:6379");
    REQUIRE_FALSE(four->listening);
    auto six = ParseSocketLine(
        "   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A "
        "00000000:00000000 00:00000000 00000000     0        0 7 1 0000000000000000 100 0 0 10 0");
    REQUIRE(six);
    REQUIRE(six->address == "[::1]:8080");
    REQUIRE(six->listening);
    for (const char* text :
         {"",
          "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
          "timeout inode",
          "1: 0100007F:B2C4 0100007F:18EB 02 0:0 0:0 0 0 0", "1: a:1 b:2 02 0:0 0:0 0 0 0 5"}) {
        CAPTURE(text);
        REQUIRE_FALSE(ParseSocketLine(text));
    }
}

}  // namespace rr::pool
