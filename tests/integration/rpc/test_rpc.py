"""Codecs and errors of the RPC port, with the methods that are always there."""

import base64
import json

import pytest

from harness.rpc import (GOB, JSON, MSGPACK, PROTO, RAW, Client, address_of, frame, message)

YAML = """
    http: {address: "127.0.0.1:0", pool: {num_workers: 1}}
    rpc: {listen: "tcp://127.0.0.1:0"}
    """
BOOT_MS = 300


@pytest.fixture(scope="module")
def server(rr_module):
    return rr_module(YAML, env={"BOOT_SLEEP_MS": str(BOOT_MS)})


@pytest.fixture
def client(server):
    with Client(address_of(server)) as connection:
        yield connection


# -- codecs ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("argument", [b"true", b"false", b"null", b"", b" true\n"])
def test_version_takes_any_bool(client, argument):
    assert client.call("rpc.Version", argument).body == b'"2025.1.14"'


def test_each_codec_answers_in_its_own(client):
    assert client.call("rpc.Version", b"\xc3", flags=MSGPACK).body == b"\xa92025.1.14"
    assert client.call("rpc.Version", bytes.fromhex("03020001"), flags=GOB).body == (
        b"\x0c\x0c\x00\x092025.1.14")
    reply = client.call("rpc.Config", flags=RAW)
    assert json.loads(reply.body)["version"] == "3"
    assert base64.b64decode(json.loads(client.call("rpc.Config").body)) == reply.body


@pytest.mark.parametrize("flags, answer", [
    (JSON | RAW, JSON), (RAW | MSGPACK, RAW), (MSGPACK | GOB, MSGPACK), (JSON | 0x41, JSON)])
def test_the_answer_has_one_codec_bit(client, flags, answer):
    assert client.call("rpc.Config", flags=flags).flags == answer


def test_raw_needs_a_byte_string(client):
    # A body that is no byte string stays zero, and the method runs.
    assert client.call("informer.List", b"anything", flags=RAW).error == "unknown Raw payload type"
    assert client.call("rpc.Config", b"anything", flags=RAW).error is None


def test_without_a_codec_every_body_is_an_error(client):
    reply = client.call("rpc.Version", flags=0)
    assert reply.flags == 0x60
    assert reply.error == "goridge_read_request_body: unknown decoder used in frame"


def test_protobuf_is_for_messages(client):
    assert client.call("rpc.Version", b"\x08\x01", flags=PROTO).error == (
        "goridge_read_request_body: message type is not a proto")


@pytest.mark.parametrize("name, argument", [
    ("informer.List", b"1"), ("informer.List", b'""'), ("informer.Workers", b"true"),
    ("informer.Workers", b"{"), ("rpc.Version", b"tru")])
def test_a_wrong_json_type_is_an_error(client, name, argument):
    assert client.call(name, argument).error.startswith("json: ")
    assert client.call("rpc.Version", b"true").error is None


# -- names ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, error", [
    ("nosuch", "rpc: service/method request ill-formed: nosuch"),
    ("", "rpc: service/method request ill-formed: "),
    ("nosuch.Foo", "rpc: can't find service nosuch.Foo"),
    ("a.b.Foo", "rpc: can't find service a.b.Foo"),
    ("RPC.Version", "rpc: can't find service RPC.Version"),
    ("rpc.Foo", "rpc: can't find method rpc.Foo"),
    ("rpc.version", "rpc: can't find method rpc.version")])
def test_unknown_names(client, name, error):
    assert client.call(name, b"1").error == error


@pytest.mark.parametrize("sequence", [0, 1, 0xFFFFFFFF])
def test_every_number_is_repeated(client, sequence):
    assert client.call("rpc.Version", b"true", sequence).error is None


# -- order ----------------------------------------------------------------------------------------

def test_a_call_that_waits_delays_no_other(client):
    client.send(frame("resetter.Reset", b'"http"', 7) + frame("rpc.Version", b"true", 8))
    assert client.read_reply().sequence == 8
    reset = client.read_reply()
    assert (reset.sequence, reset.body) == (7, b"true")


def test_two_requests_with_one_number_both_get_an_answer(client):
    client.send(frame("resetter.Reset", b'"http"', 5) + frame("rpc.Config", b"", 5, RAW))
    first, second = client.read_reply(), client.read_reply()
    assert (first.sequence, first.name, first.flags) == (5, "rpc.Config", RAW)
    assert (second.sequence, second.name, second.body) == (5, "resetter.Reset", b"true")


def test_a_half_close_still_gets_every_answer(client):
    client.send(frame("resetter.Reset", b'"http"', 1) + frame("rpc.Version", b"true", 2))
    client.finish_sending()
    assert [client.read_reply().sequence for _ in range(2)] == [2, 1]
    assert client.read_to_end() == b""


def test_pipelined_requests_are_all_answered(client):
    client.send(b"".join(frame("rpc.Version", b"true", n) for n in range(5000)))
    assert [client.read_reply().sequence for _ in range(5000)] == list(range(5000))


def test_a_request_may_come_byte_by_byte(client):
    for byte in frame("informer.Workers", b'"nosuch"', 3):
        client.send(bytes([byte]))
    assert client.read_reply().body == b'{"workers":null}'


# -- what is no request ----------------------------------------------------------------------------

GOOD = frame("rpc.Version", b"true")


@pytest.mark.parametrize("data", [
    GOOD[:6] + b"\0\0\0\0" + GOOD[10:],                       # checksum
    frame("rpc.Version", b"true", options=[]),
    frame("rpc.Version", b"true", options=[1]),
    frame("rpc.Version", b"true", options=[1, 11, 0]),
    frame("rpc.Version", b"true", options=[1, 16]),           # the name is longer than the payload
    frame("", b"", options=[1, 100]),
    frame("rpc.Version", b"true", options=[1, 0xFFFFFFFF]),
    frame("rpc.Version", b"", length=0x7FFFFFFF),             # too long
    b"Could not open input file: worker.php\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\0" * 64,
    message(b"rpc.Version\0\0\0\0\0\0\0\0", 0x04),
    message(b"short", 0x14),
    message(b"rpc.Version\0\0\0\0\0\0\0\0", 0x14)[:-1] + b"\1" + b"\0" * 8 + b"\2" + b"\0" * 8,
    b"\x14" + b"\xff" * 16,
], ids=lambda data: data[:14].hex())
def test_what_is_no_request_costs_its_own_connection(server, client, data):
    with Client(address_of(server)) as bad:
        try:
            bad.send(data)
            assert bad.read_to_end() == b""
        except ConnectionError:
            pass
    assert client.call("rpc.Version", b"true").error is None


def test_what_came_before_the_mistake_is_answered(server):
    with Client(address_of(server)) as client:
        client.send(GOOD + b"GET / HTTP/1.1\r\n\r\n")
        assert client.read_reply().error is None
        assert client.read_to_end() == b""


def test_a_truncated_request_is_waited_for(server, client):
    with Client(address_of(server)) as slow:
        slow.send(GOOD[:15])
        assert client.call("rpc.Version", b"true").error is None
        slow.send(GOOD[15:])
        assert slow.read_reply().error is None
        slow.send(GOOD[:15])
        slow.finish_sending()
        assert slow.read_to_end() == b""


# -- RoadRunner 1.x --------------------------------------------------------------------------------

def test_both_dialects_on_one_port(server, client):
    with Client(address_of(server)) as old:
        assert old.call_v2("rpc.Version", b"true", 3) == (0x00, b'"2025.1.14"')
        assert client.call("rpc.Version", b"true").body == b'"2025.1.14"'
        flags, config = old.call_v2("rpc.Config", b"", 4, flags=0x02)
        assert flags == 0x04 and json.loads(config)["version"] == "3"
        assert old.call_v2("informer.Workers", b"5", 5)[0] == 0x0C
        assert old.call_v2("rpc.Version", b"null", 2 ** 64 - 1) == (0x00, b'"2025.1.14"')
