// Section: a part of the configuration, read with types, defaults and checks.
//
//   HttpConfig c;
//   c.address = s.String("address", "");
//   c.max_request_size = s.Integer("max_request_size", 1000, 0, 1 << 20);
//   c.pool = ParsePoolConfig(s.Sub("pool"));
//   if (c.address.empty()) { s.Problem("address", "missing"); }
//
// Reading never fails at once: a bad value gives the default and adds a problem of the form
// `file:line: key: what is wrong` to the Config, so that the user sees all of them together. Every
// key that was asked for counts as known; Config::Finish() warns about the others with the nearest
// known key.
//
// Thread: main, before Serve. A Section borrows its Config, which outlives it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/time.hpp"

namespace rr::config {

class Config;
class Node;
struct Place;

class Section {
public:
    // False for a section that the file does not have (or has as null). Reading an absent section
    // gives defaults and still teaches Finish() the keys.
    bool present() const { return node_ != nullptr; }
    explicit operator bool() const { return present(); }
    // Full dotted path: `http.pool`.
    const std::string& path() const { return path_; }

    // True if the key is there and not null.
    bool Has(std::string_view key) const;

    // Keys are lower case here, whatever the file says.
    std::string String(std::string_view key, std::string_view fallback) const;
    bool Bool(std::string_view key, bool fallback) const;
    int64_t Integer(std::string_view key, int64_t fallback, int64_t min = INT64_MIN,
                    int64_t max = INT64_MAX) const;
    double Number(std::string_view key, double fallback) const;

    // `500ms`, `1m30s`, `2.5h`; a bare integer below 1,000,000 is seconds, else nanoseconds, with a
    // warning that shows the text to write (decisions: configuration).
    Duration Time(std::string_view key, Duration fallback, Duration min = Duration::zero()) const;

    // `16KB`, `64MB`, `1GB`, or a bare number of bytes. K, M and G are powers of 1024.
    int64_t Size(std::string_view key, int64_t fallback) const;

    // One of `allowed`, compared in lower case.
    std::string OneOf(std::string_view key, std::string_view fallback,
                      const std::vector<std::string_view>& allowed) const;

    // A list of strings; a scalar is split at commas, as RoadRunner does.
    std::vector<std::string> List(std::string_view key) const;

    // A command: a YAML list of 2+ elements verbatim, else the one string split like a shell would
    // split words (quotes, backslashes; no expansion, no comma split). Empty: absent.
    std::vector<std::string> Command(std::string_view key) const;

    // String pairs; accepts a map or a list of one-pair maps. Keys come lower-cased.
    std::vector<std::pair<std::string, std::string>> Pairs(std::string_view key) const;

    // The same for names with dots in them, which the reader has taken for sections: `0.5: 0.05`.
    std::vector<std::pair<std::string, std::string>> DottedPairs(std::string_view key) const;

    // A nested section, present or not. An empty one (`pool: {}`) counts as absent.
    Section Sub(std::string_view key) const;

    // A list of sections; all of them know the same keys. Absent: one that is not present.
    std::vector<Section> Elements(std::string_view key) const;

    // Every child of this section with its (lower-cased) name, in file order; for sections whose
    // names the user invents. All of them count as known.
    std::vector<std::pair<std::string, Section>> Children() const;

    // Accepts a key (or a whole sub-tree) that is known to the field and has no effect here. `why`
    // is logged as a warning when the key is present; empty: silence.
    void Ignored(std::string_view key, std::string_view why) const;

    // Adds `file:line: path.key: text`. With an empty key the section's own line.
    void Problem(std::string_view key, std::string_view text) const;
    void Warning(std::string_view key, std::string_view text) const;

private:
    friend class Config;
    Section(Config* config, const Node* node, std::string path)
        : config_(config), node_(node), path_(std::move(path)) {}

    // The child, null if absent; marks it as known for `use` (KnownKeys::Use).
    const Node* Find(std::string_view key, uint8_t use) const;
    const Node* FindScalar(std::string_view key) const;  // other kinds are a problem
    const Node* FindTyped(std::string_view key) const;   // the same; empty text counts as absent
    Section Child(std::string_view key, bool keep_empty) const;
    Place PlaceOf(std::string_view key) const;

    Config* config_;
    const Node* node_;  // null: absent
    std::string path_;
};

}  // namespace rr::config
