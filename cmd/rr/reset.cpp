// `rr reset [plugin...]` and, by its name in RoadRunner 1.x, `rr http:reset`.
#include <cstdio>
#include <map>

#include "cmd/rr/cells.hpp"
#include "cmd/rr/commands.hpp"
#include "cmd/rr/console.hpp"
#include "cmd/rr/groups.hpp"
#include "cmd/rr/json_text.hpp"
#include "cmd/rr/remote.hpp"
#include "core/base/sd_notify.hpp"
#include "core/base/terminal.hpp"

namespace rr::cmd {

namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);
constexpr Duration kHeartbeat = std::chrono::seconds(1);
constexpr Duration kSilence = std::chrono::seconds(15);

struct Outcome {
    std::string plugin;
    bool finished = false;
    std::string error;  // empty: it was reset
    Duration elapsed{};
};

// One line on standard error that is written over while the resets run; nothing without a terminal.
class Progress {
public:
    explicit Progress(bool shown) : columns_(shown ? ErrorColumns() : 0) {}
    ~Progress() { Clear(); }

    void Show(const std::vector<Outcome>& outcomes, Duration elapsed) {
        std::string names;
        for (const Outcome& one : outcomes) {
            if (!one.finished) {
                names += (names.empty() ? "" : ", ") + one.plugin;
            }
        }
        if (columns_ == 0 || names.empty()) {
            return;
        }
        std::string line = "resetting " + Harmless(names) + " ... " + Lasting(elapsed);
        std::fprintf(stderr, "\r%s\x1b[K", Shortened(line, columns_ - 1).c_str());
        std::fflush(stderr);
        drawn_ = true;
    }
    void Clear() {
        if (drawn_) {
            std::fputs("\r\x1b[K", stderr);
            std::fflush(stderr);
            drawn_ = false;
        }
    }

private:
    size_t columns_;
    bool drawn_ = false;
};

// Resets several plugins at once on one connection.
class Resets {
public:
    using Ended = Callback<void(const Outcome&)>;

    Resets(rpc::Client& client, const std::vector<std::string>& plugins) : client_(client) {
        for (const std::string& plugin : plugins) {
            outcomes_.push_back({.plugin = plugin, .finished = false, .error = "", .elapsed = {}});
        }
    }

    // Fails when the server is lost; how each reset went stands in outcomes().
    Result<void> Run(Progress& progress, Ended ended) {
        begun_ = heard_ = asked_ = Clock::now();
        for (Outcome& one : outcomes_) {
            auto number = client_.Send("resetter.Reset", JsonText(one.plugin));
            if (!number) {
                return Forward(number);
            }
            waiting_[*number] = &one;
        }
        while (!waiting_.empty()) {
            Result<rpc::Client::Received> received = client_.Receive(kTick);
            if (received) {
                heard_ = Clock::now();
                Take(*received, progress, ended);
            } else if (received.error().code != Errc::kTimeout) {
                return Forward(received);
            } else if (auto alive = Heartbeat(); !alive) {
                return alive;
            }
            progress.Show(outcomes_, Clock::now() - begun_);
        }
        return {};
    }

    const std::vector<Outcome>& outcomes() const { return outcomes_; }

private:
    void Take(rpc::Client::Received& received, Progress& progress, Ended& ended) {
        auto found = waiting_.find(received.number);
        if (found == waiting_.end()) {
            return;  // a heartbeat's
        }
        Outcome& one = *found->second;
        waiting_.erase(found);
        one.finished = true;
        one.elapsed = Clock::now() - begun_;
        if (!received.body) {
            one.error = std::move(received.body.error().message);
        }
        progress.Clear();
        ended(one);
    }

    // A reset may take as long as workers need to boot. A server that still answers other calls is
    // at it; one that is silent is not.
    Result<void> Heartbeat() {
        Instant now = Clock::now();
        if (now - heard_ > kSilence) {
            return Fail(Errc::kTimeout, "the server does not answer any more");
        }
        if (now - asked_ > kHeartbeat) {
            asked_ = now;
            auto sent = client_.Send("rpc.Version", "true");
            if (!sent) {
                return Forward(sent);
            }
        }
        return {};
    }

    rpc::Client& client_;
    std::vector<Outcome> outcomes_;
    std::map<uint32_t, Outcome*> waiting_;
    Instant begun_;
    Instant heard_;
    Instant asked_;
};

std::string Milliseconds(Duration time) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.1f", static_cast<double>(time.count()) / 1e6);
    return text;
}

void PrintJson(const std::vector<Outcome>& outcomes, Duration elapsed, bool ok) {
    std::string list;
    for (const Outcome& one : outcomes) {
        list += (list.empty() ? "{" : ",{") + std::string("\"plugin\":") + JsonText(one.plugin) +
                ",\"ok\":" + (one.error.empty() ? "true" : "false") +
                ",\"elapsedMs\":" + Milliseconds(one.elapsed) +
                ",\"error\":" + JsonText(one.error) + "}";
    }
    std::printf("{\"ok\":%s,\"elapsedMs\":%s,\"plugins\":[%s]}\n", ok ? "true" : "false",
                Milliseconds(elapsed).c_str(), list.c_str());
}

// The output of a worker keeps its lines; RoadRunner's chain of operations says nothing to a user.
std::string Reason(std::string_view error) {
    for (std::string_view chain :
         {"resetter_rpc_reset:\n\tresetter_plugin_reset_by_name: ", "resetter_rpc_reset: "}) {
        if (error.starts_with(chain)) {
            error.remove_prefix(chain.size());
        }
    }
    std::string lines;
    for (char c : error) {
        lines += c == '\n' || c == '\t' ? std::string(1, c) : Harmless({&c, 1});
    }
    return lines;
}

Result<std::vector<std::string>> AskTargets(rpc::Client& client) {
    Result<std::string> list = client.Call("resetter.List", "true");
    if (!list) {
        return Forward(list, "failed to get list of plugins");
    }
    return ReadNames(*list);
}

struct Words {
    Callback<void(const std::vector<std::string>&)> begin;
    Callback<void(const Outcome&)> end;
    Callback<void(const Outcome&)> failed;
};

int Run(const CommandContext& context, std::vector<std::string> plugins, Words words) {
    const bool quiet = context.options.json || context.options.silent;
    Result<Remote> remote = ConnectToServer(context);
    if (!remote) {
        return Failed(context, remote.error().message);
    }
    auto& [server, client] = *remote;
    if (plugins.empty()) {
        auto targets = AskTargets(client);
        if (!targets) {
            return Failed(context, Explained(server, targets.error()));
        }
        plugins = std::move(*targets);
    }
    Notifier notifier = Notifier::FromEnvironment();
    (void)notifier.Send("RELOADING=1").has_value();
    if (!quiet) {
        words.begin(plugins);
    }
    Resets resets(client, plugins);
    bool ok = true;
    Instant begun = Clock::now();
    Result<void> run;
    {
        Progress progress(!quiet);
        run = resets.Run(progress, [&](const Outcome& one) {
            ok = ok && one.error.empty();
            if (!one.error.empty()) {
                words.failed(one);
            } else if (!quiet) {
                words.end(one);
            }
        });
    }
    (void)notifier.Send("READY=1").has_value();
    if (!run) {
        return Failed(context,
                      "the reset may not have happened: " + Explained(server, run.error()));
    }
    if (context.options.json) {
        PrintJson(resets.outcomes(), Clock::now() - begun, ok);
    } else if (plugins.empty()) {
        Console(context.options.silent).Line("nothing to reset: no plugin with workers is there");
    }
    return ok ? 0 : 1;
}

}  // namespace

// The lines are RoadRunner's, on standard error with the time in front.
int Reset(const CommandContext& context) {
    Console console(context.options.silent);
    Words words;
    words.begin = [&console](const std::vector<std::string>& plugins) {
        for (const std::string& plugin : plugins) {
            console.Stamped("resetting plugin: [" + plugin + "] ");
        }
    };
    words.end = [&console](const Outcome& one) {
        console.Stamped("plugin reset: [" + one.plugin + "] in " + Lasting(one.elapsed));
    };
    words.failed = [](const Outcome& one) {
        Console::Error("plugin reset failed: [" + one.plugin + "]: " + Reason(one.error));
    };
    return Run(context, context.options.positional, std::move(words));
}

int HttpReset(const CommandContext& context) {
    const bool quiet = context.options.json || context.options.silent;
    auto print = [quiet](std::string_view text) {
        if (!quiet) {
            std::fwrite(text.data(), 1, text.size(), stdout);
            std::fflush(stdout);
        }
    };
    Words words;
    words.begin = [print](const std::vector<std::string>&) {
        print("Restarting http worker pool: ");
    };
    words.end = [print](const Outcome& one) { print("done in " + Lasting(one.elapsed) + "\n"); };
    words.failed = [print](const Outcome& one) {
        print("failed\n");
        Console::Error("Error: " + Reason(one.error));
    };
    return Run(context, {"http"}, std::move(words));
}

}  // namespace rr::cmd
