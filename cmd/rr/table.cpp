#include "cmd/rr/table.hpp"

#include <algorithm>
#include <string_view>

#include "cmd/rr/cells.hpp"

namespace rr::cmd {

namespace {

constexpr size_t kWidest = 150;

std::string Times(std::string_view text, size_t count) {
    std::string out;
    for (size_t i = 0; i < count; ++i) {
        out += text;
    }
    return out;
}

}  // namespace

struct Table::Style {
    std::string_view line;
    std::string_view bar;
    // Left, middle and right corner of the top, of the line below the titles, and of the bottom.
    std::string_view top[3];
    std::string_view below[3];
    std::string_view bottom[3];
};

void Table::Drop(size_t column) {
    auto at = static_cast<std::ptrdiff_t>(column);
    columns.erase(columns.begin() + at);
    for (auto& row : rows) {
        row.erase(row.begin() + at);
    }
}

size_t Table::ContentWidth(size_t column) const {
    size_t width = std::max(columns[column].least, DisplayWidth(columns[column].title));
    for (const auto& row : rows) {
        width = std::max(width, DisplayWidth(row[column].text));
    }
    return width;
}

size_t Table::Width() const {
    size_t width = 1;
    for (size_t i = 0; i < columns.size(); ++i) {
        width += ContentWidth(i) + 3;
    }
    return width;
}

void Table::Wrap() {
    size_t fair = kWidest / std::max<size_t>(1, columns.size());
    std::vector<std::vector<Cell>> wrapped;
    for (const auto& row : rows) {
        std::vector<std::vector<std::string>> cells;
        size_t height = 1;
        for (const Cell& cell : row) {
            cells.push_back(Broken(cell.text, fair > 2 ? fair - 2 : 1));
            height = std::max(height, cells.back().size());
        }
        for (size_t line = 0; line < height; ++line) {
            std::vector<Cell> part;
            for (size_t i = 0; i < row.size(); ++i) {
                part.push_back({line < cells[i].size() ? cells[i][line] : "", row[i].colour});
            }
            wrapped.push_back(std::move(part));
        }
    }
    rows = std::move(wrapped);
}

std::vector<std::string> Table::Draw(const Style& style, bool colours) const {
    std::vector<size_t> widths;
    for (size_t i = 0; i < columns.size(); ++i) {
        widths.push_back(ContentWidth(i));
    }
    auto rule = [&](const std::string_view(&corners)[3]) {
        std::string line(corners[0]);
        for (size_t i = 0; i < widths.size(); ++i) {
            line += Times(style.line, widths[i] + 2);
            line += corners[i + 1 < widths.size() ? 1 : 2];
        }
        return line;
    };
    std::vector<std::string> lines{rule(style.top)};
    std::string titles(style.bar);
    for (size_t i = 0; i < widths.size(); ++i) {
        size_t room = widths[i] - DisplayWidth(columns[i].title);
        titles += " " + std::string(room / 2, ' ') + columns[i].title +
                  std::string(room - room / 2, ' ') + " ";
        titles += style.bar;
    }
    lines.push_back(std::move(titles));
    lines.push_back(rule(style.below));
    for (const auto& row : rows) {
        std::string line(style.bar);
        for (size_t i = 0; i < widths.size(); ++i) {
            std::string text = row[i].text;
            std::string room(widths[i] - DisplayWidth(text), ' ');
            if (colours && row[i].colour != 0 && !text.empty()) {
                text = "\x1b[" + std::to_string(row[i].colour) + "m" + text + "\x1b[0m";
            }
            line += " " + (columns[i].right ? room + text : text + room) + " ";
            line += style.bar;
        }
        lines.push_back(std::move(line));
    }
    lines.push_back(rule(style.bottom));
    return lines;
}

std::vector<std::string> Table::Boxed(bool colours) const {
    static constexpr Style kBoxes{"─", "│", {"┌", "┬", "┐"}, {"├", "┼", "┤"}, {"└", "┴", "┘"}};
    return Draw(kBoxes, colours);
}

std::vector<std::string> Table::Ascii() const {
    static constexpr Style kAscii{"-", "|", {"+", "+", "+"}, {"+", "+", "+"}, {"+", "+", "+"}};
    return Draw(kAscii, false);
}

}  // namespace rr::cmd
