// Our own process and its surroundings: directory, environment, identity, limits, replacement.
//
// Thread: main, before others run, unless a function says otherwise.
// Fails:  with RoadRunner's texts, which follow Go's: `chdir /x: no such file or directory`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace rr::process {

// What an errno means, in Go's spelling: `address already in use`.
std::string ErrorText(int number);

int64_t Pid();

// The working directory as its user calls it: $PWD if that names it (links kept), else the real path.
std::string Directory();
Result<void> ChangeDirectory(const std::string& path);
// `path` seen from `base`; absolute paths stay. Links are not followed, `.` and `..` are removed.
std::string Absolute(const std::string& path, const std::string& base);

// Null if it is not set. The text lives until the variable changes.
const char* Variable(const char* name);
void SetVariable(const std::string& name, const std::string& value);
// Every `NAME=value`, as it is now.
std::vector<std::string> Environment();

// Are standard input, output, error (0, 1, 2) a terminal?
bool IsTerminal(int descriptor);
// Was this process started from a terminal that can hang up?
bool HasControllingTerminal();
// A peer that is gone and a file that may not grow are errors of a write then, not signals.
void IgnoreWriteSignals();
// Raises the limit of open descriptors to the hard limit; gives the new limit.
uint64_t RaiseDescriptorLimit();
// The soft limit as it is now.
uint64_t DescriptorLimit();

// The soft limit before it was raised, which children get back; 0 if it was not raised.
uint64_t DescriptorLimitAtStart();

// Sends SIGTERM. Fails with `os: process already finished` if there is no such process.
Result<void> Terminate(int64_t pid);
bool Exists(int64_t pid);

// The file that was started, found as a shell would find it; absolute.
std::string ExecutablePath(const std::string& argv0);
// May we start this file?
bool Executable(const std::string& file);
// Puts another program into this process: same pid, descriptors without close-on-exec stay open.
// Comes back only on failure.
Error Replace(const std::string& file, const std::vector<std::string>& arguments,
              const std::vector<std::string>& environment);

// Flushes the C streams and ends the process without running destructors. Any thread.
[[noreturn]] void ExitNow(int code);

// `linux`, `amd64`: Go's names, as RoadRunner prints them.
std::string_view SystemName();
std::string_view MachineName();

}  // namespace rr::process
