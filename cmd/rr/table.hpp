// Table: boxes around cells, as RoadRunner 2025.1 draws them, and as 1.x did.
//
//   ┌───────┬────────┐        +-------+--------+
//   │  PID  │ STATUS │        |  PID  | STATUS |
//
// Thread: values.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace rr::cmd {

struct Cell {
    std::string text;
    int colour = 0;  // SGR code; 0: none
};

struct Column {
    std::string title;
    size_t least = 0;    // content is at least so wide
    bool right = false;  // numbers of 1.x
};

struct Table {
    std::vector<Column> columns;
    std::vector<std::vector<Cell>> rows;  // each as long as `columns`

    void Drop(size_t column);
    // The width of a column's content, and of a line of the whole table.
    size_t ContentWidth(size_t column) const;
    size_t Width() const;

    // Breaks long cells at blanks so that no row is much wider than RoadRunner's 150 columns.
    void Wrap();

    // Lines without their ends. colours: SGR codes are written.
    std::vector<std::string> Boxed(bool colours) const;
    std::vector<std::string> Ascii() const;

private:
    struct Style;
    std::vector<std::string> Draw(const Style& style, bool colours) const;
};

}  // namespace rr::cmd
