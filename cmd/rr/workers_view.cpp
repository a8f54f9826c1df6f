#include "cmd/rr/workers_view.hpp"

#include <algorithm>
#include <string_view>

#include "cmd/rr/cells.hpp"
#include "cmd/rr/table.hpp"

namespace rr::cmd {

namespace {

constexpr int kRed = 31;
constexpr int kGreen = 32;
constexpr int kYellow = 33;
constexpr int kCyan = 36;
constexpr int kBrightYellow = 93;
constexpr size_t kTaskLeast = 24;  // a narrower column of tasks is worth less than any other

int ColourOf(std::string_view word) {
    if (word == "ready") {
        return kCyan;
    }
    if (word == "working") {
        return kGreen;
    }
    if (word == "inactive" || word == "invalid") {
        return kYellow;
    }
    return word == "stopped" || word == "errored" ? kRed : 0;
}

std::string Painted(std::string_view text, int colour, bool colours) {
    if (!colours) {
        return std::string(text);
    }
    return "\x1b[" + std::to_string(colour) + "m" + std::string(text) + "\x1b[0m";
}

std::string AgeOf(const WorkerView& worker, const ViewStyle& style) {
    return Age(Duration(std::max<int64_t>(0, style.now_unix_ns - worker.created_unix_ns)));
}

// The time stands first: it survives a narrow column.
std::string TaskOf(const WorkerView& worker) {
    return worker.task.empty() ? ""
                               : Lasting(Duration(worker.task_ns)) + " " + Harmless(worker.task);
}

Table WorkerTable(const GroupView& group, const ViewStyle& style) {
    Table table;
    table.columns = {{"PID"}, {"STATUS"}, {"EXECS"}, {"MEMORY"}, {"CPU %"}, {"CREATED"}};
    if (style.tasks) {
        table.columns.push_back({"TASK"});
    }
    for (const WorkerView& worker : group.workers) {
        std::vector<Cell> row = {
            {std::to_string(worker.pid)},  {Harmless(worker.word), ColourOf(worker.word)},
            {WithCommas(worker.execs)},    {MemorySize(worker.memory)},
            {Percent(worker.cpu_percent)}, {AgeOf(worker, style)}};
        if (style.tasks) {
            row.push_back({TaskOf(worker)});
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

Table ServiceTable(const GroupView& group) {
    Table table;
    table.columns = {{"PID"}, {"MEMORY"}, {"CPU %"}, {"COMMAND"}};
    for (const WorkerView& worker : group.workers) {
        table.rows.push_back({{std::to_string(worker.pid)},
                              {MemorySize(worker.memory)},
                              {Percent(worker.cpu_percent)},
                              {Harmless(worker.command)}});
    }
    return table;
}

Table PipelineTable(const GroupView& group) {
    Table table;
    table.columns = {{"STATUS"}, {"PIPELINE"}, {"DRIVER"},  {"QUEUE"},
                     {"ACTIVE"}, {"DELAYED"},  {"RESERVED"}};
    for (const PipelineView& one : group.pipelines) {
        table.rows.push_back({{one.ready ? "READY" : "PAUSED/STOPPED"},
                              {Harmless(one.pipeline)},
                              {Harmless(one.driver)},
                              {Harmless(one.queue)},
                              {std::to_string(one.active)},
                              {std::to_string(one.delayed)},
                              {std::to_string(one.reserved)}});
    }
    return table;
}

Table LegacyTable(const GroupView& group, const ViewStyle& style) {
    Table table;
    table.columns = {
        {"PID", 7, true}, {"STATUS", 9}, {"EXECS", 7, true}, {"MEMORY", 7}, {"CREATED", 18}};
    for (const WorkerView& worker : group.workers) {
        table.rows.push_back({{std::to_string(worker.pid)},
                              {Harmless(worker.word)},
                              {WithCommas(worker.execs)},
                              {MemorySize(worker.memory)},
                              {AgeOf(worker, style)}});
    }
    return table;
}

// As RoadRunner shows a plugin it cannot ask.
Table FailureTable(const GroupView& group) {
    Table table;
    table.columns = {{"PID"}, {"STATUS"}, {"EXECS"}, {"MEMORY"}, {"CPU %"}, {"CREATED"}};
    table.rows.push_back({{"0"},
                          {"failed to receive information about " + Harmless(group.plugin) +
                               " plugin: " + OneLine(group.error),
                           kRed},
                          {"ERROR"},
                          {"ERROR"},
                          {"ERROR"},
                          {"ERROR"}});
    table.Wrap();
    return table;
}

void ShortenColumn(Table& table, size_t column, size_t width) {
    for (auto& row : table.rows) {
        row[column].text = Shortened(row[column].text, width);
    }
}

// Gives up columns from the right, those people look at least first, until the table fits; the last
// column of tasks or commands shrinks before that.
void Fit(Table& table, size_t columns) {
    size_t last = table.columns.size() - 1;
    bool elastic = table.columns[last].title == "TASK" || table.columns[last].title == "COMMAND";
    for (std::string_view title : {"CREATED", "CPU %", "MEMORY", "EXECS"}) {
        size_t width = table.Width();
        if (width <= columns) {
            return;
        }
        last = table.columns.size() - 1;
        size_t content = table.ContentWidth(last);
        size_t excess = width - columns;
        if (elastic && content > excess && content - excess >= std::min(content, kTaskLeast)) {
            ShortenColumn(table, last, content - excess);
            return;
        }
        for (size_t i = 0; i < table.columns.size(); ++i) {
            if (table.columns[i].title == title && table.columns.size() > 1) {
                table.Drop(i);
                break;
            }
        }
    }
    last = table.columns.size() - 1;
    size_t width = table.Width();
    size_t content = table.ContentWidth(last);
    if (elastic && width > columns && content > width - columns) {
        ShortenColumn(table, last, content - (width - columns));
    }
}

// In a picture with the summary behind it; below it where the terminal is narrow.
void AddTitle(const GroupView& group, const ViewStyle& style, std::vector<std::string>& lines) {
    std::string title =
        "Workers of [" + Painted(Harmless(group.plugin), kBrightYellow, style.colours) + "]:";
    if (style.columns == 0) {
        lines.push_back(std::move(title));
        return;
    }
    std::string summary = Summary(group);
    size_t width = DisplayWidth("Workers of []: " + Harmless(group.plugin) + summary);
    if (width <= style.columns) {
        lines.push_back(title + " " + summary);
        return;
    }
    lines.push_back(std::move(title));
    for (const std::string& line : Broken(summary, style.columns)) {
        lines.push_back(Shortened(line, style.columns));
    }
}

// What a table cannot say. In a picture it stands in the title.
void AddRemarks(const GroupView& group, const ViewStyle& style, std::vector<std::string>& lines) {
    bool once = style.columns == 0;
    auto add = [&](const std::string& text, int colour) {
        lines.push_back(
            Painted(once ? text : Shortened(text, style.columns), colour, style.colours));
    };
    if (once && group.resetting) {
        add("resetting: new workers of " + Harmless(group.plugin) + " are starting", kYellow);
    }
    if (once && group.queued > 0) {
        add(WithCommas(group.queued) + " waiting for a worker of " + Harmless(group.plugin),
            kYellow);
    }
    if (!group.boot_error.empty()) {
        add("the last start of a worker failed: " + OneLine(group.boot_error), kRed);
    }
}

void AddGroup(const GroupView& group, const ViewStyle& style, std::vector<std::string>& lines) {
    auto add = [&lines](std::vector<std::string> more) {
        lines.insert(lines.end(), std::make_move_iterator(more.begin()),
                     std::make_move_iterator(more.end()));
    };
    if (!group.error.empty()) {
        Table table = FailureTable(group);
        if (style.columns > 0) {
            Fit(table, style.columns);
        }
        add(table.Boxed(style.colours));
        return;
    }
    // A picture shows an empty pool too; RoadRunner's lines leave it out.
    bool shown = !group.workers.empty() || style.columns > 0;
    if (shown) {
        AddTitle(group, style, lines);
    }
    AddRemarks(group, style, lines);
    if (!group.workers.empty()) {
        Table table = group.plain() ? ServiceTable(group) : WorkerTable(group, style);
        if (style.columns > 0) {
            Fit(table, style.columns);
        } else {
            table.Wrap();
        }
        add(table.Boxed(style.colours));
    }
    if (!group.pipelines.empty()) {
        lines.push_back("Jobs of [" +
                        Painted(Harmless(group.plugin), kBrightYellow, style.colours) + "]:");
        add(PipelineTable(group).Boxed(style.colours));
    }
}

}  // namespace

std::string Summary(const GroupView& group) {
    size_t working = 0;
    for (const WorkerView& worker : group.workers) {
        working += worker.word == "working" ? 1 : 0;
    }
    std::string text =
        WithCommas(group.workers.size()) + (group.workers.size() == 1 ? " worker" : " workers");
    if (group.plain()) {
        return text;
    }
    text += ", " + WithCommas(working) + " working";
    if (!group.detailed) {
        return text;
    }
    text += ", " + WithCommas(group.queued) + " waiting";
    if (group.resetting) {
        text += ", resetting";
    }
    if (group.generation > 0) {
        text += ", generation " + WithCommas(group.generation);
    }
    if (group.debug) {
        text += ", debug";
    }
    return text;
}

std::vector<std::string> WorkerLines(const std::vector<GroupView>& groups, const ViewStyle& style) {
    std::vector<std::string> lines;
    for (const GroupView& group : groups) {
        if (!style.legacy) {
            AddGroup(group, style, lines);
            continue;
        }
        AddRemarks(group, style, lines);
        for (std::string& line : LegacyTable(group, style).Ascii()) {
            lines.push_back(style.columns > 0 ? Shortened(line, style.columns) : std::move(line));
        }
    }
    return lines;
}

}  // namespace rr::cmd
