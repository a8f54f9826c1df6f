#include "plugins/otel/encoders.hpp"

#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "otlp.pb.h"
#include "plugins/otel/recording_for_test.hpp"

namespace rr::otel {
namespace {

const Resource kResource{{{"service.name", "shop"}, {"host.name", "a\xff"}}, "1"};

std::string Encoded(void (*encode)(const Resource&, const Batch&, Buffer&),
                    const Resource& resource, const Batch& batch) {
    Buffer out;
    encode(resource, batch, out);
    return std::string(out.view());
}

Batch One(std::unique_ptr<Recording> recording) {
    Batch batch;
    batch.spans = recording->spans();
    batch.recordings.push_back(std::move(recording));
    return batch;
}

::otlp::ScopeSpans Otlp(const Batch& batch) {
    ::otlp::ExportTraceServiceRequest request;
    REQUIRE(request.ParseFromString(Encoded(&EncodeOtlp, kResource, batch)));
    REQUIRE(request.resource_spans_size() == 1);
    return request.resource_spans(0).scope_spans(0);
}

std::map<std::string, std::string> Attributes(const ::otlp::Span& span) {
    std::map<std::string, std::string> out;
    for (const auto& pair : span.attributes()) {
        const bool number = pair.value().value_case() == ::otlp::AnyValue::kIntValue;
        out[pair.key()] =
            number ? std::to_string(pair.value().int_value()) : pair.value().string_value();
    }
    return out;
}

std::map<std::string, std::string> Attributes(std::unique_ptr<Recording> recording) {
    return Attributes(Otlp(One(std::move(recording))).spans(0));
}

}  // namespace

TEST_CASE("otlp: a request is a server's span with the worker's inside") {
    const ::otlp::ScopeSpans scope = Otlp(BatchForTest());
    REQUIRE(scope.scope().name() == "rr/http");
    REQUIRE(scope.spans_size() == 2);
    const ::otlp::Span& request = scope.spans(0);
    REQUIRE(request.name() == "/a?b=c");
    REQUIRE(request.kind() == 2);
    REQUIRE(request.trace_id() == std::string(16, '\xa1'));
    REQUIRE(request.parent_span_id() == std::string(8, '\xb2'));
    REQUIRE(request.span_id() == std::string(8, '\xc3'));
    REQUIRE(request.trace_state() == "v=1");
    REQUIRE(request.flags() == 0x301);
    REQUIRE(request.start_time_unix_nano() == 1'700'000'000'000'000'000);
    REQUIRE(request.end_time_unix_nano() == 1'700'000'000'002'000'000);
    REQUIRE(request.status().code() == 0);
    REQUIRE(Attributes(request) ==
            std::map<std::string, std::string>{{"client.address", "192.0.2.1"},
                                               {"http.request.method", "GET"},
                                               {"http.response.body.size", "5"},
                                               {"http.response.status_code", "200"},
                                               {"network.protocol.version", "1.1"},
                                               {"server.address", "shop.example"},
                                               {"server.port", "8080"},
                                               {"url.path", "/a"},
                                               {"url.query", "b=c"},
                                               {"url.scheme", "http"},
                                               {"user_agent.original", "curl/8"}});
    const ::otlp::Span& call = scope.spans(1);
    REQUIRE(call.name() == "http");
    REQUIRE(call.kind() == 1);
    REQUIRE(call.trace_id() == request.trace_id());
    REQUIRE(call.parent_span_id() == request.span_id());
    REQUIRE(call.span_id() == std::string(8, '\xd4'));
    REQUIRE(call.flags() == 0x101);
    REQUIRE(call.start_time_unix_nano() == 1'700'000'000'000'001'000);
    REQUIRE(call.end_time_unix_nano() == request.end_time_unix_nano());
}

// The generated code writes the same bytes.
TEST_CASE("otlp: messages of every length have the shortest form of it") {
    for (const size_t size : {1, 20, 100, 128, 200, 2048}) {
        for (const size_t count : {1, 2, 30, 1200}) {
            Batch batch;
            for (size_t i = 0; i < count; ++i) {
                batch.recordings.push_back(RecordingForTest("/" + std::string(size, 'x')));
                batch.spans += 2;
            }
            const std::string bytes = Encoded(&EncodeOtlp, kResource, batch);
            ::otlp::ExportTraceServiceRequest request;
            REQUIRE(request.ParseFromString(bytes));
            REQUIRE(request.resource_spans(0).scope_spans(0).spans_size() ==
                    static_cast<int>(2 * count));
            const bool same = request.SerializeAsString() == bytes;
            REQUIRE(same);
        }
    }
    Batch batch;
    const std::string bytes = Encoded(&EncodeOtlp, {}, batch);
    ::otlp::ExportTraceServiceRequest request;
    REQUIRE(request.ParseFromString(bytes));
}

TEST_CASE("otlp: the resource stands in front, in UTF-8") {
    ::otlp::ExportTraceServiceRequest request;
    REQUIRE(request.ParseFromString(Encoded(&EncodeOtlp, kResource, BatchForTest(3))));
    const auto& all = request.resource_spans(0);
    REQUIRE(all.resource().attributes(0).key() == "service.name");
    REQUIRE(all.resource().attributes(0).value().string_value() == "shop");
    REQUIRE(all.resource().attributes(1).value().string_value() == "a\xEF\xBF\xBD");
    REQUIRE(all.scope_spans(0).spans_size() == 6);
}

TEST_CASE("span: failures are told apart") {
    auto of = [](int status, bool complete) {
        auto recording = RecordingForTest("/", status);
        recording->facts.outcome.complete = complete;
        const ::otlp::Span span = Otlp(One(std::move(recording))).spans(0);
        auto attributes = Attributes(span);
        return attributes["error.type"] + " " + attributes["http.response.status_code"] + " " +
               std::to_string(span.status().code());
    };
    REQUIRE(of(404, true) == " 404 0");
    REQUIRE(of(502, true) == "502 502 2");
    REQUIRE(of(200, false) == "answer_cut 200 2");
    REQUIRE(of(499, false) == "client_gone  0");
    auto full = RecordingForTest("/", 503);
    full->facts.outcome.no_worker = true;
    const ::otlp::ScopeSpans scope = Otlp(One(std::move(full)));
    REQUIRE(Attributes(scope.spans(1))["error.type"] == "no_worker");
    REQUIRE(scope.spans(1).status().code() == 2);
}

TEST_CASE("span: a middleware's answer has no worker's span") {
    REQUIRE(Otlp(One(RecordingForTest("/", 200, false))).spans_size() == 1);
}

TEST_CASE("span: odd requests") {
    auto odd = RecordingForTest("/\xff");
    odd->facts.method = odd->Keep("BREW");
    odd->facts.host = odd->Keep("[::1]");
    odd->facts.protocol = odd->Keep("HTTP/2.0");
    odd->facts.agent = {};
    odd->facts.secure = true;
    odd->facts.parent = {};
    const ::otlp::Span span = Otlp(One(std::move(odd))).spans(0);
    auto attributes = Attributes(span);
    REQUIRE(span.name() == "/\xEF\xBF\xBD");
    REQUIRE(span.parent_span_id() == "");
    REQUIRE(span.flags() == 0x101);
    REQUIRE(attributes["http.request.method"] == "_OTHER");
    REQUIRE(attributes["http.request.method_original"] == "BREW");
    REQUIRE(attributes["server.address"] == "::1");
    REQUIRE_FALSE(attributes.contains("server.port"));
    REQUIRE_FALSE(attributes.contains("user_agent.original"));
    REQUIRE(attributes["network.protocol.version"] == "2");
    REQUIRE(attributes["url.scheme"] == "https");
    for (const char* host : {"h:", "h:x", "h:99999", "h:0", "h:1x"}) {
        auto recording = RecordingForTest();
        recording->facts.host = recording->Keep(host);
        auto of_host = Attributes(std::move(recording));
        REQUIRE(of_host["server.address"] == "h");
        REQUIRE_FALSE(of_host.contains("server.port"));
    }
    auto v6 = RecordingForTest();
    v6->facts.host = v6->Keep("[::1]:81");
    REQUIRE(Attributes(std::move(v6))["server.port"] == "81");
}

TEST_CASE("otlp: what a collector rejects is read") {
    ::otlp::ExportTraceServiceResponse response;
    std::string reason;
    REQUIRE(ReadOtlpRejected("", reason) == 0);
    REQUIRE(ReadOtlpRejected("{not protobuf}", reason) == 0);
    response.mutable_partial_success()->set_rejected_spans(3);
    response.mutable_partial_success()->set_error_message("full");
    REQUIRE(ReadOtlpRejected(response.SerializeAsString(), reason) == 3);
    REQUIRE(reason == "full");
    response.mutable_partial_success()->set_rejected_spans(-3);
    REQUIRE(ReadOtlpRejected(response.SerializeAsString(), reason) == 0);
}

TEST_CASE("zipkin: a list of spans") {
    const std::string json = Encoded(&EncodeZipkin, kResource, One(RecordingForTest("/\"x", 500)));
    REQUIRE(json.starts_with(
        R"([{"traceId":"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1","id":"c3c3c3c3c3c3c3c3",)"
        R"("parentId":"b2b2b2b2b2b2b2b2","name":"/\"x","kind":"SERVER",)"
        R"("timestamp":1700000000000000,"duration":2000,)"
        R"("localEndpoint":{"serviceName":"shop"},"tags":{"http.request.method":"GET",)"));
    REQUIRE(json.find(R"("http.response.status_code":"500","error.type":"500","error":"500",)") !=
            std::string::npos);
    REQUIRE(json.ends_with(R"("tags":{"otel.scope.name":"rr/http"}}])"));
}

TEST_CASE("lines: a span is a line") {
    const std::string lines = Encoded(&EncodeLines, kResource, BatchForTest());
    REQUIRE(lines.starts_with(
        R"({"Name":"/a?b=c","SpanContext":{"TraceID":"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",)"
        R"("SpanID":"c3c3c3c3c3c3c3c3","TraceFlags":"01","TraceState":"v=1","Remote":false},)"
        R"("Parent":{"TraceID":"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1","SpanID":"b2b2b2b2b2b2b2b2",)"
        R"("TraceFlags":"01","TraceState":"v=1","Remote":true},"SpanKind":2,)"
        R"("StartTime":"2023-11-14T22:13:20.000000000Z","EndTime":"2023-11-14T22:13:20.002000000Z",)"
        R"("Attributes":[{"Key":"http.request.method","Value":{"Type":"STRING","Value":"GET"}},)"));
    REQUIRE(std::count(lines.begin(), lines.end(), '\n') == 2);
    REQUIRE(lines.ends_with("}\n"));
}

}  // namespace rr::otel
