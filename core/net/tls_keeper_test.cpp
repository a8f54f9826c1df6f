#include "core/net/tls_keeper.hpp"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "core/net/tls_for_test.hpp"

using namespace rr;
using namespace rr::net;
using namespace std::chrono_literals;

namespace {

struct Fixture {
    Fixture() {
        folder.Make("live");
        folder.Make("next");
        auto opened = keeper.Open("here", folder.Settings("live"),
                                  [this](std::shared_ptr<TlsContext>) { ++used; });
        REQUIRE(opened);
    }
    void Replace(const std::string& with) {
        for (auto path : {&CertificateFolder::Certificate, &CertificateFolder::Key}) {
            std::filesystem::rename((folder.*path)(with), (folder.*path)("live"));
        }
    }
    void Break() { std::ofstream(folder.Certificate("live")) << "no certificate\n"; }

    Loop loop{"test"};
    CertificateFolder folder;
    TlsKeeper keeper{loop};
    int used = 0;
};

}  // namespace

TEST_CASE("tls keeper: a broken file is named, and nothing of it is used") {
    Fixture f;
    REQUIRE(f.keeper.Reload());
    REQUIRE(f.used == 1);
    f.Break();
    auto failed = f.keeper.Reload();
    REQUIRE_FALSE(failed);
    REQUIRE(failed.error().message.starts_with("here: " + f.folder.Certificate("live")));
    REQUIRE(f.used == 1);
    f.Replace("next");
    REQUIRE(f.keeper.Reload());
    REQUIRE(f.used == 2);
}

TEST_CASE("tls keeper: files that were replaced are read once, and the reading is told") {
    Fixture f;
    std::vector<bool> told;
    f.keeper.Watch(1ms, [&told](std::string_view name, const Result<void>& result) {
        REQUIRE(name == "here");
        told.push_back(result.has_value());
    });
    f.Break();
    REQUIRE(f.loop.RunUntil([&told] { return told.size() == 1; }));
    REQUIRE_FALSE(told[0]);
    f.Replace("next");
    REQUIRE(f.loop.RunUntil([&f] { return f.used == 1; }));
    REQUIRE(told.back());
    size_t count = told.size();
    bool later = false;
    Timer timer(f.loop, [&later] { later = true; });
    timer.Arm(20ms);
    REQUIRE(f.loop.RunUntil([&later] { return later; }));
    REQUIRE(told.size() == count);
    std::filesystem::remove(f.folder.Key("live"));
    REQUIRE(f.loop.RunUntil([&told, count] { return told.size() == count + 1; }));
    REQUIRE_FALSE(told.back());
    REQUIRE(f.used == 1);
}

TEST_CASE("tls keeper: one that is broken does not hold up another") {
    Fixture f;
    f.folder.Make("other");
    int others = 0;
    REQUIRE(f.keeper.Open("there", f.folder.Settings("other"),
                          [&others](std::shared_ptr<TlsContext>) { ++others; }));
    f.Break();
    REQUIRE_FALSE(f.keeper.Reload());
    REQUIRE(f.used == 0);
    REQUIRE(others == 1);
}
