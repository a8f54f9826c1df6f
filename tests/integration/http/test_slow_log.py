"""Slow requests: what their workers do, while they do it; and the bill at the end.

The worker (workers/slow.php) waits until the test lets it go. A record that comes before the worker
has got as far as its wait is as right as any: then the request is made once more.
"""

import fcntl
import json
import os
import signal
import socket
import time

import pytest

from harness import process
from harness.client import request_bytes
from harness.fcgi import Gateway, request_records
from harness.http2 import Http2

FIELDS = ["method", "URI", "URL", "remote_address", "pool", "pid", "start", "queued_ms", "run_ms",
          "cpu_ms"]
OWN = ["level", "ts", "logger", "msg"]
AFTER = 0.1


def config(more="", pool="num_workers: 1", slow=f"slow_log: {{threshold: {int(AFTER * 1000)}ms}},"):
    return ("logs: {mode: production, level: info}\n"
            f"http: {{address: '127.0.0.1:0', {slow} pool: {{{pool}}}, {more}}}\n")


def start(rr, *args, **named):
    return rr(config(*args, **named), worker="slow.php")


def record(server, message, since=0):
    return json.loads(server.log.wait(rf'^{{.*"msg":"{message}"', since=since).string)


class Peer:
    """Somebody who is asked and does not answer until `release`."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(10)
        self.name = "127.0.0.1:%d" % self.listener.getsockname()[1]

    def release(self, _=None):
        with self.listener.accept()[0] as asked:
            asked.sendall(b"x")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


@pytest.fixture
def peer():
    with Peer() as one:
        yield one


def told(server, target, expected, release, hold=lambda: None):
    """The two records of a request that was told to do what is `expected`, and its answer."""
    for _ in range(20):
        since = server.log.mark()
        hold()
        with server.open() as client:
            client.send(request_bytes("GET", target))
            slow = record(server, "slow request", since)
            release(slow)
            answer = client.read_response()
        end = record(server, "slow request ended", since)
        assert server.log.count('"msg":"slow request"', since) == 1
        if slow["doing"] == expected or callable(expected) and expected(slow["doing"]):
            return slow, end, answer
    raise AssertionError(slow["doing"])


def test_who_is_asked_and_does_not_answer(rr, peer):
    server = start(rr)
    target = f"/recv?at={peer.name}"
    slow, end, answer = told(server, target, f"waits in recvfrom for {peer.name}", peer.release)
    assert answer.body == b"x"
    assert [key for key in slow if key not in OWN] == [*FIELDS, "doing"]
    assert slow["level"] == end["level"] == "warn" and slow["logger"] == "http"
    assert [key for key in end if key not in OWN] == \
        [*FIELDS, "status", "elapsed", "write_bytes", "memory"]
    for seen in slow, end:
        assert (seen["method"], seen["URI"], seen["URL"]) == ("GET", target, target)
        assert seen["pool"] == "http"
        assert seen["remote_address"].startswith("127.0.0.1:")
        assert [seen["pid"]] == server.workers()
        assert seen["run_ms"] >= AFTER * 1000
        assert 0 <= seen["cpu_ms"] < seen["run_ms"]
    assert (end["status"], end["write_bytes"]) == (200, 1)
    assert end["elapsed"] >= end["run_ms"] >= slow["run_ms"]
    assert end["cpu_ms"] >= slow["cpu_ms"]
    assert end["memory"] > 1 << 20
    assert server.get("/").body == b"fast"
    assert server.log.count('"slow request') == 2 * server.log.count('"msg":"slow request"')


def test_a_stream_of_php_waits_in_poll(rr, peer):
    told(start(rr), f"/fgets?at={peer.name}", f"waits in poll for {peer.name}", peer.release)


def test_all_that_a_select_waits_for(rr, peer):
    with Peer() as other:
        def release(_):
            peer.release()
            other.release()
        told(start(rr), f"/select?at={peer.name}&and={other.name}",
             lambda doing: doing.endswith(f"select6 for {peer.name}, {other.name}")
             or doing.endswith(f"select for {peer.name}, {other.name}"), release)


def test_a_lock(rr, tmp_path):
    with open(tmp_path / "cache.lock", "w") as lock:
        told(start(rr), f"/flock?file={lock.name}", f"waits in flock for {lock.name}",
             lambda _: fcntl.flock(lock, fcntl.LOCK_UN), lambda: fcntl.flock(lock, fcntl.LOCK_EX))


def test_the_processor(rr, tmp_path):
    stop = tmp_path / "stop"
    slow, end, _ = told(start(rr), f"/compute?until={stop}", "runs, or waits for a processor",
                        lambda _: stop.touch(), lambda: stop.unlink(missing_ok=True))
    assert 0 < slow["cpu_ms"] <= end["cpu_ms"]


def sleeping(pid):
    with open(f"/proc/{pid}/wchan") as file:
        return "nanosleep" in file.read()


def test_sleep(rr):
    def wake(slow):
        process.eventually(lambda: sleeping(slow["pid"]), what="the worker's sleep")
        os.kill(slow["pid"], signal.SIGUSR1)
    told(start(rr), "/sleep", "sleeps in clock_nanosleep", wake)


@pytest.mark.parametrize("how, wait", [("program", "wait4 for"), ("pipe", "read for a pipe of")])
def test_a_program_that_php_started(rr, tmp_path, how, wait):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    told(start(rr), f"/{how}?fifo={fifo}",
         lambda doing: doing.startswith(f"waits in {wait} process ")
         and doing.endswith(f" (cat), which waits in openat for {fifo}"),
         lambda _: fifo.write_text("x"))


def test_a_stream_is_slow_by_its_whole_time(rr, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    _, end, answer = told(start(rr, pool="num_workers: 1, supervisor: {exec_ttl: 60s}"),
                          f"/stream?fifo={fifo}", f"waits in openat for {fifo}",
                          lambda _: fifo.write_text("last"))
    assert answer.body == b"firstlast"
    assert end["write_bytes"] == 9


def test_time_in_the_queue_is_not_the_workers(rr, peer):
    server = start(rr)
    with server.open() as first, server.open() as second:
        first.send(request_bytes("GET", f"/recv?at={peer.name}&first"))
        record(server, "slow request")
        second.send(request_bytes("GET", f"/recv?at={peer.name}&second"))
        server.ping()
        queued = time.monotonic()
        since = server.log.mark()
        server.ping()
        queued = time.monotonic() - queued
        peer.release()
        slow = record(server, "slow request", since)
        peer.release()
        assert first.read_response().status == second.read_response().status == 200
    assert slow["URI"].endswith("second")
    assert slow["queued_ms"] >= int(queued * 1000)


def test_a_pool_has_a_threshold_of_its_own(rr, peer):
    server = start(rr, "pools: {a: {match: {path: /recv}, pool: {num_workers: 1}}, "
                   "b: {match: {path: /fgets}, pool: {num_workers: 1}, slow_log: {threshold: 0s}}}")
    slow, end, _ = told(server, f"/recv?at={peer.name}", f"waits in recvfrom for {peer.name}",
                        peer.release)
    assert slow["pool"] == end["pool"] == "http.a"
    with Peer() as other, server.open() as client:
        client.send(request_bytes("GET", f"/fgets?at={other.name}"))
        # Two others came and were told meanwhile.
        for _ in range(2):
            told(server, f"/recv?at={peer.name}", lambda _: True, peer.release)
        other.release()
        assert client.read_response().status == 200
    assert server.log.count('"slow request.*/fgets') == 0


def test_nothing_is_said_unless_it_is_asked_for(rr, peer):
    for slow in "", "slow_log: {threshold: 1h},", "slow_log: {threshold: 0},":
        server = start(rr, slow=slow)
        with server.open() as client:
            client.send(request_bytes("GET", f"/recv?at={peer.name}"))
            peer.release()
            assert client.read_response().body == b"x"
        record(server, "http log")
        assert server.log.count("slow request") == 0


def test_http2_and_fastcgi(rr, peer):
    server = start(rr, "http2: {h2c: true}, fcgi: {address: '127.0.0.1:0'}")
    with Http2(server.address) as client:
        since = server.log.mark()
        stream = client.request(f"/recv?at={peer.name}")
        slow = record(server, "slow request", since)
        assert slow["URI"] == f"/recv?at={peer.name}"
        peer.release()
        assert client.answer(stream).body == b"x"
        assert record(server, "slow request ended", since)["status"] == 200
    port = int(server.log.find(r"^  fcgi   fcgi://127.0.0.1:(\d+)   ").group(1))
    with Gateway(("127.0.0.1", port)) as client:
        since = server.log.mark()
        client.send(request_records(f"/recv?at={peer.name}"))
        slow = record(server, "slow request", since)
        assert (slow["URI"], slow["URL"]) == ("", f"http://site.test/recv?at={peer.name}")
        assert slow["remote_address"] == "192.0.2.7:4711"
        peer.release()
        assert client.read_answer().body == b"x"
        assert record(server, "slow request ended", since)["URL"] == slow["URL"]


@pytest.mark.parametrize("slow", ["", "slow_log: {threshold: 1h},"])
def test_what_exec_ttl_ends_says_what_the_worker_did(rr, peer, slow):
    server = start(rr, pool="num_workers: 1, supervisor: {exec_ttl: 300ms}", slow=slow)
    doing = f"waits in recvfrom for {peer.name}"
    for _ in range(20):
        since = server.log.mark()
        assert server.get(f"/recv?at={peer.name}").status == 504
        seen = record(server, "execute", since)["error"]
        assert seen.startswith("exec_ttl passed; the worker ")
        if slow:
            said = record(server, "slow request", since)
            assert seen.endswith(said["doing"]) and said["run_ms"] >= 299
            assert record(server, "slow request ended", since)["status"] == 504
        if seen.endswith(doing):
            break
    assert seen.endswith(doing)
    assert server.log.count("slow request") == 0 or slow


def test_a_worker_that_dies(rr, peer):
    server = start(rr)
    with server.open() as client:
        client.send(request_bytes("POST", f"/recv?at={peer.name}", body=b"x"))
        slow = record(server, "slow request")
        os.kill(slow["pid"], signal.SIGKILL)
        assert client.read_response().status == 502
    end = record(server, "slow request ended")
    assert (end["status"], end["pid"]) == (502, slow["pid"])
    assert end["cpu_ms"] >= 0 and "memory" not in end


def test_a_client_that_has_gone(rr, peer):
    server = start(rr)
    with server.open() as client:
        client.send(request_bytes("GET", f"/recv?at={peer.name}"))
        slow = record(server, "slow request")
    peer.release()
    end = record(server, "slow request ended")
    assert end["remote_address"] == slow["remote_address"]
    assert end["status"] in (200, 499)


def test_many_at_once(rr, peer):
    server = start(rr, pool="num_workers: 8")
    clients = [server.open() for _ in range(8)]
    for number, client in enumerate(clients):
        client.send(request_bytes("GET", f"/recv?at={peer.name}&{number}"))
    process.eventually(lambda: server.log.count('"msg":"slow request"') == 8)
    for _ in clients:
        peer.release()
    for client in clients:
        assert client.read_response().body == b"x"
        client.close()
    process.eventually(lambda: server.log.count('"slow request ended"') == 8)
    assert server.log.count('"msg":"slow request"') == 8
