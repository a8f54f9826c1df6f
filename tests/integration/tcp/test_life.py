"""Resets, stops, deaths and crowds: nothing wedges, every connection ends once."""

import collections
import os
import resource
import signal
import socket
import threading

import pytest

from harness import process
from harness.load import Background
from harness.server import is_sanitized
from harness.tcp import Connection

CROWD = 10_000


def ends(events):
    """uuid -> names of its events."""
    found = collections.defaultdict(list)
    for event in events:
        found[event["uuid"]].append(event["event"])
    return found


class Talk:
    """Clients in threads that each send a line and want exactly it back, again and again."""

    def __init__(self, server, clients, lines=1_000_000, name="main"):
        self.answers = 0
        self.closed = 0
        self.wrong = []
        self._address = server.address(name)
        self._lines = lines
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._client, args=(number,), daemon=True)
                         for number in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def wait(self, count, timeout=30.0):
        """Waits for `count` answers or ends from now on."""
        with self._changed:
            goal = self.answers + self.closed + count
            assert self._changed.wait_for(
                lambda: self.answers + self.closed >= goal or self.wrong, timeout), (
                f"only {self.answers} answers and {self.closed} ends")

    def _count(self, name, by=1):
        with self._changed:
            setattr(self, name, getattr(self, name) + by)
            self._changed.notify_all()

    def _client(self, number):
        line = 0
        while not self._stop.is_set() and line < self._lines:
            try:
                with Connection(self._address, timeout=30) as connection:
                    while not self._stop.is_set() and line < self._lines:
                        text = b"%d-%d of mine\r\n" % (number, line)
                        line += 1
                        got = connection.send(text).read(len(text))
                        if got != text:
                            self.wrong.append((text, got))
                            return
                        self._count("answers")
            except AssertionError as error:  # ClosedEarly: half an answer would be wrong
                if getattr(error, "data", b"?"):
                    self.wrong.append(error)
                self._count("closed")
            except ConnectionError:
                self._count("closed")
            except OSError as error:
                self.wrong.append(error)
                return


# -- resets -------------------------------------------------------------------------------------


def test_a_reset_waits_for_no_connection_and_costs_none(tcp, gate):
    server = tcp(pool="num_workers: 1", gate=gate)
    with server.connect() as busy, server.connect() as idle, server.push() as push:
        busy.send(b"hold a\r\n")
        old = gate.begun("a")
        push.reset()
        assert int(idle.ask("pid")) != old
        gate.open("a")
        busy.expect(b"held a\r\n")
        assert int(busy.ask("pid")) != old
        assert process.wait_gone(old)


def test_resets_under_load_are_not_noticed(tcp, plain):
    server = tcp(pool="num_workers: 2", plain=plain)
    with Talk(server, 6) as talk, server.push() as push:
        for _ in range(3):
            talk.wait(50)
            push.reset()
        talk.wait(50)
    assert not talk.wrong and talk.closed == 0


def test_a_signal_resets_too(tcp):
    server = tcp()
    before = server.workers()
    with server.connect() as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")
        server.rr.signal(signal.SIGUSR1)
        server.rr.wait_workers(lambda pids: len(pids) == 1 and pids != before)
        assert int(client.ask("pid")) not in before


# -- tcp.Close ----------------------------------------------------------------------------------


def test_close_of_a_running_connection_is_at_once_and_its_event_later(tcp, gate):
    server = tcp(gate=gate)
    with server.connect() as client, server.push() as push:
        client.send(b"hold a\r\n")
        gate.begun("a")
        uuid = server.events.of(client)[0]["uuid"]
        assert push.close_connection(uuid) is True
        assert client.rest() == b""
        assert push.close_connection(uuid) is True
        assert server.events.names(uuid) == ["CONNECTED", "DATA"]
        gate.open("a")
        server.events.wait_closed(uuid)
        server.probe()
        assert server.events.names(uuid) == ["CONNECTED", "DATA", "CLOSE"]


def test_close_while_connected_runs(tcp, gate):
    server = tcp("main: {addr: '127.0.0.1:0'}\nother: {addr: '127.0.0.1:0'}",
                 on={"CONNECTED": {"main": "hold a"}}, gate=gate)
    with server.connect() as client, server.push() as push:
        gate.begun("a")
        uuid = server.events.all()[0]["uuid"]
        assert push.close_connection(uuid) is True
        assert client.rest() == b""
        gate.open("a")
        server.events.wait_closed(uuid)
        server.probe("other")
        assert server.events.names(uuid) == ["CONNECTED", "CLOSE"]


def test_close_of_an_unknown_connection_is_true(tcp):
    server = tcp()
    with server.push() as push:
        for uuid in ("50a6c1ce-1e83-48c9-9d3e-6f942895400e", "", "no uuid at all"):
            assert push.close_connection(uuid) is True


# -- stop ---------------------------------------------------------------------------------------


def test_a_stop_tells_of_every_connection(tcp, plain):
    server = tcp(pool="num_workers: 2", plain=plain)
    clients = [server.connect() for _ in range(20)]
    for client in clients:
        client.send(b"hello\r\n").expect(b"hello\r\n")
    assert server.rr.stop(timeout=15) == 0
    for client in clients:
        assert client.rest() == b""
    names = ends(server.events.all())
    assert len(names) == 20
    assert set(map(tuple, names.values())) == {("CONNECTED", "DATA", "CLOSE")}


def test_a_pending_reply_is_written_before_the_stop(tcp, gate):
    server = tcp(pool="num_workers: 2", gate=gate)
    with server.connect() as client, server.connect() as idle:
        client.send(b"hold a\r\n")
        gate.begun("a")
        server.rr.signal(signal.SIGTERM)
        assert idle.rest() == b""  # the drain has begun
        gate.open("a")
        assert client.rest() == b"held a\r\n"
        assert server.rr.wait(15) == 0
        assert server.events.names(client) == ["CONNECTED", "DATA", "CLOSE"]
        assert server.events.names(idle) == ["CONNECTED", "CLOSE"]
    assert not server.log.find("(?i)failed to accept|closed network connection")


def test_a_large_reply_goes_out_whole_before_the_stop(tcp, gate):
    server = tcp(gate=gate)
    with server.connect() as client:
        client.send(b"big 3000000\r\n")
        client.read(1)
        server.rr.signal(signal.SIGTERM)
        assert len(client.rest()) == 2_999_999
        assert server.rr.wait(15) == 0


def test_a_stop_is_not_held_up_by_clients(tcp):
    """One is silent, one reads nothing, one has sent half a line."""
    server = tcp(top="endure: {grace_period: 3s}")
    with server.connect() as silent, server.connect(receive_buffer=4096) as deaf, \
            server.connect() as half:
        server.events.wait_count(3, "CONNECTED")
        deaf.send(b"big 20000000\r\n")
        half.segment(b"half a line")
        server.events.wait_count(1, "DATA")
        names = [each.name for each in (silent, deaf, half)]
        assert server.rr.stop(timeout=12) in (0, 1)  # 1: the grace period was used up
        assert silent.rest() == b""
    for name in names:
        assert server.events.names(name).count("CLOSE") == 1, name


def test_new_clients_are_refused_while_the_server_stops(tcp, gate):
    server = tcp(gate=gate)
    host, port = server.address()
    with server.connect() as client:
        client.send(b"hold a\r\n")
        gate.begun("a")
        server.rr.signal(signal.SIGTERM)
        process.eventually(lambda: port not in process.listening_ports(server.rr.pid), 5,
                           "the closed port")
        with pytest.raises(OSError):
            Connection((host, port))
        gate.open("a")
        assert client.rest() == b"held a\r\n"
    assert server.rr.wait(15) == 0


def test_a_second_signal_ends_at_once(tcp, gate):
    server = tcp(gate=gate)
    with server.connect() as client, server.connect() as idle:
        client.send(b"hold a\r\n")
        gate.begun("a")
        server.rr.signal(signal.SIGTERM)
        assert idle.rest() == b""
        # Two signals within 100 ms are one: go on until the server is gone.
        process.eventually(
            lambda: not server.rr.running or server.rr.signal(signal.SIGTERM), 5, "the end")
        assert client.rest() == b""


def test_a_unix_socket_is_removed_by_the_stop(tcp, tmp_path):
    path = tmp_path / "t.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))  # nobody listens: left over by a crash
    server = tcp(f"main: {{addr: 'unix://{path}'}}")
    with server.connect() as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")
        assert server.rr.stop(timeout=15) == 0
        assert client.rest() == b""
    assert not path.exists()


# -- deaths -------------------------------------------------------------------------------------


def test_workers_killed_under_load(tcp, plain):
    server = tcp(pool="num_workers: 2", plain=plain)
    killed = set()
    with Talk(server, 6) as talk:
        for _ in range(6):
            talk.wait(60)
            alive = server.rr.wait_workers(lambda pids: len(set(pids) - killed) == 2)
            victim = next(pid for pid in alive if pid not in killed)
            os.kill(victim, signal.SIGKILL)
            killed.add(victim)
        talk.wait(60)
    assert not talk.wrong, talk.wrong[:3]
    assert talk.closed <= 2 * len(killed)  # each death costs the connection that it served
    server.rr.wait_workers(lambda pids: len(pids) == 2)
    server.probe()
    process.eventually(lambda: sum("CLOSE" not in names for names in ends(
        server.events.all()).values()) <= len(killed), 10, "the CLOSE events")
    # A worker may die with an event that it has not written down.
    assert all(names.count("CLOSE") <= 1 and names.count("CONNECTED") <= 1
               for names in ends(server.events.all()).values())


def test_a_worker_that_dies_idle_costs_nothing(tcp):
    server = tcp()
    with server.connect() as client:
        for _ in range(3):
            pid = int(client.ask("pid"))
            server.wait_idle()
            os.kill(pid, signal.SIGKILL)
            server.rr.wait_workers(lambda pids, pid=pid: len(pids) == 1 and pid not in pids)
        client.send(b"hello\r\n").expect(b"hello\r\n")


def test_no_php_outlives_a_killed_server(tcp):
    server = tcp(pool="num_workers: 2")
    workers = server.workers()
    with server.connect() as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")
        server.rr.kill()
        assert client.rest() == b""
    assert all(process.wait_gone(pid, 3) for pid in workers)


# -- slow, silent, half-open clients ------------------------------------------------------------


def test_slow_and_silent_clients_hold_no_worker(tcp):
    server = tcp()
    silent = [server.connect() for _ in range(10)]
    slow = [server.connect().send(b"half a li") for _ in range(10)]
    deaf = [server.connect(receive_buffer=4096).send(b"big 5000000\r\n") for _ in range(3)]
    server.events.wait_count(3, "DATA")
    for _ in range(5):
        server.probe()
    assert server.events.bodies() == [b"big 5000000\r\n"] * 3 + [b"write probe\r\n"] * 5
    for client in slow:
        client.send(b"ne\r\n").expect(b"half a line\r\n")
    for client in deaf:  # and what was not read yet is all there
        assert client.hurry().read(5_000_000) == b"x" * 5_000_000
        client.send(b"hello\r\n").expect(b"hello\r\n")
    for client in silent + slow + deaf:
        client.close()


def test_a_client_that_stops_reading_is_not_read_either(tcp):
    """Its next message waits until the last answer has been taken."""
    server = tcp()
    with server.connect(receive_buffer=4096) as client:
        client.send(b"big 20000000\r\n")
        server.events.wait_count(1, "DATA")
        client.send(b"next\r\n")
        for _ in range(3):
            server.probe()
        assert server.events.bodies(client) == [b"big 20000000\r\n"]
        client.hurry().read(20_000_000)
        client.expect(b"next\r\n")


def test_a_half_open_client_reads_its_reply(tcp, gate):
    server = tcp(gate=gate)
    with server.connect() as client:
        client.send(b"hold a\r\n")
        gate.begun("a")
        client.finish_sending()
        server_side = server.events.of(client)[0]["uuid"]
        gate.open("a")
        assert client.rest() == b"held a\r\n"
        server.events.wait_closed(server_side)
        assert server.events.names(server_side) == ["CONNECTED", "DATA", "CLOSE"]


def test_a_half_open_client_gets_the_answers_to_all_it_sent(tcp, gate):
    server = tcp(gate=gate)
    with server.connect() as client:
        client.send(b"hold a\r\n")
        gate.begun("a")
        client.send(b"one\r\ntail")
        client.finish_sending()
        gate.open("a")
        assert client.rest() == b"held a\r\none\r\ntail"
        server.events.wait_closed(client)
        assert server.events.bodies(client) == [b"hold a\r\n", b"one\r\ntail"]


def test_a_client_that_connects_and_leaves_at_once(tcp):
    server = tcp()
    for _ in range(200):
        server.connect().abort()
    for _ in range(200):
        server.connect().close()
    server.probe()
    names = process.eventually(lambda: (found := ends(server.events.all())) and all(
        "CLOSE" in each for each in found.values()) and found, 15, "the CLOSE events")
    assert {tuple(each) for each in names.values()} <= {
        ("CONNECTED", "CLOSE"), ("CONNECTED", "DATA", "CLOSE")}


# -- order and parallel work --------------------------------------------------------------------


def test_connections_run_in_parallel_each_in_its_order(tcp, gate):
    server = tcp(pool="num_workers: 3", gate=gate)
    with server.connect() as first, server.connect() as second, server.connect() as third:
        first.send(b"hold a\r\n")
        second.send(b"hold b\r\n")
        gate.begun("a"), gate.begun("b")
        third.send(b"free\r\n").expect(b"free\r\n")
        gate.open("b")
        second.expect(b"held b\r\n")
        gate.open("a")
        first.expect(b"held a\r\n")


def test_the_order_of_each_connection_under_load(tcp, plain):
    server = tcp("main: {addr: '127.0.0.1:0', split: true}", pool="num_workers: 2", plain=plain)
    lines = [b"line %d\r\n" % number for number in range(200)]

    def client(_):
        with server.connect(timeout=30) as connection:
            sender = Background(connection.send, b"".join(lines))
            connection.expect(b"".join(lines))
            sender.result()
            return connection.name
    names = [each.result(60) for each in [Background(client, number) for number in range(6)]]
    events = server.events.wait(lambda seen: sum(
        each["event"] == "CLOSE" for each in seen) == 6, 20)
    for name in names:
        of = server.events.of(name, events)
        assert [each["event"] for each in of] == ["CONNECTED"] + ["DATA"] * 200 + ["CLOSE"]
        assert [each["body"] for each in of[1:-1]] == lines
    assert len({each["pid"] for each in events}) == 2


# -- crowds -------------------------------------------------------------------------------------


@pytest.fixture
def descriptors():
    """Enough descriptors for a crowd, here and in the servers started from here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    need = CROWD + CROWD // 2  # three quarters of it are for connections
    if hard != resource.RLIM_INFINITY and hard < need:
        pytest.skip(f"the hard limit of open files is {hard}, this needs {need}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (need, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.alone
def test_ten_thousand_idle_connections(tcp, descriptors):
    server = tcp("main: {addr: '127.0.0.1:0'}\nquiet: {addr: '127.0.0.1:0'}", pool="num_workers: 2",
                 env={"TCP_EVENTS": "/dev/null"})
    for _ in range(100):  # warm
        with server.connect() as client:
            client.send(b"hello\r\n").expect(b"hello\r\n")
    with server.push() as push:
        def count():
            return len(push.list("quiet"))
        process.eventually(lambda: not push.list("main"), what="the end of the first ones")
        before = process.memory_kib(server.rr.pid)
        address = server.address("quiet")
        crowd = []
        while len(crowd) < CROWD:
            crowd += [socket.create_connection(address, 30) for _ in range(200)]
            # One more is answered when all before it have been announced.
            with server.connect("quiet") as last:
                last.send(b"hello\r\n").expect(b"hello\r\n")
        grown = (process.memory_kib(server.rr.pid) - before) * 1024 / CROWD
        for number in range(0, CROWD, 1000):
            crowd[number].sendall(b"still here\r\n")
            assert crowd[number].recv(100) == b"still here\r\n"
        assert process.eventually(count, 20) == CROWD
        for client in crowd:  # a reset leaves no TIME_WAIT
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        process.eventually(lambda: count() == 0, 30, "the end of the crowd")
        with server.connect() as client:
            client.send(b"hello\r\n").expect(b"hello\r\n")
    if not is_sanitized():
        assert grown < 2048


@pytest.mark.exact_memory
def test_memory_returns_to_its_base(tcp):
    """Crowds, large messages, clients that read nothing: what they took is given back."""
    server = tcp(pool="num_workers: 2", env={"TCP_EVENTS": "/dev/null"})

    def storm():
        clients = [server.connect() for _ in range(300)]
        for client in clients:
            client.send(b"z" * 20_000 + b"\r\n")
        for client in clients:
            client.read(20_002)
        deaf = [server.connect(receive_buffer=4096).send(b"big 3000000\r\n") for _ in range(10)]
        for client in deaf:
            client.read(1)
        for client in clients + deaf:
            client.abort()
        with server.push() as push:
            process.eventually(lambda: not push.list("main"), 20, "the end of the storm")
    seen = []
    for _ in range(3):  # how much of a storm waits at the same time is a matter of luck
        storm()
        seen.append(process.memory_kib(server.rr.pid))
    base = max(seen)
    for _ in range(4):
        storm()
    process.eventually(lambda: process.memory_kib(server.rr.pid) < base + 6 * 1024, 5,
                       "memory at its base")


@pytest.mark.exact_memory
def test_a_client_that_reads_nothing_does_not_grow_the_server_without_end(tcp):
    """One answer waits for it, however many it asks for."""
    server = tcp(env={"TCP_EVENTS": "/dev/null"})
    with server.connect() as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")
    process.reset_peak(server.rr.pid)
    before = process.memory_kib(server.rr.pid)
    deaf = server.connect(receive_buffer=4096)
    deaf.send(b"big 2000000\r\n").read(1)
    for _ in range(30):
        deaf.send(b"big 2000000\r\n")
    with server.connect() as client:
        for _ in range(20):
            client.send(b"hello\r\n").expect(b"hello\r\n")
    assert process.memory_kib(server.rr.pid, "VmHWM") - before < 16 * 1024
    deaf.close()


def test_without_descriptors_the_listener_waits_and_goes_on(tcp):
    server = tcp()
    held = [server.connect() for _ in range(3)]
    for client in held:
        client.send(b"hello\r\n").expect(b"hello\r\n")
    pid = server.rr.pid
    old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    mark = server.log.mark()
    taken = {int(number) for number in os.listdir(f"/proc/{pid}/fd")}
    lowest = next(number for number in range(100_000) if number not in taken)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest, old[1]))
    late = [server.connect() for _ in range(5)]
    server.log.wait("(?i)too many open files", since=mark)
    for client in held:  # those that are there are served meanwhile
        client.send(b"hello\r\n").expect(b"hello\r\n")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, old)
    for client in late:
        client.send(b"hello\r\n").expect(b"hello\r\n")
    assert server.log.count("(?i)too many open files", since=mark) < 50
    for client in held + late:
        client.close()
