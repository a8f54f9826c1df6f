#include "plugins/reload/bursts.hpp"

#include <catch2/catch.hpp>

using namespace rr;
using namespace rr::reload;
using std::chrono::milliseconds;

static Instant At(int ms) { return Instant() + milliseconds(ms); }

TEST_CASE("reload: a burst is over when nothing has changed for the quiet time") {
    Bursts bursts(milliseconds(1000));
    REQUIRE(bursts.empty());
    bursts.Touch(0, "/a.php", At(0));
    REQUIRE(bursts.Left(At(999)) == milliseconds(1));
    bursts.Touch(0, "/b.php", At(900));
    REQUIRE(bursts.Left(At(1000)) == milliseconds(900));
    REQUIRE(bursts.Left(At(1900)) == Duration::zero());
    auto due = bursts.Take();
    REQUIRE(due.size() == 1);
    REQUIRE(due[0].changes == 2);
    REQUIRE(due[0].first == "/a.php");
    REQUIRE(bursts.empty());
}

TEST_CASE("reload: a change of one service holds back the others, as in RoadRunner") {
    Bursts bursts(milliseconds(1000));
    bursts.Touch(1, "/a.php", At(0));
    bursts.Touch(0, "/b.php", At(500));
    REQUIRE(bursts.Left(At(1000)) == milliseconds(500));
    auto due = bursts.Take();
    REQUIRE(due.size() == 2);
    REQUIRE(due[0].service == 1);
    REQUIRE(due[1].service == 0);
}
