#include "plugins/kv/config.hpp"

#include <algorithm>
#include <utility>

#include "core/config/config.hpp"
#include "plugins/kv/lmdb/lmdb_store.hpp"
#include "plugins/kv/memory/memory_store.hpp"

namespace rr::kv {
namespace {

constexpr DriverRow kDrivers[] = {
    {"memory", &MakeMemoryStore},
    {"boltdb", &MakeLmdbStore},  // RoadRunner's name; the same driver
    {"lmdb", &MakeLmdbStore},
};

std::string Names() {
    std::string names;
    for (const DriverRow& row : kDrivers) {
        names.append(names.empty() ? "" : ", ").append(row.name);
    }
    return names;
}

const DriverRow* FindDriver(std::string_view name) {
    const auto* found = std::find_if(std::begin(kDrivers), std::end(kDrivers),
                                     [name](const DriverRow& row) { return row.name == name; });
    return found == std::end(kDrivers) ? nullptr : found;
}

// Where the driver's own keys stand.
config::Section DriverSection(config::Config& config, const std::string& name,
                              const config::Section& storage) {
    if (storage.Has("config")) {
        return storage.Sub("config");
    }
    const config::Section global = config.Get(name);
    if (!global.present()) {
        storage.Warning("driver", "neither `config` here nor a section `" + name +
                                      "` is there: the driver's defaults hold");
        return storage.Sub("config");
    }
    return global;
}

}  // namespace

std::span<const DriverRow> Drivers() { return kDrivers; }

Storages ParseStorages(config::Config& config, Loop& loop, log::Logger log,
                       const std::string& directory) {
    Storages storages;
    for (const auto& [name, section] : config.Get("kv").Children()) {
        const std::string driver = section.String("driver", "");
        if (driver.empty()) {
            section.Ignored("config", "");
            section.Problem("",
                            "could not find mandatory driver field in the " + name + " storage");
            continue;
        }
        const DriverRow* row = FindDriver(driver);
        if (row == nullptr) {
            section.Ignored("config", "");
            section.Warning("driver", "no driver is called `" + driver +
                                          "`, the storage is not there; drivers: " + Names());
            continue;
        }
        auto storage = std::make_unique<Storage>();
        storage->name = name;
        storage->driver = driver;
        storage->store =
            row->make(DriverSection(config, name, section), {loop, log, name, directory});
        storages.push_back(std::move(storage));
    }
    return storages;
}

}  // namespace rr::kv
