#include "plugins/otel/config.hpp"

#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "core/config/config.hpp"

namespace rr::otel {
namespace {

using Variables = std::map<std::string, std::string>;

struct Read {
    explicit Read(const std::string& text, Variables variables = {}) {
        auto loaded = config::Config::FromText("version: \"3\"\notel: {" + text + "}\n");
        REQUIRE(loaded);
        file = std::move(*loaded);
        config = ParseOtelConfig(file->Get("otel"), [&](const char* name) {
            auto found = variables.find(name);
            return found == variables.end() ? std::string() : found->second;
        });
        file->Finish();
    }
    std::string resource(const std::string& key) const {
        for (const auto& [name, value] : config.resource) {
            if (name == key) {
                return value;
            }
        }
        return "absent";
    }
    std::string problems() const { return Join(file->problems()); }
    std::string warnings() const { return Join(file->warnings()); }
    static std::string Join(const std::vector<std::string>& lines) {
        std::string out;
        for (const std::string& line : lines) {
            out += line + "\n";
        }
        return out;
    }

    std::unique_ptr<config::Config> file;
    OtelConfig config;
};

std::string Url(const std::string& text, Variables variables = {}) {
    return Read(text, std::move(variables)).config.url;
}

constexpr const char* kAll = "OTEL_EXPORTER_OTLP_ENDPOINT";
constexpr const char* kTraces = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

}  // namespace

TEST_CASE("otel config: what RoadRunner takes without a word") {
    Read read("exporter: otlp");
    REQUIRE(read.config.exporter == Target::kOtlp);
    REQUIRE(read.config.url == "https://localhost:4318/v1/traces");
    REQUIRE_FALSE(read.config.compress);
    REQUIRE(read.resource("service.name") == "RoadRunner");
    REQUIRE(read.resource("service.version") == "1.0.0");
    REQUIRE(read.resource("service.instance.id").size() == 36);
    REQUIRE(read.resource("service.namespace").starts_with("RoadRunner-"));
    REQUIRE(read.config.sampler.by_parent);
    REQUIRE(read.config.sampler.bound == Sampler::kAlways);
    REQUIRE(read.config.batch == 512);
    REQUIRE(read.problems() + read.warnings() == "");
}

TEST_CASE("otel config: where spans go") {
    REQUIRE(Url("insecure: true, endpoint: 'col:4318'") == "http://col:4318/v1/traces");
    REQUIRE(Url("endpoint: 'col:4318', custom_url: /x/y") == "https://col:4318/x/y");
    REQUIRE(Url("endpoint: 'http://col:1/'") == "http://col:1/v1/traces");
    REQUIRE(Url("endpoint: 'http://col:1/api/in'") == "http://col:1/api/in");
    REQUIRE(Url("endpoint: 'http://col:1/api/in', custom_url: y") == "http://col:1/y");
    REQUIRE(Url("custom_url: 'http://a/b'") == "http://a/b");
    REQUIRE(Url("compress: true", {{kAll, "http://e:1/p/"}}) == "http://e:1/p/v1/traces");
    REQUIRE(Url("compress: true", {{kAll, "http://e"}, {kTraces, "http://t"}}) == "http://t");
    REQUIRE(Url("custom_url: /c", {{kTraces, "http://t/d"}}) == "http://t/c");
    REQUIRE(Url("endpoint: 'e:1'", {{kAll, "http://n"}, {"OTEL_EXPORTER_OTLP_INSECURE", "true"}}) ==
            "http://e:1/v1/traces");
    REQUIRE(Url("exporter: zipkin") == "http://localhost:9411/api/v2/spans");
    REQUIRE(Url("exporter: zipkin, endpoint: 'http://z:9/s'") == "http://z:9/s");
    REQUIRE(Url("exporter: stdout") == "");
    REQUIRE(Read("endpoint: 'ftp://a'").problems() ==
            ".rr.yaml:2: otel.endpoint: must be host:port, http://... or https://..., not "
            "ftp://a/v1/traces\n");
}

TEST_CASE("otel config: what is not served is said with what is") {
    REQUIRE(Read("client: grpc").problems() ==
            ".rr.yaml:2: otel.client: grpc is not served: use http, on the collector's port for it "
            "(4318, not 4317)\n");
    REQUIRE(Read("client: grpc, exporter: stderr").problems() == "");
    Variables grpc{{"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}};
    REQUIRE(Read("compress: true", grpc).problems().find("OTEL_EXPORTER_OTLP_PROTOCOL: grpc is") !=
            std::string::npos);
    REQUIRE(Read("client: http", grpc).problems() == "");
    grpc["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] = "http/protobuf";
    REQUIRE(Read("compress: true", grpc).problems() == "");
    REQUIRE(Read("compress: true", {{"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"}})
                .warnings()
                .find("http/json is not served") != std::string::npos);
    REQUIRE(Read("exporter: jaeger").problems() ==
            ".rr.yaml:2: otel.exporter: jaeger is gone: Jaeger takes otlp, on its port 4318\n");
    REQUIRE(Read("exporter: otpl").problems().find("otlp") != std::string::npos);
    REQUIRE(Read("compres: true").warnings().find("compress") != std::string::npos);
}

TEST_CASE("otel config: the section beats the environment, which beats the defaults") {
    const Variables variables{
        {"OTEL_RESOURCE_ATTRIBUTES", "service.name=r,team=a%20b,service.version=2"},
        {"OTEL_SERVICE_NAME", "env"},
        {"OTEL_EXPORTER_OTLP_HEADERS", "api-key=k%3D1, x=y"},
        {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"},
        {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250"}};
    Read read("exporter: otlp", variables);
    REQUIRE(read.resource("service.name") == "env");
    REQUIRE(read.resource("service.version") == "2");
    REQUIRE(read.resource("team") == "a b");
    REQUIRE(read.config.headers == OtelConfig::Pairs{{"api-key", "k=1"}, {"x", "y"}});
    REQUIRE(read.config.compress);
    REQUIRE(read.config.timeout == std::chrono::milliseconds(250));
    Read over(
        "resource: {service_name: mine, service_namespace: n, service_instance_id: i}, "
        "headers: {a: b}, compress: false",
        variables);
    REQUIRE(over.resource("service.name") == "mine");
    REQUIRE(over.resource("service.namespace") == "n");
    REQUIRE(over.resource("service.instance.id") == "i");
    REQUIRE(over.config.headers == OtelConfig::Pairs{{"a", "b"}});
    REQUIRE_FALSE(over.config.compress);
}

TEST_CASE("otel config: the old names still work") {
    Read read("service_name: old, service_version: '3'");
    REQUIRE(read.resource("service.name") == "old");
    REQUIRE(read.resource("service.version") == "3");
    REQUIRE(
        read.warnings() ==
        ".rr.yaml:2: otel.service_name: is deprecated; write otel.resource.service_name\n"
        ".rr.yaml:2: otel.service_version: is deprecated; write otel.resource.service_version\n");
    REQUIRE(Read("service_name: old, resource: {service_name: new}").resource("service.name") ==
            "new");
}

TEST_CASE("otel config: samplers and batches come from the environment") {
    const auto sampler = [](const char* name, const char* argument = "") {
        return Read("exporter: otlp",
                    {{"OTEL_TRACES_SAMPLER", name}, {"OTEL_TRACES_SAMPLER_ARG", argument}})
            .config.sampler;
    };
    REQUIRE(sampler("always_off").bound == 0);
    REQUIRE_FALSE(sampler("always_on").by_parent);
    REQUIRE(sampler("parentbased_always_off").by_parent);
    REQUIRE(sampler("traceidratio", "0.25").bound == Sampler::kAlways / 4);
    REQUIRE(sampler("parentbased_traceidratio", "1").bound == Sampler::kAlways);
    REQUIRE(sampler("traceidratio", "2").bound == Sampler::kAlways);
    REQUIRE(sampler("jaeger_remote").bound == Sampler::kAlways);
    Read read("exporter: otlp", {{"OTEL_BSP_SCHEDULE_DELAY", "20"},
                                 {"OTEL_BSP_MAX_QUEUE_SIZE", "100"},
                                 {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "x"}});
    REQUIRE(read.config.delay == std::chrono::milliseconds(20));
    REQUIRE(read.config.queue == 100);
    REQUIRE(read.config.batch == 100);
    REQUIRE(read.warnings().find("OTEL_BSP_MAX_EXPORT_BATCH_SIZE: must be a number above 0") !=
            std::string::npos);
}

}  // namespace rr::otel
