// Gathering: the answer of a call of a store whose parts are answered one by one, perhaps by several
// servers. The first error is the call's.
//
//   auto gathering = Gathering::Of(parts.size(), std::move(done));
//   part.done = [gathering](...) { gathering->Add(Read(..., gathering->found)); };
//
// Thread: the store's.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "plugins/kv/store.hpp"

namespace rr::kv {

class Gathering {
public:
    static std::shared_ptr<Gathering> Of(size_t parts, Store::Done done) {
        auto gathering = std::make_shared<Gathering>();
        gathering->open_ = parts;
        gathering->done_ = std::move(done);
        return gathering;
    }

    // A part is done.
    void Add(Result<void> part) {
        if (!part && error_ == nullptr) {
            error_ = std::make_unique<Error>(std::move(part.error()));
        }
        if (--open_ > 0) {
            return;
        }
        Store::Done done = std::move(done_);
        if (error_ != nullptr) {
            done(Result<Found>(tl::unexpected<Error>(std::move(*error_))));
            return;
        }
        done(std::move(found));
    }

    Found found;

private:
    Store::Done done_;
    size_t open_ = 0;
    std::unique_ptr<Error> error_;
};

}  // namespace rr::kv
