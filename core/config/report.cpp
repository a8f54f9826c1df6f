#include "core/config/report.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace rr::config {

void Report::Add(Findings& to, const Place& place, std::string_view path, std::string_view text) {
    const int order = place.source == nullptr ? 0 : place.source->order;
    Add(to, {order, place.line, place.Prefix(path).append(text)});
}

void Report::Add(Findings& to, Finding finding) {
    for (const Finding& old : to.found) {
        if (old.text == finding.text) {
            return;
        }
    }
    to.found.push_back(std::move(finding));
}

void Report::Absorb(const Report& other) {
    for (const Finding& finding : other.problems_.found) {
        Add(problems_, finding);
    }
    for (const Finding& finding : other.warnings_.found) {
        Add(warnings_, finding);
    }
}

const std::vector<std::string>& Report::Sorted(const Findings& of) {
    if (of.sorted.size() != of.found.size()) {
        std::vector<const Finding*> by_place;
        for (const Finding& finding : of.found) {
            by_place.push_back(&finding);
        }
        // Of one line, in the order of their finding, which is that of their addresses.
        std::sort(by_place.begin(), by_place.end(), [](const Finding* a, const Finding* b) {
            return std::tie(a->order, a->line, a) < std::tie(b->order, b->line, b);
        });
        of.sorted.clear();
        for (const Finding* finding : by_place) {
            of.sorted.push_back(finding->text);
        }
    }
    return of.sorted;
}

std::string Report::Joined() const {
    std::string out;
    for (const std::string& line : problems()) {
        if (!out.empty()) {
            out += '\n';
        }
        out += line;
    }
    return out;
}

}  // namespace rr::config
