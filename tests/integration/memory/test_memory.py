"""What the server keeps in memory while large things pass through it."""

import os
import zlib

import pytest

from harness import process

MB = 1 << 20
ONE = "http: {address: '127.0.0.1:0', pool: {num_workers: 1}}"


def send_body(server, target, size, headers=b""):
    piece = os.urandom(MB)
    crc = 0
    with server.open(timeout=60) as connection:
        connection.send(b"POST " + target + b" HTTP/1.1\r\nHost: a\r\n" + headers
                        + b"Content-Length: %d\r\n\r\n" % size)
        for _ in range(size // MB):
            connection.send(piece)
            crc = zlib.crc32(piece, crc)
        return connection.read_response(), crc


@pytest.mark.exact_memory
def test_a_post_of_100_mb_grows_the_server_by_less_than_32_mib(rr):
    server = rr(ONE)
    assert server.post("/length", b"warm").status == 200
    before = process.memory_kib(server.pid)
    process.reset_peak(server.pid)
    response, crc = send_body(server, b"/length", 100 * MB)
    assert response.status == 200
    assert response.text == f"{100 * MB} {crc:08x}"
    assert process.memory_kib(server.pid, "VmHWM") - before < 32 * 1024


@pytest.mark.exact_memory
def test_an_answer_of_64_mb_grows_the_server_by_less_than_32_mib(rr):
    server = rr(ONE)
    assert server.get("/pid").status == 200
    before = process.memory_kib(server.pid)
    process.reset_peak(server.pid)
    with server.open(timeout=60) as connection:
        connection.send(b"GET /big?mb=60 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert len(connection.read_response().body) == 60 * MB
    assert process.memory_kib(server.pid, "VmHWM") - before < 32 * 1024


@pytest.mark.exact_memory
def test_a_client_that_reads_nothing_does_not_grow_the_server(rr):
    server = rr(ONE)
    assert server.get("/pid").status == 200
    before = process.memory_kib(server.pid)
    process.reset_peak(server.pid)
    with server.open(timeout=60) as connection:
        connection.send(b"GET /stream?n=4000&size=16384 HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.read_head()
        with server.open() as other:
            for _ in range(20):
                other.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").read_response()
        assert process.memory_kib(server.pid, "VmHWM") - before < 32 * 1024


@pytest.mark.exact_memory
def test_idle_connections_are_small(rr):
    server = rr(ONE)
    assert server.get("/pid").status == 200
    before = process.memory_kib(server.pid)
    connections = []
    for _ in range(500):
        connection = server.open()
        connection.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        connections.append(connection)
    for connection in connections:
        assert connection.read_response().status == 200
    grown = process.memory_kib(server.pid) - before
    for connection in connections:
        connection.close()
    assert grown < 500 * 4  # the bench states the goal of 3 KB; here it only must not run away


@pytest.mark.exact_memory
def test_a_server_at_rest_is_small(rr):
    server = rr(ONE)
    assert server.get("/pid").status == 200
    assert process.memory_kib(server.pid) < 16 * 1024


def test_a_spooled_body_leaves_no_file(rr, tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    server = rr(f"http: {{address: '127.0.0.1:0', uploads: {{dir: '{spool}'}}, "
                "pool: {num_workers: 1}}")
    response, crc = send_body(server, b"/length", 3 * MB)
    assert response.text == f"{3 * MB} {crc:08x}"
    assert list(spool.iterdir()) == []
