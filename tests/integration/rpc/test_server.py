"""Listening, limits and life cycle of the RPC port."""

import os
import resource
import signal
import socket
import stat

import pytest

from harness import process
from harness.rpc import Client, address_of, frame

RPC = """
    version: "3"
    rpc: {listen: "tcp://127.0.0.1:0"}
    """
SOCKET = 'version: "3"\nrpc: {listen: "unix://rr.sock"}\n'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def call(address, name="rpc.Version", body=b"true"):
    with Client(address) as client:
        return client.call(name, body)


# -- the section ----------------------------------------------------------------------------------

@pytest.mark.parametrize("section", ["", "rpc:", "rpc: null"])
def test_without_its_section_nothing_listens(rr, section):
    server = rr(f'version: "3"\n{section}\n')
    assert not process.listening_ports(server.pid)


def test_an_address_has_two_parts(rr):
    for listen in ("127.0.0.1:6001", "a://b://c"):
        server = rr(f'version: "3"\nrpc: {{listen: "{listen}"}}\n', expect_fail=True)
        assert server.code == 1
        server.log.wait(r"\.rr\.yaml:2: rpc\.listen: invalid socket DSN "
                        r"\(tcp://:6001, unix://file\.sock\)")


def test_a_busy_port_is_named(rr):
    first = rr(RPC)
    host, port = address_of(first)
    second = rr(f'version: "3"\nrpc: {{listen: "tcp://{host}:{port}"}}\n', expect_fail=True)
    assert second.code == 1
    second.log.wait(rf"rpc\.listen: tcp://127\.0\.0\.1:{port}: .*another program listens there")


def test_localhost_is_ipv4(rr):
    server = rr('version: "3"\nrpc: {listen: "tcp://localhost:0"}\n')
    address = address_of(server)
    assert address[0] == "127.0.0.1"
    assert call(address).error is None


def test_legacy_files_serve_rpc_unless_they_say_no(rr):
    port = free_port()
    server = rr(f"rpc: {{enable: true, listen: 'tcp://127.0.0.1:{port}'}}\n", verbatim=True)
    with Client(("127.0.0.1", port)) as client:
        assert client.call_v2("rpc.Version", b"true") == (0, b'"2025.1.14"')
    server.stop()
    server = rr("rpc: {enable: false}\n", verbatim=True)
    assert not process.listening_ports(server.pid)


# -- Unix sockets ---------------------------------------------------------------------------------

def test_a_unix_socket_lives_as_long_as_the_server(rr, tmp_path):
    place = tmp_path / "here"
    place.mkdir()
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(place / "rr.sock"))
    stale.close()
    server = rr(SOCKET, directory=place)
    path = place / "rr.sock"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o777 & ~umask
    assert call(str(path)).body == b'"2025.1.14"'
    assert server.stop() == 0
    assert not path.exists()


# -- workers --------------------------------------------------------------------------------------

def test_workers_may_call_while_they_boot(rr):
    port = free_port()
    server = rr(f"""
        http: {{address: "127.0.0.1:0", pool: {{num_workers: 2, allocate_timeout: 10s}}}}
        rpc: {{listen: "tcp://127.0.0.1:{port}"}}
        """, worker=os.path.join(os.path.dirname(__file__), "workers", "boot.php"))
    assert server.get("/").text == f'"2025.1.14" "2025.1.14" tcp://127.0.0.1:{port}'


def test_an_unfinished_request_may_call_while_the_server_stops(rr, gate):
    port = free_port()
    server = rr(f"""
        http: {{address: "127.0.0.1:0", pool: {{num_workers: 1}}}}
        rpc: {{listen: "tcp://127.0.0.1:{port}"}}
        """, worker=gate.worker, env=gate.env)
    with server.open() as connection:
        connection.send(b"GET /hold?name=a HTTP/1.1\r\nHost: a\r\n\r\n")
        gate.begun("a")
        server.signal(signal.SIGTERM)
        server.log.wait("stop signal received")
        assert call(("127.0.0.1", port)).error is None
        gate.open("a")
        assert connection.read_response().status == 200
    assert server.wait() == 0


# -- stop and replacement -------------------------------------------------------------------------

def test_system_stop_of_roadrunner_1(rr):
    server = rr(RPC)
    with Client(address_of(server)) as client:
        assert client.call_v2("system.Stop", b"false") == (0, b'"OK"')
        assert client.call_v2("system.Stop", b"true", 1) == (0, b'"OK"')
    assert server.wait() == 0


def test_a_stop_answers_what_still_runs(rr):
    server = rr("""
        http: {address: "127.0.0.1:0", pool: {num_workers: 1, allocate_timeout: 30s}}
        rpc: {listen: "tcp://127.0.0.1:0"}
        endure: {grace_period: 1s}
        """, env={"BOOT_SLEEP_MS": "700"})
    with Client(address_of(server)) as client, Client(address_of(server)) as idle:
        idle.call("rpc.Version", b"true")
        client.send(frame("resetter.Reset", b'"http"', 1))
        client.call("rpc.Version", b"true", 2)
        server.signal(signal.SIGTERM)
        assert client.read_reply().sequence == 1
        assert client.read_to_end() == b""
        assert idle.read_to_end() == b""
    server.wait()


def test_a_replacement_keeps_the_port(rr):
    server = rr(RPC)
    address = address_of(server)
    mark = server.log.mark()
    with Client(address) as client:
        assert client.call("rpc.Version", b"true").error is None
        server.signal(signal.SIGUSR2)
        with Client(address, timeout=20) as later:
            later.send(frame("rpc.Version", b"true"))
            server.log.wait("RoadRunner server started", since=mark)
    assert call(address).error is None
    assert server.stop() == 0


def test_a_replacement_keeps_the_socket_file(rr):
    server = rr(SOCKET)
    path = str(server.directory / "rr.sock")
    mark = server.log.mark()
    server.signal(signal.SIGUSR2)
    server.log.wait("RoadRunner server started", since=mark)
    assert call(path).error is None
    assert server.stop() == 0
    assert not os.path.exists(path)


# -- many, slow and silent clients ----------------------------------------------------------------

def test_a_thousand_clients(rr):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2100:
        if hard < 2100:
            pytest.skip("too few descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (2100, hard))
    server = rr(RPC)
    clients = [Client(address_of(server)) for _ in range(1000)]
    try:
        for number, client in enumerate(clients):
            client.send(frame("rpc.Version", b"true", number))
        for number, client in enumerate(clients):
            assert client.read_reply().sequence == number
    finally:
        for client in clients:
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_clients_that_stop_in_the_middle_delay_nobody(rr):
    server = rr(RPC)
    slow = [Client(address_of(server)) for _ in range(50)]
    whole = frame("rpc.Version", b"x" * 60_000_000)
    for number, client in enumerate(slow):
        client.send(whole[:1 + number * 997])
    assert call(address_of(server)).error is None
    # A length that is announced is not memory that is taken.
    with open(f"/proc/{server.pid}/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * resource.getpagesize()
    assert resident < 200 << 20
    for client in slow:
        client.close()
    assert call(address_of(server)).error is None


def test_a_client_that_never_reads_loses_its_connection(rr):
    server = rr("""
        version: "3"
        rpc: {listen: "tcp://127.0.0.1:0", max_write_queue: 64KB}
        """)
    with Client(address_of(server)) as greedy, Client(address_of(server)) as other:
        many = b"".join(frame("rpc.Config", b"", n) for n in range(10_000))
        with pytest.raises(ConnectionError):
            for _ in range(200):
                greedy.send(many)
        assert other.call("rpc.Version", b"true").error is None
    server.log.wait("the client does not read its answers")


def test_a_request_beyond_the_limit_ends_its_connection(rr):
    server = rr("""
        version: "3"
        rpc: {listen: "tcp://127.0.0.1:0", max_payload: 1KB}
        """)
    with Client(address_of(server)) as client:
        assert client.call("nosuch.Foo", b"1" * 1000).error is not None
        client.send(frame("nosuch.Foo", b"1" * 1015))
        assert client.read_to_end() == b""


def test_large_requests_and_answers(rr):
    server = rr(RPC)
    name = "n" * 300_000 + ".Foo"
    with Client(address_of(server)) as client:
        for number in range(5):
            assert client.call(name, b"\x00" * 5_000_000, number).error == (
                f"rpc: can't find service {name}")
