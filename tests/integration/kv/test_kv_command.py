"""`rr kv` and the metrics: what people see of the storages."""

import subprocess

from harness.cli import rpc, run
from harness.control import Pages
from harness.kv import Kv
from harness.server import binary

CONFIG = """\
version: "3"
rpc: {listen: "tcp://127.0.0.1:0"}
metrics: {address: "127.0.0.1:0"}
kv:
  cache: {driver: memory, config: {}}
  disk: {driver: boltdb, config: {file: disk.db}}
"""


def test_every_command(rr):
    server = rr(CONFIG)
    at = rpc(server)
    for storage in ("cache", "disk"):
        assert run("kv", "set", storage, "a", "hello", *at) == \
            run("kv", "set", storage, "b", "x", "--ttl", "2h", *at)
        got = run("kv", "get", storage, "a", *at)
        assert (got.code, got.out, got.err) == (0, "hello", "")
        assert run("kv", "get", storage, "a", "--json", *at).json() == {
            "key": "a", "value": "aGVsbG8="}
        assert run("kv", "ttl", storage, "a", *at).out == "never\n"
        assert run("kv", "ttl", storage, "a", "--json", *at).json() == {"key": "a", "timeout": None}
        timeout = run("kv", "ttl", storage, "b", *at).out.strip()
        with Kv(server, storage) as kv:
            assert kv.timeouts("b")["b"] == timeout
        assert run("kv", "del", storage, "a", "c", *at).code == 0
        for command in ("get", "ttl"):
            missing = run("kv", command, storage, "a", *at)
            assert (missing.code, missing.out, missing.err) == (1, "", "no such key: a\n")
        assert run("kv", "clear", storage, *at).code == 0
        assert run("kv", "get", storage, "b", *at).code == 1


def test_values_are_piped_in_and_out_as_they_are(rr):
    server = rr(CONFIG)
    value = bytes(range(256)) * 10
    set_ = subprocess.run([binary(), "kv", "set", "cache", "k", "-", *rpc(server)], input=value,
                          capture_output=True, timeout=30)
    assert (set_.returncode, set_.stderr) == (0, b"")
    got = subprocess.run([binary(), "kv", "get", "cache", "k", *rpc(server)], capture_output=True,
                         timeout=30)
    assert got.stdout == value


def test_stat(rr):
    server = rr(CONFIG)
    with Kv(server, "cache") as kv:
        kv.set({"a": b"1", "b": b"2"})
        kv.get("a", "c")
    done = run("kv", "stat", *rpc(server))
    lines = done.out.splitlines()
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in (lines[1], *lines[3:-1])]
    assert rows[0] == ["STORAGE", "DRIVER", "KEYS", "SIZE", "HITS", "MISSES", "CALLS", "MEAN TIME",
                       "ERRORS", "EVICTED", "EXPIRED"]
    assert rows[1][:3] == ["cache", "memory", "2"] and rows[1][4:7] == ["1", "1", "2"]
    assert rows[2][:3] == ["disk", "boltdb", "0"]
    [only] = run("kv", "stat", "disk", "--json", *rpc(server)).json()["storages"]
    assert only["storage"] == "disk" and only["bytes"] > 0
    assert run("kv", "stat", "nope", *rpc(server)).err == "no such storage: nope\n"


def test_what_is_wrong_is_said(rr):
    server = rr(CONFIG)
    at = rpc(server)
    for words in ([], ["get"], ["get", "cache"], ["set", "cache", "k"], ["nope", "cache"]):
        done = run("kv", *words, *at)
        assert done.code == 1 and "command should be in form of: rr kv get" in done.err
    assert run("kv", "get", "nope", "k", *at).err == \
        "no such storage: nope (those that are there: rr kv stat)\n"
    assert run("kv", "get", "cache", " ", *at).err == "storage cache: key can't be empty string\n"
    assert run("kv", "set", "disk", "k" * 512, "v", *at).err == "storage disk: key too large\n"
    for time in ("0", "-5s"):
        assert "--ttl: a time above 0" in run("kv", "set", "cache", "k", "v", "--ttl", time, *at).err
    assert "--ttl" in run("kv", "set", "cache", "k", "v", "--ttl", "soon", *at).err
    other = rr('version: "3"\nrpc: {listen: "tcp://127.0.0.1:0"}\n')
    assert "has no `kv` section" in run("kv", "get", "cache", "k", *rpc(other)).err


def test_metrics_of_each_storage(rr):
    server = rr(CONFIG)
    with Kv(server, "cache") as kv:
        kv.set({"a": b"1", "b": b"2"})
        kv.get("a", "c", "d")
    text = Pages(server, "metrics").get("/metrics").body.decode()
    labels = 'storage="cache",driver="memory"'
    for line in (f"rr_kv_keys{{{labels}}} 2", f"rr_kv_hits_total{{{labels}}} 1",
                 f"rr_kv_misses_total{{{labels}}} 2", f"rr_kv_evictions_total{{{labels}}} 0"):
        assert line in text.splitlines(), text
    assert 'rr_kv_calls_total{storage="cache",driver="memory",operation="mget"} 1' in text
    assert 'rr_kv_call_seconds_total{storage="cache",driver="memory",operation="mget"} ' in text
    assert 'rr_kv_keys{storage="disk",driver="boltdb"} 0' in text
