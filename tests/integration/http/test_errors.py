"""Failures and what the client and the log see of them; the access log."""

import json

import pytest

from harness.load import Background


def http(extra="", pool="num_workers: 1"):
    return f"http: {{address: '127.0.0.1:0', pool: {{{pool}}}, {extra}}}"


@pytest.mark.parametrize("target, status", [
    ("/error", 500), ("/exit", 502), ("/badjson", 502), ("/badframe", 502)])
def test_internal_error_code_replaces_the_causes(rr, target, status):
    assert rr(http()).post(target).status == status
    assert rr(http("internal_error_code: 599")).post(target).status == 599


def test_internal_error_code_leaves_the_clients_mistakes_alone(rr):
    server = rr(http("internal_error_code: 599, max_request_size: 1"))
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert server.post("/", b"a=%zz", headers=form).status == 400
    assert server.post("/", b"x" * 1048577).status == 413
    assert server.get("/badstatus").status == 500


def test_an_error_keeps_the_connection_and_has_no_body(rr):
    server = rr(http())
    with server.open() as connection:
        connection.send(b"GET /error HTTP/1.1\r\nHost: a\r\n\r\n")
        response = connection.read_response()
        assert (response.status, response.body) == (500, b"")
        connection.send(b"GET /status?body=x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.read_response().body == b"x"


def test_debug_shows_the_error(rr):
    server = rr(http(pool="debug: true"))
    response = server.get("/error?text=kaputt")
    assert (response.status, response.text) == (500, "kaputt\n")


def test_a_timeout_is_504(rr):
    server = rr(http(pool="num_workers: 1, supervisor: {exec_ttl: 300ms}"))
    assert server.get("/sleep?ms=5000").status == 504


def test_a_full_queue_is_503_with_retry_after(rr, gate):
    server = rr(http(pool="num_workers: 1, max_queue_size: 1"), worker=gate.worker, env=gate.env)
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    response = server.get("/")
    assert (response.status, response.header("Retry-After")) == (503, "1")
    gate.open("a")
    held.result()


@pytest.mark.parametrize("target", ["/stream?n=5&fail=2", "/stream?n=5&die=2"])
def test_a_stream_that_fails_is_cut_visibly(rr, target):
    server = rr(http())
    with server.open() as connection:
        connection.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        answer = connection.read_to_end()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert not answer.endswith(b"0\r\n\r\n")
    assert server.get("/status?body=x").text == "x"


def test_a_large_answer_arrives_whole_behind_a_slow_reader(rr):
    server = rr(http())
    with server.open() as connection:
        connection.send(b"GET /big?mb=8 HTTP/1.1\r\nHost: a\r\n\r\n")
        response = connection.read_head()
        assert response.header("Content-Length") == str(8 << 20)
        server.ping()
        assert len(connection.read_body(response).body) == 8 << 20
        connection.send(b"GET /status?body=x HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.read_response().body == b"x"


def test_a_stream_to_http_1_0_ends_with_the_connection(rr):
    server = rr(http())
    with server.open() as connection:
        connection.send(b"GET /stream?n=2 HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
        response = connection.read_response()
        assert response.body == b"chunk 1\nchunk 2\n"
        assert connection.closed_by_peer()


def test_trailers_come_behind_the_last_chunk(rr):
    response = rr(http()).get("/trailers")
    assert response.body == b"trailed"
    assert response.trailers == [("X-Sum", "abc"), ("x-low", "l")]


# -- records ------------------------------------------------------------------------------------

JSON_LOG = 'logs: {mode: production}\n'


def record(server, message):
    line = server.log.wait(rf'"msg":"{message}"|"{message}"').string
    return json.loads(line)


def test_the_access_record(rr):
    server = rr(JSON_LOG + http())
    server.post("/status?code=201&body=four", b"abc")
    seen = record(server, "http log")
    assert (seen["status"], seen["method"], seen["URI"]) == (
        201, "POST", "/status?code=201&body=four")
    assert (seen["read_bytes"], seen["write_bytes"]) == (3, 4)
    assert seen["remote_address"].startswith("127.0.0.1:")
    assert seen["start"] > 10**18
    assert seen["elapsed"] >= 0


def test_the_long_access_record(rr):
    server = rr(JSON_LOG + http("access_logs: true"))
    server.get("/status?q=1", headers={"User-Agent": "me", "Referer": "there"})
    seen = record(server, "http access log")
    assert (seen["query"], seen["user_agent"], seen["referer"]) == ("q=1", "me", "there")
    assert seen["content_len"] == 0
    assert seen["host"].startswith("127.0.0.1")


def test_a_failure_is_recorded_with_its_reason(rr):
    server = rr(JSON_LOG + http())
    server.get("/error?text=kaputt")
    assert "kaputt" in record(server, "execute")["error"]
    assert record(server, "http log")["status"] == 500


def test_a_bad_form_is_recorded(rr):
    server = rr(JSON_LOG + http())
    server.post("/", b"a=%zz", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert "%zz" in record(server, "request forming error")["error"]
