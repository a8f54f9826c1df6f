#include <algorithm>
#include <cstdio>
#include <thread>

#include "cmd/rr/commands.hpp"
#include "cmd/rr/container.hpp"
#include "cmd/rr/json_text.hpp"
#include "cmd/rr/plugins.hpp"
#include "cmd/rr/settings.hpp"
#include "cmd/rr/validate.hpp"
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

std::string JsonList(const std::vector<std::string>& texts) {
    std::string list = "[";
    for (const std::string& text : texts) {
        list += (list.size() > 1 ? "," : "") + JsonText(text);
    }
    return list + "]";
}

struct Findings {
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
};

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

}  // namespace

int Check(const CommandContext& context) {
    Findings found = Validate(context);
    bool valid = found.problems.empty() && (found.warnings.empty() || !context.options.strict);
    if (context.options.json) {
        std::printf("{\"valid\":%s,\"problems\":%s,\"warnings\":%s}\n", valid ? "true" : "false",
                    JsonList(found.problems).c_str(), JsonList(found.warnings).c_str());
        return valid ? 0 : 1;
    }
    for (const std::string& problem : found.problems) {
        std::printf("%s\n", problem.c_str());
    }
    for (const std::string& warning : found.warnings) {
        std::printf("warning: %s\n", warning.c_str());
    }
    if (valid) {
        std::printf("configuration is valid\n");
    }
    return valid ? 0 : 1;
}

}  // namespace rr::cmd
