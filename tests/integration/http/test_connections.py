"""Life of a connection: keep-alive, pipelining, timeouts, clients that go, the drain."""

import os
import random
import signal
import socket
import time

import pytest

from harness import process
from harness.client import request_bytes
from harness.load import Background

ONE = "http: {address: '127.0.0.1:0', pool: {num_workers: 1}}"
GET = b"GET /status?body=x HTTP/1.1\r\nHost: a\r\n\r\n"


def http(extra, pool="num_workers: 1"):
    return f"http: {{address: '127.0.0.1:0', pool: {{{pool}}}, {extra}}}"


# -- keep-alive ---------------------------------------------------------------------------------


def test_connection_close_is_honoured_and_announced(rr):
    server = rr(ONE)
    with server.open() as connection:
        connection.send(request_bytes("GET", "/pid", {"Connection": "close"}))
        assert connection.read_response().header("Connection") == "close"
        assert connection.closed_by_peer()


@pytest.mark.parametrize("header, stays", [({}, False), ({"Connection": "keep-alive"}, True)])
def test_http_1_0_stays_only_when_asked(rr, header, stays):
    server = rr(ONE)
    with server.open() as connection:
        connection.send(request_bytes("GET", "/status?body=x", header, version="HTTP/1.0"))
        response = connection.read_response()
        assert response.body == b"x"
        assert (response.header("Connection", "").lower() == "keep-alive") == stays
        if stays:
            connection.send(request_bytes("GET", "/pid", header, version="HTTP/1.0"))
            assert connection.read_response().status == 200
        else:
            assert connection.closed_by_peer()


def test_clients_that_go_in_the_middle_harm_nobody(rr):
    """Found: a client that resets while its last answer goes out."""
    server = rr("http: {address: '127.0.0.1:0', pool: {num_workers: 2}}")
    dice = random.Random(5)
    pieces = [request_bytes("GET", "/status?body=x"), request_bytes("GET", "/big?mb=1"),
              request_bytes("POST", "/raw", (), b"abc" * 50000),
              request_bytes("GET", "/stream?n=20&size=20000"),
              request_bytes("GET", "/sleep?ms=5", {"Connection": "close"})]
    for _ in range(600):
        data = b"".join(dice.choices(pieces, k=dice.randint(1, 5)))
        size, end = dice.choice([len(data), dice.randint(1, len(data))]), dice.randrange(4)
        with server.open() as connection:
            try:
                connection.send(data[:size])
                if end == 0:
                    connection.finish_sending()
                elif end == 1:
                    connection.abort()
                else:
                    connection.socket.settimeout(0.01)
                    connection.receive()
            except OSError:
                pass
    assert server.get("/status?body=on").text == "on"


def test_a_half_closed_client_gets_its_answer(rr):
    server = rr(ONE)
    with server.open() as connection:
        connection.send(GET)
        connection.finish_sending()
        assert connection.read_response().body == b"x"
        assert connection.closed_by_peer()


def test_pipelined_requests_behind_a_half_close_are_all_answered(rr):
    server = rr(ONE)
    with server.open() as connection:
        connection.send(GET + request_bytes("POST", "/raw", (), b"abc") + GET)
        connection.finish_sending()
        assert [connection.read_response().body for _ in range(3)] == [b"x", b"abc", b"x"]
        assert connection.closed_by_peer()


def test_a_request_may_come_byte_by_byte(rr):
    server = rr(ONE)
    with server.open() as connection:
        data = (b"POST /raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"2\r\nab\r\n0\r\n\r\n")
        for byte in data + GET:
            connection.send(bytes([byte]))
        assert connection.read_response().body == b"ab"
        assert connection.read_response().body == b"x"


def test_more_pipelined_requests_than_are_read_ahead(rr):
    server = rr(ONE)
    with server.open() as connection:
        one = request_bytes("GET", "/status?body=x", {"X-Fill": "y" * 1000})
        sender = Background(connection.send, one * 200)
        assert [connection.read_response().body for _ in range(200)] == [b"x"] * 200
        sender.result()


def test_refused_requests_close_after_the_answer(rr):
    server = rr(ONE)
    with server.open() as connection:
        connection.send(b"GET / HTTP/1.1\r\n\r\n" + GET)
        response = connection.read_response()
        assert (response.status, response.header("Connection")) == (400, "close")
        assert connection.closed_by_peer()


def test_a_unix_socket_has_no_peer_address(rr, tmp_path):
    path = str(tmp_path / "http.sock")
    server = rr(f"http: {{address: 'unix://{path}', pool: {{num_workers: 1}}}}")
    with server.open(address=path) as connection:
        assert connection.send(request_bytes("GET", "/")).read_response().json()[
            "remoteAddr"] == "@"
    server.stop()
    assert not os.path.exists(path)


@pytest.mark.exact_memory
@pytest.mark.alone
def test_an_idle_connection_costs_less_than_3_kb(rr):
    server = rr(ONE)
    count = 400
    for _ in range(2):
        opened = [server.open().send(GET) for _ in range(50)]
        assert [one.read_response().body for one in opened] == [b"x"] * 50
        for one in opened:
            one.close()
    before = process.memory_kib(server.pid, "VmRSS")
    opened = []
    for _ in range(count):
        opened.append(server.open().send(GET))
        opened[-1].read_response()
    process.eventually(
        lambda: process.memory_kib(server.pid, "VmRSS") - before < count * 3, 5,
        "memory below 3 KB per connection")
    for one in opened:
        one.close()


# -- timeouts -----------------------------------------------------------------------------------


def test_an_unfinished_head_is_408(rr):
    server = rr(http("timeouts: {header: 300ms}"))
    with server.open() as connection:
        begin = time.monotonic()
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        assert connection.read_response().status == 408
        assert connection.closed_by_peer()
        assert 0.2 < time.monotonic() - begin < 3


def test_a_connection_without_a_byte_is_closed_silently(rr):
    server = rr(http("timeouts: {header: 300ms}"))
    with server.open() as connection:
        assert connection.closed_by_peer()


def test_a_body_without_progress_is_408(rr):
    server = rr(http("timeouts: {body: 400ms}"))
    with server.open() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        assert connection.read_response().status == 408
        assert connection.closed_by_peer()


def test_a_slow_body_that_goes_on_is_no_timeout(rr):
    server = rr(http("timeouts: {body: 600ms}"))
    with server.open() as connection:
        connection.send(b"POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
        for byte in b"abcde":
            connection.socket.settimeout(0.25)
            with pytest.raises(socket.timeout):
                connection.socket.recv(1)
            connection.send(bytes([byte]))
        connection.socket.settimeout(10)
        assert connection.read_response().body == b"abcde"


def test_an_idle_connection_is_closed_after_the_idle_timeout(rr):
    server = rr(http("timeouts: {idle: 400ms}"))
    with server.open() as connection:
        assert connection.send(GET).read_response().body == b"x"
        assert connection.closed_by_peer()


def test_a_client_that_stops_reading_is_cut_after_the_write_timeout(rr):
    server = rr(http("timeouts: {write: 500ms}"))
    with server.open() as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.send(b"GET /stream?n=2000&size=16384 HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.read_head()
        # The worker is told to stop, and serves the next one.
        assert server.get("/status?body=y", timeout=20).text == "y"


# -- clients that go ----------------------------------------------------------------------------


def test_a_queued_request_of_a_closed_connection_is_never_run(rr, gate):
    server = rr(http("", "num_workers: 1, prefetch: off"), worker=gate.worker, env=gate.env)
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    with server.open() as connection:
        connection.send(b"GET /hold?name=b HTTP/1.1\r\nHost: a\r\n\r\n")
        server.ping()
    server.ping()
    gate.open("a")
    assert held.result().status == 200
    assert server.get("/").status == 200
    assert not gate.has_begun("b")


def test_a_half_closing_client_that_said_so_is_served_from_the_queue(rr, gate):
    server = rr(http("", "num_workers: 1, prefetch: off"), worker=gate.worker, env=gate.env)
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    with server.open() as connection:
        connection.send(request_bytes("GET", "/x", {"Connection": "close"}))
        connection.finish_sending()
        server.ping()
        gate.open("a")
        assert connection.read_response().status == 200
    assert held.result().status == 200


def test_a_client_that_goes_while_its_request_runs_hurts_nobody(rr, gate):
    server = rr(ONE, worker=gate.worker, env=gate.env)
    before = server.workers()
    with server.open() as connection:
        connection.send(b"GET /hold?name=a HTTP/1.1\r\nHost: a\r\n\r\n")
        gate.begun("a")
        connection.abort()
    server.ping()
    gate.open("a")
    assert server.get("/").status == 200
    assert server.workers() == before


def test_a_client_that_leaves_a_stream_ends_it(rr):
    server = rr(ONE)
    with server.open() as connection:
        connection.send(b"GET /stream?n=100000&ms=5 HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.read_head()
        connection.read_chunk()
        connection.abort()
    begin = time.monotonic()
    assert server.get("/status?body=y").text == "y"
    assert time.monotonic() - begin < 5


# -- drain --------------------------------------------------------------------------------------


def test_a_request_on_its_way_is_answered_while_the_server_stops(rr):
    server = rr(ONE)
    with server.open() as idle, server.open() as fresh:
        idle.send(GET).read_response()
        server.ping()
        server.signal(signal.SIGTERM)
        process.eventually(lambda: not process.listening_ports(server.pid), 5, "the closed port")
        for connection in (idle, fresh):
            response = connection.send(GET).read_response()
            assert (response.status, response.header("Connection")) == (200, "close")
            assert connection.closed_by_peer()
    assert server.wait() == 0


def test_idle_connections_do_not_hold_up_the_stop(rr):
    server = rr(ONE)
    with server.open() as connection:
        connection.send(GET).read_response()
        begin = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begin < 5
        assert connection.closed_by_peer()


def test_a_running_request_and_a_pipelined_one_are_answered_before_the_stop(rr, gate):
    server = rr(ONE, worker=gate.worker, env=gate.env)
    with server.open() as connection:
        connection.send(b"GET /hold?name=a HTTP/1.1\r\nHost: a\r\n\r\n")
        gate.begun("a")
        server.signal(signal.SIGTERM)
        process.eventually(lambda: not process.listening_ports(server.pid), 5, "the closed port")
        gate.open("a")
        response = connection.read_response()
        assert (response.status, response.header("Connection")) == (200, "close")
        assert connection.closed_by_peer()
    assert server.wait() == 0
