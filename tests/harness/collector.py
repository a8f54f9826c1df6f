"""A collector of traces: takes OTLP over HTTP, as protobuf, and shows the spans.

    with Collector() as collector:
        ... collector.endpoint ...
        span = collector.wait(lambda span: span.name == "/")

Its decoder is its own: the field numbers stand here, not in what it tests.
"""

import gzip
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness.proto import decode


@dataclass
class Span:
    name: str
    trace: str
    id: str
    parent: str
    kind: int
    start: int
    end: int
    state: str
    flags: int
    status: int
    attributes: dict = field(default_factory=dict)
    resource: dict = field(default_factory=dict)
    scope: str = ""


def _text(fields, number):
    return fields.get(number, [b""])[0].decode()


def _attributes(pairs):
    out = {}
    for pair in map(decode, pairs):
        value = decode(pair[2][0])
        out[_text(pair, 1)] = _text(value, 1) if 1 in value else value.get(3, [0])[0]
    return out


def _span(data, resource, scope):
    f = decode(data)
    status = decode(f[15][0]) if 15 in f else {}
    assert len(f[1][0]) == 16 and len(f[2][0]) == 8 and len(f.get(4, [b"8 bytes."])[0]) == 8
    return Span(_text(f, 5), f[1][0].hex(), f[2][0].hex(), f.get(4, [b""])[0].hex(),
                f.get(6, [0])[0], *struct.unpack("<QQ", f[7][0] + f[8][0]), _text(f, 3),
                struct.unpack("<I", f[16][0])[0], status.get(3, [0])[0],
                _attributes(f.get(9, [])), resource, scope)


def spans_of(body):
    """Of an ExportTraceServiceRequest."""
    out = []
    for group in map(decode, decode(body).get(1, [])):
        resource = _attributes(decode(group[1][0]).get(1, []))
        for scoped in map(decode, group[2]):
            scope = _text(decode(scoped[1][0]), 1)
            out += [_span(data, resource, scope) for data in scoped.get(2, [])]
    return out


class Collector:
    """`answers`: (status, headers, body) for the next posts; later ones are taken."""

    def __init__(self, port=0, decoder=spans_of, tls=None):
        self.spans = []
        self.posts = []  # (path, headers)
        self.answers = []
        self._changed = threading.Condition()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                status, headers, answer = collector._take(self.path, self.headers, body, decoder)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        class Listener(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            allow_reuse_address = True

        self._server = Listener(("127.0.0.1", port), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.endpoint = f"127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,),
                                        daemon=True)
        self._thread.start()

    def _take(self, path, headers, body, decoder):
        with self._changed:
            self.posts.append((path, headers))
            answer = self.answers.pop(0) if self.answers else (200, {}, b"")
            if answer[0] == 200:
                self.spans += decoder(body)
            self._changed.notify_all()
            return answer

    def wait(self, wanted, timeout=20.0):
        """The first span for which `wanted` is true."""
        return self.wait_all(wanted, 1, timeout)[0]

    def wait_all(self, wanted, count, timeout=20.0):
        def find():
            return [span for span in self.spans if wanted(span)]
        with self._changed:
            assert self._changed.wait_for(lambda: len(find()) >= count, timeout), self.spans
            return find()

    def wait_posts(self, count, timeout=20.0):
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.posts) >= count, timeout), self.posts
            return self.posts[:count]

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
