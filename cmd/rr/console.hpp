// Console: what the program itself says to people. The log is something else.
//
// Thread: main.
#pragma once

#include <string>
#include <string_view>

namespace rr::cmd {

// Colours: standard output is a terminal, NO_COLOR is empty, TERM is not dumb. RoadRunner lets this
// one answer govern standard error too.
bool ColoursOn();

class Console {
public:
    explicit Console(bool silent);

    // A line on standard output, unless silent.
    void Line(std::string_view text) const;
    // Emphasised, if colours are on.
    std::string Bold(std::string_view text) const;
    std::string Dim(std::string_view text) const;

    // An error on standard error; bright red if colours are on.
    static void Error(std::string_view text);
    // `2026/11/21 01:44:46 text` on standard error, unless silent (Go's standard logger).
    void Stamped(std::string_view text) const;

private:
    bool silent_;
    bool colours_;
};

}  // namespace rr::cmd
