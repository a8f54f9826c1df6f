#include <string>

#include "core/base/json_text.hpp"
#include "otlp.pb.h"
#include "plugins/otel/encoders.hpp"

namespace rr::otel {
namespace {

constexpr uint32_t kSampled = 0x01;
constexpr uint32_t kKnowsRemote = 0x100;
constexpr uint32_t kRemote = 0x200;
constexpr int32_t kError = 2;

void AddText(std::string_view key, std::string_view value, ::otlp::KeyValue* out) {
    out->set_key(std::string(key));
    out->mutable_value()->set_string_value(Utf8(value));
}

template <class Id>
std::string BytesOf(const Id& id) {
    return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

void Fill(const Span& span, ::otlp::Span* out) {
    out->set_trace_id(BytesOf(span.trace));
    out->set_span_id(BytesOf(span.id));
    out->set_trace_state(std::string(span.state));
    if (span.parent.valid()) {
        out->set_parent_span_id(BytesOf(span.parent));
    }
    out->set_name(Utf8(span.name));
    out->set_kind(static_cast<int32_t>(span.kind));
    out->set_start_time_unix_nano(static_cast<uint64_t>(span.start_ns));
    out->set_end_time_unix_nano(static_cast<uint64_t>(span.end_ns));
    for (const Attribute& attribute : span.attributes) {
        ::otlp::KeyValue* pair = out->add_attributes();
        if (const auto* text = std::get_if<std::string_view>(&attribute.value)) {
            AddText(attribute.key, *text, pair);
        } else {
            pair->set_key(std::string(attribute.key));
            pair->mutable_value()->set_int_value(std::get<int64_t>(attribute.value));
        }
    }
    if (span.error) {
        out->mutable_status()->set_code(kError);
    }
    out->set_flags(kSampled | kKnowsRemote | (span.remote_parent ? kRemote : 0));
}

}  // namespace

std::string EncodeOtlp(const Resource& resource, const Batch& batch) {
    ::otlp::ExportTraceServiceRequest request;
    ::otlp::ResourceSpans* all = request.add_resource_spans();
    all->set_schema_url(std::string(kSchema));
    for (const auto& [key, value] : resource.attributes) {
        AddText(key, value, all->mutable_resource()->add_attributes());
    }
    ::otlp::ScopeSpans* scope = all->add_scope_spans();
    scope->mutable_scope()->set_name(std::string(kScope));
    scope->mutable_scope()->set_version(resource.scope_version);
    scope->set_schema_url(std::string(kSchema));
    for (const auto& recording : batch.recordings) {
        EachSpan(*recording, [scope](const Span& span) { Fill(span, scope->add_spans()); });
    }
    return request.SerializeAsString();
}

int64_t ReadOtlpRejected(Bytes answer, std::string& reason) {
    ::otlp::ExportTraceServiceResponse response;
    if (!response.ParseFromArray(answer.data(), static_cast<int>(answer.size()))) {
        return 0;
    }
    reason = response.partial_success().error_message();
    return std::max<int64_t>(0, response.partial_success().rejected_spans());
}

std::string Utf8(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const size_t size = Utf8Sequence(text);
        out.append(size > 0 ? text.substr(0, size) : std::string_view("\xEF\xBF\xBD"));
        text.remove_prefix(size > 0 ? size : 1);
    }
    return out;
}

}  // namespace rr::otel
