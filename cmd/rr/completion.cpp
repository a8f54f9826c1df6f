#include <cstdio>
#include <string>

#include "cmd/rr/arguments.hpp"
#include "cmd/rr/commands.hpp"
#include "cmd/rr/console.hpp"

namespace rr::cmd {

namespace {

constexpr std::string_view kShells = "bash fish powershell zsh";

std::string Quoted(std::string_view text) {
    std::string out = "'";
    for (char c : text) {
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return out + "'";
}

std::string CommandNames(char between = ' ') {
    std::string names;
    for (const CommandRow& row : Commands()) {
        if (!row.hidden) {
            names += (names.empty() ? "" : std::string(1, between)) + std::string(row.name);
        }
    }
    return names;
}

// `-c --config ...` of the flags that every command has, or of one command's own.
std::string FlagNames(std::string_view command) {
    std::string names;
    for (const FlagRow& flag : Flags()) {
        if (flag.hidden || flag.command != command) {
            continue;
        }
        if (flag.letter != 0) {
            names.append(names.empty() ? "-" : " -").append(1, flag.letter);
        }
        names.append(names.empty() ? "--" : " --").append(flag.name);
    }
    return names;
}

std::string Bash() {
    std::string own;
    for (const CommandRow& row : Commands()) {
        if (std::string names = FlagNames(row.name); !names.empty()) {
            own += "        " + std::string(row.name) + ") flags=\"$flags " + names + "\" ;;\n";
        }
    }
    return R"(# bash completion of rr:  source <(rr completion bash)
_rr() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i
    local flags=")" +
           FlagNames("") + R"("
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            )" +
           CommandNames('|') + R"() command=${COMP_WORDS[i]}; break ;;
        esac
    done
    case $before in
        -w|--WorkDir) COMPREPLY=($(compgen -d -- "$word")); return ;;
        -c|--config|--dotenv) COMPREPLY=($(compgen -f -- "$word")); return ;;
        -o|--override) return ;;
        completion) COMPREPLY=($(compgen -W ")" +
           std::string(kShells) + R"(" -- "$word")); return ;;
    esac
    case $command in
)" + own + R"(    esac
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$word"))
    elif [[ -z $command || $command == help ]]; then
        COMPREPLY=($(compgen -W ")" +
           CommandNames() + R"(" -- "$word"))
    fi
}
complete -o filenames -F _rr rr
)";
}

std::string Fish() {
    std::string script =
        "# fish completion of rr:  rr completion fish | source\ncomplete -c rr -f\n";
    for (const CommandRow& row : Commands()) {
        if (!row.hidden) {
            script += "complete -c rr -n __fish_use_subcommand -a " + std::string(row.name) +
                      " -d " + Quoted(row.help) + "\n";
        }
    }
    for (const FlagRow& flag : Flags()) {
        if (flag.hidden) {
            continue;
        }
        script += "complete -c rr";
        if (!flag.command.empty()) {
            script += " -n '__fish_seen_subcommand_from " + std::string(flag.command) + "'";
        }
        if (flag.letter != 0) {
            script += " -s " + std::string(1, flag.letter);
        }
        script += " -l " + std::string(flag.name);
        if (!flag.value.empty()) {
            script += flag.value == "key=value" ? " -x" : " -r -F";
        }
        script += " -d " + Quoted(flag.help) + "\n";
    }
    return script + "complete -c rr -n '__fish_seen_subcommand_from completion' -a '" +
           std::string(kShells) + "'\n";
}

std::string Zsh() {
    auto escaped = [](std::string_view text) {
        std::string out;
        for (char c : text) {
            if (c == '[' || c == ']' || c == ':') {
                out += '\\';
            }
            out += c == '\'' ? std::string("'\\''") : std::string(1, c);
        }
        return out;
    };
    auto arguments = [&escaped](std::string_view command) {
        std::string lines;
        for (const FlagRow& flag : Flags()) {
            if (flag.hidden || flag.command != command) {
                continue;
            }
            std::string end = "[" + escaped(flag.help) + "]";
            if (!flag.value.empty()) {
                end += ":" + std::string(flag.value) + ":";
                end += flag.value == "directory" ? "_files -/"
                       : flag.value == "file"    ? "_files"
                                                 : "";
            }
            std::string name = "--" + std::string(flag.name);
            if (flag.letter != 0) {
                lines += "        '-" + std::string(1, flag.letter) + end + "' \\\n";
            }
            lines += "        '" + name + end + "' \\\n";
        }
        return lines;
    };
    std::string commands;
    std::string own;
    for (const CommandRow& row : Commands()) {
        if (row.hidden) {
            continue;
        }
        commands += "        '" + std::string(row.name) + ":" + escaped(row.help) + "'\n";
        if (std::string lines = arguments(row.name); !lines.empty()) {
            own += "        " + std::string(row.name) + ") _arguments \\\n" + lines +
                   "            ;;\n";
        }
    }
    return "#compdef rr\n# zsh completion of rr:  source <(rr completion zsh)\n_rr() {\n"
           "    local -a commands\n    commands=(\n" +
           commands + "    )\n    local state\n    _arguments -C \\\n" + arguments("") +
           "        '1:command:->command' '*::argument:->argument'\n"
           "    case $state in\n        command) _describe command commands ;;\n"
           "        argument) case $words[1] in\n        completion) _values shell " +
           std::string(kShells) + " ;;\n        help) _describe command commands ;;\n" + own +
           "        esac ;;\n    esac\n}\n"
           // Loaded from fpath the file is the function's own first call; sourced it only defines.
           "if [ \"$funcstack[1]\" = _rr ]; then _rr \"$@\"; else compdef _rr rr; fi\n";
}

std::string PowerShell() {
    std::string words;
    auto add = [&words](std::string_view word, std::string_view help) {
        std::string text;
        for (char c : help.empty() ? word : help) {
            text += c == '\'' ? std::string("''") : std::string(1, c);
        }
        words += "        @('" + std::string(word) + "', '" + text + "')\n";
    };
    for (const CommandRow& row : Commands()) {
        if (!row.hidden) {
            add(row.name, row.help);
        }
    }
    for (const FlagRow& flag : Flags()) {
        if (!flag.hidden) {
            add("--" + std::string(flag.name), flag.help);
        }
    }
    return "# PowerShell completion of rr:  rr completion powershell | Out-String | "
           "Invoke-Expression\n"
           "Register-ArgumentCompleter -Native -CommandName rr -ScriptBlock {\n"
           "    param($word, $ast, $position)\n    $known = @(\n" +
           words +
           "    )\n    $known | Where-Object { $_[0] -like \"$word*\" } | ForEach-Object {\n"
           "        [System.Management.Automation.CompletionResult]::new($_[0], $_[0], "
           "'ParameterValue', $_[1])\n    }\n}\n";
}

}  // namespace

int Completion(const CommandContext& context) {
    const auto& positional = context.options.positional;
    std::string shell = positional.empty() ? "" : positional.front();
    std::string script;
    if (shell == "bash") {
        script = Bash();
    } else if (shell == "fish") {
        script = Fish();
    } else if (shell == "zsh") {
        script = Zsh();
    } else if (shell == "powershell") {
        script = PowerShell();
    } else if (shell.empty()) {
        return Help(context);
    } else {
        Console::Error("unknown shell \"" + shell + "\"; known are " + std::string(kShells));
        return 1;
    }
    std::fputs(script.c_str(), stdout);
    return 0;
}

}  // namespace rr::cmd
