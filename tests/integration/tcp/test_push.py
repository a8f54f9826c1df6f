"""Bytes to clients from anywhere: tcp.Write, Broadcast, List, Stats, Close; metrics; chat."""

import json
import re
import time

import pytest

from harness import process
from harness.control import Pages
from harness.load import Background
from harness.rpc import GOB, MSGPACK, Client, address_of
from harness.tcp import Udp, encoded

UNKNOWN = "50a6c1ce-1e83-48c9-9d3e-6f942895400e"
TWO = "main: {addr: '127.0.0.1:0'}\nother: {addr: '127.0.0.1:0'}"


def uuid_of(server, client):
    """The uuid of a connection whose CONNECTED has been answered."""
    client.send(b"write ready\r\n").expect(b"ready\r\n")
    return server.events.of(client)[0]["uuid"]


# -- Write --------------------------------------------------------------------------------------


def test_write_reaches_an_idle_client(tcp):
    server = tcp()
    with server.connect() as client, server.push() as push:
        uuid = uuid_of(server, client)
        for data in (b"pushed\r\n", bytes(range(256)), b"x" * 1_000_000):
            assert push.write(uuid, data) is True
            client.expect(data)
        client.send(b"hello\r\n").expect(b"hello\r\n")
        assert server.events.names(uuid) == ["CONNECTED", "DATA", "DATA"]


def test_writes_keep_their_order(tcp):
    server = tcp()
    with server.connect() as client, server.push() as push:
        uuid = uuid_of(server, client)
        lines = [b"line %d\r\n" % number for number in range(500)]
        for line in lines:
            push.write(uuid, line)
        client.expect(b"".join(lines))


def test_write_while_the_connection_runs_does_not_wait_for_the_reply(tcp, gate):
    server = tcp(gate=gate)
    with server.connect() as client, server.push() as push:
        uuid = uuid_of(server, client)
        client.send(b"hold a\r\n")
        gate.begun("a")
        assert push.write(uuid, b"meanwhile\r\n") is True
        client.expect(b"meanwhile\r\n")
        gate.open("a")
        client.expect(b"held a\r\n")


def test_a_worker_pushes_from_inside_an_event(tcp):
    server = tcp()
    with server.connect() as client, server.connect() as other:
        mine, theirs = uuid_of(server, client), uuid_of(server, other)
        assert client.ask(f"push {server.rpc} {theirs} to you") == "pushed"
        other.expect(b"to you\r\n")
        # To itself: what was queued first comes first.
        client.send(f"push {server.rpc} {mine} to me\r\n".encode())
        client.expect(b"to me\r\npushed\r\n")


def test_write_to_nobody_is_an_error_that_names_the_uuid(tcp):
    server = tcp()
    with server.push() as push, server.connect() as client:
        assert UNKNOWN in push.error("tcp.Write", {"uuid": UNKNOWN, "data_b64": ""})
        uuid = uuid_of(server, client)
        client.close()
        server.events.wait_closed(uuid)
        assert uuid in push.error("tcp.Write", {"uuid": uuid, "data_b64": encoded(b"late")})


@pytest.mark.parametrize("argument", [
    {}, {"uuid": UNKNOWN, "data_b64": 1}, {"uuid": 1, "data_b64": ""}, "text", 7, [],
    {"data_b64": encoded(b"x")}])
def test_wrong_arguments_of_write(tcp, argument):
    server = tcp()
    with server.push() as push:
        assert push.error("tcp.Write", argument)
        assert push.close_connection(UNKNOWN) is True  # the connection to us goes on


def test_wrong_base64_is_an_error_and_writes_nothing(tcp):
    server = tcp()
    with server.connect() as client, server.push() as push:
        uuid = uuid_of(server, client)
        for text in ("*", "YQ", "YWJj!", "Y Q=="):
            push.error("tcp.Write", {"uuid": uuid, "data_b64": text})
        push.write(uuid, b"right\r\n")
        client.expect(b"right\r\n")


def test_an_empty_write_is_true_and_writes_nothing(tcp):
    server = tcp()
    with server.connect() as client, server.push() as push:
        uuid = uuid_of(server, client)
        assert push.write(uuid, b"") is True
        client.send(b"hello\r\n").expect(b"hello\r\n")


def test_msgpack_and_gob_carry_the_same(tcp):
    """In MessagePack the bytes are bytes; gob for close, whose argument is a text."""
    server = tcp()
    with server.connect() as client, Client(address_of(server.rr)) as rpc:
        uuid = uuid_of(server, client)
        argument = (b"\x82\xa4uuid\xd9\x24" + uuid.encode()
                    + b"\xa8data_b64\xc4\x06packed")
        reply = rpc.call("tcp.Write", argument, flags=MSGPACK)
        assert (reply.error, reply.body) == (None, b"\xc3")
        client.expect(b"packed")
        text = uuid.encode()
        reply = rpc.call("tcp.Close", bytes([3 + len(text), 0x0C, 0, len(text)]) + text, flags=GOB)
        assert reply.error is None
        assert client.rest() == b""


def test_a_push_to_a_client_that_stops_reading_is_bounded_in_time(tcp):
    """The caller does not wait for the client, and others are served."""
    server = tcp()
    with server.connect(receive_buffer=4096) as deaf, server.push() as push:
        uuid = uuid_of(server, deaf)
        begin = time.monotonic()
        for _ in range(20):
            reply = push.reply("tcp.Write", {"uuid": uuid, "data_b64": encoded(b"x" * 500_000)})
            assert reply.error is None or uuid in reply.error
        assert time.monotonic() - begin < 20
        server.probe()


# -- Broadcast ----------------------------------------------------------------------------------


def test_broadcast_reaches_every_client_of_one_server(tcp):
    server = tcp(TWO)
    clients = [server.connect() for _ in range(5)]
    with server.connect("other") as stranger, server.push() as push:
        for client in clients:
            uuid_of(server, client)
        uuid_of(server, stranger)
        assert push.broadcast("main", b"to all\r\n") == 5
        for client in clients:
            client.expect(b"to all\r\n")
        assert push.broadcast("other", b"to you\r\n") == 1
        stranger.expect(b"to you\r\n")
        assert server.events.of(clients[0])
        gone = server.events.of(clients[0])[0]["uuid"]
        clients[0].close()
        server.events.wait_closed(gone)
        assert push.broadcast("main", b"again\r\n") == 4
        for client in clients[1:]:
            client.expect(b"again\r\n").close()


def test_broadcast_to_nobody(tcp):
    server = tcp()
    with server.push() as push:
        assert push.broadcast("main", b"x") == 0
        assert "nosuch" in push.error("tcp.Broadcast", {"server": "nosuch", "data_b64": ""})
        for argument in ({"server": "main", "data_b64": "*"}, {"server": 1}, 3, "main"):
            assert push.error("tcp.Broadcast", argument)


def test_broadcast_skips_no_running_connection(tcp, gate):
    server = tcp(gate=gate)
    with server.connect() as busy, server.connect() as idle, server.push() as push:
        uuid_of(server, idle)
        uuid_of(server, busy)
        busy.send(b"hold a\r\n")
        gate.begun("a")
        assert push.broadcast("main", b"all\r\n") == 2
        busy.expect(b"all\r\n"), idle.expect(b"all\r\n")
        gate.open("a")
        busy.expect(b"held a\r\n")


# -- List, Stats --------------------------------------------------------------------------------


def test_list(tcp):
    server = tcp(TWO)
    with server.push() as push, server.connect() as client, server.connect("other") as other:
        uuid = uuid_of(server, client)
        uuid_of(server, other)
        assert client.ask("pid")
        now = time.time()
        one, = push.list("main")
        assert set(one) == {"uuid", "server", "remote_addr", "connected_at", "bytes_in",
                            "bytes_out"}
        assert (one["uuid"], one["server"], one["remote_addr"]) == (uuid, "main", client.name)
        assert one["bytes_in"] == len(b"write ready\r\npid\r\n")
        assert one["bytes_out"] == len(b"ready\r\n") + len(b"%d\r\n" % server.workers()[0])
        if isinstance(one["connected_at"], str):
            assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", one["connected_at"])
        else:  # seconds, milliseconds or nanoseconds of the same clock
            seconds = one["connected_at"]
            while seconds > 1e11:
                seconds /= 1000
            assert now - 60 < seconds < now + 60
        assert push.list("other")[0]["remote_addr"] == other.name
        client.close()
        server.events.wait_closed(uuid)
        assert push.list("main") == []


def test_list_of_an_unknown_server_and_wrong_arguments(tcp):
    server = tcp()
    with server.push() as push:
        assert push.list("main") == []
        assert "nosuch" in push.error("tcp.List", {"server": "nosuch"})
        for argument in ({"server": 1}, 5, [1]):
            assert push.error("tcp.List", argument)


def test_stats(tcp):
    server = tcp(TWO)
    with server.push() as push, server.connect() as client, server.connect("other"):
        uuid_of(server, client)
        process.eventually(lambda: len(push.list("other")) == 1)
        stats = push.call("tcp.Stats", None)
        text = json.dumps(stats)
        assert "main" in text and "other" in text
        assert "connections" in text


# -- UDP ----------------------------------------------------------------------------------------


def test_write_to_a_recent_sender_by_its_address(tcp):
    server = tcp("main: {addr: 'udp://127.0.0.1:0'}")
    with Udp(server.address()) as client, Udp(server.address()) as other, server.push() as push:
        assert client.send(b"hello").receive() == b"hello"
        assert other.send(b"hello").receive() == b"hello"
        assert push.write(client.name, b"for you") is True
        assert client.receive() == b"for you"
        assert push.write(other.name, b"x" * 65507) is True
        assert other.receive() == b"x" * 65507
        assert "127.0.0.1:9" in push.error("tcp.Write", {"uuid": "127.0.0.1:9",
                                                         "data_b64": encoded(b"x")})
        push.error("tcp.Write", {"uuid": client.name, "data_b64": encoded(b"x" * 65508)})
        push.write(client.name, b"last")
        assert client.receive() == b"last"


# -- chat ---------------------------------------------------------------------------------------


def test_a_storm_of_pushes_beside_a_storm_of_messages(tcp, plain):
    """Each client's own answers stay in order, whatever is pushed in between."""
    server = tcp(pool="num_workers: 2", plain=plain)
    clients = [server.connect(timeout=30) for _ in range(4)]
    for client in clients:
        uuid_of(server, client)

    def talk(client):
        lines = []
        for number in range(100):
            client.send(b"%d\r\n" % number)
            while (line := client.line()) == b"*":
                pass
            lines.append(int(line))
        return lines
    talks = [Background(talk, client) for client in clients]
    with server.push() as push:
        count = 0
        while not all(each.done for each in talks) and count < 2000:
            assert push.broadcast("main", b"*\r\n") == 4
            count += 1
    assert [each.result(30) for each in talks] == [list(range(100))] * 4
    for client in clients:
        client.close()


# -- metrics, rr workers ------------------------------------------------------------------------


def samples(pages):
    text = pages.get("/metrics").text
    return {name: float(value) for name, value in re.findall(
        r"^(rr_tcp_\w+(?:\{[^}]*\})?) (\S+)$", text, re.M)}


def total(pages, name, **labels):
    """The sum of a metric's samples that have these labels."""
    return sum(value for key, value in samples(pages).items()
               if key.split("{")[0] == name
               and all(f'{label}="{text}"' in key for label, text in labels.items()))


def test_metrics(tcp):
    server = tcp(TWO, top="metrics: {address: '127.0.0.1:0'}")
    pages = Pages(server.rr, "metrics")
    names = {key.split("{")[0] for key in samples(pages)}
    assert {"rr_tcp_connections", "rr_tcp_connections_total", "rr_tcp_bytes_read_total",
            "rr_tcp_bytes_written_total"} <= names
    with server.connect() as client, server.connect() as second:
        uuid_of(server, client)
        client.send(b"x" * 998 + b"\r\n").expect(b"x" * 998 + b"\r\n")
        uuid_of(server, second)
        process.eventually(lambda: total(pages, "rr_tcp_connections", server="main") == 2)
        assert total(pages, "rr_tcp_connections", server="other") == 0
        process.eventually(
            lambda: total(pages, "rr_tcp_bytes_written_total", server="main") >= 1000 + 14)
        assert total(pages, "rr_tcp_bytes_read_total", server="main") >= 1000 + 26
        assert 'server="main"' in " ".join(samples(pages))
    process.eventually(lambda: total(pages, "rr_tcp_connections", server="main") == 0)
    assert total(pages, "rr_tcp_connections_total", server="main") == 2


def test_the_pool_is_among_the_pools_of_metrics(tcp):
    server = tcp(top="metrics: {address: '127.0.0.1:0'}")
    assert "tcp" in Pages(server.rr, "metrics").get("/metrics").text


def test_health_and_readiness_know_the_plugin(tcp):
    server = tcp(top="status: {address: '127.0.0.1:0'}")
    pages = Pages(server.rr, "status")
    assert pages.get("/health?plugin=tcp").status == 200
    assert pages.get("/ready?plugin=tcp").status == 200
