#include "plugins/headers/headers.hpp"

#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "core/api/http_middleware_for_test.hpp"

namespace rr::headers {
namespace {

HeadersConfig Both() {
    HeadersConfig c;
    c.request = {{"X-Req", "config"}};
    c.response = {{"X-Powered-By", "RoadRunner"}, {"Content-Type", "text/plain"}};
    return c;
}

std::vector<std::string> Values(const FieldsForTest& fields, std::string_view name) {
    std::vector<std::string> values;
    for (size_t i = 0; i < fields.size(); ++i) {
        if (http_text::Equal(fields.at(i).name, name)) {
            values.emplace_back(fields.at(i).value);
        }
    }
    return values;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("headers: a header of the request is added to the client's own") {
    Headers middleware(Both(), {});
    RequestForTest request(FieldsForTest::Pairs{{"x-req", "client"}});
    HttpAnswer answer;
    REQUIRE(middleware.OnRequest(request, answer));
    REQUIRE(Values(request.fields, "X-Req") == Texts{"client", "config"});
}

TEST_CASE("headers: a header of the answer stands before PHP's of the same name") {
    Headers middleware(Both(), {});
    ResponseForTest response(
        {{"content-type", "text/html"}, {"X-A", "1"}, {"Content-Type", "text/css"}});
    middleware.OnResponse(RequestForTest(), response);
    REQUIRE(Values(response.fields, "Content-Type") ==
            Texts{"text/plain", "text/html", "text/css"});
    REQUIRE(Values(response.fields, "X-Powered-By") == Texts{"RoadRunner"});
    REQUIRE(response.fields.size() == 5);  // nothing about CORS
}

TEST_CASE("headers: without cors a preflight is a request like others") {
    Headers middleware(Both(), {});
    RequestForTest request(
        {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "GET"}});
    request.method_text = "OPTIONS";
    HttpAnswer answer;
    REQUIRE(middleware.OnRequest(request, answer));
}

TEST_CASE("headers: a preflight gets the headers of answers too") {
    HeadersConfig config = Both();
    config.cors_enabled = true;
    Headers middleware(std::move(config), {});
    RequestForTest request(
        {{"Origin", "https://a.example"}, {"Access-Control-Request-Method", "GET"}});
    request.method_text = "OPTIONS";
    HttpAnswer answer;
    REQUIRE_FALSE(middleware.OnRequest(request, answer));
    REQUIRE(answer.headers[0].name == "X-Powered-By");
    REQUIRE(answer.headers.size() == 2 + 3);

    request.method_text = "GET";
    REQUIRE(middleware.OnRequest(request, answer));
    ResponseForTest response;
    middleware.OnResponse(request, response);
    REQUIRE(response.Header("Access-Control-Allow-Origin") == "*");
    REQUIRE(response.Header("Vary") == "Origin");
}

}  // namespace rr::headers
