// A recording as tests want it.
#pragma once

#include <memory>
#include <string_view>

#include "plugins/otel/recording.hpp"

namespace rr::otel {

inline std::unique_ptr<Recording> RecordingForTest(std::string_view target = "/a?b=c",
                                                   int status = 200, bool worker = true) {
    auto recording = std::make_unique<Recording>();
    Recording::Facts& facts = recording->facts;
    facts.trace.bytes.fill(0xa1);
    facts.parent.bytes.fill(0xb2);
    facts.request.bytes.fill(0xc3);
    facts.call.bytes.fill(0xd4);
    facts.method = recording->Keep("GET");
    facts.target = recording->Keep(target);
    facts.host = recording->Keep("shop.example:8080");
    facts.protocol = recording->Keep("HTTP/1.1");
    facts.client = recording->Keep("192.0.2.1");
    facts.agent = recording->Keep("curl/8");
    facts.state = recording->Keep("v=1");
    facts.call_start_ns = 1'700'000'000'000'001'000;
    facts.outcome.status = status;
    facts.outcome.complete = true;
    facts.outcome.worker = worker;
    facts.outcome.write_bytes = 5;
    facts.outcome.start_unix_ns = 1'700'000'000'000'000'000;
    facts.outcome.elapsed_ns = 2'000'000;
    return recording;
}

inline Batch BatchForTest(size_t recordings = 1) {
    Batch batch;
    for (size_t i = 0; i < recordings; ++i) {
        batch.recordings.push_back(RecordingForTest());
        batch.spans += 2;
    }
    return batch;
}

}  // namespace rr::otel
