// Programs that a test starts for itself, and what they need of the system. Each ends with the test,
// also when that crashes.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/check.hpp"

namespace rr {

// A port of the loopback that was free a moment ago.
inline uint16_t FreePort() {
    const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    RR_CHECK(bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) == 0);
    RR_CHECK(getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    close(descriptor);
    return ntohs(address.sin_port);
}

// A folder that goes with the object.
class TestFolder {
public:
    TestFolder() {
        char name[] = "/tmp/rr-test-XXXXXX";
        RR_CHECK(mkdtemp(name) != nullptr);
        path_ = name;
    }
    ~TestFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TestFolder(const TestFolder&) = delete;
    TestFolder& operator=(const TestFolder&) = delete;
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

inline void WriteText(const std::string& path, std::string_view text) {
    std::ofstream(path) << text;
}

class Program {
public:
    // Silent, in the folder `directory`; arguments[0] is looked up in PATH.
    Program(std::vector<std::string> arguments, std::string directory)
        : arguments_(std::move(arguments)), directory_(std::move(directory)) {
        Start();
    }
    ~Program() { Kill(); }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    // REQUIRES: killed.
    void Start() {
        std::vector<char*> words;
        for (std::string& argument : arguments_) {
            words.push_back(argument.data());
        }
        words.push_back(nullptr);
        const pid_t parent = getpid();
        pid_ = fork();
        if (pid_ != 0) {
            return;
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int nowhere = open("/dev/null", O_RDWR);
        for (int descriptor : {0, 1, 2}) {
            dup2(nowhere, descriptor);
        }
        if (getppid() == parent && chdir(directory_.c_str()) == 0) {
            execvp(words[0], words.data());
        }
        _exit(127);
    }

    void Signal(int number) const {
        if (pid_ > 0) {
            kill(pid_, number);
        }
    }
    // It stands still from now on, and not just soon, until Continue.
    void Pause() const {
        Signal(SIGSTOP);
        waitpid(pid_, nullptr, WUNTRACED);
    }
    void Continue() const { Signal(SIGCONT); }

    void Kill() {
        if (pid_ > 0) {
            kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
            pid_ = 0;
        }
    }

private:
    std::vector<std::string> arguments_;
    std::string directory_;
    pid_t pid_ = 0;
};

}  // namespace rr
