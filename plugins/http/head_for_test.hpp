// ReadHead: guard and parser over a text, for tests.
#pragma once

#include <string>
#include <string_view>

#include "plugins/http/head.hpp"
#include "plugins/http/head_guard.hpp"

namespace rr::http {

struct ReadHead {
    explicit ReadHead(std::string_view bytes, const HeadLimits& limits = {})
        : text(bytes), guard(limits) {
        status = guard.Scan(text);
        fault = guard.fault();
        if (status == HeadGuard::Status::kComplete) {
            fault = ParseHead(text, guard, head);
        }
    }
    bool fine() const {
        return status == HeadGuard::Status::kComplete && fault == HeadFault::kNone;
    }

    std::string text;
    HeadGuard guard;
    HeadGuard::Status status;
    HeadFault fault;
    RequestHead head;
};

}  // namespace rr::http
