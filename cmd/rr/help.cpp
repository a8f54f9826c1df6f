#include <cstdio>

#include "cmd/rr/commands.hpp"
#include "cmd/rr/console.hpp"

namespace rr::cmd {

int Help(const CommandContext& context) {
    const Options& options = context.options;
    // `rr help serve` and `rr serve --help` say the same.
    std::string about = options.command == "help" ? "" : options.command;
    if (options.command == "help" && !options.positional.empty()) {
        about = options.positional.front();
    }
    Result<std::string> text = HelpText(options.program, about);
    if (!text) {
        Console::Error(text.error().message);
        return 1;
    }
    std::fputs(text->c_str(), stdout);
    return 0;
}

}  // namespace rr::cmd
