#include "core/pool/meter.hpp"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

namespace rr::pool {
namespace {

constexpr size_t kPiece = 64 << 20;
constexpr Duration kWork = std::chrono::milliseconds(20);

Duration Own() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec);
}

// A child that does what it is told: c computes, m takes memory for a moment, n nothing.
class Servant {
public:
    Servant() {
        REQUIRE(pipe(to_) == 0);
        REQUIRE(pipe(from_) == 0);
        pid_ = fork();
        if (pid_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            Serve();
        }
    }
    ~Servant() {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        for (int fd : {to_[0], to_[1], from_[0], from_[1]}) {
            close(fd);
        }
    }
    Servant(const Servant&) = delete;
    Servant& operator=(const Servant&) = delete;

    void Do(char what) {
        REQUIRE(write(to_[1], &what, 1) == 1);
        REQUIRE(read(from_[0], &what, 1) == 1);
    }
    pid_t pid() const { return pid_; }

private:
    [[noreturn]] void Serve() {
        for (char what = 0; read(to_[0], &what, 1) == 1;) {
            for (Duration end = Own() + kWork; what == 'c' && Own() < end;) {
            }
            if (what == 'm') {
                void* piece = mmap(nullptr, kPiece, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                memset(piece, 1, kPiece);
                munmap(piece, kPiece);
            }
            (void)!write(from_[1], &what, 1);
        }
        _exit(0);
    }

    int to_[2];
    int from_[2];
    pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("meter: processor time of another process, from one moment to the next") {
    Servant servant;
    Meter meter(servant.pid(), false);
    meter.Begin();
    servant.Do('c');
    REQUIRE(meter.Cpu() >= kWork);
    Duration first = meter.Cpu();
    meter.Begin();
    servant.Do('n');
    REQUIRE(meter.Cpu() >= Duration::zero());
    REQUIRE(meter.Cpu() < first);
    REQUIRE(meter.PeakMemory() == 0);  // nobody asked
}

TEST_CASE("meter: the peak of memory, also of what was given back meanwhile") {
    Servant servant;
    Meter meter(servant.pid(), true);
    meter.Begin();
    servant.Do('n');
    const uint64_t quiet = meter.PeakMemory();
    REQUIRE(quiet > 0);
    meter.Begin();
    servant.Do('m');
    REQUIRE(meter.PeakMemory() > quiet + kPiece / 2);
    meter.Begin();
    servant.Do('n');
    REQUIRE(meter.PeakMemory() < quiet + kPiece / 2);
}

TEST_CASE("meter: of a process that is gone nothing is known") {
    pid_t gone = fork();
    if (gone == 0) {
        _exit(0);
    }
    Meter before(gone, true);
    waitpid(gone, nullptr, 0);
    Meter after(gone, true);
    for (Meter* meter : {&before, &after}) {
        REQUIRE(meter->Cpu() == kUnknownTime);
        meter->Begin();
        REQUIRE(meter->Cpu() == kUnknownTime);
        REQUIRE(meter->PeakMemory() == 0);
        REQUIRE(meter->CpuOf(std::chrono::seconds(1)) == kUnknownTime);
    }
}

}  // namespace rr::pool
