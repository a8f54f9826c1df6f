#include "plugins/otel/span.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace rr::otel {
namespace {

constexpr int kClientGone = 499;  // nobody was left to be told

constexpr std::string_view kMethods[] = {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS",
                                         "PATCH",   "POST",   "PUT", "TRACE"};

bool IsKnown(std::string_view method) {
    return std::find(std::begin(kMethods), std::end(kMethods), method) != std::end(kMethods);
}

// `HTTP/1.1` is 1.1, `HTTP/2.0` is 2.
std::string_view VersionOf(std::string_view protocol) {
    const size_t slash = protocol.find('/');
    std::string_view version =
        slash == std::string_view::npos ? protocol : protocol.substr(slash + 1);
    return version == "2.0" || version == "3.0" ? version.substr(0, 1) : version;
}

void DescribeHost(std::string_view host, std::vector<Attribute>& out) {
    if (host.empty()) {
        return;
    }
    size_t colon = host.rfind(':');
    if (colon != std::string_view::npos && host.find(']', colon) != std::string_view::npos) {
        colon = std::string_view::npos;  // `[::1]`
    }
    std::string_view name = host.substr(0, colon);
    if (name.size() > 2 && name.front() == '[' && name.back() == ']') {
        name = name.substr(1, name.size() - 2);
    }
    out.push_back({"server.address", name});
    if (colon == std::string_view::npos) {
        return;
    }
    uint16_t port = 0;
    const std::string_view digits = host.substr(colon + 1);
    auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failed == std::errc() && end == digits.data() + digits.size() && port != 0) {
        out.push_back({"server.port", int64_t{port}});
    }
}

void DescribeOutcome(const HttpOutcome& outcome, Span& span) {
    const bool gone = outcome.status == kClientGone && !outcome.complete;
    if (gone) {
        span.error_type = "client_gone";
    } else {
        span.attributes.push_back({"http.response.status_code", int64_t{outcome.status}});
        if (outcome.status >= 500) {
            span.error = true;
            span.error_type = std::to_string(outcome.status);
        } else if (!outcome.complete) {
            span.error = true;
            span.error_type = "answer_cut";
        }
    }
    if (!span.error_type.empty()) {
        span.attributes.push_back({"error.type", std::string_view(span.error_type)});
    }
}

void DescribeEnds(const Recording::Facts& facts, int64_t start_ns, Span& span) {
    span.trace = facts.trace;
    span.start_ns = start_ns;
    span.end_ns = std::max(start_ns, facts.outcome.start_unix_ns + facts.outcome.elapsed_ns);
}

}  // namespace

void DescribeRequest(const Recording& recording, Span& span) {
    const Recording::Facts& facts = recording.facts;
    const HttpOutcome& outcome = facts.outcome;
    const std::string_view target = recording.Get(facts.target);
    const std::string_view method = recording.Get(facts.method);
    DescribeEnds(facts, outcome.start_unix_ns, span);
    span.name = target;
    span.kind = Span::Kind::kServer;
    span.id = facts.request;
    span.parent = facts.parent;
    span.remote_parent = facts.parent.valid();
    span.state = recording.Get(facts.state);

    std::vector<Attribute>& out = span.attributes;
    out.reserve(16);
    if (IsKnown(method)) {
        out.push_back({"http.request.method", method});
    } else {
        out.push_back({"http.request.method", std::string_view("_OTHER")});
        out.push_back({"http.request.method_original", method});
    }
    const size_t question = target.find('?');
    out.push_back({"url.scheme", std::string_view(facts.secure ? "https" : "http")});
    out.push_back({"url.path", target.substr(0, question)});
    if (question != std::string_view::npos) {
        out.push_back({"url.query", target.substr(question + 1)});
    }
    DescribeHost(recording.Get(facts.host), out);
    if (facts.client.size > 0) {
        out.push_back({"client.address", recording.Get(facts.client)});
    }
    if (facts.agent.size > 0) {
        out.push_back({"user_agent.original", recording.Get(facts.agent)});
    }
    out.push_back({"network.protocol.version", VersionOf(recording.Get(facts.protocol))});
    if (outcome.read_bytes > 0) {
        out.push_back({"http.request.body.size", static_cast<int64_t>(outcome.read_bytes)});
    }
    out.push_back({"http.response.body.size", static_cast<int64_t>(outcome.write_bytes)});
    DescribeOutcome(outcome, span);
}

void DescribeCall(const Recording& recording, Span& span) {
    const Recording::Facts& facts = recording.facts;
    DescribeEnds(facts, std::max(facts.call_start_ns, facts.outcome.start_unix_ns), span);
    span.name = "http";
    span.kind = Span::Kind::kInternal;
    span.id = facts.call;
    span.parent = facts.request;
    span.state = recording.Get(facts.state);
    if (facts.outcome.no_worker) {
        span.error = true;
        span.error_type = "no_worker";
        span.attributes.push_back({"error.type", std::string_view(span.error_type)});
    }
}

}  // namespace rr::otel
