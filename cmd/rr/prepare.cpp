#include "cmd/rr/prepare.hpp"

#include <algorithm>

#include "core/base/process.hpp"
#include "core/config/dotenv.hpp"

namespace rr::cmd {

namespace {

Result<std::string> LoadDotenv(const Options& options, const std::string& directory) {
    // Set at all, even empty, the variable wins over the flag, as in RoadRunner.
    const char* variable = process::Variable("DOTENV_PATH");
    std::string path = variable != nullptr ? variable : options.dotenv;
    if (path.empty()) {
        return path;
    }
    if (Result<void> applied = config::ApplyDotenv(path); !applied) {
        return Forward(applied);
    }
    return process::Absolute(path, directory);
}

}  // namespace

Result<Surroundings> Prepare(const Options& options, const std::string& argv0) {
    Surroundings around;
    around.executable = process::ExecutablePath(argv0);
    around.environment = process::Environment();
    if (options.config.empty()) {
        return Fail(Errc::kInvalid, "no configuration file provided");
    }
    around.directory = process::Directory();
    if (!options.work_dir.empty()) {
        around.directory = process::Absolute(options.work_dir, around.directory);
        if (auto moved = process::ChangeDirectory(options.work_dir); !moved) {
            return Forward(moved);
        }
    }
    around.config_file = process::Absolute(options.config, around.directory);
    if (options.work_dir.empty()) {
        size_t slash = around.config_file.rfind('/');
        around.directory = slash == 0 ? "/" : around.config_file.substr(0, slash);
        if (auto moved = process::ChangeDirectory(around.directory); !moved) {
            return Forward(moved);
        }
    }
    Result<std::string> dotenv = LoadDotenv(options, around.directory);
    if (!dotenv) {
        return Forward(dotenv);
    }
    around.dotenv = *dotenv;
    for (const std::string& entry : process::Environment()) {
        if (std::find(around.environment.begin(), around.environment.end(), entry) ==
            around.environment.end()) {
            around.dotenv_names.push_back(entry.substr(0, entry.find('=')));
        }
    }
    return around;
}

std::vector<std::string> SuccessorArguments(const std::vector<std::string>& arguments,
                                            const Options& options,
                                            const Surroundings& surroundings) {
    // Later flags win: what was given relative is given again, absolute.
    std::vector<std::string> absolute = {"--config=" + surroundings.config_file};
    if (!options.work_dir.empty()) {
        absolute.push_back("--WorkDir=" + surroundings.directory);
    }
    std::vector<std::string> all = arguments;
    for (const std::string& flag : absolute) {
        std::erase(all, flag);  // of the replacement before this one
    }
    auto end_of_flags = std::find(all.begin(), all.end(), "--");
    all.insert(end_of_flags, absolute.begin(), absolute.end());
    return all;
}

}  // namespace rr::cmd
