"""What every driver promises, over RPC: the PSR-16 rules that need a server, and RoadRunner's words."""

import base64
import json

import pytest

from harness.kv import Kv, KvError, after, item, request
from harness.process import eventually
from harness.rpc import ERROR, JSON, PROTO, Client, address_of, frame, parse_hex

# Another driver of the suite is a row here, and what it needs a fixture.
CONFIG = """\
version: "3"
rpc: {listen: "tcp://127.0.0.1:0"}
kv:
  memory: {driver: memory, config: {}}
  bounded: {driver: memory, config: {max_memory: 64MB}}
  boltdb: {driver: boltdb, config: {file: bolt.db}}
  lmdb: {driver: lmdb, config: {file: lmdb.db, sync: always}}
"""
DRIVERS = ["memory", "bounded", "boltdb", "lmdb"]
OPERATIONS = {"memory": "in_memory_plugin", "bounded": "in_memory_plugin",
              "boltdb": "boltdb_driver", "lmdb": "boltdb_driver"}


@pytest.fixture(scope="module")
def server(rr_module):
    return rr_module(CONFIG)


@pytest.fixture(params=DRIVERS)
def kv(request, server):
    with Kv(server, request.param) as one:
        one.clear()
        yield one


def test_the_captured_exchange_of_the_php_client(rr):
    server = rr('version: "3"\nrpc: {listen: "tcp://127.0.0.1:0"}\n'
                'kv: {mem: {driver: memory, config: {}}}\n')
    lines = parse_hex("""
        >> 15801a000000e2359b6c0000 0100000006000000 6b762e536574 0a036d656d120d0a016b1208733a313a2276223b
        << 158006000000c5dd54760000 0100000006000000 6b762e536574
        >> 1580160000005a8a4d260000 0200000007000000 6b762e4d476574 0a036d656d12030a016b12030a017a
        << 1580160000005a8a4d260000 0200000007000000 6b762e4d476574 0a0d0a016b1208733a313a2276223b
        >> 158011000000e3b29abb0000 0300000006000000 6b762e486173 0a046e6f706512030a016b
        << 15c02400000039e29c240000 0300000006000000 6b762e486173 7270635f6861733a206e6f20737563682073746f726167653a206e6f7065
        """)
    with Client(address_of(server)) as client:
        for (_, sent), (_, expected) in zip(lines[::2], lines[1::2]):
            assert client.send(sent).read_reply().raw == expected


def test_set_get_has_delete(kv):
    kv.set({"a": b"1", "b": b"2"})
    assert kv.get("a", "b", "c") == {"a": b"1", "b": b"2"}
    assert kv.has("a", "c") == {"a"}
    kv.set({"a": b"3"})
    assert kv.get("a") == {"a": b"3"}
    kv.delete("a", "c")
    assert kv.get("a", "b") == {"b": b"2"}
    kv.clear()
    assert kv.has("a", "b") == set()


def test_values_are_any_bytes(kv):
    values = {"all": bytes(range(256)), "empty": b"", "large": b"\0x" * 1_500_000, "é": "ü".encode()}
    kv.set(values)
    assert kv.get(*values) == values


def test_keys_of_psr_16(kv):
    """64 characters of A-Z, a-z, 0-9, _ and . must be taken."""
    key = "AZaz09_." * 8
    kv.set({key: b"v"})
    assert kv.get(key) == {key: b"v"}


def test_a_key_goes_when_its_time_is_over(kv):
    """RoadRunner keeps a key with a time of one second for ever."""
    kv.set({"short": b"v"}, after(1))
    kv.set({"long": b"v"}, after(3600))
    eventually(lambda: kv.get("short") == {}, what="the end of the key")
    assert kv.has("short") == set()
    assert kv.timeouts("short") == {}
    assert kv.get("long") == {"long": b"v"}


def test_a_time_that_is_over_removes_the_key(kv):
    kv.set({"a": b"v"})
    kv.set({"a": b"v"}, after(-10))
    assert kv.get("a") == {}


def test_a_set_without_a_time_ends_an_earlier_one(kv):
    kv.set({"a": b"v"}, after(1))
    kv.set({"a": b"w"})
    kv.set({"probe": b"v"}, after(1))
    eventually(lambda: kv.get("probe") == {}, what="the end of the probe")
    assert kv.get("a") == {"a": b"w"}


def test_a_key_that_was_deleted_and_set_anew_has_no_time(kv):
    kv.set({"a": b"v"}, after(1))
    kv.delete("a")
    kv.set({"a": b"w"})
    kv.set({"probe": b"v"}, after(1))
    eventually(lambda: kv.get("probe") == {}, what="the end of the probe")
    assert kv.get("a") == {"a": b"w"}


def test_ttl_gives_the_clients_own_text(kv):
    text = "2099-11-21T01:48:13+02:00"
    kv.set({"ends": b"v"}, text)
    kv.set({"endless": b"v"})
    timeouts = kv.timeouts("ends", "endless", "none")
    assert timeouts["ends"] == text
    assert "none" not in timeouts
    assert timeouts.get("endless", "") == ""
    assert ("endless" in timeouts) == kv.storage.startswith(("memory", "bounded"))


def test_mexpire_keeps_values_and_makes_no_keys(kv):
    kv.set({"a": b"v"})
    text = after(3600)
    kv.expire(text, "a", "none")
    assert kv.get("a", "none") == {"a": b"v"}
    assert kv.timeouts("a")["a"] == text
    kv.expire(after(-1), "a")
    assert kv.get("a") == {}


@pytest.mark.parametrize("method,operation", [("Has", "rpc_has"), ("MGet", "rpc_mget"),
                                              ("TTL", "rpc_ttl"), ("Delete", "rcp_delete")])
def test_blank_keys_are_refused(kv, method, operation):
    for key in ("", "  "):
        with pytest.raises(KvError) as refused:
            kv.call(method, item("a"), item(key))
        assert str(refused.value) == (f"{operation}: key can't be empty string:\n\t"
                                      f"{OPERATIONS[kv.storage]}_{method.lower()}")


def test_all_items_are_checked_before_anything_changes(kv):
    kv.set({"a": b"old", "b": b"old"})
    with pytest.raises(KvError, match='^rpc_set: parsing time "10" as "2006-01-02T15:04:05Z07:00": '
                                      'cannot parse "10" as "2006"$'):
        kv.call("Set", item("a", b"new"), item("b", b"new", "10"))
    with pytest.raises(KvError, match="rpc_mexpire:\n\t"):
        kv.call("MExpire", item("a", None, after(-1)), item("b"))
    with pytest.raises(KvError):
        kv.call("Delete", item("a"), item(""))
    assert kv.get("a", "b") == {"a": b"old", "b": b"old"}


def test_calls_without_items(kv):
    for method in ("Has", "Set", "MGet", "MExpire", "TTL", "Delete", "Clear"):
        assert kv.call(method) == {}


@pytest.mark.parametrize("method,operation", [
    ("Has", "rpc_has"), ("Set", "rpc_set"), ("MGet", "rpc_mget"), ("MExpire", "rpc_mexpire"),
    ("TTL", "rpc_ttl"), ("Delete", "rcp_delete"), ("Clear", "rcp_delete")])
def test_a_storage_that_is_not_there(server, method, operation):
    with Kv(server, "nope") as kv:
        with pytest.raises(KvError) as refused:
            kv.call(method, item("a"))
        assert str(refused.value) == f"{operation}: no such storage: nope"
        with pytest.raises(KvError) as refused:
            kv.call(method, item("a"), storage="")
        assert str(refused.value) == f"{operation}: " + (
            "no such storage: " if method == "Set" else "no storage provided")


def test_json(kv):
    client = kv.client
    body = {"storage": kv.storage, "items": [{"key": "b", "value": base64.b64encode(b"hello").decode()}]}
    assert client.call("kv.Set", json.dumps(body).encode()).body == b"{}"
    ask = json.dumps({"storage": kv.storage, "items": [{"key": "b"}, {"key": "z"}]}).encode()
    assert client.call("kv.MGet", ask).body == b'{"items":[{"key":"b","value":"aGVsbG8="}]}'
    assert client.call("kv.Has", ask).body == b'{"items":[{"key":"b"}]}'
    reply = client.call("kv.Has", b'{"storage":"nope"}')
    assert (reply.flags, reply.error) == (JSON | ERROR, "rpc_has: no such storage: nope")


def test_what_is_no_message_is_refused(kv):
    reply = kv.client.call("kv.Set", b"\x0a\xff", flags=PROTO)
    assert "cannot parse invalid wire-format data" in reply.error
    assert kv.get("a") == {}


def test_a_thousand_calls_in_flight(kv):
    client = kv.client
    for number in range(1000):
        client.send(frame("kv.Set", request(kv.storage, item(f"k{number}", b"v" * number)), number,
                          PROTO))
    replies = [client.read_reply() for _ in range(1000)]
    assert sorted(reply.sequence for reply in replies) == list(range(1000))
    assert all(reply.flags == PROTO for reply in replies)
    keys = [f"k{number}" for number in range(1000)]
    assert kv.get(*keys) == {f"k{number}": b"v" * number for number in range(1000)}


def test_a_driver_that_nobody_knows_is_a_warning(rr):
    server = rr('version: "3"\nrpc: {listen: "tcp://127.0.0.1:0"}\n'
                'kv: {a: {driver: oracle, config: {}}, b: {driver: memory, config: {}}}\n')
    server.log.wait("no driver is called `oracle`")
    with Kv(server, "a") as kv, pytest.raises(KvError, match="no such storage: a"):
        kv.get("k")
    with Kv(server, "b") as kv:
        assert kv.get("k") == {}


def test_a_storage_without_a_driver_ends_the_start(rr):
    server = rr('version: "3"\nrpc: {listen: "tcp://127.0.0.1:0"}\nkv: {a: {config: {}}}\n',
                expect_fail=True)
    assert "could not find mandatory driver field in the a storage" in server.log.text()


def test_without_a_section_there_is_no_kv(rr):
    server = rr('version: "3"\nrpc: {listen: "tcp://127.0.0.1:0"}\n')
    with Client(address_of(server)) as client:
        assert client.call("kv.Has", b"", flags=PROTO).error == "rpc: can't find service kv.Has"
