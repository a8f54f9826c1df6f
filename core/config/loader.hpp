// Loader: the way from files, environment and command line to one tree.
//
//   version 3   file, variables, -o, version check, includes (whole sections replace), -o again, -j
//   1.x         file, includes (deep merge), RR_*, variables (whole values), -o, -j, translation
//
// Thread: main, once.
// Fails:  kConfig with every problem that makes reading impossible, one per line.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/expand.hpp"
#include "core/config/override.hpp"
#include "core/config/state.hpp"

namespace rr::config {

class Loader {
public:
    Loader(const LoadOptions& options, Config::State& state);

    Result<void> LoadFile();
    Result<void> LoadText(std::string_view text);

private:
    std::shared_ptr<const Source> NewSource(std::string name, Source::Kind kind);
    Result<void> Failed() const;  // with all that was reported

    void LoadEnvfile();
    void LoadVersion3();
    void LoadLegacy();
    bool MayBeLegacy() const;
    bool CheckVersion(const Node& root, const Node* expected);
    void ApplyOverrides();
    void LayJsonOver();
    void ReplaceByIncludes();
    void MergeIncludes();

    struct Include {
        std::string name;
        Node root;
    };
    // The files that `include` names, read; problems are reported.
    std::vector<Include> ReadIncludes();

    const LoadOptions& options_;
    Config::State& state_;
    Node& root_;
    Report& report_;
    Environment environment_ = ProcessEnvironment();
    std::vector<Override> overrides_;
    std::shared_ptr<const Source> override_source_;
    int sources_ = 0;
};

}  // namespace rr::config
