"""HTTP/1.1 on raw sockets: every byte is the test's own, every answer is read by framing."""

import socket
from dataclasses import dataclass, field


class ClosedEarly(AssertionError):
    """The connection ended before the answer was complete; `.data` is what had come."""

    def __init__(self, data):
        super().__init__(f"connection closed after {data!r}")
        self.data = data


@dataclass
class Response:
    status: int
    reason: str
    headers: list  # of (name, value), as they came
    body: bytes = b""
    raw_head: bytes = b""
    chunks: list = field(default_factory=list)
    trailers: list = field(default_factory=list)
    version: str = "HTTP/1.1"

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default

    def json(self):
        import json
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")


class RawConnection:
    """A client socket. Everything times out; nothing is sent that was not asked for."""

    def __init__(self, address, timeout=10.0):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        if family == socket.AF_INET:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def abort(self):
        """Ends the connection with a reset instead of a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def finish_sending(self):
        self.socket.shutdown(socket.SHUT_WR)

    def send(self, data):
        self.socket.sendall(data)
        return self

    def receive(self, size=65536):
        """Some bytes, b"" at the end of the stream (a reset counts as one)."""
        if self.buffer:
            data, self.buffer = self.buffer[:size], self.buffer[size:]
            return data
        try:
            data = self.socket.recv(size)
        except ConnectionError:
            data = b""
        self.ended = self.ended or not data
        return data

    def _fill(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.ended = True
            raise ClosedEarly(self.buffer)
        self.buffer += data

    def _until(self, mark):
        while mark not in self.buffer:
            self._fill()
        line, _, self.buffer = self.buffer.partition(mark)
        return line

    def _exactly(self, size):
        parts = [self.buffer]  # joined once: a body may have many megabytes
        have = len(self.buffer)
        self.buffer = b""
        try:
            while have < size:
                self._fill()
                parts.append(self.buffer)
                have += len(self.buffer)
                self.buffer = b""
        except ClosedEarly as early:
            self.buffer = b"".join(parts)
            raise ClosedEarly(self.buffer) from early
        whole = b"".join(parts)
        data, self.buffer = whole[:size], whole[size:]
        return data

    def read_to_end(self):
        """Everything up to the end of the stream."""
        try:
            while True:
                self._fill()
        except ClosedEarly:
            data, self.buffer = self.buffer, b""
            return data

    def read_head(self):
        raw = self._until(b"\r\n\r\n") + b"\r\n\r\n"
        lines = raw[:-4].decode("latin-1").split("\r\n")
        version, _, rest = lines[0].partition(" ")
        status, _, reason = rest.partition(" ")
        headers = []
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers.append((name, value.strip(" \t")))
        return Response(int(status), reason, headers, raw_head=raw, version=version)

    def read_chunk(self):
        """The next chunk of a chunked body, b"" for the last one (trailers not yet read)."""
        size = int(self._until(b"\r\n").split(b";")[0], 16)
        if size == 0:
            return b""
        data = self._exactly(size)
        assert self._exactly(2) == b"\r\n"
        return data

    def read_body(self, response, head=False):
        if head or response.status in (204, 304) or 100 <= response.status < 200:
            return response
        if response.header("Transfer-Encoding", "").lower() == "chunked":
            while chunk := self.read_chunk():
                response.chunks.append(chunk)
            response.body = b"".join(response.chunks)
            while line := self._until(b"\r\n"):
                name, _, value = line.decode("latin-1").partition(":")
                response.trailers.append((name, value.strip(" \t")))
        elif (length := response.header("Content-Length")) is not None:
            response.body = self._exactly(int(length))
        else:
            response.body = self.read_to_end()
        return response

    def read_response(self, head=False, informational=False):
        """The next whole answer. 1xx answers are skipped unless asked for."""
        while True:
            response = self.read_head()
            if informational or response.status >= 200 or response.status == 101:
                return self.read_body(response, head)

    def closed_by_peer(self):
        """Waits for the server's end of the connection; True if nothing else came before it."""
        return not self.buffer and self.receive() == b""


def request_bytes(method, target, headers=(), body=b"", host="localhost", version="HTTP/1.1"):
    """A plain request. Content-Length is added when there is a body and no framing header."""
    pairs = list(headers.items()) if isinstance(headers, dict) else list(headers)
    names = {name.lower() for name, _ in pairs}
    if host is not None and "host" not in names:
        pairs.insert(0, ("Host", host))
    if body and not names & {"content-length", "transfer-encoding"}:
        pairs.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} {version}"] + [f"{name}: {value}" for name, value in pairs]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
