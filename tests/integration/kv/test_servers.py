"""The drivers redis and memcached over RPC, with servers that are started, paused and killed."""

import time

import pytest

from harness import stores
from harness.kv import Kv, KvError, after
from harness.process import eventually

CONFIG = """\
version: "3"
rpc: {listen: "tcp://127.0.0.1:0"}
kv:
  redis: {driver: redis, config: {addrs: ["%s"], read_timeout: %s}}
  memcached: {driver: memcached, config: {addr: ["%s"], read_timeout: %s}}
"""
DRIVERS = ["redis", "memcached"]


@pytest.fixture
def servers():
    with stores.redis() as redis, stores.memcached() as memcached:
        yield {"redis": redis, "memcached": memcached}


def start(rr, servers, limit="20s"):
    return rr(CONFIG % (servers["redis"].address, limit, servers["memcached"].address, limit))


def taken(kv):
    try:
        kv.set({"a": b"2"})
    except KvError:
        return False
    return True


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_method(rr, servers, driver):
    with Kv(start(rr, servers), driver) as kv:
        kv.clear()
        values = {"a": b"1", "b": bytes(range(256)), "empty": b"", "large": b"x" * 500_000}
        kv.set(values)
        assert kv.get("a", "b", "empty", "large", "none") == values
        assert kv.has("a", "none") == {"a"}
        kv.delete("a", "none")
        assert kv.has("a") == set()
        kv.set({"ends": b"1"}, after(2))
        kv.expire(after(3600), "b", "none")
        assert kv.get("b") == {"b": bytes(range(256))}
        eventually(lambda: kv.get("ends") == {}, what="the end of the key")
        kv.set({"past": b"1"}, after(-5))
        assert kv.get("past") == {}
        kv.clear()
        assert kv.has("b", "empty", "large") == set()


def test_redis_tells_ends_in_utc(rr, servers):
    with Kv(start(rr, servers), "redis") as kv:
        text = after(3600)
        kv.set({"ends": b"1"}, text)
        kv.set({"endless": b"1"})
        assert kv.timeouts("ends", "endless", "none") == {"ends": text}


def test_memcached_has_no_ttl_and_says_so_in_roadrunners_words(rr, servers):
    with Kv(start(rr, servers), "memcached") as kv, pytest.raises(KvError) as error:
        kv.timeouts("a")
    assert str(error.value).startswith(
        "rpc_ttl:\n\tmemcached_plugin_ttl: not valid request for memcached, see ")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_that_is_down_is_an_error_and_serves_again(rr, servers, driver):
    store = servers[driver]
    server = start(rr, servers)
    with Kv(server, driver) as kv:
        kv.set({"a": b"1"})
        store.kill()
        with pytest.raises(KvError) as error:
            kv.get("a")
        assert str(error.value) == (f"rpc_mget:\n\t{driver}_plugin_mget: tcp://{store.address}: "
                                    "connect: connection refused")
        server.log.wait(f"{driver} does not answer")
        store.start()
        eventually(lambda: taken(kv), what=f"{driver} to serve again")
        assert kv.get("a") == {"a": b"2"}
        server.log.wait(f"{driver} answers again")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_that_hangs_is_an_error_within_read_timeout(rr, servers, driver):
    store = servers[driver]
    with Kv(start(rr, servers, "300ms"), driver) as kv:
        eventually(lambda: taken(kv), what="the first answer")
        store.pause()
        try:
            begun = time.monotonic()
            with pytest.raises(KvError) as error:
                kv.get("a")
            # The client's own limit is 20 s; the machine may be slow.
            assert time.monotonic() - begun < 15
        finally:
            store.go_on()
        assert str(error.value).endswith(f"tcp://{store.address}: no answer in time")
        eventually(lambda: taken(kv), what="the server to go on")


def test_the_server_starts_and_stops_without_them(rr):
    nowhere = f"127.0.0.1:{stores.free_port()}"
    server = rr(CONFIG % (nowhere, "1s", nowhere, "1s"))
    with Kv(server, "redis") as kv, pytest.raises(KvError):
        kv.get("a")
    assert server.stop() == 0
