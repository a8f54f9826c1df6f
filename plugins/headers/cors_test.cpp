#include "plugins/headers/cors.hpp"

#include <map>
#include <string>
#include <utility>

#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"

namespace rr::headers {
namespace {

using Pairs = FieldsForTest::Pairs;

CorsConfig Only(const char* origin) {
    CorsConfig c;
    c.origins = Origins::Listed({origin});
    return c;
}

RequestForTest Preflight(Pairs headers) {
    RequestForTest request(std::move(headers));
    request.method_text = "OPTIONS";
    return request;
}

std::map<std::string, std::string> Answer(const CorsConfig& config, const Pairs& headers,
                                          int status = 200) {
    HttpAnswer answer;
    Cors(config).AnswerPreflight(Preflight(headers), answer);
    REQUIRE(answer.status == status);
    REQUIRE(answer.body.empty());
    std::map<std::string, std::string> named;
    for (const auto& [name, value] : answer.headers) {
        named.emplace(name, value);
    }
    REQUIRE(named.size() == answer.headers.size());
    REQUIRE(named["Vary"] ==
            "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    named.erase("Vary");
    return named;
}

const std::map<std::string, std::string> kNothing;

}  // namespace

TEST_CASE("headers: a preflight is OPTIONS with Access-Control-Request-Method") {
    REQUIRE(Cors::IsPreflight(Preflight(Pairs{{"access-control-request-method", "GET"}})));
    REQUIRE_FALSE(Cors::IsPreflight(Preflight(Pairs{{"Origin", "https://a.example"}})));
    REQUIRE_FALSE(Cors::IsPreflight(Preflight(Pairs{{"Access-Control-Request-Method", ""}})));
    RequestForTest get(Pairs{{"Access-Control-Request-Method", "GET"}});
    REQUIRE_FALSE(Cors::IsPreflight(get));
}

TEST_CASE("headers: an allowed preflight is told what it asked for") {
    const Pairs asked = {{"Origin", "https://A.example"},
                         {"Access-Control-Request-Method", "POST"},
                         {"Access-Control-Request-Headers", "content-type,x-requested-with"}};
    std::map<std::string, std::string> expected = {
        {"Access-Control-Allow-Origin", "*"},
        {"Access-Control-Allow-Methods", "POST"},
        {"Access-Control-Allow-Headers", "content-type,x-requested-with"}};
    REQUIRE(Answer({}, asked) == expected);

    CorsConfig config = Only("https://a.example");
    config.credentials = true;
    config.max_age = "600";
    config.success_status = 204;
    config.exposed = "X-A";
    expected["Access-Control-Allow-Origin"] = "https://A.example";  // as it asked
    expected["Access-Control-Allow-Credentials"] = "true";
    expected["Access-Control-Max-Age"] = "600";
    REQUIRE(Answer(config, asked, 204) == expected);
}

TEST_CASE("headers: every origin and credentials go out together, as in RoadRunner") {
    CorsConfig config;
    config.credentials = true;
    const auto answer =
        Answer(config, {{"Origin", "null"}, {"Access-Control-Request-Method", "GET"}});
    REQUIRE(answer.at("Access-Control-Allow-Origin") == "*");
    REQUIRE(answer.at("Access-Control-Allow-Credentials") == "true");
    REQUIRE(answer.count("Access-Control-Allow-Headers") == 0);
}

TEST_CASE("headers: a preflight that is not allowed is answered without permission") {
    const auto ask = [](const char* origin, const char* method, const char* headers) {
        return Answer(Only("https://a.example"), {{"Origin", origin},
                                                  {"Access-Control-Request-Method", method},
                                                  {"Access-Control-Request-Headers", headers}});
    };
    REQUIRE(ask("https://a.example", "GET", "accept") != kNothing);
    REQUIRE(ask("https://a.example", "OPTIONS", "") != kNothing);
    REQUIRE(ask("https://b.example", "GET", "") == kNothing);
    REQUIRE(ask("", "GET", "") == kNothing);
    REQUIRE(ask("https://a.example", "PUT", "") == kNothing);
    REQUIRE(ask("https://a.example", "get", "") == kNothing);
    REQUIRE(ask("https://a.example", "GET", "x-other") == kNothing);
}

TEST_CASE("headers: requested headers must be in lower case, sorted, each once") {
    CorsConfig config;
    const auto allowed = [&config](const char* list) {
        return !Answer(config, {{"Origin", "https://a.example"},
                                {"Access-Control-Request-Method", "GET"},
                                {"Access-Control-Request-Headers", list}})
                    .empty();
    };
    for (const char* good : {"accept", "accept,content-type", "accept, content-type", "",
                             "accept,,x-requested-with"}) {
        INFO(good);
        REQUIRE(allowed(good));
    }
    for (const char* bad : {"Accept", "content-type,accept", "accept,accept", "accept,x",
                            "\"accept,x\"", "accept;content-type"}) {
        INFO(bad);
        REQUIRE_FALSE(allowed(bad));
    }
    config.all_headers = true;
    REQUIRE(allowed("Z,a,a"));
}

TEST_CASE("headers: the answer to a request says who may read it") {
    CorsConfig config = Only("https://a.example");
    config.exposed = "X-A, X-B";
    config.credentials = true;
    config.max_age = "600";
    const Cors cors(config);
    const auto tell = [&cors](const char* method, const char* origin) {
        RequestForTest request(Pairs{{"Origin", origin}});
        request.method_text = method;
        ResponseForTest response(Pairs{{"Vary", "Accept"}});
        cors.Tell(request, response);
        REQUIRE(response.fields.Count("Vary") == 2);
        REQUIRE(response.fields.at(1).value == "Origin");
        return response;
    };
    ResponseForTest told = tell("GET", "https://a.example");
    REQUIRE(told.fields.size() == 5);
    REQUIRE(told.Header("Access-Control-Allow-Origin") == "https://a.example");
    REQUIRE(told.Header("Access-Control-Expose-Headers") == "X-A, X-B");
    REQUIRE(told.Header("Access-Control-Allow-Credentials") == "true");
    REQUIRE(tell("OPTIONS", "https://a.example").fields.size() == 5);
    REQUIRE(tell("GET", "https://b.example").fields.size() == 2);
    REQUIRE(tell("GET", "").fields.size() == 2);
    REQUIRE(tell("DELETE", "https://a.example").fields.size() == 2);
}

TEST_CASE("headers: what PHP says about CORS itself stays, in a line of its own") {
    ResponseForTest response(Pairs{{"Access-Control-Allow-Origin", "https://php.example"}});
    Cors(CorsConfig{}).Tell(RequestForTest(Pairs{{"Origin", "https://a.example"}}), response);
    REQUIRE(response.fields.Count("Access-Control-Allow-Origin") == 2);
}

}  // namespace rr::headers
