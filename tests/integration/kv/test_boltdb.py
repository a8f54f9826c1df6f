"""The driver on disk: restarts, kills, two servers on one file, a full store, the sweep."""

import itertools
import json
import resource
import select
import subprocess

import pytest

from harness.kv import Kv, KvError, after, item, request
from harness.process import eventually
from harness.rpc import PROTO, Client, address_of, frame

CONFIG = """\
version: "3"
rpc: {listen: "tcp://127.0.0.1:0"}
kv:
  disk: {driver: boltdb}
disk: {file: %s, interval: 1s, %s}
"""


def start(rr, file, more="sync: interval", **named):
    return rr(CONFIG % (file, more), **named)


def test_values_and_times_survive_a_restart(rr, tmp_path):
    """RoadRunner's keys have no end any more after one."""
    file = tmp_path / "rr.db"
    text = "2099-11-21T01:48:13+02:00"
    server = start(rr, file)
    with Kv(server, "disk") as kv:
        kv.set({"a": b"1", "b": b"2" * 100_000})
        kv.set({"ends": b"3"}, text)
        kv.set({"short": b"4"}, after(2))
    assert server.stop() == 0
    server = start(rr, file)
    with Kv(server, "disk") as kv:
        assert kv.get("a", "b", "ends") == {"a": b"1", "b": b"2" * 100_000, "ends": b"3"}
        assert kv.timeouts("a", "ends") == {"ends": text}
        eventually(lambda: kv.get("short") == {}, what="the end of the key")


@pytest.mark.parametrize("sync", ["always", "interval", "never"])
def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(rr, tmp_path, sync):
    """Killed again and again while it writes; all that was ever answered is read back."""
    file = tmp_path / "rr.db"
    acknowledged = {}
    numbers = itertools.count()
    for round_ in range(5):
        server = start(rr, file, f"sync: {sync}")
        with Kv(server, "disk") as kv:
            keys = list(acknowledged)
            for at in range(0, len(keys), 500):
                part = keys[at:at + 500]
                assert kv.get(*part) == {key: acknowledged[key] for key in part}
        with Client(address_of(server)) as client:
            sent = {}
            answered = 0
            enough = 200 + 173 * round_
            while answered < enough:
                while len(sent) < 64:
                    number = next(numbers)
                    value = b"%d:" % number + b"v" * (number * 37 % 3000)
                    sent[number] = value
                    client.send(frame("kv.Set", request("disk", item(f"k{number}", value)), number,
                                      PROTO))
                reply = client.read_reply()
                assert reply.flags == PROTO, reply
                acknowledged[f"k{reply.sequence}"] = sent.pop(reply.sequence)
                answered += 1
            server.kill()
            # What was answered and not yet read counts too.
            try:
                while select.select([client.socket], [], [], 0)[0]:
                    reply = client.read_reply()
                    acknowledged[f"k{reply.sequence}"] = sent.pop(reply.sequence)
            except (OSError, EOFError, AssertionError):
                pass
    server = start(rr, file, f"sync: {sync}")
    with Kv(server, "disk") as kv:
        keys = list(acknowledged)
        assert len(keys) > 2000
        for at in range(0, len(keys), 500):
            part = keys[at:at + 500]
            assert kv.get(*part) == {key: acknowledged[key] for key in part}


def test_a_second_server_on_the_file_is_told_so(rr, tmp_path):
    file = tmp_path / "rr.db"
    server = start(rr, file)
    second = start(rr, file, expect_fail=True)
    assert f"storage disk: {file} is in use by another process" in second.log.text()
    with Kv(server, "disk") as kv:
        kv.set({"a": b"1"})
        assert kv.get("a") == {"a": b"1"}


def test_two_storages_on_one_file_are_told_so(rr):
    server = rr('version: "3"\nrpc: {listen: "tcp://127.0.0.1:0"}\nkv: {a: {driver: boltdb, config: '
                "{file: x.db}}, b: {driver: lmdb, config: {file: x.db}}}\n", expect_fail=True)
    assert "storage b: " in server.log.text() and "is in use by another" in server.log.text()


def test_a_file_of_something_else_is_left_alone(rr, tmp_path):
    file = tmp_path / "bolt.db"
    # The first page of a bolt file: page 0, of type meta, then bolt's magic and version.
    content = bytes(8) + b"\x04\0\0\0\0\0\0\0" + b"\xed\xda\x0c\xed\x02\0\0\0\0\x10\0\0"
    file.write_bytes(content.ljust(16384, b"\0"))
    server = start(rr, file, expect_fail=True)
    assert "is no file of this driver; one of RoadRunner's boltdb is not read either" in \
        server.log.text()
    assert file.read_bytes() == content.ljust(16384, b"\0")


def test_a_full_store_says_so_and_keeps_what_it_has(rr, tmp_path):
    server = start(rr, tmp_path / "rr.db", "max_size: 2MB")
    with Kv(server, "disk") as kv:
        kept = []
        with pytest.raises(KvError, match="^rpc_set:\n\tboltdb_driver_set: the storage is full"):
            for number in range(100):
                kv.set({f"k{number}": b"v" * 100_000})
                kept.append(f"k{number}")
        assert len(kept) > 10
        assert kv.get(*kept) == {key: b"v" * 100_000 for key in kept}
        kv.delete(*kept[:5])
        kv.set({"more": b"v" * 100_000})
        kv.clear()
        kv.set({"more": b"w" * 100_000})
        assert kv.get("more") == {"more": b"w" * 100_000}


def test_a_full_disk_is_an_error_and_loses_nothing(rr, tmp_path):
    """A limit to the size of files stands for the disk; it is lifted again, as a disk is tidied."""
    server = start(rr, tmp_path / "rr.db")
    with Kv(server, "disk") as kv:
        kv.set({"before": b"1"})
        pid = server.pid
        old = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 << 20, old[1]))
        kept = []
        with pytest.raises(KvError, match="^rpc_set:\n\tboltdb_driver_set: .*: (File too large|.*disk full)"):
            for number in range(100):
                kv.set({f"k{number}": b"v" * 100_000})
                kept.append(f"k{number}")
        assert kv.get("before", *kept) == {"before": b"1", **{key: b"v" * 100_000 for key in kept}}
        resource.prlimit(pid, resource.RLIMIT_FSIZE, old)
        kv.set({"after": b"v" * 100_000})
    assert server.stop() == 0
    server = start(rr, tmp_path / "rr.db")
    with Kv(server, "disk") as kv:
        assert kv.has("before", "after", *kept) == {"before", "after", *kept}


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 3 MB, where this user may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, timeout=30).returncode != 0:
        pytest.skip("no disk can be mounted")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True, timeout=30)


@pytest.mark.parametrize("sync", ["always", "interval"])
def test_a_disk_without_room_is_an_error_and_loses_nothing(small_disk, rr, sync):
    server = start(rr, small_disk / "rr.db", f"sync: {sync}")
    with Kv(server, "disk") as kv:
        kept = []
        with pytest.raises(KvError, match="^rpc_set:\n\tboltdb_driver_set: .*(No space left|disk full)"):
            for number in range(100):
                kv.set({f"k{number}": b"v" * 100_000})
                kept.append(f"k{number}")
        assert len(kept) > 10
        assert kv.get(*kept) == {key: b"v" * 100_000 for key in kept}
    server.kill()
    server = start(rr, small_disk / "rr.db", f"sync: {sync}")
    with Kv(server, "disk") as kv:
        assert kv.get(*kept) == {key: b"v" * 100_000 for key in kept}
        # What was cleared is room again, though the file cannot grow.
        kv.clear()
        kv.set({"more": b"w" * 100_000})
        assert kv.get("more", *kept) == {"more": b"w" * 100_000}
    assert server.stop() == 0


def test_what_ran_out_leaves_the_file(rr, tmp_path):
    server = start(rr, tmp_path / "rr.db")
    with Kv(server, "disk") as kv:
        # Later than the call takes: what has run out before it is written is never there.
        kv.set({f"k{number}": b"v" for number in range(3000)}, after(3))
        kv.set({"stays": b"v"})

        def keys():
            [row] = stat(kv)
            return row["keys"] == 1 and row
        row = eventually(keys, what="the sweep")
        assert row["expired"] == 3000
        assert kv.get("stays") == {"stays": b"v"}


def stat(kv):
    return json.loads(kv.client.call("kv.Stat", b"null").body)


def test_keys_beyond_511_bytes_are_refused(rr, tmp_path):
    server = start(rr, tmp_path / "rr.db")
    with Kv(server, "disk") as kv:
        kv.set({"k" * 511: b"v"})
        with pytest.raises(KvError, match="^rpc_set:\n\tboltdb_driver_set: key too large$"):
            kv.set({"k" * 512: b"v"})
        with pytest.raises(KvError, match="^rpc_set:\n\tboltdb_driver_set: key required$"):
            kv.set({"": b"v"})
