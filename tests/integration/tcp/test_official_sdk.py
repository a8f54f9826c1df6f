"""The official TCP package, unmodified. By hand: RR_SDK_AUTOLOAD names its autoload file."""

import hashlib
import json
import os
import signal

import pytest

from harness.server import WORKERS

pytestmark = pytest.mark.skipif("RR_SDK_AUTOLOAD" not in os.environ,
                                reason="RR_SDK_AUTOLOAD is not set")
SERVERS = """
smtp: {addr: '127.0.0.1:0', remote_addr: host}
server2: {addr: '127.0.0.1:0', remote_addr: host, max_message_size: 0}
strict: {addr: '127.0.0.1:0'}
"""
BANNER = b"220 mail.example ready\r\n"


@pytest.fixture
def server(tcp):
    return tcp(SERVERS, pool="num_workers: 2", worker=str(WORKERS / "official_tcp.php"))


def test_the_documented_application(server):
    with server.connect("smtp") as client:
        client.expect(BANNER).send(b"EHLO there\r\n").expect(b"250 EHLO there\r\n")
        client.send(b"QUIT\r\n").expect(b"250 QUIT\r\n")
    with server.connect("server2") as client:
        answer = client.send(b"hello\r\n").read_to_end()
        assert json.loads(answer) == {"address": "127.0.0.1", "server": "server2",
                                      "body": "hello\r\n"}
    with server.connect("strict") as client:  # its address has a port: a stranger
        assert client.read_to_end() == b""


def test_events_without_an_answer_block_nobody(server):
    workers = set(server.workers())
    with server.connect("smtp") as client:
        client.expect(BANNER)
        for _ in range(20):
            client.send(b"silent\r\n")
            client.send(b"size\r\n")
        client.send(b"EHLO\r\n")
        seen = b""
        while b"250 " not in seen:
            more = client.receive()
            assert more
            seen += more
    for _ in range(50):
        with server.connect("smtp") as client:
            client.expect(BANNER)
    assert set(server.workers()) == workers


@pytest.mark.parametrize("size", [*range(8000, 8200, 7), 16384, 32640, *range(65380, 65560, 9),
                                  131072, 1_000_003])
def test_no_size_splits_a_header(server, size):
    """The pipe relay reads a header at once: half a one would end the worker."""
    workers = set(server.workers())
    body = b"size " + b"x" * (size - 7) + b"\r\n"
    with server.connect("server2") as client:
        for _ in range(2):
            client.send(body)
            client.expect(f"{size} {hashlib.md5(body).hexdigest()}\r\n".encode())
    assert set(server.workers()) == workers


def test_an_error_ends_the_connection_and_keeps_the_worker(server):
    workers = set(server.workers())
    with server.connect("smtp") as client:
        client.expect(BANNER).send(b"error\r\n")
        assert client.read_to_end() == b""
    server.log.wait("SoftJobError: boom")
    assert set(server.workers()) == workers


def test_a_stream_is_written_as_it_comes(server):
    with server.connect("smtp") as client:
        client.expect(BANNER).send(b"stream\r\n")
        client.expect(b"".join(f"part {i}\r\n".encode() for i in range(20)))
        client.send(b"more\r\n").expect(b"250 more\r\n")


def test_reset_kill_and_stop(server):
    with server.connect("smtp") as client:
        client.expect(BANNER)
        before = set(server.workers())
        server.rr.signal(signal.SIGUSR1)
        server.rr.wait_workers(lambda pids: len(pids) == 2 and not set(pids) & before)
        client.send(b"still\r\n").expect(b"250 still\r\n")
        assert server.rr.stop() == 0
        assert client.read_to_end() == b""
