"""Frames that the official clients send, and RoadRunner's answers to them, byte for byte."""

import json

import pytest

from harness.rpc import Client, address_of, frame

YAML = """
    http: {address: "127.0.0.1:0", pool: {num_workers: 1}}
    rpc: {listen: "tcp://127.0.0.1:0"}
    """


@pytest.fixture(scope="module")
def server(rr_module):
    return rr_module(YAML)


@pytest.fixture
def client(server):
    with Client(address_of(server)) as connection:
        yield connection


def exchange(client, request, answer):
    """Sends the request as it was captured; the answer has the captured bytes."""
    expected = bytes.fromhex(answer)
    client.send(bytes.fromhex(request))
    assert client._exactly(len(expected)).hex() == expected.hex()


def test_version(client):
    # The number of the version stands where RoadRunner's build had 3.
    exchange(client, "15080f0000001c69ca8a0000 010000000b000000 7270632e56657273696f6e 74727565",
             "1508160000000971dba70000 010000000b000000 7270632e56657273696f6e"
             "22323032352e312e313422")


def test_config_raw(client):
    client.send(bytes.fromhex("15040a0000002f74e4780000 050000000a000000 7270632e436f6e666967"))
    reply = client.read_reply()
    assert (reply.flags, reply.sequence, reply.name) == (0x04, 5, "rpc.Config")
    config = json.loads(reply.body)
    assert config["rpc"] == {"listen": "tcp://127.0.0.1:0"}
    assert list(config) == sorted(config)


def test_workers_in_json(server, client):
    client.send(bytes.fromhex("1508160000000971dba70000 0900000010000000"
                              "696e666f726d65722e576f726b657273 226874747022"))
    reply = client.read_reply()
    assert (reply.flags, reply.sequence, reply.name) == (0x08, 9, "informer.Workers")
    (worker,) = json.loads(reply.body)["workers"]
    assert list(worker) == ["pid", "status", "numExecs", "created", "memoryUsage", "CPUPercent",
                            "command", "statusStr"]
    assert worker["pid"] == server.workers()[0]


def test_workers_in_msgpack(server, client):
    client.send(bytes.fromhex("151015000000a402fee50000 1800000010000000"
                              "696e666f726d65722e576f726b657273 a468747470"))
    reply = client.read_reply()
    assert (reply.flags, reply.sequence) == (0x10, 24)
    assert reply.body.startswith(bytes.fromhex("81 a7576f726b657273 91 88 a3506964 d3"))
    assert int.from_bytes(reply.body[16:24], "big") == server.workers()[0]


def test_workers_in_gob(client):
    client.send(bytes.fromhex("15a0 18000000") + _crc("15a018000000")
                + bytes.fromhex("0000 0000000010000000 696e666f726d65722e576f726b657273"
                                "070c000468747470"))
    reply = client.read_reply()
    # PROTO comes first, for the body too; the command line's real frames have GOB alone.
    assert (reply.flags, reply.error) == (
        0xC0, "goridge_read_request_body: message type is not a proto")
    client.send(bytes.fromhex("1520 18000000") + _crc("152018000000")
                + bytes.fromhex("0000 0000000010000000 696e666f726d65722e576f726b657273"
                                "070c000468747470"))
    reply = client.read_reply()
    assert (reply.flags, reply.sequence) == (0x20, 0)
    assert reply.body.startswith(bytes.fromhex(
        "247f0301010a576f726b65724c69737401ff800001010107576f726b65727301ff840000001fff8302010110"
        "5b5d2a70726f636573732e537461746501ff840001ff82000071ff8103"))
    # The field before it is the use of the processor, which gob leaves out while it is zero.
    assert reply.body.endswith((b"\x02\x05ready\0\0", b"\x03\x05ready\0\0"))


def _crc(head):
    import zlib
    return zlib.crc32(bytes.fromhex(head)).to_bytes(4, "little")


def test_unknown_service(client):
    exchange(client, "15080b0000004bfea8050000 140000000a000000 6e6f737563682e466f6f 31",
             "15482c0000008531be600000 140000000a000000 6e6f737563682e466f6f"
             "7270633a2063616e27742066696e642073657276696365206e6f737563682e466f6f")


def test_lock_in_protobuf_and_json(client):
    exchange(client, "1580160000005a8a4d260000 0400000009000000 6c6f636b2e4c6f636b"
             "0a03726573120269641880897a",
             "15800b00000018053e840000 0400000009000000 6c6f636b2e4c6f636b 0801")
    ours = b'{"resource":"other","ID":"a","ttl":2000000,"unknown":[1]}'
    assert client.call("lock.Lock", ours).body == b'{"ok":true}'
    theirs = b'{"resource":"other","id":"b","ttl":2000000,"wait":1000}'
    assert client.call("lock.Lock", theirs).body == b"{}"
    assert client.call("lock.Lock", b'{"resource":5}').error.startswith("json: ")
    # Invalid bytes of a message.
    reply = client.call("lock.Lock", b"\x0a\x05", flags=0x80)
    assert (reply.flags, reply.error) == (
        0xC0, "goridge_read_request_body: proto: cannot parse invalid wire-format data")


def test_a_lock_that_waits_delays_no_other_call(client):
    client.call("lock.Lock", b'{"resource":"w","id":"a"}')
    wait = b'{"resource":"w","id":"b","wait":60000000}'
    client.send(frame("lock.Lock", wait, 1) + frame("lock.Lock", wait, 1)
                + frame("rpc.Version", b"true", 3))
    assert client.read_reply().sequence == 3
    client.send(frame("lock.ForceRelease", b'{"resource":"w"}', 4))
    replies = [client.read_reply() for _ in range(2)]
    assert sorted(reply.sequence for reply in replies) == [1, 4]
    client.send(frame("lock.ForceRelease", b'{"resource":"w"}', 5))
    assert sorted(client.read_reply().sequence for _ in range(2)) == [1, 5]


def test_legacy_reset(client):
    exchange(client,
             "14 1200000000000000 0000000000000012  687474702e5265736574 0000000000000000"
             "00 0400000000000000 0000000000000004  74727565",
             "14 1200000000000000 0000000000000012  687474702e5265736574 0000000000000000"
             "00 0400000000000000 0000000000000004  224f4b22")


def test_legacy_error(client):
    exchange(client,
             "14 0f00000000000000 000000000000000f  6e6f2e53756368 0100000000000000"
             "00 0400000000000000 0000000000000004  74727565",
             "14 0f00000000000000 000000000000000f  6e6f2e53756368 0100000000000000"
             "0c 1f00000000000000 000000000000001f"
             "7270633a2063616e27742066696e642073657276696365206e6f2e53756368")
