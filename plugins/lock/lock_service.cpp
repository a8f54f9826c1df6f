#include "plugins/lock/lock_service.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "lock.pb.h"

namespace rr::lock {
namespace {

using Request = ::lock::v1beta1::Request;
using Response = ::lock::v1beta1::Response;

constexpr RpcField kRequestFields[] = {
    {"resource", {}, RpcKind::kText, 1},
    {"id", {}, RpcKind::kText, 2},
    {"ttl", {}, RpcKind::kInt, 3},
    {"wait", {}, RpcKind::kInt, 4},
};
constexpr RpcField kResponseFields[] = {{"ok", {}, RpcKind::kBool, 1}};
constexpr RpcShape kRequest{"Request", kRequestFields, true};
constexpr RpcShape kResponse{"Response", kResponseFields, true};

void Answer(RpcReply reply, bool ok) {
    Response response;
    response.set_ok(ok);
    reply.Send(response);
}

// A century is as good as any longer time, and does not overflow.
Duration Microseconds(int64_t count) {
    constexpr int64_t kMost = int64_t{100} * 365 * 24 * 3600 * 1'000'000;
    return std::chrono::microseconds(std::min(count, kMost));
}

// Fills `request`; an error text if it cannot be.
std::string_view Read(const RpcArgument& argument, bool needs_id, Request& request) {
    if (!request.ParseFromArray(argument.bytes.data(), static_cast<int>(argument.bytes.size()))) {
        return "goridge_read_request_body: proto: cannot parse invalid wire-format data";
    }
    if (needs_id && request.id().empty()) {
        return "empty ID is not allowed";
    }
    if (request.ttl() < 0) {
        return "negative TTL is not allowed";
    }
    if (request.wait() < 0) {
        return "negative wait is not allowed";
    }
    return {};
}

}  // namespace

LockService::LockService(Loop& main, log::Logger log)
    : LoopBound(main), log_(log), timer_(main, [this] { OnTimer(); }) {}

template <class Ask>
RpcMethod LockService::Simple(std::string_view name, bool needs_id, Ask ask) {
    return {name, RpcType::Message(kRequest), RpcType::Message(kResponse),
            [this, needs_id, ask](const RpcArgument& argument, RpcReply reply) {
                Request request;
                if (auto problem = Read(argument, needs_id, request); !problem.empty()) {
                    reply.Fail(problem);
                    return;
                }
                Answer(std::move(reply), ask(table_, request, Clock::now()));
                Settle();
            }};
}

void LockService::Describe(std::vector<RpcMethod>& methods) {
    for (Mode mode : {Mode::kExclusive, Mode::kShared}) {
        methods.push_back({mode == Mode::kExclusive ? "Lock" : "LockRead",
                           RpcType::Message(kRequest), RpcType::Message(kResponse),
                           [this, mode](const RpcArgument& argument, RpcReply reply) {
                               Acquire(mode, argument, std::move(reply));
                           }});
    }
    methods.push_back(Simple("Release", true, [](LockTable& t, const Request& r, Instant now) {
        return t.Release(r.resource(), r.id(), now);
    }));
    methods.push_back(
        Simple("ForceRelease", false, [](LockTable& t, const Request& r, Instant now) {
            return t.ForceRelease(r.resource(), now);
        }));
    methods.push_back(Simple("Exists", true, [](LockTable& t, const Request& r, Instant now) {
        return t.Exists(r.resource(), r.id(), now);
    }));
    methods.push_back(Simple("UpdateTTL", true, [](LockTable& t, const Request& r, Instant now) {
        return t.UpdateTtl(r.resource(), r.id(), Microseconds(r.ttl()), now);
    }));
}

void LockService::Acquire(Mode mode, const RpcArgument& argument, RpcReply reply) {
    AssertInLoop();
    Request request;
    if (auto problem = Read(argument, true, request); !problem.empty()) {
        reply.Fail(problem);
        return;
    }
    const Instant now = Clock::now();
    table_.Acquire({.resource = request.resource(),
                    .id = request.id(),
                    .mode = mode,
                    .ttl = Microseconds(request.ttl()),
                    .wait = Microseconds(request.wait())},
                   now,
                   [reply = std::move(reply)](bool ok) mutable { Answer(std::move(reply), ok); });
    Settle();
    WarnOfCrowd(request.resource(), now);
}

void LockService::WarnOfCrowd(std::string_view resource, Instant now) {
    constexpr Duration kQuiet = std::chrono::seconds(10);
    if (table_.waiting() < kCrowd || (warned_ != Instant{} && now - warned_ < kQuiet)) {
        return;
    }
    const LockTable::Crowd crowd = table_.At(resource);
    if (crowd.waiting < kCrowd) {
        return;
    }
    warned_ = now;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(crowd.until - now);
    log_.Warn("many callers wait for one lock: is it released, is its ttl short?",
              {{"resource", resource},
               {"waiting", crowd.waiting},
               {"held_by", crowd.holder},
               {"ttl_left_ms", left.count()}});
}

void LockService::StopWaiting() {
    AssertInLoop();
    table_.StopWaiting();
    Settle();
}

void LockService::OnTimer() {
    table_.Advance(Clock::now());
    Settle();
}

void LockService::Settle() {
    table_.Deliver();
    const auto due = table_.NextDue();
    if (!due) {
        timer_.Disarm();
        return;
    }
    if (!timer_.armed() || armed_ != *due) {
        armed_ = *due;
        timer_.Arm(std::max(Duration::zero(), Duration(*due - Clock::now())));
    }
}

}  // namespace rr::lock
