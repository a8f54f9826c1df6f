// Invocation: how rr was started; what the configuration does not say. Published by the program
// itself, before the first Init.
//
// Thread: constant.
#pragma once

#include <string>
#include <vector>

namespace rr {

struct Invocation {
    std::string config_file;  // absolute
    std::string directory;    // the working directory, absolute, links as the user wrote them
    std::string dotenv;       // absolute; empty: none
    std::vector<std::string> dotenv_names;  // what it added to our environment
    std::string version;   // the RoadRunner version that we are compatible with: RR_VERSION
    bool debug = false;    // -d
    bool verbose = false;  // -v
    bool experimental = false;
    bool watch = false;  // --watch: an edit replaces the workers, a failing boot waits for one
};

}  // namespace rr
