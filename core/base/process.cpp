#include "core/base/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern char** environ;

namespace rr::process {

namespace {

bool IsExecutableFile(const std::string& path) {
    struct stat about{};
    return stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode) &&
           access(path.c_str(), X_OK) == 0;
}

}  // namespace

std::string ErrorText(int number) {
    std::string text = std::strerror(number);
    // `Address` becomes `address`, but `RFS` would stay.
    if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a') {
        text[0] = static_cast<char>(text[0] - 'A' + 'a');
    }
    return text;
}

int64_t Pid() { return getpid(); }

std::string Directory() {
    const char* named = std::getenv("PWD");
    struct stat here{};
    struct stat there{};
    if (named != nullptr && named[0] == '/' && stat(".", &here) == 0 && stat(named, &there) == 0 &&
        here.st_dev == there.st_dev && here.st_ino == there.st_ino) {
        return named;
    }
    char real[PATH_MAX];
    return getcwd(real, sizeof(real)) != nullptr ? real : ".";
}

Result<void> ChangeDirectory(const std::string& path) {
    if (chdir(path.c_str()) != 0) {
        return Fail(errno == ENOENT ? Errc::kNotFound : Errc::kIo,
                    "chdir " + path + ": " + ErrorText(errno));
    }
    return {};
}

std::string Absolute(const std::string& path, const std::string& base) {
    std::string joined = !path.empty() && path[0] == '/' ? path : base + "/" + path;
    std::vector<std::string_view> parts;
    for (size_t at = 0; at < joined.size();) {
        size_t end = joined.find('/', at);
        if (end == std::string::npos) {
            end = joined.size();
        }
        std::string_view part(joined.data() + at, end - at);
        if (part == "..") {
            if (!parts.empty()) {
                parts.pop_back();
            }
        } else if (!part.empty() && part != ".") {
            parts.push_back(part);
        }
        at = end + 1;
    }
    std::string clean;
    for (std::string_view part : parts) {
        clean.append("/").append(part);
    }
    return clean.empty() ? "/" : clean;
}

const char* Variable(const char* name) { return std::getenv(name); }

void SetVariable(const std::string& name, const std::string& value) {
    setenv(name.c_str(), value.c_str(), 1);
}

std::vector<std::string> Environment() {
    std::vector<std::string> all;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        all.emplace_back(*entry);
    }
    return all;
}

bool IsTerminal(int descriptor) { return isatty(descriptor) == 1; }

bool HasControllingTerminal() {
    int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) {
        return false;
    }
    close(terminal);
    return true;
}

void IgnoreWriteSignals() {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

namespace {

// What the system gave us, before we asked for more. Written once, on the main thread at start.
uint64_t descriptor_limit_at_start = 0;

}  // namespace

uint64_t DescriptorLimitAtStart() { return descriptor_limit_at_start; }

uint64_t RaiseDescriptorLimit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    if (limit.rlim_cur < limit.rlim_max) {
        descriptor_limit_at_start = limit.rlim_cur;
        rlimit raised = limit;
        raised.rlim_cur = raised.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
            limit = raised;
        }
    }
    return limit.rlim_cur;
}

uint64_t DescriptorLimit() {
    rlimit limit{};
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

Result<void> Terminate(int64_t pid) {
    if (pid <= 0 || pid > INT_MAX) {
        return Fail(Errc::kInvalid, "os: invalid pid");
    }
    if (kill(static_cast<pid_t>(pid), SIGTERM) != 0) {
        return Fail(errno == ESRCH ? Errc::kNotFound : Errc::kDenied,
                    errno == ESRCH ? "os: process already finished" : ErrorText(errno));
    }
    return {};
}

bool Exists(int64_t pid) {
    return pid > 0 && pid <= INT_MAX && (kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

std::string ExecutablePath(const std::string& argv0) {
    if (argv0.find('/') != std::string::npos) {
        return Absolute(argv0, Directory());
    }
    const char* path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "";
    while (!rest.empty()) {
        size_t end = rest.find(':');
        std::string folder(rest.substr(0, end));
        std::string candidate =
            Absolute((folder.empty() ? "." : folder) + "/" + argv0, Directory());
        if (IsExecutableFile(candidate)) {
            return candidate;
        }
        rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    }
    char self[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
    return length > 0 ? std::string(self, static_cast<size_t>(length)) : argv0;
}

bool Executable(const std::string& file) { return access(file.c_str(), X_OK) == 0; }

Error Replace(const std::string& file, const std::vector<std::string>& arguments,
              const std::vector<std::string>& environment) {
    auto pointers = [](const std::vector<std::string>& texts) {
        std::vector<char*> list;
        for (const std::string& text : texts) {
            list.push_back(const_cast<char*>(text.c_str()));
        }
        list.push_back(nullptr);
        return list;
    };
    std::fflush(nullptr);
    execve(file.c_str(), pointers(arguments).data(), pointers(environment).data());
    return Error(Errc::kIo, "exec " + file + ": " + ErrorText(errno));
}

void ExitNow(int code) {
    std::fflush(nullptr);
    std::_Exit(code);
}

std::string_view SystemName() {
#if defined(__linux__)
    return "linux";
#elif defined(__APPLE__)
    return "darwin";
#else
    return "unknown";
#endif
}

std::string_view MachineName() {
#if defined(__x86_64__)
    return "amd64";
#elif defined(__aarch64__)
    return "arm64";
#elif defined(__i386__)
    return "386";
#elif defined(__arm__)
    return "arm";
#elif defined(__riscv)
    return "riscv64";
#else
    return "unknown";
#endif
}

}  // namespace rr::process
