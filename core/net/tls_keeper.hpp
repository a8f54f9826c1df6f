// TlsKeeper: the certificates of a plugin's listeners, read again when somebody asks for it and when
// their files were replaced.
//
//   auto tls = keeper.Open("http.ssl", settings, [this](auto context) { Use(std::move(context)); });
//   keeper.Watch(5s, [this](std::string_view name, const Result<void>& result) { Log(...); });
//
// A file counts as replaced once it looks different and stays so for one period: whoever writes it is
// not disturbed, and certificate and key change together.
//
// Thread: main. LoopBound.
// Owns:   settings, the timer. Callbacks may come until it is destroyed.
// Fails:  as TlsContext::Open, with the name in front; what was read before stays in use.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/callback.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/net/timer.hpp"
#include "core/net/tls.hpp"

namespace rr::net {

class TlsKeeper final {
public:
    explicit TlsKeeper(Loop& main) : timer_(main, [this] { Look(); }) {}

    // The first reading; `use` gets what is read later. name: what errors of Reload begin with.
    using Use = Callback<void(std::shared_ptr<TlsContext>)>;
    Result<std::shared_ptr<TlsContext>> Open(std::string name, TlsSettings settings, Use use);

    // Reads all of them now. What can be read is used; of the others the first error.
    Result<void> Reload();

    // Looks at the files every `period`; zero: never. told: after each reading, with the name.
    using Told = Callback<void(std::string_view, const Result<void>&)>;
    void Watch(Duration period, Told told);
    void StopWatching() { timer_.Disarm(); }

private:
    // What tells that a file is another one; zeros: it is not there.
    struct Stamp {
        uint64_t device = 0;
        uint64_t inode = 0;
        int64_t size = 0;
        int64_t seconds = 0;
        int64_t nanoseconds = 0;
        bool operator==(const Stamp&) const = default;
    };
    using Stamps = std::vector<Stamp>;
    struct Kept {
        std::string name;
        TlsSettings settings;
        Use use;
        Stamps read;  // when it was last read
        Stamps seen;  // at the last look
    };

    static Stamps Stat(const TlsSettings& settings);
    Result<std::shared_ptr<TlsContext>> Read(Kept& kept);
    Result<void> Renew(Kept& kept);
    void Look();

    std::vector<Kept> kept_;
    Told told_;
    Timer timer_;
};

}  // namespace rr::net
