// Spans as bytes. Texts that are not UTF-8 become it: what is wrong is U+FFFD.
//
// Thread: helper threads.
#pragma once

#include <string>

#include "core/base/bytes.hpp"
#include "plugins/otel/recording.hpp"
#include "plugins/otel/span.hpp"

namespace rr::otel {

// Appends an ExportTraceServiceRequest of OTLP.
void EncodeOtlp(const Resource& resource, const Batch& batch, Buffer& out);

// What a collector did not take, of the answer to one; 0: nothing, or nobody knows. Why: `reason`.
int64_t ReadOtlpRejected(Bytes answer, std::string& reason);

// Appends a list of spans for POST /api/v2/spans.
void EncodeZipkin(const Resource& resource, const Batch& batch, Buffer& out);

// Appends a JSON object a line, with the names of RoadRunner's exporters stdout and stderr.
void EncodeLines(const Resource& resource, const Batch& batch, Buffer& out);

std::string Utf8(std::string_view text);

}  // namespace rr::otel
