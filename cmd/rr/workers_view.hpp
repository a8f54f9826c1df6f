// WorkersView: what `rr workers` shows: RoadRunner's tables once, or a picture that fits a terminal.
//
// Thread: values.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cmd/rr/groups.hpp"

namespace rr::cmd {

struct ViewStyle {
    bool colours = false;
    bool legacy = false;  // 1.x: `rr http:workers`
    bool tasks = false;   // a column with what each worker does
    size_t columns = 0;   // of the terminal; 0: none, nothing is cut
    int64_t now_unix_ns = 0;
};

// Lines without their ends.
std::vector<std::string> WorkerLines(const std::vector<GroupView>& groups, const ViewStyle& style);

// What the head of a picture says of a plugin: `4 workers, 1 working, 2 waiting, resetting`.
std::string Summary(const GroupView& group);

}  // namespace rr::cmd
