#include "cmd/rr/table.hpp"

#include <catch2/catch.hpp>

using namespace rr::cmd;
using Lines = std::vector<std::string>;

TEST_CASE("table: boxes as RoadRunner 2025.1 draws them") {
    Table table;
    table.columns = {{"PID"}, {"STATUS"}, {"EXECS"}, {"MEMORY"}, {"CPU %"}, {"CREATED"}};
    table.rows = {{{"28649"}, {"ready", 36}, {"4"}, {"29 MB"}, {"1.17"}, {"2 seconds ago"}},
                  {{"28650"}, {"working", 32}, {"4"}, {"29 MB"}, {"1.17"}, {"2 seconds ago"}}};
    REQUIRE(table.Boxed(false) ==
            Lines{"┌───────┬─────────┬───────┬────────┬───────┬───────────────┐",
                  "│  PID  │ STATUS  │ EXECS │ MEMORY │ CPU % │    CREATED    │",
                  "├───────┼─────────┼───────┼────────┼───────┼───────────────┤",
                  "│ 28649 │ ready   │ 4     │ 29 MB  │ 1.17  │ 2 seconds ago │",
                  "│ 28650 │ working │ 4     │ 29 MB  │ 1.17  │ 2 seconds ago │",
                  "└───────┴─────────┴───────┴────────┴───────┴───────────────┘"});
    REQUIRE(table.Width() == 60);
    REQUIRE(table.Boxed(true)[3].find("│ \x1b[36mready\x1b[0m   │") != std::string::npos);
    table.Drop(5);
    REQUIRE(table.Width() == 44);
    REQUIRE(table.rows[0].size() == 5);
}

TEST_CASE("table: lines of dashes as 1.x draws them, numbers at the right") {
    Table table;
    table.columns = {
        {"PID", 7, true}, {"STATUS", 9}, {"EXECS", 7, true}, {"MEMORY", 7}, {"CREATED", 18}};
    table.rows = {{{"9440"}, {"ready"}, {"42,320"}, {"31 MB"}, {"22 minutes ago"}}};
    REQUIRE(table.Ascii() ==
            Lines{"+---------+-----------+---------+---------+--------------------+",
                  "|   PID   |  STATUS   |  EXECS  | MEMORY  |      CREATED       |",
                  "+---------+-----------+---------+---------+--------------------+",
                  "|    9440 | ready     |  42,320 | 31 MB   | 22 minutes ago     |",
                  "+---------+-----------+---------+---------+--------------------+"});
}

TEST_CASE("table: a long cell is broken at blanks, and its neighbours stay empty below") {
    Table table;
    table.columns = {{"PID"}, {"MEMORY"}, {"CPU %"}, {"COMMAND"}};
    table.rows = {{{"1"},
                   {"2 MB"},
                   {"0.10"},
                   {"/usr/bin/php artisan queue:work --sleep=3 --tries=3 --max-time=3600"}}};
    table.Wrap();
    REQUIRE(table.rows.size() == 2);
    REQUIRE(table.rows[0][3].text == "/usr/bin/php artisan queue:work");
    REQUIRE(table.rows[1][3].text == "--sleep=3 --tries=3 --max-time=3600");
    REQUIRE(table.rows[1][0].text.empty());
}
