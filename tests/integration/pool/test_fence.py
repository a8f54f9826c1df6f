"""The fence: a pid request behind each request. The worker reads a frame's header with one call."""

import os
import zlib

import pytest

from harness.server import POOL_WORKERS

EDGES = [4096, 8192, 16384, 32768, 65536, 131072]


@pytest.fixture(params=["1MB", "1KB"], ids=["memory", "file"])
def server(request, rr):
    return rr(f"""
        version: "3"
        server: {{command: "php {POOL_WORKERS}/strict.php"}}
        http: {{address: "127.0.0.1:0", spool_threshold: {request.param},
                pool: {{num_workers: 1, fence: true}}}}
        """)


def ask(connection, body):
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n"
                    b"Content-Length: %d\r\n\r\n" % len(body) + body)
    response = connection.read_response()
    assert response.status == 200, response.text
    frame, size, checksum = map(int, response.text.split())
    assert (size, checksum) == (len(body), zlib.crc32(body))
    return frame - size


@pytest.mark.parametrize("edge", EDGES)
def test_a_fence_never_comes_in_pieces(server, edge):
    """Frames that end just before, at and behind the edge of a page, PHP's buffer, the pipe."""
    before = server.workers()
    data = os.urandom(edge)
    with server.open() as connection:
        overhead = ask(connection, data[:edge - 600])
        for end in range(edge - 50, edge + 6):
            ask(connection, data[:end - overhead])
    assert server.workers() == before
    assert "in pieces" not in server.log.text("err")


def test_requests_of_any_size_pass_a_fence(server):
    before = server.workers()
    data = os.urandom(700_000)
    with server.open() as connection:
        for size in [0, 1, 100, 4000, 8192, 65535, 65536, 200_000, 700_000, 3, 66_000] * 3:
            ask(connection, data[:size])
    assert server.workers() == before


def test_no_answer_is_told_at_once(server):
    assert server.get("/none").status == 502
    server.log.wait("without an answer")
    assert server.get("/").status == 200
