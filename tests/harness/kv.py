"""kv over RPC, as the official package speaks it: protobuf messages, errors as text.

    with Kv(server, "sessions") as kv:
        kv.set({"a": b"1"}, ttl=60)
        kv.get("a", "b") == {"a": b"1"}
"""

import datetime

from harness.proto import decode, encode
from harness.rpc import ERROR, PROTO, Client, address_of


class KvError(Exception):
    pass


def after(seconds):
    """The end of a key as the package writes it: whole seconds, UTC."""
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return at.strftime("%Y-%m-%dT%H:%M:%S+00:00")


def item(key, value=None, timeout=None):
    fields = [(1, key)]
    fields += [(2, value)] if value is not None else []
    fields += [(3, timeout)] if timeout is not None else []
    return encode(*fields)


def request(storage, *items):
    return encode((1, storage), *[(2, one) for one in items])


class Kv:
    def __init__(self, server, storage, timeout=20.0):
        self.client = Client(address_of(server), timeout=timeout)
        self.storage = storage

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def call(self, method, *items, storage=None):
        """Items of the answer: {key: (value, timeout)}."""
        body = request(self.storage if storage is None else storage, *items)
        reply = self.client.call(f"kv.{method}", body, flags=PROTO)
        if reply.flags & ERROR:
            raise KvError(reply.error)
        assert reply.flags == PROTO
        found = {}
        for one in decode(reply.body).get(1, []):
            fields = decode(one)
            key = fields.get(1, [b""])[0].decode()
            found[key] = (fields.get(2, [b""])[0], fields.get(3, [b""])[0].decode())
        return found

    def set(self, values, timeout=None):
        assert self.call("Set", *[item(key, value, timeout) for key, value in values.items()]) == {}

    def get(self, *keys):
        return {key: value for key, (value, _) in self.call("MGet", *map(item, keys)).items()}

    def has(self, *keys):
        return set(self.call("Has", *map(item, keys)))

    def timeouts(self, *keys):
        return {key: timeout for key, (_, timeout) in self.call("TTL", *map(item, keys)).items()}

    def expire(self, timeout, *keys):
        assert self.call("MExpire", *[item(key, None, timeout) for key in keys]) == {}

    def delete(self, *keys):
        assert self.call("Delete", *map(item, keys)) == {}

    def clear(self):
        assert self.call("Clear") == {}
