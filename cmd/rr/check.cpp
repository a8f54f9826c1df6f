#include <cstdio>

#include "cmd/rr/commands.hpp"
#include "cmd/rr/json_text.hpp"
#include "cmd/rr/validate.hpp"

namespace rr::cmd {

namespace {

std::string JsonList(const std::vector<std::string>& texts) {
    std::string list = "[";
    for (const std::string& text : texts) {
        list += (list.size() > 1 ? "," : "") + JsonText(text);
    }
    return list + "]";
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
