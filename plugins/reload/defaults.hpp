// What `rr serve --watch` watches when no `reload` section says it.
//
// Thread: pure; asks the file system which word of a command is the script.
#pragma once

#include <string>
#include <vector>

#include "plugins/reload/rules.hpp"

namespace rr::reload {

// directory: the working directory, absolute. commands: those that start workers.
//
// Watched are `.php` files, `.env` files and those that end like the workers' scripts (`.py`, say):
// everywhere below the directory, and in the folder of a script that lies elsewhere. Not entered are
// hidden folders, node_modules, and those that frameworks write compiled files to. Of vendor only what
// Composer writes at each install, update and dump-autoload: its thousands of folders would cost
// a watch each.
Rules WatchDefaults(const std::string& directory,
                    const std::vector<std::vector<std::string>>& commands);

}  // namespace rr::reload
