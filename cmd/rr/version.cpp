#include "cmd/rr/version.hpp"

#include "core/base/process.hpp"
#include "rr_version.hpp"

namespace rr::cmd {

std::string CompatibleVersion() { return "2025.1.14"; }

std::string OwnVersion() { return RR_OWN_VERSION; }

std::string BuildTime() { return RR_BUILD_TIME; }

std::string VersionLine() {
    std::string line = "rr version " + CompatibleVersion() + " (build time: " + BuildTime();
    line += ", rr " + OwnVersion() + "), OS: ";
    line.append(process::SystemName()).append(", arch: ").append(process::MachineName());
    return line;
}

}  // namespace rr::cmd
