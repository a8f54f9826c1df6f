// What this program calls itself.
#pragma once

#include <string>

namespace rr::cmd {

// The RoadRunner release whose behaviour ours follows; PHP packages read it.
std::string CompatibleVersion();
std::string OwnVersion();
std::string BuildTime();
// The line of `rr --version`, without its end.
std::string VersionLine();

}  // namespace rr::cmd
