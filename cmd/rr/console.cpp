#include "cmd/rr/console.hpp"

#include <cstdio>
#include <ctime>

#include "core/base/process.hpp"

namespace rr::cmd {

namespace {

void Print(std::FILE* file, std::string_view text) {
    std::string line(text);
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), file);
    std::fflush(file);
}

}  // namespace

bool ColoursOn() {
    const char* no_color = process::Variable("NO_COLOR");
    const char* terminal = process::Variable("TERM");
    return process::IsTerminal(1) && (no_color == nullptr || *no_color == '\0') &&
           (terminal == nullptr || std::string_view(terminal) != "dumb");
}

Console::Console(bool silent) : silent_(silent), colours_(ColoursOn()) {}

void Console::Line(std::string_view text) const {
    if (!silent_) {
        Print(stdout, text);
    }
}

std::string Console::Bold(std::string_view text) const {
    return colours_ ? "\x1b[1m" + std::string(text) + "\x1b[0m" : std::string(text);
}

std::string Console::Dim(std::string_view text) const {
    return colours_ ? "\x1b[2m" + std::string(text) + "\x1b[0m" : std::string(text);
}

void Console::Error(std::string_view text) {
    Print(stderr,
          ColoursOn() ? "\x1b[91;1m" + std::string(text) + "\x1b[0;22m" : std::string(text));
}

void Console::Stamped(std::string_view text) const {
    if (silent_) {
        return;
    }
    char stamp[32];
    std::time_t now = std::time(nullptr);
    std::strftime(stamp, sizeof(stamp), "%Y/%m/%d %H:%M:%S ", std::localtime(&now));
    Print(stderr, stamp + std::string(text));
}

}  // namespace rr::cmd
