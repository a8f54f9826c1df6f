#include "cmd/rr/validate.hpp"

#include <algorithm>
#include <thread>

#include "cmd/rr/plugins.hpp"
#include "cmd/rr/settings.hpp"
#include "cmd/rr/version.hpp"
#include "core/log/config.hpp"

namespace rr::cmd {

namespace {

std::vector<std::string> Lines(const std::string& text) {
    std::vector<std::string> lines;
    for (size_t at = 0; at < text.size();) {
        size_t end = std::min(text.find('\n', at), text.size());
        if (end > at) {
            lines.push_back(text.substr(at, end - at));
        }
        at = end + 1;
    }
    return lines;
}

}  // namespace

Invocation MakeInvocation(const CommandContext& context) {
    Invocation invocation;
    invocation.config_file = context.around.config_file;
    invocation.directory = context.around.directory;
    invocation.dotenv = context.around.dotenv;
    invocation.dotenv_names = context.around.dotenv_names;
    invocation.version = CompatibleVersion();
    invocation.debug = context.options.debug;
    invocation.verbose = context.options.verbose;
    invocation.watch = context.options.watch;
    invocation.experimental = context.options.experimental;
    return invocation;
}

config::LoadOptions ConfigOptions(const CommandContext& context) {
    config::LoadOptions load;
    load.file = context.around.config_file;
    // Formats of 1.x; an explicit -o comes later and wins.
    if (context.options.log_format == "json") {
        load.overrides.push_back("logs.mode=production");
    }
    load.overrides.insert(load.overrides.end(), context.options.overrides.begin(),
                          context.options.overrides.end());
    load.json = context.options.json_config;
    load.experimental = context.options.experimental;
    return load;
}

std::vector<std::string> InitAll(ServerContainer& container, config::Config& config, bool strict) {
    std::vector<std::string> failed = container.Init(config);
    config.Finish(strict);
    std::vector<std::string> problems = config.problems();
    for (std::string& text : failed) {
        // A plugin may hand back as its error what it already reported with file and line.
        bool known = std::any_of(problems.begin(), problems.end(), [&text](const std::string& p) {
            return text.find(p) != std::string::npos;
        });
        if (!known) {
            problems.push_back(std::move(text));
        }
    }
    return problems;
}

Findings Validate(const CommandContext& context) {
    Findings found;
    auto config = config::Config::Load(ConfigOptions(context));
    if (!config) {
        found.problems = Lines(config.error().message);
        return found;
    }
    Loop main("main");
    ProgramConfig program = ReadProgramConfig(**config, std::thread::hardware_concurrency());
    (void)log::ParseLogConfig((*config)->Get("logs"));
    auto order = SortPlugins(PluginTable());
    if (!order) {
        found.problems = {order.error().message};
        return found;
    }
    ServerContainer container(
        main, program.loops, [](std::string_view) { return log::Logger(); }, *order);
    Invocation invocation = MakeInvocation(context);
    container.Publish(invocation);
    found.problems = InitAll(container, **config, context.options.strict);
    found.warnings = (*config)->warnings();
    return found;
}

}  // namespace rr::cmd
