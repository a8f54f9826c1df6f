// pipe_limit: how many requests per second PHP workers can answer over their pipes when nobody
// parses HTTP, logs or waits. It writes ready Goridge frames and counts the answers: the ceiling
// against which the server is measured.
//
//   pipe_limit [--workers N] [--in-flight 1|2] [--seconds S] [--uri URI] [--tcp 0|1] -- command...
//
// --tcp 1: events of the tcp plugin instead. A control frame, the fence, goes behind each event in
// the same write, and an event counts when the worker has answered both.
//
// Prints one line of name=value pairs. Exit 0 if every answer was a good one.
//
// The frame is built here once more, not with relay/: a yardstick must not share the code it
// measures.
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr uint8_t kControl = 0x01;
constexpr uint8_t kJson = 0x08;
constexpr uint8_t kError = 0x40;

struct Options {
    size_t workers = 2;
    size_t in_flight = 1;
    double seconds = 3.0;
    std::string uri = "http://127.0.0.1:8080/";
    bool tcp = false;
    std::vector<char*> command;
};

uint32_t Crc32(const uint8_t* data, size_t size) {
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; ++i) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xEDB88320u : 0u);
        }
    }
    return ~crc;
}

void PutU32(uint8_t* out, uint32_t value) {
    for (int i = 0; i < 4; ++i) {
        out[i] = static_cast<uint8_t>(value >> (8 * i));
    }
}

uint32_t GetU32(const uint8_t* in) {
    return static_cast<uint32_t>(in[0]) | static_cast<uint32_t>(in[1]) << 8 |
           static_cast<uint32_t>(in[2]) << 16 | static_cast<uint32_t>(in[3]) << 24;
}

std::string Frame(uint8_t flags, const std::vector<uint32_t>& options, std::string_view payload) {
    std::array<uint8_t, 20> head{};
    size_t words = 3 + options.size();
    head[0] = static_cast<uint8_t>(0x10 | words);
    head[1] = flags;
    PutU32(&head[2], static_cast<uint32_t>(payload.size()));
    PutU32(&head[6], Crc32(head.data(), 6));
    for (size_t i = 0; i < options.size(); ++i) {
        PutU32(&head[12 + 4 * i], options[i]);
    }
    std::string frame(reinterpret_cast<char*>(head.data()), 4 * words);
    frame.append(payload);
    return frame;
}

[[noreturn]] void Die(const char* what) {
    std::fprintf(stderr, "pipe_limit: %s: %s\n", what, std::strerror(errno));
    std::exit(2);
}

// Worker: one PHP process and what is on its way to and from it.
struct Worker {
    pid_t pid = 0;
    int in = -1;
    int out = -1;
    bool numbered = false;  // repeats request numbers
    uint32_t next_number = 1;
    uint32_t oldest = 1;
    bool replied = false;  // to the event that is open
    std::vector<uint8_t> buffer;
    size_t used = 0;

    void Send(std::string_view frame) const {
        // At most two small frames lie in a 64 KiB pipe: the write never blocks for long.
        if (write(in, frame.data(), frame.size()) != static_cast<ssize_t>(frame.size())) {
            Die("write to worker");
        }
    }

    // Reads what is there. False: the worker closed its output.
    bool Fill() {
        if (buffer.size() - used < 65536) {
            buffer.resize(used + 65536);
        }
        ssize_t got = read(out, buffer.data() + used, buffer.size() - used);
        if (got <= 0) {
            return false;
        }
        used += static_cast<size_t>(got);
        return true;
    }

    // Calls on_frame(flags, stream flags, header, header size, payload size) per complete frame.
    template <class OnFrame>
    void Drain(OnFrame on_frame) {
        size_t at = 0;
        while (used - at >= 12) {
            const uint8_t* head = buffer.data() + at;
            size_t head_size = 4u * (head[0] & 0x0Fu);
            size_t size = head_size + GetU32(head + 2);
            if (used - at < size) {
                break;
            }
            on_frame(head, head_size);
            at += size;
        }
        std::copy(buffer.begin() + static_cast<std::ptrdiff_t>(at),
                  buffer.begin() + static_cast<std::ptrdiff_t>(used), buffer.begin());
        used -= at;
    }
};

Worker Start(const Options& options) {
    int to[2];
    int from[2];
    if (pipe(to) != 0 || pipe(from) != 0) {
        Die("pipe");
    }
    pid_t pid = fork();
    if (pid < 0) {
        Die("fork");
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(to[0], 0);
        dup2(from[1], 1);
        for (int fd : {to[0], to[1], from[0], from[1]}) {
            close(fd);
        }
        setenv("RR_RELAY", "pipes", 1);
        setenv("RR_MODE", options.tcp ? "tcp" : "http", 1);
        setenv("RR_VERSION", "2025.1.14", 1);
        execvp(options.command[0], options.command.data());
        std::perror("pipe_limit: exec");
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    Worker worker;
    worker.pid = pid;
    worker.in = to[1];
    worker.out = from[0];
    return worker;
}

void Handshake(Worker& worker) {
    worker.Send(Frame(kControl | kJson, {}, R"({"pid":100,"rr":1})"));
    bool answered = false;
    while (!answered) {
        if (!worker.Fill()) {
            std::fprintf(stderr, "pipe_limit: worker %d ended before it was ready\n", worker.pid);
            std::exit(2);
        }
        worker.Drain([&](const uint8_t* head, size_t head_size) {
            std::string_view payload(reinterpret_cast<const char*>(head) + head_size,
                                     GetU32(head + 2));
            worker.numbered = payload.find("\"rr\":1") != std::string_view::npos;
            answered = true;
        });
    }
}

struct Tally {
    uint64_t answers = 0;
    uint64_t failures = 0;
};

// Everything of one run: the workers and the request they get over and over.
class Run {
public:
    explicit Run(const Options& options) : options_(options) {
        context_ = R"({"remoteAddr":"127.0.0.1","protocol":"HTTP/1.1","method":"GET","uri":")" +
                   options.uri +
                   R"(","headers":{},"cookies":{},"rawQuery":"","parsed":false,)"
                   R"("uploads":null,"attributes":{}})";
        for (size_t i = 0; i < options.workers; ++i) {
            workers_.push_back(Start(options));
        }
        for (Worker& worker : workers_) {
            Handshake(worker);
        }
        if (options.tcp) {
            context_ = R"({"remote_addr":"127.0.0.1:40000","server":"main",)"
                       R"("uuid":"50a6c1ce-1e83-48c9-9d3e-6f942895400e","event":"DATA"})";
            payload_ = context_ + "Hello, you\r\n";
            codec_ = 0;
            fence_ = Frame(kControl, {}, R"({"pid":100})");
        } else {
            payload_ = context_;
        }
        plain_ = Frame(codec_, {static_cast<uint32_t>(context_.size())}, payload_) + fence_;
    }

    // The requests of the first tenth warm the workers up and are not counted.
    Tally Measure(double& elapsed) {
        int poll = epoll_create1(EPOLL_CLOEXEC);
        for (size_t i = 0; i < workers_.size(); ++i) {
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            epoll_ctl(poll, EPOLL_CTL_ADD, workers_[i].out, &event);
            for (size_t n = 0; n < options_.in_flight; ++n) {
                Request(workers_[i]);
            }
        }
        Loop(poll, options_.seconds / 10);
        tally_ = Tally{};
        Clock::time_point begin = Clock::now();
        Loop(poll, options_.seconds);
        elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
        close(poll);
        return tally_;
    }

    void Stop() {
        for (Worker& worker : workers_) {
            kill(worker.pid, SIGKILL);
            waitpid(worker.pid, nullptr, 0);
        }
    }

private:
    void Request(Worker& worker) {
        if (!worker.numbered) {
            worker.Send(plain_);
            return;
        }
        // As the server does it: the number is the second option.
        numbered_ =
            Frame(codec_, {static_cast<uint32_t>(context_.size()), worker.next_number++}, payload_);
        numbered_ += fence_;
        worker.Send(numbered_);
    }

    void Answer(Worker& worker, const uint8_t* head, size_t head_size) {
        if (!fence_.empty()) {
            AnswerEvent(worker, head, head_size);
            return;
        }
        bool good = (head[1] & (kError | kControl)) == 0 && head[10] == 0 && GetU32(head + 2) > 0;
        if (worker.numbered) {
            good = good && head_size == 20 && GetU32(head + 16) == worker.oldest++;
        }
        ++tally_.answers;
        tally_.failures += good ? 0 : 1;
        Request(worker);
    }

    // The reply, then the fence; only the second ends the event.
    void AnswerEvent(Worker& worker, const uint8_t* head, size_t head_size) {
        if ((head[1] & kControl) == 0) {
            bool good = (head[1] & kError) == 0 && !worker.replied;
            if (worker.numbered) {
                good = good && head_size == 20 && GetU32(head + 16) == worker.oldest++;
            }
            worker.replied = true;
            tally_.failures += good ? 0 : 1;
            return;
        }
        ++tally_.answers;
        tally_.failures += worker.replied ? 0 : 1;
        worker.replied = false;
        Request(worker);
    }

    void Loop(int poll, double seconds) {
        Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                   std::chrono::duration<double>(seconds));
        std::array<epoll_event, 16> events{};
        while (Clock::now() < end) {
            int count = epoll_wait(poll, events.data(), static_cast<int>(events.size()), 1000);
            if (count == 0) {
                std::fprintf(stderr, "pipe_limit: no answer for a second\n");
                ++tally_.failures;
                return;
            }
            for (int i = 0; i < count; ++i) {
                Worker& worker = workers_[events[static_cast<size_t>(i)].data.u64];
                if (!worker.Fill()) {
                    std::fprintf(stderr, "pipe_limit: worker %d ended\n", worker.pid);
                    ++tally_.failures;
                    return;
                }
                worker.Drain([&](const uint8_t* head, size_t head_size) {
                    Answer(worker, head, head_size);
                });
            }
        }
    }

    const Options& options_;
    std::string context_;
    std::string payload_;  // context and body
    std::string fence_;    // empty: http
    uint8_t codec_ = kJson;
    std::string plain_;
    std::string numbered_;
    std::vector<Worker> workers_;
    Tally tally_;
};

Options Parse(int argc, char** argv) {
    Options options;
    int i = 1;
    for (; i + 1 < argc && std::strcmp(argv[i], "--") != 0; i += 2) {
        std::string_view name = argv[i];
        const char* value = argv[i + 1];
        if (name == "--workers") {
            options.workers = std::strtoul(value, nullptr, 10);
        } else if (name == "--in-flight") {
            options.in_flight = std::strtoul(value, nullptr, 10);
        } else if (name == "--seconds") {
            options.seconds = std::strtod(value, nullptr);
        } else if (name == "--uri") {
            options.uri = value;
        } else if (name == "--tcp") {
            options.tcp = value[0] == '1';
        } else {
            std::fprintf(stderr, "pipe_limit: unknown option %s\n", argv[i]);
            std::exit(2);
        }
    }
    for (++i; i < argc; ++i) {
        options.command.push_back(argv[i]);
    }
    if (options.command.empty() || options.workers < 1 || options.workers > 64 ||
        options.in_flight < 1 || options.in_flight > 2 || options.seconds <= 0 ||
        options.seconds > 60) {
        std::fprintf(stderr,
                     "usage: pipe_limit [--workers 1..64] [--in-flight 1|2] [--seconds 0..60] "
                     "[--uri URI] [--tcp 0|1] -- command...\n");
        std::exit(2);
    }
    options.command.push_back(nullptr);
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    Options options = Parse(argc, argv);
    alarm(static_cast<unsigned>(2 * options.seconds) + 30);  // never longer, whatever a worker does
    Run run(options);
    double elapsed = 0;
    Tally tally = run.Measure(elapsed);
    run.Stop();
    std::printf(
        "workers=%zu in_flight=%zu seconds=%.2f answers=%llu failures=%llu per_second=%.0f\n",
        options.workers, options.in_flight, elapsed, static_cast<unsigned long long>(tally.answers),
        static_cast<unsigned long long>(tally.failures),
        static_cast<double>(tally.answers) / elapsed);
    return tally.failures == 0 && tally.answers > 0 ? 0 : 1;
}
