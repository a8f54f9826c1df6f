#include <ctime>
#include <string>

#include "core/base/json_text.hpp"
#include "plugins/otel/encoders.hpp"
#include "plugins/otel/trace_context.hpp"

namespace rr::otel {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// Json: appends to a buffer; commas come by themselves.
class Json {
public:
    explicit Json(Buffer& out) : out_(out) {}

    Json& Key(std::string_view key) {
        Comma();
        AppendJsonString(key, out_);
        out_.Append(':');
        first_ = true;
        return *this;
    }
    void Open(char bracket) {
        Comma();
        out_.Append(bracket);
        first_ = true;
    }
    void Close(char bracket) {
        out_.Append(bracket);
        first_ = false;
    }
    void Text(std::string_view text) {
        Comma();
        AppendJsonString(text, out_);
        first_ = false;
    }
    void Number(int64_t number) { Word(std::to_string(number)); }
    void Word(std::string_view word) {
        Comma();
        out_.Append(word);
        first_ = false;
    }
    template <class Id>
    void Hex(const Id& id) {
        char text[sizeof(id.bytes) * 2];
        WriteHex(id.bytes.data(), id.bytes.size(), text);
        Text({text, sizeof(text)});
    }

private:
    void Comma() {
        if (!first_) {
            out_.Append(',');
        }
        first_ = false;
    }

    Buffer& out_;
    bool first_ = true;
};

std::string ValueText(const Attribute& attribute) {
    const auto* text = std::get_if<std::string_view>(&attribute.value);
    return text != nullptr ? std::string(*text)
                           : std::to_string(std::get<int64_t>(attribute.value));
}

// `2026-11-21T01:58:12.000000001Z`
std::string Time(int64_t unix_ns) {
    const std::time_t seconds = unix_ns / kSecond;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char text[40];
    const size_t size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    const std::string digits = std::to_string(kSecond + unix_ns % kSecond);
    return std::string(text, size) + "." + digits.substr(1) + "Z";
}

void WriteZipkin(const Resource& resource, const Span& span, Json& json) {
    json.Open('{');
    json.Key("traceId").Hex(span.trace);
    json.Key("id").Hex(span.id);
    if (span.parent.valid()) {
        json.Key("parentId").Hex(span.parent);
    }
    json.Key("name").Text(span.name);
    if (span.kind == Span::Kind::kServer) {
        json.Key("kind").Text("SERVER");
    }
    json.Key("timestamp").Number(span.start_ns / 1000);
    // Zipkin takes 0 for `not known`.
    json.Key("duration").Number(std::max<int64_t>(1, (span.end_ns - span.start_ns) / 1000));
    json.Key("localEndpoint").Open('{');
    json.Key("serviceName").Text(resource.Get("service.name"));
    json.Close('}');
    json.Key("tags").Open('{');
    for (const Attribute& attribute : span.attributes) {
        json.Key(attribute.key).Text(ValueText(attribute));
    }
    if (span.error) {
        json.Key("error").Text(span.error_type);
        json.Key("otel.status_code").Text("ERROR");
    }
    json.Key("otel.scope.name").Text(kScope);
    json.Close('}');
    json.Close('}');
}

void WriteContext(const TraceId& trace, const SpanId& id, std::string_view state, bool remote,
                  Json& json) {
    json.Open('{');
    json.Key("TraceID").Hex(trace);
    json.Key("SpanID").Hex(id);
    json.Key("TraceFlags").Text("01");
    json.Key("TraceState").Text(state);
    json.Key("Remote").Word(remote ? "true" : "false");
    json.Close('}');
}

void WriteAttribute(std::string_view key, std::string_view type, Json& json) {
    json.Open('{');
    json.Key("Key").Text(key);
    json.Key("Value").Open('{');
    json.Key("Type").Text(type);
    json.Key("Value");
}

void WriteLine(const Resource& resource, const Span& span, Json& json) {
    json.Open('{');
    json.Key("Name").Text(span.name);
    json.Key("SpanContext");
    WriteContext(span.trace, span.id, span.state, false, json);
    json.Key("Parent");
    WriteContext(span.parent.valid() ? span.trace : TraceId(), span.parent,
                 span.parent.valid() ? span.state : std::string_view(), span.remote_parent, json);
    json.Key("SpanKind").Number(static_cast<int64_t>(span.kind));
    json.Key("StartTime").Text(Time(span.start_ns));
    json.Key("EndTime").Text(Time(span.end_ns));
    json.Key("Attributes").Open('[');
    for (const Attribute& attribute : span.attributes) {
        if (const auto* text = std::get_if<std::string_view>(&attribute.value)) {
            WriteAttribute(attribute.key, "STRING", json);
            json.Text(*text);
        } else {
            WriteAttribute(attribute.key, "INT64", json);
            json.Number(std::get<int64_t>(attribute.value));
        }
        json.Close('}');
        json.Close('}');
    }
    json.Close(']');
    json.Key("Status").Open('{');
    json.Key("Code").Text(span.error ? "Error" : "Unset");
    json.Key("Description").Text("");
    json.Close('}');
    json.Key("Resource").Open('[');
    for (const auto& [key, value] : resource.attributes) {
        WriteAttribute(key, "STRING", json);
        json.Text(value);
        json.Close('}');
        json.Close('}');
    }
    json.Close(']');
    json.Key("InstrumentationScope").Open('{');
    json.Key("Name").Text(kScope);
    json.Key("Version").Text(resource.scope_version);
    json.Key("SchemaURL").Text(kSchema);
    json.Close('}');
    json.Close('}');
}

}  // namespace

void EncodeZipkin(const Resource& resource, const Batch& batch, Buffer& out) {
    Json json(out);
    json.Open('[');
    EachSpan(batch, [&](const Span& span) { WriteZipkin(resource, span, json); });
    json.Close(']');
}

void EncodeLines(const Resource& resource, const Batch& batch, Buffer& out) {
    EachSpan(batch, [&](const Span& span) {
        Json json(out);
        WriteLine(resource, span, json);
        out.Append('\n');
    });
}

}  // namespace rr::otel
