// Rules: which folders and files of one service are watched. RoadRunner's rules, and `names` and
// `shallow` of our own for `rr serve --watch`.
//
// Thread: a plain value. Paths are absolute.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rr::reload {

struct Rules {
    std::vector<std::string> dirs;
    bool recursive = false;
    std::vector<std::string> shallow;   // folders whose own files count, whatever else is ignored
    std::vector<std::string> ignore;    // folders with all in them, and files
    std::vector<std::string> names;     // folders of these names, wherever
    bool hidden = true;                 // folders whose names begin with a dot count too
    std::vector<std::string> patterns;  // a file's name contains one of them

    // Below one of dirs: is this folder entered?
    bool EntersFolder(std::string_view path, std::string_view name) const;
    bool WantsFile(std::string_view path, std::string_view name) const;
};

}  // namespace rr::reload
