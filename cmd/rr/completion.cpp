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
        names += (names.empty() ? "" : std::string(1, between)) + std::string(row.name);
    }
    return names;
}

// command: empty for the flags that every command has.
bool IsFor(const FlagRow& flag, std::string_view command) {
    return command.empty() ? flag.command.empty() : flag.Of(command);
}

// `-c --config ...` of the flags that every command has, or of one command's own.
std::string FlagNames(std::string_view command) {
    std::string names;
    for (const FlagRow& flag : Flags()) {
        if (!IsFor(flag, command)) {
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
    // Bash takes `http:reset` for three words: the line is split anew, and what it has of such a
    // word already is cut off what is offered.
    return R"(# bash completion of rr:  source <(rr completion bash)
_rr() {
    local line=${COMP_LINE:0:COMP_POINT} word before command= i
    local -a words
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    word=${words[-1]} before=${words[-2]}
    local flags=")" +
           FlagNames("") + R"("
    for ((i = 1; i + 1 < ${#words[@]}; i++)); do
        case ${words[i]} in
            )" +
           CommandNames('|') + R"() command=${words[i]}; break ;;
        esac
    done
    case $before in
        -w|--WorkDir|--workDir) COMPREPLY=($(compgen -d -- "$word")); return ;;
        -c|--config|--dotenv) COMPREPLY=($(compgen -f -- "$word")); return ;;
        -l|--logFormat) COMPREPLY=($(compgen -W "color json plain" -- "$word")); return ;;
        -o|--override|-j|--jsonConfig|--rpc) return ;;
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
        if [[ $word == *:* && $COMP_WORDBREAKS == *:* ]]; then
            COMPREPLY=("${COMPREPLY[@]#"${word%:*}:"}")
        fi
    fi
}
complete -o filenames -F _rr rr
)";
}

std::string Fish() {
    std::string script =
        "# fish completion of rr:  rr completion fish | source\ncomplete -c rr -f\n";
    for (const CommandRow& row : Commands()) {
        script += "complete -c rr -n __fish_use_subcommand -a " + std::string(row.name) + " -d " +
                  Quoted(row.help) + "\n";
    }
    for (const FlagRow& flag : Flags()) {
        script += "complete -c rr";
        if (!flag.command.empty()) {
            script += " -n '__fish_seen_subcommand_from " + std::string(flag.command) + "'";
        }
        if (flag.letter != 0) {
            script += " -s " + std::string(1, flag.letter);
        }
        script += " -l " + std::string(flag.name);
        if (!flag.value.empty()) {
            bool path = flag.value == "file" || flag.value == "directory";
            script += path ? " -r -F" : " -x";
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
            if (!IsFor(flag, command)) {
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
        commands += "        '" + escaped(row.name) + ":" + escaped(row.help) + "'\n";
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
        add(row.name, row.help);
    }
    for (const FlagRow& flag : Flags()) {
        add("--" + std::string(flag.name), flag.help);
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
