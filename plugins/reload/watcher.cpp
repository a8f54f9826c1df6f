#include "plugins/reload/watcher.hpp"

#include <utility>

namespace rr::reload {

// The watch of one service.
class Watcher::One final : public net::FileWatchHandler {
public:
    One(Watcher& owner, size_t index, const ReloadConfig::Service& service)
        : owner_(owner), index_(index), service_(service) {
        const Rules& rules = service.rules;
        std::vector<net::FileWatch::Root> roots;
        for (const std::string& dir : rules.dirs) {
            if (rules.EntersFolder(dir, "")) {
                roots.push_back({dir, rules.recursive});
            }
        }
        size_t named = roots.size();
        for (const std::string& folder : rules.shallow) {
            roots.push_back({folder, false});
        }
        auto opened = net::FileWatch::Open(owner.loop(), roots, *this);
        if (!opened) {
            OnWatchTrouble(opened.error().message);
            return;
        }
        watch = std::move(*opened);
        for (size_t i = 0; i < named; ++i) {
            if (!watch->watching(i) && !told_) {
                OnWatchTrouble(roots[i].path + ": no such folder yet; it is waited for");
            }
        }
    }

    bool WantsFolder(std::string_view path, std::string_view name) const override {
        return service_.rules.EntersFolder(path, name);
    }
    bool WantsFile(std::string_view path, std::string_view name) const override {
        return service_.rules.WantsFile(path, name);
    }
    void OnFileChange(net::FileChange change, std::string_view path) override {
        static constexpr std::string_view kTexts[] = {"file was created", "file was updated",
                                                      "file was removed from watcher"};
        owner_.log_.Debug(kTexts[static_cast<size_t>(change)],
                          {{"service", service_.plugin}, {"path", path}});
        owner_.Touch(index_, path);
    }
    void OnChangesLost() override {
        owner_.log_.Debug("more changes than the system keeps", {{"service", service_.plugin}});
        owner_.Touch(index_, "");
    }
    void OnWatchTrouble(std::string_view text) override {
        told_ = true;
        owner_.log_.Warn("files are not watched", {{"service", service_.plugin}, {"error", text}});
    }

    std::unique_ptr<net::FileWatch> watch;

private:
    Watcher& owner_;
    const size_t index_;
    const ReloadConfig::Service& service_;
    bool told_ = false;  // that something is not watched
};

Watcher::Watcher(Loop& loop, Duration interval, const std::vector<ReloadConfig::Service>& services,
                 log::Logger log, Due due)
    : LoopBound(loop), log_(log), due_(std::move(due)), bursts_(interval), quiet_(loop, [this] {
          OnQuiet();
      }) {
    for (const ReloadConfig::Service& service : services) {
        services_.push_back(std::make_unique<One>(*this, services_.size(), service));
    }
}

Watcher::~Watcher() = default;

size_t Watcher::folders() const {
    size_t count = 0;
    for (const auto& one : services_) {
        count += one->watch ? one->watch->folders() : 0;
    }
    return count;
}

// The timer runs on; whether the burst is over is asked when it fires.
void Watcher::Touch(size_t service, std::string_view path) {
    Instant now = Clock::now();
    bursts_.Touch(service, path, now);
    if (!quiet_.armed()) {
        quiet_.Arm(bursts_.Left(now));
    }
}

void Watcher::OnQuiet() {
    Duration left = bursts_.Left(Clock::now());
    if (left > Duration::zero()) {
        quiet_.Arm(left);
        return;
    }
    due_(bursts_.Take());
}

}  // namespace rr::reload
