"""The middleware headers with real PHP and curl: what is added, and who may do what across origins."""

import subprocess

import pytest

SITE = "https://app.example"
VARY = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"


def config(headers, middleware="[headers]", http=""):
    return (f"http: {{address: '127.0.0.1:0', http2: {{h2c: true}}, middleware: {middleware}, "
            f"headers: {headers}, pool: {{num_workers: 1}}, {http}}}\n")


CORS = (f"{{allowed_origin: '{SITE}, https://*.sub.example', allowed_methods: 'GET, PUT', "
        "allowed_headers: 'Content-Type, X-Token', exposed_headers: 'x-total', "
        "allow_credentials: true, max_age: 600}")


@pytest.fixture(scope="module")
def server(rr_module):
    return rr_module(config(f"{{request: {{x-req: config, user-agent: rr}}, "
                            f"response: {{x-powered-by: RoadRunner, x-php: config}}, cors: {CORS}}}"))


def preflight(server, origin=SITE, method="PUT", headers=None):
    pairs = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers is not None:
        pairs["Access-Control-Request-Headers"] = headers
    return server.request("OPTIONS", "/", headers=pairs)


def allowed(answer):
    """What an answer says about CORS."""
    return {name.removeprefix("Access-Control-"): value for name, value in answer.headers
            if name.startswith("Access-Control-")}


def test_php_sees_the_headers_beside_the_clients_own(server):
    seen = server.get("/", headers={"X-Req": "client", "User-Agent": "curl"}).json()["headers"]
    assert seen["X-Req"] == ["client", "config"]
    assert seen["User-Agent"] == ["curl", "rr"]


def test_the_client_sees_the_headers_before_those_of_php(server):
    answer = server.get("/headers?X-Php=worker&X-Other=1")
    assert answer.all("X-Php") == ["config", "worker"]
    assert answer.header("X-Powered-By") == "RoadRunner"
    assert answer.header("X-Other") == "1"


def test_errors_have_the_headers_too(server):
    answer = server.get("/exit?code=1", headers={"Origin": SITE})
    assert answer.status == 502
    assert answer.header("X-Powered-By") == "RoadRunner"
    assert answer.header("Access-Control-Allow-Origin") == SITE


def test_an_allowed_preflight(server):
    answer = preflight(server, headers="content-type,x-token")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.all("Vary") == [VARY]
    assert allowed(answer) == {
        "Allow-Origin": SITE, "Allow-Methods": "PUT", "Allow-Headers": "content-type,x-token",
        "Allow-Credentials": "true", "Max-Age": "600"}
    assert answer.header("X-Powered-By") == "RoadRunner"


@pytest.mark.parametrize("asked", [
    {"origin": "https://other.example"}, {"method": "DELETE"}, {"method": "put"},
    {"headers": "x-other"}, {"headers": "x-token,content-type"}, {"headers": "Content-Type"}])
def test_a_preflight_that_is_not_allowed_never_reaches_php(server, asked):
    answer = preflight(server, **asked)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.all("Vary") == [VARY]
    assert allowed(answer) == {}


def test_options_without_a_question_reaches_php(server):
    answer = server.request("OPTIONS", "/", headers={"Origin": SITE})
    assert answer.json()["method"] == "OPTIONS"
    assert allowed(answer)["Allow-Origin"] == SITE


def test_answers_tell_who_may_read_them(server):
    answer = server.get("/", headers={"Origin": "https://a.sub.example"})
    assert answer.header("Vary") == "Origin"
    assert allowed(answer) == {"Allow-Origin": "https://a.sub.example", "Expose-Headers": "X-Total",
                               "Allow-Credentials": "true"}
    for origin in ({}, {"Origin": "https://sub.example"}):
        answer = server.get("/", headers=origin)
        assert answer.header("Vary") == "Origin"
        assert allowed(answer) == {}


def test_what_php_says_itself_stays(server):
    answer = server.get("/headers?Vary=Accept&Access-Control-Allow-Origin=*",
                        headers={"Origin": SITE})
    assert sorted(answer.all("Vary")) == ["Accept", "Origin"]
    assert sorted(answer.all("Access-Control-Allow-Origin")) == ["*", SITE]


def test_over_http_2(server):
    said = subprocess.run(
        ["curl", "-sS", "-D", "-", "-o", "/dev/null", "--http2-prior-knowledge", "--max-time", "20",
         "-X", "OPTIONS", "-H", f"Origin: {SITE}", "-H", "Access-Control-Request-Method: PUT",
         server.url], capture_output=True, check=True, text=True).stdout
    assert said.startswith("HTTP/2 200")
    assert f"access-control-allow-origin: {SITE}" in said.splitlines()


def test_a_regular_expression_and_another_status(rr):
    server = rr(config("{cors: {allowed_origin_regex: '^https://[a-z]+\\.example$', "
                       "options_success_status: 204, debug: true}}"))
    answer = preflight(server, method="GET")
    assert answer.status == 204
    assert allowed(answer)["Allow-Origin"] == SITE
    assert allowed(preflight(server, "https://1.example", "GET")) == {}
    assert server.log.wait(r"cors preflight.*origin not allowed")


def test_every_origin(rr):
    server = rr(config("{cors: {allowed_origin: '*'}}"))
    assert allowed(server.get("/", headers={"Origin": "null"})) == {"Allow-Origin": "*"}
    assert allowed(preflight(server, method="POST")) == {
        "Allow-Origin": "*", "Allow-Methods": "POST"}


def test_a_section_that_is_not_listed_does_nothing(rr):
    server = rr(config("{response: {x-a: b}, cors: {allowed_origin: '*'}}", middleware="[]"))
    answer = server.get("/", headers={"Origin": SITE})
    assert answer.header("X-A") is None
    assert answer.header("Vary") is None


def test_a_listed_name_without_its_section_is_told(rr):
    server = rr("http: {address: '127.0.0.1:0', middleware: [headers], pool: {num_workers: 1}}")
    assert server.log.wait(r"headers: does nothing, it needs .*http\.headers")
    assert server.get("/").status == 200


def test_a_bad_regular_expression_stops_the_start(rr):
    server = rr(config("{cors: {allowed_origin_regex: '(a'}}"), expect_fail=True)
    assert server.code == 1
    assert server.log.wait(r"http\.headers\.cors\.allowed_origin_regex: no regular expression")


def test_a_file_of_version_1(rr):
    server = rr("""
        http:
          address: 127.0.0.1:0
          workers: {command: "php @WORKERS@/legacy.php", pool: {numWorkers: 1}}
        headers:
          response: {x-powered-by: v1}
          cors: {allowedOrigin: "*", allowedHeaders: "*", allowedMethods: "GET,PUT", maxAge: 60}
        """, verbatim=True)
    answer = preflight(server, headers="X-Any")
    assert allowed(answer) == {"Allow-Origin": "*", "Allow-Methods": "PUT",
                               "Allow-Headers": "X-Any", "Max-Age": "60"}
    assert server.get("/").header("X-Powered-By") == "v1"
