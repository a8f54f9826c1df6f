"""What goes wrong, and what each side hears of it: clients an end, workers exactly one CLOSE."""

import os
import signal
import socket
from base64 import b64encode

import pytest

from harness import process
from harness.scripted import frame, reply

TWO = "main: {addr: '127.0.0.1:0'}\nother: {addr: '127.0.0.1:0'}"


def closed_once(server, who):
    """The events of a connection that ended; one CLOSE and it is the last, now and later."""
    server.events.wait_closed(who)
    server.probe()
    names = server.events.names(who)
    assert names.count("CLOSE") == 1 and names[-1] == "CLOSE", names
    return names


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# -- workers ------------------------------------------------------------------------------------


def test_an_error_frame_ends_the_connection_and_keeps_the_worker(tcp, plain):
    server = tcp(plain=plain)
    pid, = server.workers()
    with server.connect() as client:
        assert client.send(b"error it did not work\r\n").rest() == b""
        assert closed_once(server, client) == ["CONNECTED", "DATA", "CLOSE"]
    server.log.wait("it did not work")
    assert server.workers() == [pid]


def test_an_error_frame_on_connected(tcp, plain):
    server = tcp(TWO, plain=plain,
                 on={"CONNECTED": {"main": "error not today"}})
    with server.connect() as client:
        assert client.rest() == b""
        server.events.wait_closed(client)
        server.probe("other")
        assert server.events.names(client) == ["CONNECTED", "CLOSE"]
    server.log.wait("not today")


def test_replies_before_an_error_frame_are_written(tcp):
    """What was said before counts; the error then closes."""
    server = tcp(worker="raw.py")
    data = reply("WRITE", b"first", flags=0) + frame(b"then it broke", 0x40)
    with server.connect() as client:
        assert client.send(b"X " + b64encode(data) + b"\r\n").rest() in (b"first", b"")
    server.log.wait("then it broke")
    with server.connect() as client:
        client.send(b"mine\r\n").expect(b"mine\r\n")


@pytest.mark.parametrize("command", ["exit 0", "exit 7", "kill", "garbage"])
def test_a_worker_that_dies_costs_its_connection_only(tcp, plain, command):
    server = tcp(pool="num_workers: 2", plain=plain)
    before = set(server.workers())
    with server.connect() as client, server.connect() as other:
        other.send(b"mine\r\n").expect(b"mine\r\n")
        mark = server.log.mark()
        assert client.send(command.encode() + b"\r\n").rest() == b""
        assert closed_once(server, client) == ["CONNECTED", "DATA", "CLOSE"]
        server.rr.wait_workers(lambda pids: len(pids) == 2 and set(pids) != before)
        assert len(set(server.workers()) & before) == 1
        other.send(b"again\r\n").expect(b"again\r\n")
    server.log.wait(r"\btcp\b", since=mark)  # nothing fails silently


def test_the_only_worker_dies_and_its_successor_gets_the_close(tcp, plain):
    server = tcp(plain=plain)
    pid, = server.workers()
    with server.connect() as client:
        assert client.send(b"kill\r\n").rest() == b""
        events = server.events.wait_closed(client)
        assert [each["event"] for each in events] == ["CONNECTED", "DATA", "CLOSE"]
        assert events[1]["pid"] == pid != events[2]["pid"]


def test_a_worker_that_dies_of_connected(tcp):
    server = tcp(TWO,
                 on={"CONNECTED": {"main": "kill"}})
    with server.connect() as client:
        assert client.rest() == b""
        server.events.wait_closed(client)
        server.probe("other")
        assert server.events.names(client) == ["CONNECTED", "CLOSE"]


def test_a_worker_that_dies_of_close_is_not_told_again(tcp):
    server = tcp(TWO,
                 on={"CLOSE": {"main": "kill"}})
    before = server.workers()
    with server.connect() as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")
        name = client.name
    server.events.wait_closed(name)
    server.rr.wait_workers(lambda pids: len(pids) == 1 and pids != before)
    server.probe("other")
    assert server.events.names(name) == ["CONNECTED", "DATA", "CLOSE"]


def test_replies_before_a_death_do_not_reach_another_connection(tcp, plain):
    server = tcp(pool="num_workers: 1", plain=plain)
    with server.connect() as client, server.connect() as other:
        client.send(b"replies WRITE:a WRITE:b\r\n").expect(b"ab")
        assert client.send(b"kill\r\n").rest() == b""
        other.send(b"mine\r\n").expect(b"mine\r\n")


def test_exec_ttl_ends_connection_and_worker(tcp, gate):
    server = tcp(pool="num_workers: 1, supervisor: {watch_tick: 100ms, exec_ttl: 400ms}",
                 gate=gate)
    pid, = server.workers()
    with server.connect() as client:
        client.send(b"hold for-ever\r\n")
        assert client.rest() == b""
        assert process.wait_gone(pid)
        assert closed_once(server, client) == ["CONNECTED", "DATA", "CLOSE"]
    server.log.wait("(?i)exec_?ttl")


def test_an_event_that_waits_is_not_under_exec_ttl(tcp, gate):
    """The time of a connection is not the time of a worker."""
    server = tcp(pool="num_workers: 1, supervisor: {watch_tick: 100ms, exec_ttl: 1s}", gate=gate)
    pid, = server.workers()
    with server.connect() as client:
        client.segment(b"unfinished")
        with server.connect() as other:
            other.send(b"hold a\r\n")
            gate.begun("a")
            assert other.rest() == b""  # a second has passed
        assert process.wait_gone(pid)
        client.send(b" line\r\n").expect(b"unfinished line\r\n")


# -- no worker ----------------------------------------------------------------------------------


def test_no_free_worker_for_connected(tcp, gate):
    """CONNECTED never reached a worker: there is nobody to tell of the end."""
    server = tcp(pool="num_workers: 1, allocate_timeout: 300ms", gate=gate)
    with server.connect() as busy, server.connect() as waiting:
        server.events.wait_count(2, "CONNECTED")
        busy.send(b"hold a\r\n")
        gate.begun("a")
        with server.connect() as late:
            name = late.name
            assert late.rest() == b""
        server.log.wait(r"\btcp\b.*(?i:worker|allocate)")
        gate.open("a")
        busy.expect(b"held a\r\n")
        waiting.send(b"mine\r\n").expect(b"mine\r\n")
        assert server.events.names(name) == []


def test_no_free_worker_for_data(tcp, gate):
    """The connection ends at once, its CLOSE waits for a worker as long as it takes."""
    server = tcp(pool="num_workers: 1, allocate_timeout: 300ms", gate=gate)
    with server.connect() as busy, server.connect() as client:
        server.events.wait_count(2, "CONNECTED")
        busy.send(b"hold a\r\n")
        gate.begun("a")
        assert client.send(b"never\r\n").rest() == b""
        gate.open("a")
        busy.expect(b"held a\r\n")
        assert closed_once(server, client) == ["CONNECTED", "CLOSE"]


def test_a_full_queue_closes_at_once(tcp, gate):
    """max_queue_size counts as the reference does: what waits and what runs."""
    server = tcp(pool="num_workers: 1, allocate_timeout: 60s, max_queue_size: 2", gate=gate)
    with server.connect() as busy:
        busy.send(b"hold a\r\n")
        gate.begun("a")
        with server.connect() as waiting, server.connect() as refused:
            name = refused.name
            assert refused.rest() == b""
            server.log.wait("(?i)queue")
            gate.open("a")
            busy.expect(b"held a\r\n")
            waiting.send(b"mine\r\n").expect(b"mine\r\n")
        uuid = server.events.of(busy)[0]["uuid"]
    closed_once(server, uuid)
    assert server.events.names(name) == []


def test_close_needs_no_place_in_the_queue(tcp, gate):
    server = tcp(pool="num_workers: 1, allocate_timeout: 60s, max_queue_size: 3", gate=gate)
    clients = [server.connect()]
    for number in range(5):
        client = server.connect()
        client.send(b"x\r\n").expect(b"x\r\n")
        clients.append(client)
    clients[0].send(b"hold a\r\n")
    gate.begun("a")
    names = [client.name for client in clients]
    for client in clients[1:]:
        client.close()
    for name in names[1:]:
        process.eventually(lambda name=name: not _established(server, name), 10, "the end")
    gate.open("a")
    clients[0].expect(b"held a\r\n")
    for name in names[1:]:
        server.events.wait_closed(name)  # before a probe: it does need a place
    for name in names[1:]:
        closed_once(server, name)
    clients[0].close()


def _established(server, name):
    """Whether the server still holds its socket to a client."""
    port = f":{int(name.rpartition(':')[2]):04X}"
    mine = f":{server.address()[1]:04X}"
    with open("/proc/net/tcp", encoding="ascii") as file:
        return any(fields[1].endswith(mine) and fields[2].endswith(port) and fields[3] == "01"
                   for fields in map(str.split, file))


# -- clients ------------------------------------------------------------------------------------


def test_a_client_that_resets_while_its_event_runs(tcp, gate):
    server = tcp(gate=gate)
    pid, = server.workers()
    client = server.connect()
    name = client.name
    client.send(b"hold a\r\n")
    gate.begun("a")
    client.abort()
    gate.open("a")
    assert closed_once(server, name) == ["CONNECTED", "DATA", "CLOSE"]
    assert server.workers() == [pid]


def test_a_client_that_resets_during_connected(tcp, gate):
    server = tcp(TWO,
                 on={"CONNECTED": {"main": "hold a"}}, gate=gate)
    client = server.connect()
    name = client.name
    gate.begun("a")
    client.abort()
    gate.open("a")
    server.events.wait_closed(name)
    server.probe("other")
    assert server.events.names(name) == ["CONNECTED", "CLOSE"]


def test_a_client_that_goes_before_its_turn_is_never_announced_or_closed_once(tcp, gate):
    server = tcp(gate=gate)
    with server.connect() as busy:
        busy.send(b"hold a\r\n")
        gate.begun("a")
        client = server.connect()
        name = client.name
        client.abort()
        gate.open("a")
        busy.expect(b"held a\r\n")
        server.probe()
    assert server.events.names(name) in ([], ["CONNECTED", "CLOSE"])


def test_a_write_to_a_client_that_went_is_one_close(tcp, gate):
    """The reply is too large for the socket's buffers, so the write itself meets the reset."""
    server = tcp(gate=gate)
    client = server.connect()
    name = client.name
    client.send(b"big 30000000\r\n")
    client.read(100_000)
    client.abort()
    assert closed_once(server, name) == ["CONNECTED", "DATA", "CLOSE"]
    server.log.wait(r"\btcp\b")


@pytest.mark.parametrize("command", ["write x", "bye x", "close", "read"])
def test_a_client_that_half_closed_and_went(tcp, gate, command):
    server = tcp(gate=gate)
    client = server.connect()
    name = client.name
    client.send(b"hold a\r\n")
    gate.begun("a")
    client.send(command.encode() + b"\r\n")
    client.close()
    gate.open("a")
    server.events.wait_closed(name)
    server.probe()
    assert server.events.names(name).count("CLOSE") == 1


# -- frames that nobody asked for ---------------------------------------------------------------


def wait_sent(server, gate):
    """Waits until the late bytes are on their way: written, or noticed before that was noted."""
    process.eventually(lambda: (gate.directory / "late.sent").exists()
                       or server.log.find("(?i)unsolicited|nobody asked|replaced"), 10,
                       "the late bytes")


def test_a_frame_of_an_idle_worker_reaches_nobody(tcp, gate):
    server = tcp(worker="raw.py", gate=gate)
    stray = b64encode(reply("WRITE", b"stray", flags=0)).decode()
    with server.connect() as client, server.connect() as other:
        other.send(b"first\r\n").expect(b"first\r\n")
        client.send(f"L late {stray}\r\n".encode()).expect(b"ok\r\n")
        server.wait_idle()  # until then it would be one more reply to the same event
        gate.open("late")
        wait_sent(server, gate)
        for number in range(3):
            other.send(b"mine%d\r\n" % number).expect(b"mine%d\r\n" % number)
        other.finish_sending()
        assert other.rest() == b""
    server.log.wait("(?i)unsolicited|nobody asked for")


def test_an_idle_worker_that_writes_no_frame_costs_nobody_an_answer(tcp, gate):
    server = tcp(worker="raw.py", gate=gate)
    noise = b64encode(b"PHP Warning: something\n").decode()
    with server.connect() as client, server.connect() as other:
        other.send(b"first\r\n").expect(b"first\r\n")
        client.send(f"L late {noise}\r\n".encode()).expect(b"ok\r\n")
        server.wait_idle()  # until then it would be one more reply to the same event
        gate.open("late")
        wait_sent(server, gate)
        other.send(b"mine\r\n").expect(b"mine\r\n")


@pytest.mark.parametrize("case", ["crc", "offset", "noise", "huge", "half"])
def test_a_broken_frame_is_the_end_of_connection_and_worker(tcp, case):
    good = reply("WRITE", b"ok", flags=0)
    data = {
        "crc": good[:6] + bytes([good[6] ^ 0xFF]) + good[7:],
        "offset": frame(b"WRITEok", 0, [1000]),
        "noise": b"PHP Warning: something in line 3\n",
        "huge": frame(b"", 0, [5])[:2] + b"\xff\xff\xff\xff" + b"\0" * 20,
        "half": good[:9],
    }[case]
    server = tcp(worker="raw.py")
    pid, = server.workers()
    with server.connect() as client, server.connect() as other:
        other.send(b"first\r\n").expect(b"first\r\n")
        word = b"F " if case == "half" else b"X "
        assert client.send(word + b64encode(data) + b"\r\n").rest() == b""
        other.send(b"mine\r\n").expect(b"mine\r\n")
        assert server.workers() != [pid]


# -- the configuration --------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["tcp: {}", "tcp: {servers: {}}", "tcp: {pool: {num_workers: 1}}"])
def test_no_servers(rr, text):
    server = rr(text, expect_fail=True)
    assert server.code == 1
    server.log.wait("(?i)no servers registered|tcp.servers")


@pytest.mark.parametrize("value", ["{}", "{addr: ''}", "{delimiter: x}"])
def test_an_empty_address_names_its_server(rr, value):
    server = rr(f"tcp: {{servers: {{smtp: {value}}}}}", expect_fail=True)
    assert server.code == 1
    server.log.wait("smtp.*(?i:addr)|(?i:addr).*smtp")


@pytest.mark.parametrize("addr", ["http://127.0.0.1:1", "nonsense", "127.0.0.1", "tcp://x:y",
                                  "127.0.0.1:99999", "udp:127.0.0.1:1"])
def test_a_bad_address_is_named(rr, addr):
    server = rr(f"tcp: {{servers: {{main: {{addr: '{addr}'}}}}}}", expect_fail=True)
    assert server.code == 1
    assert addr in server.log.text("err")


def test_two_servers_with_one_address(rr):
    port = free_port()
    server = rr(f"tcp: {{servers: {{a: {{addr: '127.0.0.1:{port}'}}, "
                f"b: {{addr: 'tcp://127.0.0.1:{port}'}}}}}}", expect_fail=True)
    assert server.code == 1
    server.log.wait(r"servers\.b\.addr.*\ba\b")
    assert server.family() == []


def test_an_address_that_is_taken(rr):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        server = rr(f"tcp: {{servers: {{main: {{addr: '127.0.0.1:{port}'}}}}}}", expect_fail=True)
    assert server.code == 1
    server.log.wait(rf"{port}.*(?i:another program|in use)")
    assert server.family() == []


def test_an_address_that_is_not_ours(rr):
    server = rr("tcp: {servers: {main: {addr: '203.0.113.1:19001'}}}", expect_fail=True)
    assert server.code == 1
    assert "203.0.113.1:19001" in server.log.text("err")


@pytest.mark.parametrize("addr", ["localhost:0", "tcp://localhost:0"])
def test_a_host_name_is_resolved_ipv4_first(tcp, addr):
    server = tcp(f"main: {{addr: '{addr}'}}")
    with server.connect() as client:
        assert client.name.startswith("127.0.0.1:")
        client.send(b"write yes\r\n").expect(b"yes\r\n")


@pytest.mark.parametrize("options, key", [
    ("framing: lines", "framing"), ("framing: length, length_bytes: 3", "length_bytes"),
    ("framing: length, endian: middle", "endian"), ("framing: fixed", "size"),
    ("framing: fixed, size: 0", "size"), ("remote_addr: name", "remote_addr"),
    ("affinity: sometimes", "affinity"), ("max_message_size: -1", "max_message_size"),
    ("max_connections: -1", "max_connections"), ("idle_timeout: soon", "idle_timeout"),
    ("write_timeout: -1s", "write_timeout"), ("split: maybe", "split"),
    ("tls: {cert: a.pem}", "key"), ("tls: {cert: nowhere.pem, key: nowhere.key}", "nowhere"),
    ("tls: {cert: a, key: b, client_auth_type: perhaps}", "client_auth_type")])
def test_a_wrong_option_is_named(rr, options, key):
    server = rr(f"tcp: {{servers: {{main: {{addr: '127.0.0.1:0', {options}}}}}}}",
                expect_fail=True)
    assert server.code == 1
    assert key in server.log.text("err")


def test_read_buf_size_may_not_be_negative(rr):
    """The reference crashes at the first connection."""
    server = rr("tcp: {read_buf_size: -1, servers: {main: {addr: '127.0.0.1:0'}}}",
                expect_fail=True)
    assert server.code == 1
    assert "read_buf_size" in server.log.text("err")


def test_a_worker_that_does_not_boot_ends_the_start(rr):
    server = rr("tcp: {servers: {main: {addr: '127.0.0.1:0'}}, pool: {num_workers: 1}}",
                worker="/nowhere/at-all.php", expect_fail=True)
    assert server.code == 1
    assert "/nowhere/at-all.php" in server.log.text("err")
    assert server.family() == []


def test_a_client_waits_for_the_successor_of_a_killed_worker(tcp):
    server = tcp(pool="num_workers: 1, allocate_timeout: 20s")
    pid, = server.workers()
    os.kill(pid, signal.SIGKILL)
    server.log.wait(rf"stopped.*\b{pid}\b")
    with server.connect(timeout=20) as client:
        client.send(b"write yes\r\n").expect(b"yes\r\n")
