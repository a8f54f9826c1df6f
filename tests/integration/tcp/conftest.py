"""Fixtures of the tcp tests.

    def test_hello(tcp):
        server = tcp("main: {addr: '127.0.0.1:0'}")
        with server.connect() as client:
            client.send(b"hello\r\n").expect(b"hello\r\n")
        assert server.events.wait_closed(client)[-1]["event"] == "CLOSE"
"""

import json
import pathlib
import sys
import textwrap

import pytest

from harness import process
from harness import tcp as harness
from harness.rpc import address_of as rpc_address

WORKERS = pathlib.Path(__file__).resolve().parent / "workers"


class TcpServer:
    """A running rr with a tcp section, and the record of its workers."""

    def __init__(self, server, events, frames):
        self.rr = server
        self.log = server.log
        self.events = events
        self.frames_file = frames

    def connect(self, name="main", **named):
        return harness.connect(self.rr, name, **named)

    def address(self, name="main"):
        return harness.address_of(self.rr, name)

    def push(self):
        return harness.Push(self.rr)

    @property
    def rpc(self):
        host, port = rpc_address(self.rr)
        return f"tcp://{host}:{port}"

    def workers(self):
        return self.rr.workers()

    def wait_idle(self):
        """Waits until no worker is within an event: the last reply is not yet its end."""
        def idle():
            with self.push() as push:
                workers = push.call("informer.Workers", "tcp")["workers"]
            return workers and all(worker["statusStr"] == "ready" for worker in workers)
        process.eventually(idle, what="idle workers")

    def probe(self, name="main"):
        """A whole connection with one message: its worker has taken what was dispatched before."""
        with self.connect(name) as client:
            client.send(b"write probe\r\n").expect(b"probe\r\n")
        return self.events.wait_closed(client)

    def frames(self):
        """What workers/raw.py was sent."""
        text = self.frames_file.read_text() if self.frames_file.exists() else ""
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]


def section(servers, pool="num_workers: 1", more="", top=""):
    """The configuration; `servers` are lines of YAML, `more` further keys of the section."""
    return ("tcp:\n  servers:\n" + textwrap.indent(textwrap.dedent(servers).strip("\n"), "    ")
            + f"\n  pool: {{{pool}}}\n" + textwrap.indent(textwrap.dedent(more), "  ")
            + "\nrpc: {listen: 'tcp://127.0.0.1:0'}\n" + textwrap.dedent(top))


@pytest.fixture
def tcp(rr, tmp_path):
    """tcp(servers, pool=, more=, top=, on=, plain=, worker=, env=, **of rr): a TcpServer."""
    count = 0

    def start(servers="main: {addr: '127.0.0.1:0'}", *, pool="num_workers: 1", more="", top="",
              on=None, plain=False, worker="events.php", env=None, gate=None, **named):
        nonlocal count
        count += 1
        events = tmp_path / f"events{count}"
        frames = tmp_path / f"frames{count}"
        environment = {"TCP_EVENTS": str(events), "TCP_FRAMES": str(frames),
                       "TCP_ON": json.dumps(on or {}), "RR_WORKER_PLAIN": "1" if plain else "0",
                       **(gate.env if gate else {}), **(env or {})}
        text = section(servers, pool, more, top)
        path = WORKERS / worker
        if path.suffix == ".py":
            text = f'version: "3"\nserver: {{command: ["{sys.executable}", "{path}"]}}\n{text}'
        server = rr(text, worker=str(path), env=environment, **named)
        return TcpServer(server, harness.Events(events), frames)
    return start


@pytest.fixture(params=["numbered", "plain"])
def plain(request):
    """Both kinds of workers: php-worker's numbered ones and those of every official package."""
    return request.param == "plain"
