// Config: the whole configuration after files, environment, overrides and translation of the 1.x
// shape; a tree with lower-case keys in which every value knows the file and line it came from.
//
// Thread: main, before Serve; immutable afterwards.
// Fails:  Load returns every problem that makes reading impossible, one per line.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/callback.hpp"
#include "core/base/result.hpp"
#include "core/config/section.hpp"

namespace rr::config {

struct LoadOptions {
    std::string file;                    // absolute path of the main file
    std::vector<std::string> overrides;  // of -o, each `key=value`
    std::string json;                    // of -j (1.x): a JSON document laid over everything
    bool experimental = false;           // -e: honour `envfile`
};

class Config {
public:
    // Reads, expands, includes, overrides, translates. The environment (dotenv included) is the
    // process's own at the time of the call.
    static Result<std::unique_ptr<Config>> Load(const LoadOptions& options);
    // For tests: the text of one file named `name`.
    static Result<std::unique_ptr<Config>> FromText(std::string_view text,
                                                    std::string_view name = ".rr.yaml",
                                                    std::vector<std::string> overrides = {});
    ~Config();

    // A top-level section; absent ones give !present().
    Section Get(std::string_view name);

    // True if the file had RoadRunner 1.x's shape and was translated.
    bool legacy() const;

    // Tells the config that a top-level section is known though nobody reads it.
    void Known(std::string_view top_level_key);

    // Runs `check` once every plugin was initialised: for keys whose values other plugins explain.
    // Its warnings and problems count like those of Init.
    void AfterInit(Callback<void()> check);

    // To be called after every plugin's Init: runs the checks, adds the unknown keys to the warnings. With strict
    // they become problems.
    void Finish(bool strict = false);

    // `file:line: key: what is wrong`, in file order.
    const std::vector<std::string>& problems() const;
    const std::vector<std::string>& warnings() const;

    // The merged tree as JSON, keys in order, without empty maps (rpc.Config).
    std::string ToJson() const;

    struct State;  // state.hpp, for this folder only

private:
    friend class Section;
    Config();
    std::unique_ptr<State> state_;
};

}  // namespace rr::config
