#include "cmd/rr/options.hpp"

#include <algorithm>
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
            CLI::App* sub = app_.add_subcommand(Plain(row.name), std::string(row.help));
            sub->footer("");
            if (Plain(row.name) != row.name) {
                sub->alias(std::string(row.name));
            }
            subcommands_[std::string(row.name)] = sub;
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
            std::string own = AsTyped(app->help(options_.program));
            return WithArguments(std::move(own), command) + "\nOptions of every command:\n" +
                   SharedOptions();
        }
        return AsTyped(app->help());
    }

private:
    // CLI11 refuses a colon in a name, but not in an alias; its help lists both.
    static std::string Plain(std::string_view command) {
        std::string name(command);
        std::replace(name.begin(), name.end(), ':', '-');
        return name;
    }
    static std::string AsTyped(std::string help) {
        for (const CommandRow& row : Commands()) {
            if (Plain(row.name) == row.name) {
                continue;
            }
            std::string both = Plain(row.name) + ", " + std::string(row.name);
            for (const std::string& shown : {both, Plain(row.name)}) {
                for (size_t at = help.find(shown); at != std::string::npos;
                     at = help.find(shown, at)) {
                    std::string room(shown.size() - row.name.size(), ' ');
                    help.replace(at, shown.size(), std::string(row.name) + room);
                }
            }
        }
        return help;
    }

    // CLI11 does not see what is no flag.
    static std::string WithArguments(std::string help, std::string_view command) {
        constexpr std::string_view kUsage = "[OPTIONS]";
        size_t at = help.find(kUsage);
        for (const CommandRow& row : Commands()) {
            if (row.name == command && !row.arguments.empty() && at != std::string::npos) {
                help.insert(at + kUsage.size(), " " + std::string(row.arguments));
            }
        }
        while (help.ends_with("\n\n")) {
            help.pop_back();
        }
        return help;
    }

    void AddFlag(const FlagRow& flag) {
        if (flag.command.empty()) {
            AddFlag(flag, &app_);
            return;
        }
        for (auto& [name, command] : subcommands_) {
            if (flag.Of(name)) {
                AddFlag(flag, command);
            }
        }
    }

    void AddFlag(const FlagRow& flag, CLI::App* app) {
        std::string names = "--" + std::string(flag.name);
        if (flag.letter != 0) {
            names = "-" + std::string(1, flag.letter) + "," + names;
        }
        // Other spellings, for the help: what was typed has become this one already.
        for (const FlagRow& other : Flags()) {
            if (other.meant == flag.name) {
                names += ",--" + std::string(other.name);
            }
        }
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
    }

    std::string* Text(std::string_view name) {
        static const std::map<std::string_view, std::string Options::*> kTexts = {
            {"config", &Options::config},
            {"WorkDir", &Options::work_dir},
            {"dotenv", &Options::dotenv},
            {"logFormat", &Options::log_format},
            {"jsonConfig", &Options::json_config},
            {"rpc", &Options::rpc},
            {"ttl", &Options::ttl},
        };
        return &(options_.*kTexts.at(name));
    }

    bool* Switch(std::string_view name) {
        static const std::map<std::string_view, bool Options::*> kSwitches = {
            {"debug", &Options::debug},     {"pid", &Options::pid},
            {"silent", &Options::silent},   {"force", &Options::force},
            {"help", &Options::help},       {"enable-experimental", &Options::experimental},
            {"verbose", &Options::verbose}, {"strict", &Options::strict},
            {"json", &Options::json},       {"interactive", &Options::interactive},
            {"list", &Options::list},       {"pause", &Options::pause},
            {"resume", &Options::resume},   {"destroy", &Options::destroy},
            {"watch", &Options::watch},
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
