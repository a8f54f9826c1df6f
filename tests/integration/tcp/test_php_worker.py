"""TcpWorker of php-worker on the real server, its test worker (php-worker/tests/workers/tcp.php)."""

import pytest

from harness.server import ROOT
from harness.tcp import Udp

WORKER = str(ROOT / "php-worker" / "tests" / "workers" / "tcp.php")
RAW = "main: {addr: '127.0.0.1:0', framing: raw}"
HELLO = b"hello from main\r\n"


@pytest.fixture
def server(tcp):
    return tcp(RAW, worker=WORKER)


def test_what_handlers_return_is_what_happens(server):
    workers = server.workers()
    with server.connect() as client:
        client.expect(HELLO).segment(b"silent")
        client.send(b"stream").expect(b"abc")
        client.segment(b"nothing").send(b"twice").expect(b"firstsecond")
        client.segment(b"continue").send(b"text").expect(b"text")
        assert client.send(b"last").read_to_end() == b"bye"
    with server.connect() as client:
        assert client.expect(HELLO).send(b"close").read_to_end() == b""
    assert server.workers() == workers


@pytest.mark.parametrize("message, got", [(b"throw", b""), (b"half", b"half")])
def test_what_a_handler_throws_ends_its_connection_alone(server, message, got):
    workers = server.workers()
    with server.connect() as other:
        other.expect(HELLO)
        with server.connect() as client:
            assert client.expect(HELLO).send(message).read_to_end() == got
        server.log.wait("execute error.*SoftJobError: RuntimeException: thrown")
        other.send(b"text").expect(b"text")
    assert server.workers() == workers


def test_a_generator_ends_when_its_client_leaves(server):
    workers = server.workers()
    with server.connect() as client:
        client.expect(HELLO).send(b"endless").expect(b"piece 0")
    server.log.wait("the generator ended")
    with server.connect() as client:
        client.expect(HELLO)
    assert server.workers() == workers


def test_every_piece_is_a_datagram(tcp):
    """Pieces after the first had no verb and were lost; no pieces at all made an empty datagram."""
    server = tcp("main: {addr: 'udp://127.0.0.1:0'}", worker=WORKER)
    with Udp(server.address()) as client:
        client.send(b"stream")
        assert [client.receive() for _ in range(3)] == [b"a", b"b", b"c"]
        client.send(b"nothing")
        client.send(b"twice")
        assert [client.receive() for _ in range(2)] == [b"first", b"second"]
