"""The thinnest whole path: one binary, one configuration, PHP answers over HTTP."""

import json
import os
import signal
import zlib

import pytest

from harness import process

ONE = """
http:
  address: 127.0.0.1:0
  pool:
    num_workers: 1
"""


def test_a_get_is_answered_by_php(rr):
    response = rr(ONE).get("/hello?a=1")
    assert (response.status, response.reason) == (200, "OK")
    assert response.header("Content-Type") == "application/json"
    seen = response.json()
    assert seen["method"] == "GET"
    assert seen["uri"].endswith("/hello?a=1")
    assert seen["rawQuery"] == "a=1"
    assert seen["remoteAddr"] == "127.0.0.1"


def test_the_worker_is_a_child_of_the_server(rr):
    server = rr(ONE)
    assert [int(server.get("/pid").text)] == server.workers()


def test_a_whole_answer_has_a_content_length(rr):
    response = rr(ONE).get("/status?code=200&body=hello")
    assert response.header("Content-Length") == "5"
    assert response.header("Transfer-Encoding") is None
    assert response.header("Date") is not None
    assert response.body == b"hello"


def test_a_connection_carries_many_requests(rr):
    server = rr(ONE)
    connection = server.connect()
    for number in range(20):
        connection.request("GET", f"/{number}")
        assert json.loads(connection.getresponse().read())["uri"].endswith(f"/{number}")
    connection.close()


def test_pipelined_requests_are_answered_in_order(rr):
    server = rr(ONE)
    with server.open() as connection:
        connection.send(b"".join(b"GET /status?body=%d HTTP/1.1\r\nHost: a\r\n\r\n" % number
                                 for number in range(10)))
        assert [connection.read_response().body for _ in range(10)] == [
            b"%d" % number for number in range(10)]


@pytest.mark.parametrize("size", [0, 1, 4096, 65535, 65536, 65537, 3_000_000])
def test_a_posted_body_arrives_whole(rr, size):
    body = os.urandom(size)
    response = rr(ONE).post("/length", body, headers={"Content-Type": "application/octet-stream"})
    assert response.status == 200
    length, crc = response.text.split()
    assert (int(length), int(crc, 16)) == (size, zlib.crc32(body))


def test_a_chunked_body_arrives_whole(rr):
    server = rr(ONE)
    with server.open() as connection:
        connection.send(b"POST /raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n")
        assert connection.read_response().body == b"hello world"


def test_a_head_answer_has_no_body(rr):
    server = rr(ONE)
    with server.open() as connection:
        connection.send(b"HEAD /type?ct=text/x HTTP/1.1\r\nHost: a\r\n\r\n"
                        b"GET /status?body=next HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.read_response(head=True).header("Content-Type") == "text/x"
        assert connection.read_response().body == b"next"


def test_a_unix_socket_serves_http(rr, tmp_path):
    path = str(tmp_path / "http.sock")
    server = rr(f"http: {{address: 'unix://{path}', pool: {{num_workers: 1}}}}")
    with server.open(address=path) as connection:
        connection.send(b"GET /status?body=unix HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.read_response().body == b"unix"
    assert server.stop() == 0
    assert not os.path.exists(path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_the_server_with_exit_code_0(rr, number):
    server = rr(ONE)
    workers = server.workers()
    assert server.get("/pid").status == 200
    assert server.stop(number=number) == 0
    assert not any(process.is_alive(pid) for pid in workers)


def running(server, target):
    """A connection whose request the server has read."""
    connection = server.open(timeout=30)
    connection.send(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    server.ping()
    return connection


def test_a_running_request_is_answered_before_the_stop(rr):
    server = rr(ONE)
    first = running(server, "/sleep?ms=700")
    queued = running(server, "/status?body=queued")
    server.signal(signal.SIGTERM)
    assert first.read_response().status == 200
    last = queued.read_response()
    assert last.body == b"queued"
    assert last.header("Connection") == "close"
    assert first.closed_by_peer()
    assert queued.closed_by_peer()
    assert server.wait() == 0


def test_a_second_signal_ends_the_server_at_once(rr):
    server = rr(ONE)
    busy = running(server, "/sleep?ms=20000")
    server.signal(signal.SIGTERM)
    server.log.wait("stop signal received")
    # Two signals within 100 ms are one (cli-and-config.md 10.8): go on until the server is gone.
    process.eventually(lambda: not server.running or server.signal(signal.SIGTERM), 5,
                       "the forced end")
    assert server.wait(5) == 1
    assert "exit forced" in server.log.text("out")
    assert busy.read_to_end() == b""


def test_grace_period_bounds_the_stop(rr):
    server = rr(ONE + "endure: {grace_period: 1s}\n")
    busy = running(server, "/sleep?ms=20000")
    assert server.stop(timeout=6) == 1
    busy.read_to_end()


def test_the_banner_says_what_is_served_where(rr):
    server = rr(ONE)
    banner = server.log.text("out")
    assert str(server.port) in banner
    assert "\x1b" not in banner


def test_silent_prints_nothing(rr, notify_socket):
    server = rr(ONE, args=["-s"], env={"NOTIFY_SOCKET": notify_socket.path}, ready=False)
    assert notify_socket.receive(20).startswith("READY=1")
    assert server.get("/pid").status == 200
    assert server.stop() == 0
    assert server.log.text("out") == ""


def test_the_service_manager_hears_ready_and_stopping(rr, notify_socket):
    server = rr(ONE, env={"NOTIFY_SOCKET": notify_socket.path})
    assert "READY=1" in notify_socket.receive()
    server.signal(signal.SIGTERM)
    assert "STOPPING=1" in notify_socket.receive()
    assert server.wait() == 0


def test_the_pid_file_holds_the_pid_while_the_server_runs(rr):
    server = rr(ONE, args=["-p"])
    file = server.directory / ".pid"
    assert int(file.read_text()) == server.pid
    assert server.stop() == 0
    assert not file.exists()


def test_an_override_wins_over_the_file(rr):
    server = rr(ONE, overrides=["http.pool.num_workers=3"])
    assert len(server.workers()) == 3


def test_relative_paths_begin_at_the_working_directory(rr):
    server = rr(ONE.replace("http:", 'version: "3"\nserver: {command: "php w.php"}\nhttp:'),
                files={"w.php": '<?php require "@WORKERS@/echo.php";'})
    assert server.get("/").json()["cwd"] == str(server.directory)


def test_workers_get_their_environment(rr):
    seen = rr("""
        version: "3"
        server:
          command: "php @WORKERS@/echo.php"
          env: {rr_test_one: one, RR_TEST_TWO: "${FROM_OUTSIDE}-two"}
        http: {address: "127.0.0.1:0", pool: {num_workers: 1}}
        """, env={"FROM_OUTSIDE": "outer"}).get("/").json()["env"]
    assert seen["RR_TEST_ONE"] == "one"
    assert seen["RR_TEST_TWO"] == "outer-two"
    assert seen["RR_MODE"] == "http"
    assert seen["RR_RELAY"] == "pipes"
    assert seen["RR_VERSION"].count(".") == 2


@pytest.mark.parametrize("yaml, says", [
    ("http: {address: 127.0.0.1:0, pool: {num_workers: lots}}", r"\.rr\.yaml:\d+: .*num_workers"),
    ("http: {address: 127.0.0.1:0, pool: {num_workers: 501}}", "num_workers"),
    ("http: {address: nowhere, pool: {num_workers: 1}}", "address"),
    ("http: {address: 127.0.0.1:0, pool: {allocate_timeout: soon}}", "allocate_timeout"),
    ("http: {pool: {num_workers: 1}}", "http"),
    ("http: [", r"\.rr\.yaml:\d+"),
])
def test_a_wrong_configuration_stops_the_start(rr, yaml, says):
    server = rr(yaml, expect_fail=True)
    assert server.code == 1
    import re
    assert re.search(says, server.log.text("err")), server.log
    assert "server started" not in server.log.text()


def test_all_problems_are_named_at_once(rr):
    server = rr("""
        http:
          address: 127.0.0.1:0
          max_request_size: big
          pool:
            num_workers: many
        """, expect_fail=True)
    errors = server.log.text("err")
    assert "max_request_size" in errors and "num_workers" in errors


def test_an_unknown_key_warns_with_the_nearest_one(rr):
    server = rr("http: {address: 127.0.0.1:0, pool: {num_worker: 1}}")
    line = server.log.wait("num_worker").string
    assert "num_workers" in line


def test_a_missing_configuration_file_is_named(rr):
    server = rr(ONE, args=["-c", "missing.yaml"], expect_fail=True)
    assert server.code == 1
    assert "missing.yaml: no such file or directory" in server.log.text("err")


def test_a_taken_port_stops_the_start(rr):
    first = rr(ONE)
    second = rr(f"http: {{address: 127.0.0.1:{first.port}, pool: {{num_workers: 1}}}}",
                expect_fail=True)
    assert second.code == 1
    assert "address already in use" in second.log.text("err").lower()
    assert second.family() == []


def test_check_validates_without_serving(rr):
    good = rr(ONE, command="check", expect_fail=True)
    assert good.code == 0
    bad = rr("http: {address: 127.0.0.1:0, pool: {num_workers: x}}", command="check",
             expect_fail=True)
    assert bad.code == 1
    assert "num_workers" in bad.log.text()
