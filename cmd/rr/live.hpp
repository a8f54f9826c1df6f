// Live: the table of workers, refreshed in place until the user has seen enough.
//
// Keys: q or Ctrl-C ends, t shows what each worker does, arrows or j and k scroll.
//
// Thread: main.
// Owns:   the connection, which it makes anew when the server comes back, and the terminal.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cmd/rr/groups.hpp"
#include "cmd/rr/remote.hpp"
#include "core/base/terminal.hpp"

namespace rr::cmd {

class Live final {
public:
    struct Choice {
        std::vector<std::string> plugins;  // empty: all
        bool legacy = false;               // 1.x's table
        bool colours = false;
        Duration period = std::chrono::seconds(1);
    };

    Live(ServerAddress server, Choice choice, std::unique_ptr<Terminal> terminal)
        : server_(std::move(server)), choice_(std::move(choice)), terminal_(std::move(terminal)) {}

    // Until the user or a signal ends it.
    void Run();

private:
    bool OnEvent(Terminal::Event event);  // false: the end
    bool Ask();                           // false: interrupted by an event
    void OnTrouble(std::string text);
    void Paint();
    std::vector<std::string> Body(size_t columns) const;

    const ServerAddress server_;
    const Choice choice_;
    std::unique_ptr<Terminal> terminal_;
    std::optional<rpc::Client> client_;
    std::vector<GroupView> groups_;
    std::string trouble_;  // instead of groups_
    bool asked_ = false;
    bool tasks_ = false;
    size_t scrolled_ = 0;  // lines
};

}  // namespace rr::cmd
