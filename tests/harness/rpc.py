"""RPC on raw sockets, in both dialects: every byte is the test's own.

    with Client(address) as client:
        client.call("rpc.Version", b"true").body
"""

import re
import struct
import zlib
from dataclasses import dataclass

from harness.client import RawConnection

RAW, JSON, MSGPACK, GOB, ERROR, PROTO = 0x04, 0x08, 0x10, 0x20, 0x40, 0x80


def address_of(server):
    """Where the rpc plugin listens, from the start banner."""
    where = server.log.wait(r"^  rpc    (?:tcp|unix)://(.*)$").group(1)
    if where.startswith(("/", ".")) or ":" not in where:
        return str(server.directory / where)
    host, _, port = where.rpartition(":")
    return ("127.0.0.1" if host == "0.0.0.0" else host, int(port))


def frame(name, body=b"", sequence=1, flags=JSON, options=None, length=None):
    """A request; `options` and `length` make it wrong where the test wants that."""
    name = name.encode()
    options = [sequence, len(name)] if options is None else options
    size = len(name) + len(body) if length is None else length
    head = struct.pack("<BBI", 0x10 | 3 + len(options), flags, size)
    return (head + struct.pack("<I", zlib.crc32(head)) + b"\0\0"
            + struct.pack(f"<{len(options)}I", *options) + name + body)


def message(payload, flags):
    """One v2 message."""
    return struct.pack("<BQ", flags, len(payload)) + struct.pack(">Q", len(payload)) + payload


def frame_v2(name, body=b"", sequence=0, flags=0):
    return (message(name.encode() + struct.pack("<Q", sequence), 0x14) + message(body, flags))


@dataclass
class Reply:
    flags: int
    sequence: int
    name: str
    body: bytes
    raw: bytes

    @property
    def error(self):
        return self.body.decode() if self.flags & ERROR else None


class Client(RawConnection):
    def read_reply(self):
        head = self._exactly(12)
        assert head[0] == 0x15, head
        assert struct.unpack("<I", head[6:10])[0] == zlib.crc32(head[:6])
        assert head[10:] == b"\0\0"
        size = struct.unpack("<I", head[2:6])[0]
        options = self._exactly(8)
        sequence, length = struct.unpack("<II", options)
        payload = self._exactly(size)
        return Reply(head[1], sequence, payload[:length].decode(), payload[length:],
                     head + options + payload)

    def read_message(self):
        """One v2 message: flags and payload."""
        head = self._exactly(17)
        size = struct.unpack("<Q", head[1:9])[0]
        assert struct.unpack(">Q", head[9:])[0] == size
        return head[0], self._exactly(size)

    def call(self, name, body=b"", sequence=1, flags=JSON):
        self.send(frame(name, body, sequence, flags))
        reply = self.read_reply()
        assert (reply.sequence, reply.name) == (sequence, name)
        return reply

    def call_v2(self, name, body=b"", sequence=0, flags=0):
        self.send(frame_v2(name, body, sequence, flags))
        assert self.read_message() == (0x14, name.encode() + struct.pack("<Q", sequence))
        return self.read_message()


def parse_hex(text):
    """Lines `>> hex` and `<< hex` of a capture as (direction, bytes); comments after two blanks."""
    lines = []
    for line in text.strip().splitlines():
        mark, _, rest = line.strip().partition(" ")
        digits = re.match(r"((?:[0-9a-f]{2})+(?: |$))+", rest)
        lines.append((mark, bytes.fromhex(digits.group(0))))
    return lines
