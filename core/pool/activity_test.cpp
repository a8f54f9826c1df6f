// Real processes in known states.
#include "core/pool/activity.hpp"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <thread>

#include <catch2/catch.hpp>

#include "core/base/program_for_test.hpp"
#include "core/base/time.hpp"

namespace rr::pool {
namespace {

// A child that does one thing and never comes back.
class Child {
public:
    explicit Child(const std::function<void()>& work) : pid_(fork()) {
        if (pid_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            work();
            _exit(1);
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    pid_t pid() const { return pid_; }

    // What it does once that ends with `expected`, or after ten seconds.
    std::string Does(const std::string& expected) const {
        std::string does;
        SocketSearch none;
        none.Take(Clock::now());
        for (Deadline end = Clock::now() + std::chrono::seconds(10); Clock::now() < end;
             std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
            does = DescribeActivity(pid_, none);
            if (does.ends_with(expected)) {
                break;
            }
        }
        return does;
    }

private:
    const pid_t pid_;
};

#define REQUIRE_DOES(child, text) REQUIRE((child).Does(text) == (text))

// One that listens, and a client that is connected to it.
struct Pair {
    Pair() : Pair(8) {}
    explicit Pair(int backlog) : listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        REQUIRE(bind(listener, generic(), size) == 0);
        REQUIRE(getsockname(listener, generic(), &size) == 0);
        REQUIRE(listen(listener, backlog) == 0);
        client = Connect(0);
        name = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    }
    ~Pair() {
        close(client);
        close(listener);
    }
    sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address); }
    int Connect(int flags) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
        (void)!connect(fd, generic(), sizeof(address));
        return fd;
    }

    int listener;
    int client;
    sockaddr_in address{};
    std::string name;
};

// A child's view of another process, in lines of 256 bytes.
[[noreturn]] void Tell(int to, pid_t pid, int times) {
    SocketSearch search;
    for (int i = 0; i < times; ++i) {
        std::string seen = DescribeActivity(pid, search);
        seen.resize(256);
        (void)!write(to, seen.data(), seen.size());
    }
    pause();
    _exit(1);
}

std::string Heard(int from) {
    char seen[256] = {};
    REQUIRE(read(from, seen, sizeof(seen)) == sizeof(seen));
    return {seen, strnlen(seen, sizeof(seen))};
}

// From here on this process is refused a system call, as in a container.
void Forbid(uint32_t call) {
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program{4, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
        _exit(1);
    }
}

}  // namespace

TEST_CASE("activity: it sleeps, computes, waits for a signal, was stopped, has ended") {
    Child sleeps([] { sleep(600); });
    REQUIRE_DOES(sleeps, "sleeps in clock_nanosleep");
    Child computes([] {
        for (volatile bool on = true; on;) {
        }
    });
    REQUIRE_DOES(computes, "runs, or waits for a processor");
    Child pauses([] {
        sigset_t all;
        sigfillset(&all);
        sigwaitinfo(&all, nullptr);
    });
    REQUIRE_DOES(pauses, "waits in rt_sigtimedwait for a signal");
    kill(computes.pid(), SIGSTOP);
    REQUIRE_DOES(computes, "was stopped, by a signal or a debugger");
    kill(computes.pid(), SIGKILL);
    REQUIRE_DOES(computes, "has ended");
    SocketSearch search;
    REQUIRE(DescribeActivity(0, search) == "has ended");
    REQUIRE(DescribeActivity(-1, search) == "has ended");
}

TEST_CASE("activity: sockets are named by their peer") {
    Pair tcp;
    char byte = 0;
    Child receives([&] { recv(tcp.client, &byte, 1, 0); });
    REQUIRE_DOES(receives, "waits in recvfrom for " + tcp.name);
    Child reads([&] { (void)!read(tcp.client, &byte, 1); });
    REQUIRE_DOES(reads, "waits in read for " + tcp.name);
    Child accepts([&] {
        accept(tcp.listener, nullptr, nullptr);  // the client above
        accept(tcp.listener, nullptr, nullptr);
    });
    REQUIRE_DOES(accepts, "waits in accept for clients of " + tcp.name);

    TestFolder folder;
    const std::string path = folder.path() + "/db.sock";
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path.copy(to.sun_path, sizeof(to.sun_path) - 1);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
    REQUIRE(listen(listener, 1) == 0);
    REQUIRE(connect(client, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0);
    Child asks([&] { recv(client, &byte, 1, 0); });
    REQUIRE_DOES(asks, "waits in recvfrom for " + path);
    int both[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, both) == 0);
    Child talks([&] { recv(both[0], &byte, 1, 0); });
    REQUIRE_DOES(talks, "waits in recvfrom for a socket without a name");
    for (int fd : {listener, client, both[0], both[1]}) {
        close(fd);
    }
}

TEST_CASE("activity: a connection that does not come about is named too") {
    Pair full(0);
    int more[4];
    for (int& fd : more) {
        fd = full.Connect(SOCK_NONBLOCK);
    }
    Child connects([&] { full.Connect(0); });
    REQUIRE_DOES(connects, "waits in connect for " + full.name);
    // As PHP's streams do it.
    Child polls([&] {
        pollfd one{full.Connect(SOCK_NONBLOCK), POLLOUT, 0};
        poll(&one, 1, -1);
    });
    REQUIRE_DOES(polls, "waits in poll for " + full.name);
    for (int fd : more) {
        close(fd);
    }
}

TEST_CASE("activity: all that a poll, a select or an epoll waits for") {
    Pair one;
    Pair two;
    Child polls([&] {
        pollfd both[] = {{one.client, POLLIN, 0}, {-1, 0, 0}, {two.client, POLLIN, 0}};
        poll(both, 3, -1);
    });
    REQUIRE_DOES(polls, "waits in poll for " + one.name + ", " + two.name);
    Child sleeps([] { poll(nullptr, 0, -1); });
    REQUIRE_DOES(sleeps, "sleeps in poll");
    Child many([&] {
        pollfd six[6];
        for (pollfd& each : six) {
            each = {one.client, POLLIN, 0};
        }
        poll(six, 6, -1);
    });
    REQUIRE_DOES(many, "waits in poll for " + one.name + ", " + one.name + ", " + one.name + ", " +
                           one.name + " and 2 more");
    Child selects([&] {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(two.client, &set);
        select(two.client + 1, &set, nullptr, nullptr, nullptr);
    });
    std::string does = selects.Does("waits in pselect6 for " + two.name);
    REQUIRE(
        (does == "waits in pselect6 for " + two.name || does == "waits in select for " + two.name));
    Child epolls([&] {
        int epoll = epoll_create1(0);
        epoll_event event{EPOLLIN, {}};
        epoll_ctl(epoll, EPOLL_CTL_ADD, one.client, &event);
        epoll_wait(epoll, &event, 1, -1);
    });
    REQUIRE_DOES(epolls, "waits in epoll_wait for " + one.name);
}

TEST_CASE("activity: files, locks, paths, pipes and what stands behind them") {
    TestFolder folder;
    const std::string lock = folder.path() + "/cache.lock";
    int held = open(lock.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    REQUIRE(flock(held, LOCK_EX) == 0);
    Child locks([&] { flock(open(lock.c_str(), O_RDWR), LOCK_EX); });
    REQUIRE_DOES(locks, "waits in flock for " + lock);

    const std::string fifo = folder.path() + "/f\nifo";
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    Child opens([&] { open(fifo.c_str(), O_RDONLY); });
    REQUIRE_DOES(opens, "waits in openat for " + folder.path() + "/f?ifo");

    int ends[2];
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    char byte = 0;
    Child listens([&] {
        dup2(ends[0], 0);
        (void)!read(0, &byte, 1);
    });
    REQUIRE_DOES(listens, "waits in read for its standard input");
    Child reads([&] { (void)!read(ends[0], &byte, 1); });
    REQUIRE_DOES(reads, "waits in read for a pipe");
    Child starts([&] {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            prctl(PR_SET_NAME, "convert");
            sleep(600);
        }
        (void)!read(ends[0], &byte, 1);
    });
    std::string does = starts.Does(" (convert), which sleeps in clock_nanosleep");
    REQUIRE(does.starts_with("waits in read for a pipe of process "));
    REQUIRE(does.ends_with(" (convert), which sleeps in clock_nanosleep"));
    close(ends[0]);
    close(ends[1]);
    close(held);
}

TEST_CASE("activity: of who waits for a process, what that does") {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    Child waits([&] {
        pid_t child = fork();
        if (child == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            prctl(PR_SET_NAME, "con\nvert");
            sleep(600);
        }
        (void)!write(ends[1], &child, sizeof(child));
        waitpid(child, nullptr, 0);
    });
    pid_t child = 0;
    REQUIRE(read(ends[0], &child, sizeof(child)) == sizeof(child));
    REQUIRE_DOES(waits, "waits in wait4 for process " + std::to_string(child) +
                            " (con?vert), which sleeps in clock_nanosleep");
    close(ends[0]);
    close(ends[1]);
}

TEST_CASE("activity: who may not look closer learns whether it waits") {
    if (geteuid() != 0) {
        WARN("needs root, to be somebody else");
        return;
    }
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    Child sleeps([] { sleep(600); });
    REQUIRE_DOES(sleeps, "sleeps in clock_nanosleep");
    Child stranger([&] {
        if (setgid(65534) != 0 || setuid(65534) != 0) {
            _exit(1);
        }
        Tell(ends[1], sleeps.pid(), 1);
    });
    REQUIRE(Heard(ends[0]) == "waits");
    close(ends[0]);
    close(ends[1]);
}

TEST_CASE("activity: a socket that may not be asked is looked for once a second") {
    Pair tcp;
    Pair listens;
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    char byte = 0;
    Child receives([&] { recv(tcp.client, &byte, 1, 0); });
    REQUIRE_DOES(receives, "waits in recvfrom for " + tcp.name);
    Child accepts([&] {
        accept(listens.listener, nullptr, nullptr);  // the client above
        accept(listens.listener, nullptr, nullptr);
    });
    REQUIRE_DOES(accepts, "waits in accept for clients of " + listens.name);
    Child contained([&] {
        Forbid(SYS_pidfd_getfd);
        Tell(ends[1], receives.pid(), 2);
    });
    REQUIRE(Heard(ends[0]) == "waits in recvfrom for " + tcp.name);
    REQUIRE(Heard(ends[0]) == "waits in recvfrom for a socket");
    Child other([&] {
        Forbid(SYS_pidfd_getfd);
        Tell(ends[1], accepts.pid(), 1);
    });
    REQUIRE(Heard(ends[0]) == "waits in accept for clients of " + listens.name);
    close(ends[0]);
    close(ends[1]);
}

TEST_CASE("activity: the permission to search comes once a second") {
    SocketSearch search;
    Instant now = Clock::now();
    REQUIRE(search.Take(now));
    REQUIRE_FALSE(search.Take(now + std::chrono::milliseconds(999)));
    REQUIRE(search.Take(now + std::chrono::milliseconds(1000)));
}

}  // namespace rr::pool
