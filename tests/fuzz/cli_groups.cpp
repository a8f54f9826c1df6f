// Answers of a server as the command line reads them: whatever comes, what is written for scripts
// can be read again and is then the same, and nothing in it can steer the terminal.
#include <cstdint>

#include "cmd/rr/cells.hpp"
#include "cmd/rr/groups.hpp"
#include "cmd/rr/workers_view.hpp"
#include "core/base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace rr::cmd;
    std::string_view json(reinterpret_cast<const char*>(data), size);
    bool known = false;
    (void)ReadWorkers(json, known).has_value();
    (void)ReadPipelines(json).has_value();
    (void)ReadNames(json).has_value();
    (void)ReadText(json).has_value();
    auto groups = ReadGroups(json);
    if (!groups) {
        return 0;
    }
    std::string written = WriteGroups(*groups);
    auto again = ReadGroups(written);
    RR_CHECK(again.has_value());
    RR_CHECK(WriteGroups(*again) == written);
    for (size_t columns : {0, 40, 80}) {
        ViewStyle style;
        style.columns = columns;
        style.tasks = true;
        for (const std::string& line : WorkerLines(*groups, style)) {
            RR_CHECK(line.find('\x1b') == std::string::npos);
            RR_CHECK(DisplayWidth(Clipped(line, 40)) <= 40);
        }
    }
    return 0;
}
