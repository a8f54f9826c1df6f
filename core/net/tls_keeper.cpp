#include "core/net/tls_keeper.hpp"

#include <sys/stat.h>

#include <utility>

namespace rr::net {

// Through links: whoever changes them changes what they lead to.
TlsKeeper::Stamps TlsKeeper::Stat(const TlsSettings& settings) {
    std::vector<const std::string*> paths = {&settings.cert, &settings.key, &settings.root_ca};
    for (const TlsCertificate& one : settings.others) {
        paths.push_back(&one.cert);
        paths.push_back(&one.key);
    }
    Stamps stamps;
    for (const std::string* path : paths) {
        Stamp& stamp = stamps.emplace_back();
        struct stat file{};
        if (!path->empty() && stat(path->c_str(), &file) == 0) {
            stamp = {file.st_dev, file.st_ino, file.st_size, file.st_mtim.tv_sec,
                     file.st_mtim.tv_nsec};
        }
    }
    return stamps;
}

Result<std::shared_ptr<TlsContext>> TlsKeeper::Read(Kept& kept) {
    kept.read = kept.seen = Stat(kept.settings);  // first: what changes meanwhile is noticed later
    return TlsContext::Open(kept.settings);
}

Result<std::shared_ptr<TlsContext>> TlsKeeper::Open(std::string name, TlsSettings settings,
                                                    Use use) {
    Kept kept{std::move(name), std::move(settings), std::move(use), {}, {}};
    auto context = Read(kept);
    if (context) {
        kept_.push_back(std::move(kept));
    }
    return context;
}

Result<void> TlsKeeper::Renew(Kept& kept) {
    auto context = Read(kept);
    if (!context) {
        return Forward(context, kept.name);
    }
    kept.use(std::move(*context));
    return {};
}

Result<void> TlsKeeper::Reload() {
    Result<void> all;
    for (Kept& kept : kept_) {
        if (auto one = Renew(kept); !one && all) {
            all = std::move(one);
        }
    }
    return all;
}

void TlsKeeper::Watch(Duration period, Told told) {
    told_ = std::move(told);
    if (!kept_.empty() && period > Duration::zero()) {
        timer_.Repeat(period);
    }
}

void TlsKeeper::Look() {
    for (Kept& kept : kept_) {
        Stamps now = Stat(kept.settings);
        if (now == kept.read) {
            continue;
        }
        if (now != kept.seen) {
            kept.seen = std::move(now);
            continue;
        }
        told_(kept.name, Renew(kept));
    }
}

}  // namespace rr::net
