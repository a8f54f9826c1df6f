// Arguments: what the user typed, read as RoadRunner reads it (Go's pflag and cobra) and written
// anew in the one form in which CLI11 cannot misread it.
//
//   rr -dc=x.yaml serve -o a=b,c   ->   serve --debug --config x.yaml --override a=b,c
//
// Thread: values.
// Fails:  with RoadRunner's texts: unknown flag, unknown command, a value that is missing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace rr::cmd {

struct FlagRow {
    std::string_view name;   // long name, without dashes
    char letter;             // 0: none
    std::string_view value;  // what help calls its value; empty: a switch
    std::string_view help;
    std::string_view command = "";  // the commands that have it, with blanks between; empty: all
    std::string_view meant = "";    // the flag this is another name for

    // True if the command has it by itself, not as one of all.
    bool Of(std::string_view name) const;
};

struct CommandRow {
    std::string_view name;
    std::string_view help;
    std::string_view arguments = "";  // behind the flags, for the help
};

// In the order of the help text.
std::span<const FlagRow> Flags();
std::span<const CommandRow> Commands();

// The flag's row in this command, or null.
const FlagRow* FindFlag(std::string_view name, std::string_view command);
const FlagRow* FindFlag(char letter, std::string_view command);

struct Arguments {
    struct Given {
        const FlagRow* flag;
        std::string value;  // of a switch: `true` or `false`
    };
    std::string command;  // empty: none
    std::vector<Given> flags;
    std::vector<std::string> positional;
};

// arguments: without argv[0]. program: its base name, for messages.
Result<Arguments> ReadArguments(const std::vector<std::string>& arguments,
                                std::string_view program);

// For CLI11.
std::vector<std::string> Canonical(const Arguments& arguments);

// Known commands that look like `typed`, as cobra chooses them.
std::vector<std::string_view> Suggestions(std::string_view typed);

}  // namespace rr::cmd
