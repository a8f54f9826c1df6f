// Spans as bytes. Texts that are not UTF-8 become it: what is wrong is U+FFFD.
//
// Thread: helper threads.
#pragma once

#include <string>

#include "core/base/bytes.hpp"
#include "plugins/otel/recording.hpp"
#include "plugins/otel/span.hpp"

namespace rr::otel {

// ExportTraceServiceRequest of OTLP.
std::string EncodeOtlp(const Resource& resource, const Batch& batch);

// What a collector did not take, of the answer to one; 0: nothing, or nobody knows. Why: `reason`.
int64_t ReadOtlpRejected(Bytes answer, std::string& reason);

// A list of spans for POST /api/v2/spans.
std::string EncodeZipkin(const Resource& resource, const Batch& batch);

// A JSON object a line, with the names of RoadRunner's exporters stdout and stderr.
std::string EncodeLines(const Resource& resource, const Batch& batch);

std::string Utf8(std::string_view text);

}  // namespace rr::otel
