#include "cmd/rr/live.hpp"

#include <algorithm>
#include <utility>

#include "cmd/rr/cells.hpp"
#include "cmd/rr/workers_view.hpp"

namespace rr::cmd {

namespace {

constexpr Duration kPatience = std::chrono::seconds(5);

}  // namespace

void Live::Run() {
    Deadline due = Clock::now();
    while (true) {
        Duration left = std::max(Duration::zero(), Duration(due - Clock::now()));
        Terminal::Event event = terminal_->Wait(left);
        if (event.what == Terminal::What::kTime) {
            if (!Ask()) {
                continue;  // the event is looked at first, then asked again
            }
            due = Clock::now() + choice_.period;
        } else if (!OnEvent(event)) {
            return;
        }
        Paint();
    }
}

bool Live::OnEvent(Terminal::Event event) {
    if (event.what == Terminal::What::kEnd) {
        return false;
    }
    if (event.what != Terminal::What::kKey) {
        return true;
    }
    size_t page = std::max<size_t>(Terminal::size().rows, 4) - 3;
    switch (event.key) {
        case 'q':
        case 'Q': return false;
        case 't':
        case 'T': tasks_ = !tasks_; break;
        case Terminal::kDown:
        case 'j': ++scrolled_; break;
        case Terminal::kUp:
        case 'k': scrolled_ -= std::min<size_t>(scrolled_, 1); break;
        case Terminal::kPageDown:
        case ' ': scrolled_ += page; break;
        case Terminal::kPageUp:
        case 'b': scrolled_ -= std::min(scrolled_, page); break;
        default: break;
    }
    return true;
}

bool Live::Ask() {
    asked_ = true;
    if (!client_) {
        rpc::ClientOptions options;
        options.connect = kPatience;
        options.answer = kPatience;
        options.interrupts = terminal_->descriptors();
        Result<rpc::Client> client = ConnectTo(server_, std::move(options));
        if (!client) {
            if (client.error().code == Errc::kCancelled) {
                return false;
            }
            OnTrouble(std::move(client.error().message));
            return true;
        }
        client_ = std::move(*client);
    }
    Result<std::vector<GroupView>> groups = AskGroups(*client_, choice_.plugins);
    if (groups) {
        groups_ = std::move(*groups);
        trouble_.clear();
        return true;
    }
    if (groups.error().code == Errc::kCancelled) {
        return false;
    }
    client_.reset();
    OnTrouble(Explained(server_, groups.error()));
    return true;
}

// Workers of a server that is gone are not shown as if they lived.
void Live::OnTrouble(std::string text) {
    groups_.clear();
    trouble_ = std::move(text) + "; trying again";
}

std::vector<std::string> Live::Body(size_t columns) const {
    if (!trouble_.empty()) {
        return Broken(OneLine(trouble_), columns);
    }
    if (groups_.empty()) {
        return Broken(!asked_ ? "asking the server ..." : "no plugin with workers is there",
                      columns);
    }
    ViewStyle style;
    style.colours = choice_.colours;
    style.legacy = choice_.legacy;
    style.tasks = tasks_ && !choice_.legacy;
    style.columns = columns;
    style.now_unix_ns = UnixNanoseconds();
    return WorkerLines(groups_, style);
}

void Live::Paint() {
    Terminal::Size size = Terminal::size();
    std::vector<std::string> body = Body(size.columns);
    size_t room = size.rows > 2 ? size.rows - 2 : 1;
    scrolled_ = std::min(scrolled_, body.size() - std::min(body.size(), room));
    size_t shown = std::min(room, body.size() - scrolled_);

    // Every line clears what stood behind it, the last one what stood below.
    std::string picture = "\x1b[H";
    auto add = [&picture](std::string_view line, bool last = false) {
        picture.append(line).append(last ? "\x1b[K\x1b[J" : "\x1b[K\r\n");
    };
    add(Shortened("rr workers: " + server_.address, size.columns));
    for (size_t i = 0; i < shown; ++i) {
        add(Clipped(body[scrolled_ + i], size.columns));
    }
    std::string keys = choice_.legacy ? "q quit" : "q quit  t tasks";
    if (size_t more = body.size() - shown; more > 0) {
        keys += "  j/k scroll, " + std::to_string(more) + " lines hidden";
    }
    add(Shortened(keys, size.columns), true);
    terminal_->Write(picture);
}

}  // namespace rr::cmd
