#include "cmd/rr/arguments.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace rr::cmd {

namespace {

// The commands that talk to a running server.
constexpr std::string_view kRemote = "workers reset status jobs kv http:workers http:reset stop";

constexpr std::array kFlags = {
    FlagRow{"config", 'c', "file", "configuration file (default .rr.yaml)"},
    FlagRow{"WorkDir", 'w', "directory", "working directory (default: the configuration file's)"},
    FlagRow{"dotenv", 0, "file", "dotenv file [$DOTENV_PATH]"},
    FlagRow{"override", 'o', "key=value",
            "override a configuration key, e.g. -o http.pool.num_workers=2"},
    FlagRow{"debug", 'd', "", "verbose log and a line per request"},
    FlagRow{"pid", 'p', "", "write .pid into the working directory (serve)"},
    FlagRow{"silent", 's', "", "no lines of our own on standard output; the log goes on"},
    FlagRow{"force", 'f', "", "stop: end the server without waiting for requests"},
    FlagRow{"enable-experimental", 'e', "", "honour experimental configuration (envfile)"},
    FlagRow{"help", 'h', "", "help"},
    // RoadRunner 1.x
    FlagRow{"workDir", 0, "directory", "", "", "WorkDir"},
    FlagRow{"logFormat", 'l', "format", "log as in 1.x: color, json or plain"},
    FlagRow{"jsonConfig", 'j', "json", "a JSON document laid over the configuration"},

    FlagRow{"strict", 0, "", "warnings count as problems", "check"},
    FlagRow{"json", 0, "", "problems and warnings as one JSON object", "check"},
    FlagRow{"verbose", 'v', "", "log level debug", "serve"},
    FlagRow{"watch", 0, "", "new workers when a file of the application changes", "serve"},
    FlagRow{"rpc", 0, "address", "the server, e.g. tcp://127.0.0.1:6001 (default: rpc.listen)",
            kRemote},
    FlagRow{"interactive", 'i', "", "refresh the table until q is pressed", "workers http:workers"},
    FlagRow{"json", 0, "", "the result as one JSON object, for scripts",
            "workers reset status kv http:workers http:reset"},
    FlagRow{"list", 0, "", "show the names of all pipelines", "jobs"},
    FlagRow{"pause", 0, "", "pause pipelines: rr jobs --pause a,b", "jobs"},
    FlagRow{"resume", 0, "", "resume paused pipelines", "jobs"},
    FlagRow{"destroy", 0, "", "remove pipelines", "jobs"},
    FlagRow{"ttl", 0, "time", "kv set: how long the key lives, e.g. 90s, 2h (default: for ever)",
            "kv"},
};

constexpr std::array kCommands = {
    CommandRow{"serve", "start the server"},
    CommandRow{"stop", "stop a server: the one of .pid (serve -p), else the one at rpc.listen"},
    CommandRow{"check", "validate the configuration without serving"},
    CommandRow{"workers", "show the workers of a running server, of all plugins or those named",
               "[plugin...]"},
    CommandRow{"reset", "replace the workers of a running server, of all plugins or those named",
               "[plugin...]"},
    CommandRow{"status", "say whether a running server and its plugins serve", "[plugin...]"},
    CommandRow{"jobs", "list, pause, resume or destroy pipelines of a running server",
               "[pipeline,...]"},
    CommandRow{"kv", "read and change what the storages of a running server keep",
               "get|set|del|ttl|stat|clear [storage] [key] [value|-]"},
    CommandRow{"http:workers", "workers of http, as RoadRunner 1.x shows them"},
    CommandRow{"http:reset", "replace the workers of http"},
    CommandRow{"completion", "print a completion script: bash, fish, powershell or zsh",
               "bash|fish|powershell|zsh"},
    CommandRow{"help", "help about a command", "[command]"},
};

std::optional<bool> ParseBool(std::string_view text) {
    for (std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
        if (text == yes) {
            return true;
        }
    }
    for (std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
        if (text == no) {
            return false;
        }
    }
    return std::nullopt;
}

std::string Spelled(const FlagRow& flag) {
    std::string name = "--" + std::string(flag.name);
    return flag.letter == 0 ? name : "-" + std::string(1, flag.letter) + ", " + name;
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

size_t EditDistance(std::string_view a, std::string_view b) {
    std::vector<size_t> row(b.size() + 1);
    for (size_t j = 0; j <= b.size(); ++j) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.size(); ++i) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            size_t above = row[j];
            size_t change = diagonal + (Lower(a[i - 1]) == Lower(b[j - 1]) ? 0 : 1);
            row[j] = std::min({change, above + 1, row[j - 1] + 1});
            diagonal = above;
        }
    }
    return row[b.size()];
}

class Reader {
public:
    Reader(const std::vector<std::string>& arguments, std::string_view program)
        : arguments_(arguments), program_(program) {}

    Result<Arguments> Read() {
        if (Result<void> found = FindCommand(); !found) {
            return Forward(found);
        }
        while (at_ < arguments_.size()) {
            if (Result<void> one = ReadOne(); !one) {
                return Forward(one);
            }
        }
        return std::move(read_);
    }

private:
    // The first argument that is neither a flag nor a flag's value. Flags are judged later: which
    // of them exist depends on the command.
    Result<void> FindCommand() {
        for (size_t i = 0; i < arguments_.size(); ++i) {
            const std::string& argument = arguments_[i];
            if (argument == "--") {
                return {};
            }
            if (argument.size() > 1 && argument[0] == '-') {
                if (WantsNext(argument)) {
                    ++i;
                }
                continue;
            }
            for (const CommandRow& row : kCommands) {
                if (row.name == argument) {
                    read_.command = argument;
                    command_at_ = i;
                    return {};
                }
            }
            return rr::Fail(Errc::kInvalid, UnknownCommand(argument));
        }
        return {};
    }

    static bool WantsNext(const std::string& argument) {
        if (argument[1] == '-') {
            std::string_view name = std::string_view(argument).substr(2);
            return std::any_of(kFlags.begin(), kFlags.end(), [name](const FlagRow& row) {
                return row.name == name && !row.value.empty();
            });
        }
        const FlagRow* flag = nullptr;
        for (size_t i = 1; i < argument.size(); ++i) {
            flag = FindFlag(argument[i], "");
            if (flag == nullptr || argument.substr(i + 1).starts_with("=")) {
                return false;
            }
            if (!flag->value.empty()) {
                return i + 1 == argument.size();
            }
        }
        return false;
    }

    std::string UnknownCommand(const std::string& typed) const {
        std::string text =
            "unknown command \"" + typed + "\" for \"" + std::string(program_) + "\"";
        std::vector<std::string_view> close = Suggestions(typed);
        if (!close.empty()) {
            text += "\n\nDid you mean this?\n";
            for (std::string_view command : close) {
                text.append("\t").append(command).append("\n");
            }
        }
        return text;
    }

    Result<void> ReadOne() {
        const std::string& argument = arguments_[at_++];
        if (at_ - 1 == command_at_) {
            return {};
        }
        if (only_positional_ || argument.size() < 2 || argument[0] != '-') {
            read_.positional.push_back(argument);
            return {};
        }
        if (argument == "--") {
            only_positional_ = true;
            return {};
        }
        return argument[1] == '-' ? ReadLong(argument) : ReadLetters(argument);
    }

    Result<void> ReadLong(const std::string& argument) {
        size_t equals = argument.find('=');
        std::string name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
        if (name.empty() || name[0] == '-') {
            return rr::Fail(Errc::kInvalid, "bad flag syntax: " + argument);
        }
        if (name == "version" && read_.command.empty()) {
            return Add(FindFlag("version", ""), "true");
        }
        const FlagRow* flag = FindFlag(name, read_.command);
        if (flag == nullptr) {
            return rr::Fail(Errc::kInvalid, "unknown flag: --" + name);
        }
        if (equals != std::string::npos) {
            return Add(flag, argument.substr(equals + 1));
        }
        if (flag->value.empty()) {
            return Add(flag, "true");
        }
        if (at_ == arguments_.size()) {
            return rr::Fail(Errc::kInvalid, "flag needs an argument: --" + name);
        }
        return Add(flag, TakeNext());
    }

    Result<void> ReadLetters(const std::string& argument) {
        for (size_t i = 1; i < argument.size(); ++i) {
            const FlagRow* flag = FindFlag(argument[i], read_.command);
            std::string shown = "'" + std::string(1, argument[i]) + "' in -" + argument.substr(i);
            if (flag == nullptr) {
                return rr::Fail(Errc::kInvalid, "unknown shorthand flag: " + shown);
            }
            if (i + 1 < argument.size() && argument[i + 1] == '=') {
                return Add(flag, argument.substr(i + 2));
            }
            if (flag->value.empty()) {
                if (Result<void> added = Add(flag, "true"); !added) {
                    return added;
                }
                continue;
            }
            if (i + 1 < argument.size()) {
                return Add(flag, argument.substr(i + 1));
            }
            if (at_ == arguments_.size()) {
                return rr::Fail(Errc::kInvalid, "flag needs an argument: " + shown);
            }
            return Add(flag, TakeNext());
        }
        return {};
    }

    // The command's own name may stand where a value is taken: `rr -c serve` is a file `serve`.
    std::string TakeNext() { return arguments_[at_++]; }

    Result<void> Add(const FlagRow* flag, std::string value) {
        if (flag->value.empty()) {
            std::optional<bool> parsed = ParseBool(value);
            if (!parsed) {
                return rr::Fail(Errc::kInvalid, "invalid argument \"" + value + "\" for \"" +
                                                    Spelled(*flag) +
                                                    "\" flag: strconv.ParseBool: parsing \"" +
                                                    value + "\": invalid syntax");
            }
            value = *parsed ? "true" : "false";
        }
        read_.flags.push_back({flag, std::move(value)});
        return {};
    }

    const std::vector<std::string>& arguments_;
    std::string_view program_;
    Arguments read_;
    size_t at_ = 0;
    size_t command_at_ = SIZE_MAX;
    bool only_positional_ = false;
};

// On the bare program `-v` is the version; `serve -v` is 1.x's verbose.
constexpr FlagRow kVersion{"version", 'v', "", "version"};

}  // namespace

bool FlagRow::Of(std::string_view wanted) const {
    std::string_view left = command;
    while (!left.empty()) {
        std::string_view one = left.substr(0, left.find(' '));
        if (one == wanted) {
            return true;
        }
        left.remove_prefix(std::min(left.size(), one.size() + 1));
    }
    return false;
}

std::span<const FlagRow> Flags() { return kFlags; }

std::span<const CommandRow> Commands() { return kCommands; }

const FlagRow* FindFlag(std::string_view name, std::string_view command) {
    if (command.empty() && name == kVersion.name) {
        return &kVersion;
    }
    for (const FlagRow& flag : kFlags) {
        if (flag.name == name && (flag.command.empty() || flag.Of(command))) {
            return &flag;
        }
    }
    return nullptr;
}

const FlagRow* FindFlag(char letter, std::string_view command) {
    if (command.empty() && letter == kVersion.letter) {
        return &kVersion;
    }
    for (const FlagRow& flag : kFlags) {
        if (flag.letter == letter && (flag.command.empty() || flag.Of(command))) {
            return &flag;
        }
    }
    return nullptr;
}

Result<Arguments> ReadArguments(const std::vector<std::string>& arguments,
                                std::string_view program) {
    return Reader(arguments, program).Read();
}

std::vector<std::string> Canonical(const Arguments& arguments) {
    std::vector<std::string> list;
    if (!arguments.command.empty()) {
        list.push_back(arguments.command);
    }
    for (const Arguments::Given& given : arguments.flags) {
        const FlagRow& flag = *given.flag;
        std::string name = "--" + std::string(flag.meant.empty() ? flag.name : flag.meant);
        if (flag.value.empty()) {
            list.push_back(name + "=" + given.value);
        } else {
            list.push_back(name);
            list.push_back(given.value);
        }
    }
    return list;
}

std::vector<std::string_view> Suggestions(std::string_view typed) {
    std::vector<std::string_view> close;
    for (const CommandRow& row : kCommands) {
        bool begins = row.name.size() >= typed.size() &&
                      std::equal(typed.begin(), typed.end(), row.name.begin(),
                                 [](char a, char b) { return Lower(a) == Lower(b); });
        if (begins || EditDistance(typed, row.name) <= 2) {
            close.push_back(row.name);
        }
    }
    return close;
}

}  // namespace rr::cmd
