#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <unordered_map>

#include <uv.h>

#include "core/base/process.hpp"
#include "core/pool/spawner.hpp"

namespace rr::pool {
namespace {

constexpr int kLastSignal = 64;

void CloseAll(std::initializer_list<int> descriptors) {
    for (int fd : descriptors) {
        if (fd >= 0) {
            close(fd);
        }
    }
}

Duration TimeOf(const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

// What the child shared with us between vfork and exec counts as its own: below our own peak the
// kernel's figure says nothing about it.
uint64_t PeakOf(const rusage& used) {
    rusage own{};
    getrusage(RUSAGE_SELF, &own);
    return used.ru_maxrss > own.ru_maxrss ? static_cast<uint64_t>(used.ru_maxrss) * 1024 : 0;
}

struct ChildPlan {
    const LaunchPlan* plan;
    char* const* argv;
    char* const* environment;
    int in;
    int out;
    int err;
    pid_t parent;
    sigset_t mask;
    rlimit descriptors;  // rlim_cur 0: as ours
};

// Runs in the child of vfork, in our memory: system calls only, no allocation, no locks. Returns
// only if something failed, with errno. The ids are set by raw calls because glibc's wrappers would
// signal our other threads.
int BecomeChild(const ChildPlan& c) {
    struct sigaction standard{};
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number <= kLastSignal; ++number) {
        sigaction(number, &standard, nullptr);
    }
    setpgid(0, 0);
    if (c.plan->directory >= 0 && fchdir(c.plan->directory) != 0) {
        return errno;
    }
    if (dup2(c.in, 0) < 0 || dup2(c.out, 1) < 0 || dup2(c.err, 2) < 0) {
        return errno;
    }
    // Ours are marked already; those of libraries may not be. Linux before 5.11: they stay as they are.
    syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    if (c.descriptors.rlim_cur > 0) {
        setrlimit(RLIMIT_NOFILE, &c.descriptors);
    }
    if (c.plan->change_ids) {
        gid_t gid = c.plan->gid;
        uid_t uid = c.plan->uid;
        if (syscall(SYS_setgroups, 1, &gid) != 0 || syscall(SYS_setresgid, gid, gid, gid) != 0 ||
            syscall(SYS_setresuid, uid, uid, uid) != 0) {
            return errno;
        }
    }
    // After the ids, because changing them clears it.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != c.parent) {
        _exit(127);  // we died between vfork and here
    }
    sigprocmask(SIG_SETMASK, &c.mask, nullptr);
    execve(c.plan->executable.c_str(), c.argv, c.environment);
    return errno;
}

// vfork suspends this thread until exec, so the child may report through our memory.
pid_t Fork(const ChildPlan& c, int& failure) {
    volatile int child_failure = 0;
    pid_t pid = vfork();  // NOLINT(bugprone-unsafe-functions): the child only execs
    if (pid == 0) {
        child_failure = BecomeChild(c);
        _exit(127);
    }
    failure = pid < 0 ? errno : child_failure;
    return pid;
}

class LinuxSpawner final : public Spawner {
public:
    explicit LinuxSpawner(Loop& main) : main_(main), watch_(new uv_signal_t) {
        uv_signal_init(main.raw(), watch_);
        watch_->data = this;
        uv_signal_start(
            watch_,
            [](uv_signal_t* h, int) noexcept { static_cast<LinuxSpawner*>(h->data)->Reap(); },
            SIGCHLD);
        uv_unref(reinterpret_cast<uv_handle_t*>(watch_));
    }

    ~LinuxSpawner() override {
        uv_close(reinterpret_cast<uv_handle_t*>(watch_),
                 [](uv_handle_t* h) { delete reinterpret_cast<uv_signal_t*>(h); });
    }

    void Spawn(Loop& home, SpawnRequest request, Callback<void(Result<Spawned>)> spawned,
               Callback<void(ExitStatus)> exited) override {
        main_.Post([this, &home, request = std::move(request), spawned = std::move(spawned),
                    exited = std::move(exited)]() mutable {
            Result<Spawned> result =
                ending_ ? Result<Spawned>(rr::Fail(Errc::kClosed, "the server is stopping"))
                        : Start(request);
            if (result) {
                children_.emplace(result->pid,
                                  Child{&home, std::move(exited), request.whole_group});
            }
            home.Post([spawned = std::move(spawned), result = std::move(result)]() mutable {
                spawned(std::move(result));
            });
            Reap();  // it may be gone already, before the entry stood in the table
        });
    }

    void Signal(pid_t pid, int number) override {
        main_.Post([this, pid, number] {
            if (children_.contains(pid)) {
                SignalGroup(pid, number);
            }
        });
    }

    bool ending() const override { return ending_; }

    void KillAll() override {
        ending_ = true;
        for (auto& [pid, child] : children_) {
            SignalGroup(pid, SIGKILL);
        }
    }

private:
    struct Child {
        Loop* home;
        Callback<void(ExitStatus)> exited;
        bool whole_group;
    };

    // A child that left its group, or has not got one yet, is still our child.
    static void SignalGroup(pid_t pid, int number) {
        if (kill(-pid, number) != 0) {
            kill(pid, number);
        }
    }

    static Result<Spawned> Start(const SpawnRequest& request);

    // False if the leader lives. While a dead one is not reaped, nobody else can get the group's
    // number.
    static bool KillGroupOfDead(pid_t leader) {
        siginfo_t info{};
        if (waitid(P_PID, static_cast<id_t>(leader), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
            info.si_pid != leader) {
            return false;
        }
        kill(-leader, SIGKILL);
        return true;
    }

    void Reap() {
        for (auto it = children_.begin(); it != children_.end();) {
            int status = 0;
            if (it->second.whole_group && !KillGroupOfDead(it->first)) {
                ++it;
                continue;
            }
            rusage used{};
            if (wait4(it->first, &status, WNOHANG, &used) != it->first) {
                ++it;
                continue;
            }
            ExitStatus exit;
            if (WIFEXITED(status)) {
                exit.code = WEXITSTATUS(status);
            } else {
                exit.signal = WTERMSIG(status);
            }
            exit.cpu = TimeOf(used.ru_utime) + TimeOf(used.ru_stime);
            exit.peak_memory = PeakOf(used);
            Child child = std::move(it->second);
            it = children_.erase(it);
            child.home->Post([exited = std::move(child.exited), exit]() mutable { exited(exit); });
        }
    }

    Loop& main_;
    uv_signal_t* watch_;  // freed by its close callback
    std::unordered_map<pid_t, Child> children_;
    std::atomic<bool> ending_{false};
};

Result<Spawned> LinuxSpawner::Start(const SpawnRequest& request) {
    const LaunchPlan& plan = *request.plan;
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};
    int err[2] = {-1, -1};
    bool opened = pipe2(err, O_CLOEXEC) == 0;
    if (opened && request.pipes) {
        opened = pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0;
    } else if (opened) {
        in[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        out[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
        opened = in[0] >= 0 && out[1] >= 0;
    }
    if (!opened) {
        int number = errno;
        CloseAll({in[0], in[1], out[0], out[1], err[0], err[1]});
        return Fail(Errc::kIo, std::string("pipe: ") + strerror(number));
    }

    std::vector<char*> argv;
    for (const std::string& one : plan.argv) {
        argv.push_back(const_cast<char*>(one.c_str()));
    }
    argv.push_back(nullptr);
    std::vector<char*> environment;
    for (const std::string& one : plan.environment) {
        environment.push_back(const_cast<char*>(one.c_str()));
    }
    environment.push_back(nullptr);

    ChildPlan child{&plan, argv.data(), environment.data(), in[0], out[1], err[1], getpid(),
                    {},    {}};
    if (process::DescriptorLimitAtStart() > 0 &&
        getrlimit(RLIMIT_NOFILE, &child.descriptors) == 0) {
        child.descriptors.rlim_cur = process::DescriptorLimitAtStart();
    }
    sigset_t all;
    sigfillset(&all);
    sigset_t before;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    sigemptyset(&child.mask);
    int failure = 0;
    pid_t pid = Fork(child, failure);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);

    CloseAll({in[0], out[1], err[1]});
    if (failure != 0) {
        if (pid > 0) {
            waitpid(pid, nullptr, 0);
        }
        CloseAll({in[1], out[0], err[0]});
        Errc code = failure == ENOENT ? Errc::kNotFound : Errc::kProcess;
        return Fail(code, plan.executable + ": " + strerror(failure));
    }
    Spawned spawned{pid, in[1], out[0], err[0]};
    for (int fd : {spawned.in, spawned.out, spawned.err}) {
        if (fd >= 0) {
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        }
    }
    return spawned;
}

}  // namespace

std::unique_ptr<Spawner> Spawner::Make(Loop& main) { return std::make_unique<LinuxSpawner>(main); }

}  // namespace rr::pool
