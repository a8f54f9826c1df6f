"""Locks over RPC: who gets them, who waits, what a storm and a stop do."""

import selectors

import pytest

from harness.process import eventually
from harness.proto import decode, encode
from harness.rpc import ERROR, JSON, PROTO, Client, address_of, frame, parse_hex

RPC = """\
version: "3"
rpc: {listen: "tcp://127.0.0.1:0"}
"""
MINUTE = 60_000_000


@pytest.fixture(scope="module")
def server(rr_module):
    return rr_module(RPC)


@pytest.fixture
def client(server):
    with Client(address_of(server)) as connection:
        yield connection


@pytest.fixture
def other(server):
    with Client(address_of(server)) as connection:
        yield connection


def request(resource, name="", ttl=None, wait=None):
    fields = [(1, resource), (2, name)]
    fields += [(3, ttl)] if ttl is not None else []
    fields += [(4, wait)] if wait is not None else []
    return encode(*fields)


def answer(reply):
    """True or False; the text of an error reply."""
    if reply.flags & ERROR:
        return reply.error
    assert reply.flags == PROTO
    return decode(reply.body) == {1: [1]}


def call(client, method, *arguments, **named):
    return answer(client.call(f"lock.{method}", request(*arguments, **named), flags=PROTO))


def send(client, method, *arguments, sequence=1, **named):
    client.send(frame(f"lock.{method}", request(*arguments, **named), sequence, PROTO))


def test_the_captured_exchange_of_the_php_client(client):
    (_, sent), (_, expected) = parse_hex("""
        >> 1580160000005a8a4d260000 0400000009000000 6c6f636b2e4c6f636b 0a03726573120269641880897a
        << 15800b00000018053e840000 0400000009000000 6c6f636b2e4c6f636b 0801
        """)
    assert client.send(sent).read_reply().raw == expected
    assert call(client, "Release", "res", "id") is True


def test_every_method(client):
    assert call(client, "Lock", "a", "x") is True
    assert call(client, "Exists", "a", "x") is True
    assert call(client, "Exists", "a", "*") is True
    assert call(client, "Exists", "a", "y") is False
    assert call(client, "UpdateTTL", "a", "x", ttl=MINUTE) is True
    assert call(client, "UpdateTTL", "a", "y", ttl=MINUTE) is False
    assert call(client, "LockRead", "a", "y") is False
    assert call(client, "Release", "a", "y") is False
    assert call(client, "ForceRelease", "a") is True
    assert call(client, "ForceRelease", "never-seen") is False
    assert call(client, "LockRead", "a", "y") is True
    assert call(client, "LockRead", "a", "z") is True
    assert call(client, "Lock", "a", "y") is False
    assert call(client, "Release", "a", "z") is True
    assert call(client, "Lock", "a", "y") is True
    assert call(client, "Release", "a", "y") is True


def test_json(client):
    assert client.call("lock.Lock", b'{"resource":"json","id":"x","ttl":60000000}').body == \
        b'{"ok":true}'
    assert client.call("lock.Lock", b'{"resource":"json","id":"y"}').body == b"{}"
    assert client.call("lock.Release", b'{"resource":"json","id":"x"}').body == b'{"ok":true}'


@pytest.mark.parametrize("method", ["Lock", "LockRead", "Release", "Exists", "UpdateTTL"])
def test_an_empty_id_is_refused(client, method):
    assert call(client, method, "a") == "empty ID is not allowed"


def test_negative_times_are_refused(client):
    assert call(client, "Lock", "a", "x", ttl=-1) == "negative TTL is not allowed"
    assert call(client, "Lock", "a", "x", wait=-1) == "negative wait is not allowed"
    assert call(client, "UpdateTTL", "a", "x", ttl=-2 ** 63) == "negative TTL is not allowed"


def test_what_is_no_message_is_refused(client):
    reply = client.call("lock.Lock", b"\x0a\xff", flags=PROTO)
    assert "cannot parse invalid wire-format data" in reply.error
    assert call(client, "Exists", "a", "x") in (True, False)


def test_a_waiting_call_blocks_no_other_on_its_connection(client):
    assert call(client, "Lock", "busy", "x") is True
    send(client, "Lock", "busy", "y", wait=MINUTE, sequence=7)
    assert call(client, "Exists", "busy", "x") is True
    assert client.call("rpc.Version", flags=JSON).error is None
    send(client, "Release", "busy", "x", sequence=8)
    replies = {reply.sequence: answer(reply) for reply in
               (client.read_reply(), client.read_reply())}
    assert replies == {7: True, 8: True}
    assert call(client, "Release", "busy", "y") is True


def test_a_ttl_frees_and_a_waiter_gets_it(client, other):
    assert call(client, "Lock", "ttl", "x", ttl=100_000) is True
    assert call(other, "Lock", "ttl", "y", wait=MINUTE) is True
    assert call(client, "Release", "ttl", "x") is False
    assert call(other, "Release", "ttl", "y") is True


def test_failed_attempts_leave_no_trace(client, other):
    """RoadRunner's resource is dead after this."""
    assert call(client, "LockRead", "trace", "a") is True
    assert call(client, "LockRead", "trace", "b") is True
    assert call(other, "Lock", "trace", "c") is False
    assert call(other, "LockRead", "trace", "d") is True
    for name in "abd":
        assert call(client, "Release", "trace", name) is True
    assert call(other, "Lock", "trace", "c") is True
    assert call(other, "Release", "trace", "c") is True


def test_a_lock_outlives_the_connection_that_took_it(server, client):
    with Client(address_of(server)) as gone:
        assert call(gone, "Lock", "gone", "x", ttl=MINUTE) is True
    assert call(client, "Lock", "gone", "y") is False
    assert call(client, "Release", "gone", "x") is True


def test_the_lock_of_a_client_that_went_while_it_waited_ends_with_its_ttl(server, client):
    assert call(client, "Lock", "waiter", "x") is True
    gone = Client(address_of(server))
    send(gone, "Lock", "waiter", "y", ttl=50_000, wait=MINUTE)
    assert gone.call("rpc.Version", sequence=2).error is None  # its request is in line
    gone.abort()
    assert call(client, "Release", "waiter", "x") is True
    assert call(client, "Lock", "waiter", "z", wait=MINUTE) is True
    assert call(client, "Release", "waiter", "z") is True


def test_a_storm_of_1000_waiters(server, client):
    """Each on a connection of its own; everybody gets the lock once, nobody together."""
    assert call(client, "Lock", "storm", "first") is True
    selector = selectors.DefaultSelector()
    storm = []
    for number in range(1000):
        waiter = Client(address_of(server))
        send(waiter, "Lock", "storm", f"w{number}", wait=10 * MINUTE, ttl=10 * MINUTE)
        selector.register(waiter.socket, selectors.EVENT_READ, (waiter, f"w{number}"))
        storm.append(waiter)
    assert client.call("rpc.Version").error is None
    server.log.wait(r'\tWARN\tlock {8}\tmany callers wait for one lock: .*\t{"resource": "storm", '
                    r'"waiting": 500, "held_by": "first", "ttl_left_ms": 31\d{9}}$')
    assert call(client, "Release", "storm", "first") is True
    served = []
    while len(served) < 1000:
        ready = selector.select(30)
        assert len(ready) == 1, f"{len(ready)} answers at once after {len(served)}"
        waiter, name = ready[0][0].data
        assert answer(waiter.read_reply()) is True
        served.append(name)
        selector.unregister(waiter.socket)
        send(client, "Release", "storm", name)
        assert answer(client.read_reply()) is True
    assert len(set(served)) == 1000
    assert call(client, "Exists", "storm", "*") is False
    for waiter in storm:
        waiter.close()


def test_a_storm_that_gives_up_leaves_no_trace(server, client):
    assert call(client, "Lock", "vain", "first") is True
    with Client(address_of(server), timeout=60) as crowd:
        for number in range(1000):
            send(crowd, "Lock", "vain", f"w{number}", wait=200_000, sequence=number)
        assert all(answer(crowd.read_reply()) is False for _ in range(1000))
    assert call(client, "Release", "vain", "first") is True
    assert call(client, "Lock", "vain", "next") is True


def test_a_stop_of_the_server_answers_everybody_in_line(rr):
    server = rr(RPC)
    with Client(address_of(server)) as client:
        assert call(client, "Lock", "end", "x") is True
        for sequence in range(2, 12):
            send(client, "Lock", "end", f"w{sequence}", wait=10 * MINUTE, sequence=sequence)
        assert client.call("rpc.Version").error is None
        assert server.stop() == 0
        replies = [client.read_reply() for _ in range(10)]
        assert sorted(reply.sequence for reply in replies) == list(range(2, 12))
        assert not any(answer(reply) for reply in replies)
        eventually(lambda: client.closed_by_peer(), what="the end of the connection")
