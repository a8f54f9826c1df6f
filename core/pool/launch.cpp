#include "core/pool/launch.hpp"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "core/base/process.hpp"
#include "core/config/dotenv.hpp"

extern char** environ;

namespace rr::pool {
namespace {

using Environment = std::map<std::string, std::string>;

std::string Upper(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

// `$VAR` and `${VAR}` once more, against what the worker would inherit.
std::string Expand(const std::string& text, const Environment& known) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '$' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        bool braced = text[i + 1] == '{';
        size_t begin = i + (braced ? 2 : 1);
        size_t end = begin;
        while (end < text.size() &&
               (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) {
            ++end;
        }
        if (end == begin || (braced && (end == text.size() || text[end] != '}'))) {
            out += text[i];
            continue;
        }
        auto found = known.find(text.substr(begin, end - begin));
        if (found != known.end()) {
            out += found->second;
        }
        i = braced ? end : end - 1;
    }
    return out;
}

Result<std::string> ReadFile(int directory, const std::string& path) {
    int fd = openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return Fail(Errc::kNotFound, "open " + path + ": " + strerror(errno));
    }
    std::string text;
    char piece[4096];
    ssize_t got;
    while ((got = read(fd, piece, sizeof(piece))) > 0) {
        text.append(piece, static_cast<size_t>(got));
    }
    close(fd);
    return text;
}

// The relay as the user wrote it. Only where a release has moved on, so that a relative path does not
// lead to our socket any more, it becomes absolute.
std::string RelayFrom(int directory, const std::string& relay) {
    constexpr std::string_view kUnix = "unix://";
    if (!relay.starts_with(kUnix) || relay[kUnix.size()] == '/' ||
        faccessat(directory, relay.c_str() + kUnix.size(), F_OK, 0) == 0) {
        return relay;
    }
    return std::string(kUnix) + process::Absolute(relay.substr(kUnix.size()), process::Directory());
}

// Variables in the order in which later ones win (the reference's order).
Result<Environment> BuildEnvironment(
    const ServerSettings& settings, int directory,
    const std::vector<std::pair<std::string, std::string>>& extra) {
    Environment env;
    for (char** one = environ; *one != nullptr; ++one) {
        std::string_view entry = *one;
        size_t equals = entry.find('=');
        if (equals != std::string_view::npos) {
            env.insert_or_assign(std::string(entry.substr(0, equals)),
                                 std::string(entry.substr(equals + 1)));
        }
    }
    if (!settings.dotenv.empty()) {
        Result<std::string> text = ReadFile(directory, settings.dotenv);
        if (!text) {
            return Forward(text);
        }
        auto pairs = config::ParseDotenv(*text);
        if (!pairs) {
            return Forward(pairs, settings.dotenv);
        }
        const auto& ours = settings.dotenv_names;
        for (auto& [name, value] : *pairs) {
            if (!env.contains(name) || std::find(ours.begin(), ours.end(), name) != ours.end()) {
                env[name] = value;
            }
        }
    }
    env["RR_RELAY"] = RelayFrom(directory, settings.relay);
    if (!settings.rpc.empty()) {
        env["RR_RPC"] = settings.rpc;
    }
    for (const auto& [name, value] : settings.env) {
        env[Upper(name)] = Expand(value, env);
    }
    env["RR_VERSION"] = settings.version;
    for (const auto& [name, value] : extra) {
        env[name] = value;
    }
    return env;
}

bool Executable(int directory, const std::string& path) {
    struct stat info{};
    return fstatat(directory, path.c_str(), &info, 0) == 0 && S_ISREG(info.st_mode) &&
           faccessat(directory, path.c_str(), X_OK, 0) == 0;
}

Result<std::string> FindExecutable(int directory, const std::string& name) {
    if (name.find('/') != std::string::npos) {
        if (!Executable(directory, name)) {
            return Fail(Errc::kNotFound, "exec: \"" + name + "\": no such executable file");
        }
        return name;
    }
    const char* path = getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
    while (true) {
        size_t colon = rest.find(':');
        std::string candidate(rest.substr(0, colon));
        candidate += candidate.empty() ? name : "/" + name;
        if (Executable(directory, candidate)) {
            return candidate;
        }
        if (colon == std::string_view::npos) {
            return Fail(Errc::kNotFound,
                        "exec: \"" + name + "\": executable file not found in $PATH");
        }
        rest.remove_prefix(colon + 1);
    }
}

bool IsNumber(const std::string& text) {
    return text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
}

Result<void> FindIds(const ServerSettings& settings, LaunchPlan& plan) {
    if (settings.user.empty() && settings.group.empty()) {
        return {};
    }
    plan.uid = geteuid();
    plan.gid = getegid();
    if (!settings.user.empty()) {
        const passwd* user = getpwnam(settings.user.c_str());
        if (user == nullptr && IsNumber(settings.user)) {
            user = getpwuid(static_cast<uid_t>(std::stoul(settings.user)));
        }
        if (user == nullptr) {
            return Fail(Errc::kNotFound,
                        settings.section + ".user: no user is named " + settings.user);
        }
        plan.uid = user->pw_uid;
        plan.gid = user->pw_gid;
    }
    if (!settings.group.empty()) {
        const group* found = getgrnam(settings.group.c_str());
        if (found == nullptr) {
            return Fail(Errc::kNotFound,
                        settings.section + ".group: no group is named " + settings.group);
        }
        plan.gid = found->gr_gid;
    }
    plan.change_ids = plan.uid != geteuid() || plan.gid != getegid();
    if (plan.change_ids && geteuid() != 0) {
        return Fail(Errc::kDenied,
                    settings.section + ".user: only root can start processes as another user");
    }
    return {};
}

}  // namespace

LaunchPlan::~LaunchPlan() {
    if (directory >= 0) {
        close(directory);
    }
}

Result<std::shared_ptr<const LaunchPlan>> Resolve(
    const ServerSettings& settings, const std::vector<std::string>& command,
    const std::vector<std::pair<std::string, std::string>>& extra) {
    if (command.empty() || command.front().empty()) {
        return Fail(Errc::kConfig, settings.section + ".command: missing");
    }
    auto plan = std::make_shared<LaunchPlan>();
    const std::string directory = settings.directory.empty() ? "." : settings.directory;
    plan->directory = open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (plan->directory < 0) {
        return Fail(Errc::kNotFound, "chdir " + directory + ": " + strerror(errno));
    }
    Result<std::string> executable = FindExecutable(plan->directory, command.front());
    if (!executable) {
        return Forward(executable);
    }
    plan->executable = *executable;
    plan->argv = command;
    Result<void> ids = FindIds(settings, *plan);
    if (!ids) {
        return Forward(ids);
    }
    Result<Environment> env = BuildEnvironment(settings, plan->directory, extra);
    if (!env) {
        return Forward(env);
    }
    for (const auto& [name, value] : *env) {
        plan->environment.push_back(name + "=" + value);
    }
    for (const std::string& word : command) {
        plan->command_line += (plan->command_line.empty() ? "" : " ") + word;
    }
    return std::shared_ptr<const LaunchPlan>(std::move(plan));
}

}  // namespace rr::pool
