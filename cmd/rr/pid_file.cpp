#include "cmd/rr/pid_file.hpp"

#include <charconv>
#include <cstdio>
#include <fstream>

namespace rr::cmd {

Result<int64_t> ParsePid(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    size_t begin = text.find_first_not_of(kBlanks);
    size_t end = text.find_last_not_of(kBlanks);
    std::string_view digits =
        begin == std::string_view::npos ? "" : text.substr(begin, end - begin + 1);
    int64_t pid = 0;
    auto [stop, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), pid);
    if (digits.empty() || problem != std::errc() || stop != digits.data() + digits.size()) {
        return Fail(Errc::kInvalid,
                    "strconv.Atoi: parsing \"" + std::string(digits) + "\": invalid syntax");
    }
    if (pid <= 0) {
        return Fail(Errc::kInvalid, "\"" + std::string(digits) + "\" is not the pid of a process");
    }
    return pid;
}

Result<int64_t> ReadPidFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return Fail(Errc::kNotFound, "open " + path + ": no such file or directory");
    }
    char text[64];
    file.read(text, sizeof(text));
    return ParsePid({text, static_cast<size_t>(file.gcount())});
}

Result<void> WritePidFile(const std::string& path, int64_t pid) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << pid;
    file.close();
    if (!file) {
        return Fail(Errc::kIo, "open " + path + ": cannot be written");
    }
    return {};
}

void RemovePidFile(const std::string& path, int64_t pid) {
    Result<int64_t> held = ReadPidFile(path);
    if (held && *held == pid) {
        std::remove(path.c_str());
    }
}

}  // namespace rr::cmd
