#include "cmd/rr/plugin_table.hpp"

#include <algorithm>
#include <string>

namespace rr::cmd {

namespace {

class Sorter {
public:
    explicit Sorter(const std::vector<PluginRow>& table)
        : table_(table), marks_(table.size(), Mark::kNew) {}

    Result<std::vector<const PluginRow*>> Sort() {
        for (size_t i = 0; i < table_.size(); ++i) {
            for (size_t j = 0; j < i; ++j) {
                if (table_[i].name == table_[j].name) {
                    return Fail(Errc::kInternal,
                                "two plugins are named " + std::string(table_[i].name));
                }
            }
        }
        for (size_t i = 0; i < table_.size(); ++i) {
            if (!Visit(i)) {
                return Fail(Errc::kInternal, Cycle());
            }
        }
        return std::move(order_);
    }

private:
    enum class Mark : uint8_t { kNew, kOpen, kDone };

    // Depth first; false: `path_` ends in a plugin that it already contains.
    bool Visit(size_t index) {
        if (marks_[index] == Mark::kDone) {
            return true;
        }
        path_.push_back(index);
        if (marks_[index] == Mark::kOpen) {
            return false;
        }
        marks_[index] = Mark::kOpen;
        for (std::string_view need : table_[index].needs) {
            for (size_t other = 0; other < table_.size(); ++other) {
                if (Offers(table_[other], need) && !Visit(other)) {
                    return false;
                }
            }
        }
        marks_[index] = Mark::kDone;
        path_.pop_back();
        order_.push_back(&table_[index]);
        return true;
    }

    std::string Cycle() const {
        std::string text = "plugins need each other: ";
        auto begin = std::find(path_.begin(), path_.end(), path_.back());
        for (auto it = begin; it != path_.end(); ++it) {
            text.append(it == begin ? "" : " -> ").append(table_[*it].name);
        }
        return text;
    }

    const std::vector<PluginRow>& table_;
    std::vector<Mark> marks_;
    std::vector<size_t> path_;
    std::vector<const PluginRow*> order_;
};

}  // namespace

bool Offers(const PluginRow& row, std::string_view need) {
    return row.name == need ||
           std::find(row.offers.begin(), row.offers.end(), need) != row.offers.end();
}

Result<std::vector<const PluginRow*>> SortPlugins(const std::vector<PluginRow>& table) {
    return Sorter(table).Sort();
}

std::string PluginGraph(const std::vector<const PluginRow*>& order) {
    std::string text = "digraph endure {\n\trankdir=TB;\n";
    for (const PluginRow* row : order) {
        text.append("\t\"").append(row->name).append("\";\n");
        for (std::string_view need : row->needs) {
            for (const PluginRow* other : order) {
                if (Offers(*other, need)) {
                    text.append("\t\"").append(row->name).append("\" -> \"");
                    text.append(other->name).append("\";\n");
                }
            }
        }
    }
    return text + "}\n";
}

}  // namespace rr::cmd
