"""The middleware otel: real PHP behind it, a collector that decodes what comes, curl in front."""

import json
import re
import ssl
import subprocess
import time

import pytest

from harness.collector import Collector
from harness.control import Pages, http_port, taken_port
from harness.process import children, eventually
from harness.proto import encode
from harness.stores import free_port

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{CALLER}-01"
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "20"}
LATER = {"OTEL_BSP_SCHEDULE_DELAY": "3600000"}  # only full batches, and the stop


def config(otel, middleware="[otel]", http="", more=""):
    return (f"http: {{address: '127.0.0.1:0', middleware: {middleware}, "
            f"pool: {{num_workers: 1}}{http}}}\notel: {{{otel}}}\n{more}")


@pytest.fixture
def collector():
    with Collector() as made:
        yield made


def start(rr, collector, otel="", env=SOON, **named):
    text = config(f"insecure: true, endpoint: '{collector.endpoint}'{otel}",
                  named.pop("middleware", "[otel]"), named.pop("http", ""), named.pop("more", ""))
    server = rr(text, env=env, **named)
    server._port = http_port(server)
    return server


def seen(answer):
    """The headers that PHP saw; names in lower case."""
    return {name.lower(): values for name, values in answer.json()["headers"].items()}


def named(name):
    return lambda span: span.name == name


def pair(collector, name):
    """The request's span and the worker's."""
    request = collector.wait(named(name))
    call = collector.wait(lambda span: span.name == "http" and span.parent == request.id)
    return request, call


def test_a_request_is_two_spans_and_php_knows_the_inner_one(rr, collector):
    server = start(rr, collector, ", resource: {service_name: shop, service_version: '7'}")
    before = time.time_ns()
    answer = server.request("POST", "/any?a=b", body=b"hello",
                            headers={"User-Agent": "tester", "Content-Type": "text/plain"})
    after = time.time_ns()
    request, call = pair(collector, "/any?a=b")
    assert seen(answer)["traceparent"] == [f"00-{request.trace}-{call.id}-01"]
    assert seen(answer)["uber-trace-id"] == [f"{request.trace}:{call.id}:0:1"]
    assert request.parent == "" and request.kind == 2 and call.kind == 1
    assert call.trace == request.trace
    assert request.flags == 0x101 and call.flags == 0x101
    assert before <= request.start <= call.start <= call.end <= request.end <= after
    attributes = dict(request.attributes)
    assert attributes.pop("http.response.body.size") == len(answer.body)
    assert attributes == {
        "http.request.method": "POST", "url.scheme": "http", "url.path": "/any",
        "url.query": "a=b", "server.address": "127.0.0.1", "server.port": server._port,
        "client.address": "127.0.0.1", "user_agent.original": "tester",
        "network.protocol.version": "1.1", "http.request.body.size": 5,
        "http.response.status_code": 200}
    assert request.status == 0
    resource = request.resource
    assert resource["service.name"] == "shop" and resource["service.version"] == "7"
    assert re.fullmatch(r"[0-9a-f-]{36}", resource["service.instance.id"])
    assert resource["service.namespace"].startswith("RoadRunner-")
    assert resource["webengine.name"] == "RoadRunner"
    assert resource["os.name"] == "linux" and "host.arch" in resource
    path, headers = collector.posts[0]
    assert path == "/v1/traces"
    assert headers["Content-Type"] == "application/x-protobuf"
    assert headers["Content-Encoding"] is None


def test_curl_s_trace_goes_on(rr, collector):
    server = start(rr, collector)
    done = subprocess.run(
        ["curl", "-sS", "--max-time", "20", "-H", f"traceparent: {PARENT}",
         "-H", "tracestate: congo=t61rcWkgMzE", "-H", "baggage: user=7,broken,tenant=a;p=1",
         f"http://127.0.0.1:{server._port}/continued"], capture_output=True, check=True)
    headers = {name.lower(): values for name, values in json.loads(done.stdout)["headers"].items()}
    request, call = pair(collector, "/continued")
    assert (request.trace, request.parent) == (TRACE, CALLER)
    assert request.flags == 0x301
    assert request.state == "congo=t61rcWkgMzE"
    assert headers["traceparent"] == [f"00-{TRACE}-{call.id}-01"]
    assert headers["tracestate"] == ["congo=t61rcWkgMzE"]
    assert headers["baggage"] == ["user=7,tenant=a;p=1"]


def test_a_long_tracestate_is_exported_with_whole_members(rr, collector):
    server = start(rr, collector)
    members = [f"k{i}={'v' * 200}" for i in range(12)]
    answer = server.get("/long", headers={"traceparent": PARENT, "tracestate": ",".join(members)})
    assert seen(answer)["tracestate"] == [",".join(members)]
    assert pair(collector, "/long")[0].state == ",".join(members[:10])  # 2,039 bytes


def test_a_trace_that_is_not_sampled_is_continued_and_not_exported(rr, collector):
    server = start(rr, collector)
    answer = server.get("/quiet", headers={"traceparent": PARENT[:-2] + "00"})
    parent, = seen(answer)["traceparent"]
    assert parent.startswith(f"00-{TRACE}-") and parent.endswith("-00")
    assert CALLER not in parent
    server.get("/loud")
    collector.wait(named("/loud"))
    assert all(span.trace != TRACE for span in collector.spans)


@pytest.mark.parametrize("traceparent", [
    "00-" + "0" * 32 + f"-{CALLER}-01", f"ff-{TRACE}-{CALLER}-01", f"{PARENT}-x", PARENT.upper(), "x"])
def test_a_malformed_traceparent_begins_a_new_trace(rr, collector, traceparent):
    server = start(rr, collector)
    answer = server.get("/new", headers={"traceparent": traceparent, "tracestate": "a=b"})
    request = collector.wait(named("/new"))
    assert request.parent == "" and request.trace != TRACE
    assert seen(answer)["traceparent"][0].startswith(f"00-{request.trace}-")
    assert "tracestate" not in seen(answer)


def test_failures_are_marked(rr, collector):
    server = start(rr, collector)
    assert server.get("/error?text=x").status == 500
    request, call = pair(collector, "/error?text=x")
    assert request.status == 2 and request.attributes["error.type"] == "500"
    assert server.get("/status?code=404&body=x").status == 404
    missing, _ = pair(collector, "/status?code=404&body=x")
    assert missing.status == 0 and missing.attributes["http.response.status_code"] == 404


def test_what_a_middleware_answers_has_no_worker_s_span(rr, collector):
    server = start(rr, collector, middleware="[static, otel]", http=", static: {dir: .}",
                   files={"page.txt": "text"})
    assert server.get("/page.txt").body == b"text"
    assert server.get("/other").status == 200
    pair(collector, "/other")
    hit = collector.wait(named("/page.txt"))
    assert not [span for span in collector.spans if span.parent == hit.id]


def test_http2_requests_are_traced_too(rr, collector):
    server = start(rr, collector, http=", http2: {h2c: true}")
    for n in (1, 2, 3):  # curl 7.88 breaks a connection that it uses again (with nghttpd too)
        subprocess.run(
            ["curl", "-sS", "--max-time", "20", "--http2-prior-knowledge", "-H",
             f"traceparent: {PARENT}", f"http://127.0.0.1:{server._port}/h2?n={n}"],
            capture_output=True, check=True)
    for n in (1, 2, 3):
        request, _ = pair(collector, f"/h2?n={n}")
        assert request.trace == TRACE
        assert request.attributes["network.protocol.version"] == "2"


def test_compressed_with_headers_and_another_path(rr, collector):
    server = start(rr, collector, ", compress: true, custom_url: /in/traces, "
                                  "headers: {x-api-key: secret}")
    server.get("/x")
    collector.wait(named("/x"))
    path, headers = collector.posts[0]
    assert path == "/in/traces"
    assert headers["Content-Encoding"] == "gzip" and headers["X-Api-Key"] == "secret"


def test_the_environment_says_what_the_section_does_not(rr, collector):
    env = {**SOON, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.endpoint}/base",
           "OTEL_EXPORTER_OTLP_HEADERS": "x-team=a%20b", "OTEL_SERVICE_NAME": "env",
           "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test"}
    server = rr(config("exporter: otlp"), env=env)
    server._port = http_port(server)
    server.get("/x")
    span = collector.wait(named("/x"))
    assert span.resource["service.name"] == "env"
    assert span.resource["deployment.environment"] == "test"
    path, headers = collector.posts[0]
    assert path == "/base/v1/traces" and headers["X-Team"] == "a b"


def test_https_with_a_certificate_of_one_s_own(rr, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key), "-out",
                    str(cert), "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    with Collector(tls=tls) as collector:
        server = rr(config(f"endpoint: '{collector.endpoint}'"),
                    env={**SOON, "OTEL_EXPORTER_OTLP_CERTIFICATE": str(cert)})
        server._port = http_port(server)
        server.get("/x")
        collector.wait(named("/x"))
        distrustful = rr(config(f"endpoint: '{collector.endpoint}'"), env=SOON)
        distrustful._port = http_port(distrustful)
        distrustful.get("/y")
        distrustful.log.wait("spans are not exported.*certificate")


def test_an_outage_is_said_once_and_its_spans_come_later(rr):
    port = free_port()
    server = rr(config(f"insecure: true, endpoint: '127.0.0.1:{port}'"), env=SOON)
    server._port = http_port(server)
    for n in range(3):
        assert server.get(f"/early{n}").status == 200
        server.log.wait("spans are not exported")
    with Collector(port) as collector:
        for n in range(3):
            pair(collector, f"/early{n}")
        server.get("/late")
        pair(collector, "/late")
        server.log.wait("spans are exported again")
    assert server.log.count("spans are not exported") == 1


def test_a_busy_collector_is_asked_again_a_refusing_one_is_not(rr, collector):
    collector.answers = [(503, {"Retry-After": "1"}, b""), (200, {}, b""), (400, {}, b"bad")]
    server = start(rr, collector)
    server.get("/busy")
    pair(collector, "/busy")
    server.log.wait("spans are exported again")
    server.get("/refused")
    server.log.wait("spans are not exported.*400")
    server.get("/after")
    pair(collector, "/after")
    assert not [span for span in collector.spans if span.name == "/refused"]


def test_a_partial_success_is_counted(rr, collector):
    collector.answers = [(200, {}, encode((1, encode((1, 1), (2, "too old")))))]
    server = start(rr, collector, more="metrics: {address: '127.0.0.1:0'}")
    pages = Pages(server, "metrics")
    server.get("/x")
    server.log.wait("spans are not exported.*too old")
    assert eventually(lambda: "rr_otel_spans_dropped_total 1\n" in pages.get("/").text)
    assert "rr_otel_spans_exported_total 1\n" in pages.get("/").text
    assert "rr_otel_spans_waiting 0\n" in pages.get("/").text


def test_the_queue_is_bounded(rr):
    port = free_port()
    server = rr(config(f"insecure: true, endpoint: '127.0.0.1:{port}'",
                       more="metrics: {address: '127.0.0.1:0'}"),
                env={**SOON, "OTEL_BSP_MAX_QUEUE_SIZE": "10"})
    server._port = http_port(server)
    pages = Pages(server, "metrics")
    for n in range(20):
        assert server.get(f"/{n}").status == 200
    assert eventually(lambda: "rr_otel_spans_dropped_total 30\n" in pages.get("/").text)
    assert "rr_otel_spans_waiting 10\n" in pages.get("/").text


def test_a_stop_exports_what_waits(rr, collector):
    server = start(rr, collector, env=LATER)
    for n in range(5):
        server.get(f"/{n}")
    assert collector.spans == []
    assert server.stop() == 0
    assert len(collector.spans) == 10


def test_a_full_batch_does_not_wait(rr, collector):
    server = start(rr, collector, env={**LATER, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4"})
    for n in range(4):
        server.get(f"/{n}")
    collector.wait_all(lambda _: True, 8)
    assert len(collector.posts) == 2


def test_a_stop_does_not_wait_for_a_collector_that_is_away(rr):
    server = rr(config(f"insecure: true, endpoint: '127.0.0.1:{free_port()}'"), env=LATER)
    server._port = http_port(server)
    server.get("/x")
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 20
    assert server.log.count("spans were lost") == 1


def test_spans_as_lines(rr):
    for stream, mark in (("stdout", "out"), ("stderr", "err")):
        server = rr(config(f"exporter: {stream}"), env=SOON)
        server._port = http_port(server)
        server.get("/lines")
        server.log.wait(r'^{"Name":"http"')
        lines = [json.loads(line) for name, line in server.log.lines
                 if name == mark and line.startswith('{"Name"')]
        assert [line["Name"] for line in lines] == ["/lines", "http"]
        assert lines[0]["SpanContext"]["SpanID"] == lines[1]["Parent"]["SpanID"]


def test_zipkin(rr):
    with Collector(decoder=json.loads) as collector:
        server = rr(config(f"exporter: zipkin, endpoint: 'http://{collector.endpoint}/api/v2/spans', "
                           "resource: {service_name: shop}"), env=SOON)
        server._port = http_port(server)
        server.get("/z")
        span = collector.wait(lambda span: span["name"] == "/z")
        call = collector.wait(lambda each: each.get("parentId") == span["id"])
        assert call["name"] == "http" and call["traceId"] == span["traceId"]
        assert span["kind"] == "SERVER"
        assert span["localEndpoint"] == {"serviceName": "shop"}
        assert span["tags"]["url.path"] == "/z"
        assert collector.posts[0][0] == "/api/v2/spans"
        assert collector.posts[0][1]["Content-Type"] == "application/json"


def test_grpc_is_refused_with_what_works(rr):
    server = rr(config("client: grpc"), expect_fail=True)
    assert server.code == 1
    assert ".rr.yaml" in str(server.log) and "use http" in str(server.log)


def test_without_the_section_or_the_entry_nothing_happens(rr, collector):
    server = start(rr, collector, middleware="[]")
    assert "traceparent" not in seen(server.get("/x"))
    alone = rr("http: {address: '127.0.0.1:0', middleware: [otel], pool: {num_workers: 1}}")
    assert alone.log.count("otel") > 0
    alone._port = http_port(alone)
    assert "traceparent" not in seen(alone.get("/x"))
    assert collector.posts == []


def test_libcurl_is_loaded_only_where_it_is_needed(rr, collector):
    def maps(server):
        with open(f"/proc/{server.pid}/maps", encoding="ascii", errors="replace") as file:
            return file.read()
    assert "libcurl" in maps(start(rr, collector))
    assert "libcurl" not in maps(rr("http: {address: '127.0.0.1:0', pool: {num_workers: 1}}"))


def test_workers_inherit_no_descriptor(rr, collector):
    import os
    server = start(rr, collector)
    server.get("/x")
    collector.wait(named("/x"))
    server.request("GET", "/exit?code=1")
    server.get("/y")  # by a new worker, which began beside an open connection to the collector
    pid, = children(server.pid)
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    assert not [link for link in links if link.startswith("socket:")], links


def test_a_start_that_fails_ends_at_once(rr, collector):
    holder, port = taken_port()
    with holder:
        began = time.monotonic()
        server = rr(f"http: {{address: '127.0.0.1:{port}', middleware: [otel], "
                    f"pool: {{num_workers: 1}}}}\notel: {{insecure: true, "
                    f"endpoint: '{collector.endpoint}'}}", expect_fail=True, env=LATER)
        assert server.code == 1
        assert time.monotonic() - began < 20
