#include <string>
#include <vector>

#include "cmd/rr/commands.hpp"
#include "cmd/rr/console.hpp"
#include "cmd/rr/version.hpp"
#include "core/base/process.hpp"

namespace {

using namespace rr::cmd;

struct Command {
    std::string_view name;
    int (*run)(const CommandContext&);
    bool prepared;  // works in the configuration's directory, with its env file
};

constexpr Command kCommandTable[] = {
    {"serve", Serve, true},
    {"stop", Stop, true},
    {"check", Check, true},
    {"completion", Completion, false},
    {"help", Help, false},
    {"workers", Workers, true},
    {"http:workers", HttpWorkers, true},
    {"reset", Reset, true},
    {"http:reset", HttpReset, true},
    {"jobs", Jobs, true},
    {"kv", Kv, true},
    {"status", Status, true},
};

int Run(CommandContext& context) {
    const Options& options = context.options;
    if (options.version) {
        Console(false).Line(VersionLine());
        return 0;
    }
    if (options.help || options.command.empty()) {
        return Help(context);
    }
    for (const Command& command : kCommandTable) {
        if (command.name != options.command) {
            continue;
        }
        if (command.prepared) {
            auto around = Prepare(options, context.argv0);
            if (!around) {
                Console::Error(around.error().message);
                return 1;
            }
            context.around = std::move(*around);
        }
        return command.run(context);
    }
    Console::Error("unknown command \"" + options.command + "\"");
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    rr::process::IgnoreWriteSignals();
    rr::process::RaiseDescriptorLimit();
    CommandContext context;
    context.argv0 = argc > 0 ? argv[0] : "rr";
    for (int i = 1; i < argc; ++i) {
        context.arguments.emplace_back(argv[i]);
    }
    std::string program = context.argv0.substr(context.argv0.rfind('/') + 1);
    auto options = ParseOptions(context.arguments, program);
    if (!options) {
        Console::Error(options.error().message);
        return 1;
    }
    context.options = std::move(*options);
    return Run(context);
}
