#include "plugins/reload/watcher.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include <catch2/catch.hpp>

#include "plugins/reload/defaults.hpp"

using namespace rr;
using namespace rr::reload;
namespace fs = std::filesystem;

namespace {

class Place {
public:
    Place() {
        char name[] = "/tmp/rr-reload-XXXXXX";
        REQUIRE(mkdtemp(name) != nullptr);
        root = name;
    }
    ~Place() {
        watcher.reset();
        fs::remove_all(root);
    }
    void Write(const std::string& name, const std::string& text = "<?php") const {
        fs::create_directories(fs::path(root + "/" + name).parent_path());
        std::ofstream(root + "/" + name) << text;
    }
    void Service(const std::string& plugin, const std::string& dir) {
        ReloadConfig::Service service;
        service.plugin = plugin;
        service.rules.dirs = {root + "/" + dir};
        service.rules.recursive = true;
        service.rules.patterns = {".php"};
        fs::create_directories(service.rules.dirs[0]);
        services.push_back(std::move(service));
    }
    void Watch() {
        watcher.emplace(
            loop, std::chrono::milliseconds(50), services, log::Logger(),
            [this](std::vector<Bursts::Touched> touched) { bursts.push_back(std::move(touched)); });
    }
    bool Burst() {
        return loop.RunUntil([this] { return !bursts.empty(); }, std::chrono::seconds(10));
    }

    Loop loop{"test"};
    std::string root;
    std::vector<ReloadConfig::Service> services;
    std::vector<std::vector<Bursts::Touched>> bursts;
    std::optional<Watcher> watcher;
};

}  // namespace

TEST_CASE("reload: many files at once are one burst, of the services whose they are") {
    Place p;
    p.Service("http", "web");
    p.Service("tcp", "lines");
    p.Watch();
    for (int i = 0; i < 100; ++i) {
        p.Write("web/" + std::to_string(i) + ".php");
    }
    REQUIRE(p.Burst());
    REQUIRE(p.bursts.size() == 1);
    REQUIRE(p.bursts[0].size() == 1);
    REQUIRE(p.bursts[0][0].service == 0);
    REQUIRE(p.bursts[0][0].changes >= 100);
    REQUIRE(p.bursts[0][0].first == p.root + "/web/0.php");
    p.bursts.clear();
    p.Write("lines/a.php");
    REQUIRE(p.Burst());
    REQUIRE(p.bursts[0][0].service == 1);
}

TEST_CASE("reload: --watch sees Composer at work, and nothing else of vendor") {
    Place p;
    p.Write("src/a.php");
    p.Write("vendor/acme/lib/src/b.php");
    p.Write("vendor/autoload.php");
    p.services.push_back({"", WatchDefaults(p.root, {})});
    p.Watch();
    REQUIRE(p.watcher->folders() == 3);  // the directory, src, vendor
    p.Write("vendor/acme/lib/src/b.php", "more");
    p.Write("node_modules/x/y.php");
    p.Write("vendor/composer/installed.php");
    REQUIRE(p.Burst());
    REQUIRE(p.bursts[0][0].first == p.root + "/vendor/composer/installed.php");
}
