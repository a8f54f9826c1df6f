// What strangers can cause thousands of times a second, each logged once a second at most.
//
// Thread: its loop.
#pragma once

#include "core/log/repeated.hpp"

namespace rr::tcp {

struct Troubles {
    explicit Troubles(const log::Logger& log)
        : failed(log, log::Level::kError, "execute error"),
          rejected(log, log::Level::kWarn, "connection closed: bad message"),
          handshake(log, log::Level::kWarn, "connection closed: handshake failed"),
          crowd(log, log::Level::kWarn, "connection refused: max_connections is reached"),
          accept(log, log::Level::kWarn, "failed to accept the connection, trying again"),
          dropped(log, log::Level::kWarn, "datagram dropped"),
          answer(log, log::Level::kWarn, "datagram not sent") {}

    void Settle(Instant now) {
        for (log::Repeated* one :
             {&failed, &rejected, &handshake, &crowd, &accept, &dropped, &answer}) {
            one->Settle(now);
        }
    }

    log::Repeated failed;
    log::Repeated rejected;
    log::Repeated handshake;
    log::Repeated crowd;
    log::Repeated accept;
    log::Repeated dropped;
    log::Repeated answer;
};

}  // namespace rr::tcp
