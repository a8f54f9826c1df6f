#include "core/base/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/process.hpp"

namespace rr {

namespace {

constexpr int kIn = 0;
constexpr int kOut = 1;
constexpr char kEnterScreen[] = "\x1b[?1049h\x1b[?25l\x1b[2J";
constexpr char kLeaveScreen[] = "\x1b[?25h\x1b[?1049l";
constexpr int kHandled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
constexpr int kFatal[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};

// What a signal handler may touch.
int signal_pipe[2] = {-1, -1};
termios mode_before{};
volatile sig_atomic_t mode_changed = 0;  // mode_before is to be brought back
volatile sig_atomic_t on_screen = 0;     // the second screen shows

// Safe in a signal handler: two system calls.
void Restore() {
    if (on_screen != 0) {
        on_screen = 0;
        (void)!write(kOut, kLeaveScreen, sizeof(kLeaveScreen) - 1);
    }
    if (mode_changed != 0) {
        mode_changed = 0;
        tcsetattr(kIn, TCSANOW, &mode_before);
    }
}

extern "C" void OnSignal(int number) {
    int kept = errno;
    char byte = static_cast<char>(number);
    (void)!write(signal_pipe[1], &byte, 1);
    errno = kept;
}

extern "C" void OnFatal(int number) {
    Restore();
    raise(number);  // its own action again, by SA_RESETHAND
}

void Handle(int number, void (*handler)(int), int flags) {
    struct sigaction action{};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, nullptr);
}

void HandleAll(void (*handler)(int)) {
    for (int number : kHandled) {
        Handle(number, handler, SA_RESTART);
    }
}

}  // namespace

Result<std::unique_ptr<Terminal>> Terminal::Open() {
    if (!process::IsTerminal(kOut)) {
        return Fail(Errc::kUnsupported, "standard output is no terminal");
    }
    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        return Fail(Errc::kIo, process::ErrorText(errno));
    }
    std::unique_ptr<Terminal> terminal(new Terminal);
    terminal->keys_ = process::IsTerminal(kIn) && tcgetattr(kIn, &mode_before) == 0;
    HandleAll(&OnSignal);
    for (int number : kFatal) {
        struct sigaction before{};
        sigaction(number, nullptr, &before);
        if (before.sa_handler == SIG_DFL) {  // a sanitizer keeps its own
            Handle(number, &OnFatal, static_cast<int>(SA_RESETHAND));
        }
    }
    terminal->Enter();
    return terminal;
}

Terminal::~Terminal() {
    Restore();
    HandleAll(SIG_DFL);
    close(std::exchange(signal_pipe[0], -1));
    close(std::exchange(signal_pipe[1], -1));
}

void Terminal::Enter() {
    if (keys_) {
        termios raw = mode_before;
        raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        mode_changed = 1;
        tcsetattr(kIn, TCSADRAIN, &raw);
    }
    on_screen = 1;
    Write(kEnterScreen);
}

// Ctrl-Z: the shell gets its terminal back as it was, until it hands it over again.
void Terminal::Suspend() {
    Restore();
    Handle(SIGTSTP, SIG_DFL, 0);
    raise(SIGTSTP);
    Handle(SIGTSTP, &OnSignal, SA_RESTART);
    Enter();
}

Terminal::Size Terminal::size() {
    winsize seen{};
    Size size;
    if (ioctl(kOut, TIOCGWINSZ, &seen) == 0 && seen.ws_col > 0 && seen.ws_row > 0) {
        size = {seen.ws_col, seen.ws_row};
    }
    return size;
}

void Terminal::Write(Bytes bytes) {
    while (!bytes.empty()) {
        ssize_t written = write(kOut, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR && errno != EAGAIN) {
            return;  // the terminal is gone: Wait says so
        }
        if (written < 0) {
            pollfd room{kOut, POLLOUT, 0};
            poll(&room, 1, -1);
            continue;
        }
        bytes.remove_prefix(static_cast<size_t>(written));
    }
}

std::vector<int> Terminal::descriptors() const {
    return keys_ ? std::vector<int>{signal_pipe[0], kIn} : std::vector<int>{signal_pipe[0]};
}

Terminal::Event Terminal::Wait(Duration limit) {
    Deadline deadline = Clock::now() + limit;
    pollfd watched[2] = {{signal_pipe[0], POLLIN, 0}, {kIn, POLLIN, 0}};
    while (true) {
        while (!input_.empty()) {
            Event event = TakeKey();
            if (event.what != What::kTime) {
                return event;
            }
        }
        auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
        int ready =
            poll(watched, keys_ ? 2 : 1, static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30)));
        if (ready == 0) {
            return {What::kTime};
        }
        if (ready < 0) {
            if (errno == EINTR) {
                continue;
            }
            return {What::kEnd};
        }
        char number = 0;
        if (watched[0].revents != 0 && read(signal_pipe[0], &number, 1) == 1) {
            if (number == SIGTSTP) {
                Suspend();
                return {What::kResize};
            }
            return {number == SIGWINCH ? What::kResize : What::kEnd};
        }
        if (watched[1].revents != 0 && !ReadInput()) {
            return {What::kEnd};
        }
    }
}

// More input; false: the terminal is gone.
bool Terminal::ReadInput() {
    char bytes[64];
    ssize_t got = read(kIn, bytes, sizeof(bytes));
    if (got <= 0) {
        return got < 0 && errno == EINTR;
    }
    input_.append(bytes, static_cast<size_t>(got));
    return true;
}

// Takes one key out of the input; kTime: one that means nothing here.
Terminal::Event Terminal::TakeKey() {
    if (input_[0] != '\x1b') {
        char key = input_[0];
        input_.erase(0, 1);
        return {What::kKey, key};
    }
    // What follows in such a key comes with its first byte, or right after it.
    pollfd more{kIn, POLLIN, 0};
    if (input_.size() == 1 && (poll(&more, 1, 20) <= 0 || !ReadInput())) {
        input_.clear();
        return {What::kTime};
    }
    // ESC [ numbers letter, ESC O letter, or ESC and one key.
    size_t end = input_[1] == '[' || input_[1] == 'O' ? 2 : 1;
    if (input_[1] == '[') {
        while (end < input_.size() && (input_[end] < '@' || input_[end] > '~')) {
            ++end;
        }
    }
    std::string sequence = input_.substr(1, end);
    input_.erase(0, end + 1);
    constexpr struct {
        Bytes sequence;
        char key;
    } kKeys[] = {{"[A", kUp},   {"OA", kUp},      {"[B", kDown},
                 {"OB", kDown}, {"[5~", kPageUp}, {"[6~", kPageDown}};
    for (const auto& known : kKeys) {
        if (sequence == known.sequence) {
            return {What::kKey, known.key};
        }
    }
    return {What::kTime};
}

size_t ErrorColumns() {
    winsize seen{};
    if (!process::IsTerminal(2)) {
        return 0;
    }
    return ioctl(2, TIOCGWINSZ, &seen) == 0 && seen.ws_col > 0 ? seen.ws_col : 80;
}

}  // namespace rr
