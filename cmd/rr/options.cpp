#include "cmd/rr/options.hpp"

#include <map>
#include <memory>

#include <CLI/CLI.hpp>

#include "cmd/rr/arguments.hpp"

namespace rr::cmd {

namespace {

// CLI11's view of the tables in arguments.cpp; the one user of its types.
class CommandLine {
public:
    explicit CommandLine(Options& options) : options_(options), app_("", options.program) {
        app_.set_help_flag();
        app_.fallthrough();
        app_.description("PHP application server, compatible with RoadRunner");
        app_.footer("Run '" + options.program + " help COMMAND' for the options of one command.");
        for (const CommandRow& row : Commands()) {
            if (!row.hidden) {
                CLI::App* sub = app_.add_subcommand(std::string(row.name), std::string(row.help));
                sub->footer("");
                subcommands_[std::string(row.name)] = sub;
            }
        }
        for (const FlagRow& flag : Flags()) {
            if (flag.meant.empty()) {
                AddFlag(flag);
            }
        }
        version_ = app_.add_flag("-v,--version", options_.version, "version");
    }

    Result<void> Parse(std::vector<std::string> canonical) {
        std::reverse(canonical.begin(), canonical.end());
        try {
            app_.parse(canonical);
        } catch (const CLI::ParseError& e) {
            return Fail(Errc::kInvalid, e.what());
        }
        return {};
    }

    Result<std::string> Help(const std::string& command) {
        CLI::App* app = &app_;
        if (!command.empty()) {
            auto found = subcommands_.find(command);
            if (found == subcommands_.end()) {
                return Fail(Errc::kNotFound,
                            "unknown command \"" + command + "\" for \"" + options_.program + "\"");
            }
            app = found->second;
            // A subcommand's own help leaves out what it shares with all others.
            app_.remove_option(version_);
            return app->help(options_.program) + "\nOptions of every command:\n" + SharedOptions();
        }
        return app->help();
    }

private:
    void AddFlag(const FlagRow& flag) {
        std::string names = "--" + std::string(flag.name);
        if (flag.letter != 0) {
            names = "-" + std::string(1, flag.letter) + "," + names;
        }
        CLI::App* app = flag.command.empty() ? &app_ : subcommands_[std::string(flag.command)];
        std::string help(flag.help);
        CLI::Option* option = nullptr;
        if (flag.name == "override") {
            option = app->add_option(names, options_.overrides, help)->allow_extra_args(false);
        } else if (!flag.value.empty()) {
            option = app->add_option(names, *Text(flag.name), help)->take_last();
        } else {
            option = app->add_flag(names, *Switch(flag.name), help)->take_last();
        }
        if (!flag.value.empty()) {
            option->type_name(std::string(flag.value))->option_text(std::string(flag.value));
        }
        if (flag.hidden) {
            option->group("");
        }
    }

    std::string* Text(std::string_view name) {
        static const std::map<std::string_view, std::string Options::*> kTexts = {
            {"config", &Options::config},          {"WorkDir", &Options::work_dir},
            {"dotenv", &Options::dotenv},          {"logFormat", &Options::log_format},
            {"jsonConfig", &Options::json_config},
        };
        return &(options_.*kTexts.at(name));
    }

    bool* Switch(std::string_view name) {
        static const std::map<std::string_view, bool Options::*> kSwitches = {
            {"debug", &Options::debug},     {"pid", &Options::pid},
            {"silent", &Options::silent},   {"force", &Options::force},
            {"help", &Options::help},       {"enable-experimental", &Options::experimental},
            {"verbose", &Options::verbose}, {"strict", &Options::strict},
            {"json", &Options::json},
        };
        return &(options_.*kSwitches.at(name));
    }

    std::string SharedOptions() {
        std::string all = app_.help();
        size_t begin = all.find("Options:\n");
        size_t end = all.find("\nSubcommands:", begin);
        if (begin == std::string::npos || end == std::string::npos) {
            return "";
        }
        std::string lines = all.substr(begin + 9, end - begin - 9);
        while (lines.ends_with("\n\n")) {
            lines.pop_back();
        }
        return lines;
    }

    Options& options_;
    CLI::App app_;
    CLI::Option* version_ = nullptr;  // of the bare program only
    std::map<std::string, CLI::App*> subcommands_;
};

}  // namespace

Result<Options> ParseOptions(const std::vector<std::string>& arguments, std::string program) {
    Result<Arguments> read = ReadArguments(arguments, program);
    if (!read) {
        return Forward(read);
    }
    Options options;
    options.program = std::move(program);
    options.command = read->command;
    options.positional = read->positional;
    for (const CommandRow& row : Commands()) {
        if (row.name == options.command && row.hidden) {
            return options;
        }
    }
    CommandLine line(options);
    if (Result<void> parsed = line.Parse(Canonical(*read)); !parsed) {
        return Forward(parsed);
    }
    return options;
}

Result<std::string> HelpText(const std::string& program, const std::string& command) {
    Options options;
    options.program = program;
    return CommandLine(options).Help(command);
}

}  // namespace rr::cmd
