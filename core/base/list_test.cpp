#include "core/base/list.hpp"

#include <memory>
#include <string>

#include <catch2/catch.hpp>

namespace rr {
namespace {

struct Item : Linked {
    explicit Item(char n) : name(n) {}
    char name;
};

std::string Names(List<Item>& list) {
    std::string names;
    list.Each([&names](Item& item) { names += item.name; });
    return names;
}

}  // namespace

TEST_CASE("list: a touched object moves behind all others") {
    Item a('a');
    Item b('b');
    Item c('c');
    List<Item> list;
    list.Touch(a);
    list.Touch(b);
    list.Touch(c);
    list.Touch(a);
    REQUIRE(Names(list) == "bca");
    REQUIRE(list.front().name == 'b');
    list.Each([](Item& item) { item.Unlink(); });
    REQUIRE(list.empty());
}

TEST_CASE("list: an object leaves its list when it dies or joins another") {
    List<Item> list;
    List<Item> other;
    auto a = std::make_unique<Item>('a');
    auto b = std::make_unique<Item>('b');
    list.Touch(*a);
    list.Touch(*b);
    a.reset();
    REQUIRE(Names(list) == "b");
    other.Touch(*b);
    REQUIRE(list.empty());
    REQUIRE(Names(other) == "b");
    b.reset();
    REQUIRE(other.empty());
}

}  // namespace rr
