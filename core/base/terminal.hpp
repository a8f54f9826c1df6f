// Terminal: a picture in the user's terminal that is drawn anew in place: single keys, its size and
// when that changes, and the way back to what stood there before.
//
// Thread: main. One at a time in a process: signals belong to all of it.
// Owns:   until it dies the mode of the terminal, its second screen, and the signals INT, TERM, HUP,
//         QUIT, TSTP, WINCH. However the process ends, SIGKILL aside, the terminal is as it was.
// Fails:  Open, where standard output is no terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace rr {

class Terminal final {
public:
    enum class What : uint8_t {
        kTime,  // the limit passed
        kKey,
        kResize,  // or back from being suspended: draw anew
        kEnd,     // Ctrl-C, a signal that ends, or the terminal is gone
    };
    // Keys that are no characters.
    static constexpr char kUp = '\x81';
    static constexpr char kDown = '\x82';
    static constexpr char kPageUp = '\x83';
    static constexpr char kPageDown = '\x84';

    struct Event {
        What what;
        char key = 0;
    };
    struct Size {
        size_t columns = 80;
        size_t rows = 24;
    };

    static Result<std::unique_ptr<Terminal>> Open();
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    static Size size();
    void Write(Bytes bytes);
    Event Wait(Duration limit);

    // As soon as one of these is readable, Wait has something other than kTime.
    std::vector<int> descriptors() const;

private:
    Terminal() = default;
    void Enter();
    void Suspend();
    bool ReadInput();
    Event TakeKey();

    bool keys_ = false;  // standard input is a terminal too
    std::string input_;  // read, and not yet taken for keys
};

// Columns of the terminal on standard error, for a line that is written over; 0: it is none.
size_t ErrorColumns();

}  // namespace rr
