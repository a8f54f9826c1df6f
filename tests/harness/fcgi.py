"""A FastCGI gateway on a raw socket: every record is the test's own."""

import struct
from dataclasses import dataclass, field

from harness.client import RawConnection

BEGIN, ABORT, END, PARAMS, STDIN, STDOUT = 1, 2, 3, 4, 5, 6
GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = 9, 10, 11
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
COMPLETE, CANT_MULTIPLEX, OVERLOADED, UNKNOWN_ROLE = 0, 1, 2, 3


def record(kind, request=1, content=b"", padding=0, version=1):
    return struct.pack(">BBHHBB", version, kind, request, len(content), padding, 0) + content + (
        b"\xaa" * padding)


def begin(request=1, role=RESPONDER, keep=True):
    return record(BEGIN, request, struct.pack(">HB5x", role, int(keep)))


def _length(size):
    return bytes([size]) if size < 128 else struct.pack(">I", size | 1 << 31)


def pairs(items):
    out = b""
    for name, value in items:
        name, value = (each.encode() if isinstance(each, str) else each for each in (name, value))
        out += _length(len(name)) + _length(len(value)) + name + value
    return out


def read_pairs(data):
    found = []
    while data:
        sizes = []
        for _ in range(2):
            if data[0] < 128:
                sizes.append(data[0])
                data = data[1:]
            else:
                sizes.append(struct.unpack(">I", data[:4])[0] & 0x7fffffff)
                data = data[4:]
        name, data = data[:sizes[0]], data[sizes[0]:]
        value, data = data[:sizes[1]], data[sizes[1]:]
        found.append((name.decode(), value.decode()))
    return found


def stream(kind, request, data, size=65535, padding=0):
    """A whole stream of a request with its end."""
    out = b""
    for at in range(0, len(data), size):
        out += record(kind, request, data[at:at + size], padding)
    return out + record(kind, request)


def params(target="/", method="GET", body=None, more=(), host="site.test"):
    items = [("REQUEST_METHOD", method), ("REQUEST_URI", target), ("HTTP_HOST", host),
             ("SERVER_PROTOCOL", "HTTP/1.1"), ("REMOTE_ADDR", "192.0.2.7"), ("REMOTE_PORT", "4711"),
             ("CONTENT_LENGTH", str(len(body)) if body is not None else "")]
    return items + list(more)


def request_records(target="/", method="GET", body=None, more=(), request=1, keep=True, **named):
    return (begin(request, keep=keep) +
            stream(PARAMS, request, pairs(params(target, method, body, more, **named))) +
            stream(STDIN, request, body or b""))


@dataclass
class Answer:
    status: int = 0
    headers: list = field(default_factory=list)
    body: bytes = b""
    end: int = None  # protocolStatus of END_REQUEST; None: the connection ended without one
    raw: bytes = b""

    def header(self, name, default=None):
        return next((value for key, value in self.headers if key.lower() == name.lower()), default)

    def parse(self):
        if self.raw:
            head, _, self.body = self.raw.partition(b"\r\n\r\n")
            for line in head.decode("latin-1").split("\r\n"):
                name, _, value = line.partition(": ")
                self.headers.append((name, value))
            assert self.headers[0][0] == "Status", head
            self.status = int(self.headers[0][1][:3])
        return self


class Gateway(RawConnection):
    def read_record(self):
        """(type, request, content)"""
        version, kind, request, size, padding, _ = struct.unpack(">BBHHBB", self._exactly(8))
        assert version == 1
        content = self._exactly(size)
        self._exactly(padding)
        return kind, request, content

    def read_answer(self, request=1):
        answer = Answer()
        while True:
            kind, of, content = self.read_record()
            assert of == request, (kind, of)
            if kind == STDOUT:
                answer.raw += content
            else:
                assert kind == END, kind
                answer.end = content[4]
                return answer.parse()

    def ask(self, target="/", method="GET", body=None, **named):
        self.send(request_records(target, method, body, **named))
        return self.read_answer(named.get("request", 1))
