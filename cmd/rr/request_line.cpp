#include "cmd/rr/request_line.hpp"

#include <cstdio>

namespace rr::cmd {

namespace {

// Three digits of it matter: seconds from 1 s on, else milliseconds.
std::string Elapsed(int64_t nanoseconds) {
    double ms = static_cast<double>(nanoseconds) / 1e6;
    bool seconds = ms > 1000;
    double value = seconds ? ms / 1000 : ms;
    int digits = (value > 100 ? 0 : value > 10 ? 1 : 2) + (seconds ? 1 : 0);
    char text[48];
    std::snprintf(text, sizeof(text), "%.*f%s", digits, value, seconds ? "s" : "ms");
    return text;
}

}  // namespace

std::string RequestLine(const RequestEvent& event) {
    std::string line(event.remote_address);
    line += " {" + Elapsed(event.elapsed_ns) + "} " + std::to_string(event.status) + " ";
    line.append(event.method).append(" ").append(event.uri);
    return line;
}

}  // namespace rr::cmd
