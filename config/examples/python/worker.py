"""A worker for rr in Python 3, with nothing but the standard library.

The server starts this program and speaks Goridge v3 over its stdin and stdout. Everything a worker
has to know is in this file; see README.md for the frame as a picture.
"""

import json
import os
import struct
import sys
import zlib
from urllib.parse import parse_qs, urlsplit

CONTROL, JSON, ERROR = 0x01, 0x08, 0x40  # flags
STREAM, STOP, PONG = 0x01, 0x02, 0x08  # stream flags


class Relay:
    """The pipes to the server, kept out of reach of print() and of child processes."""

    def __init__(self):
        self.reader = os.fdopen(os.dup(0), "rb")
        self.writer = os.fdopen(os.dup(1), "wb", buffering=0)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        os.dup2(2, 1)  # print() now ends on stderr, which the server logs

    def receive(self):
        """The next frame: (flags, stream flags, options, payload); None when the server is gone."""
        head = self.reader.read(12)
        if len(head) < 12:
            return None
        words, flags, length, crc, stream = struct.unpack("<BBIIBx", head)
        if crc != zlib.crc32(head[:6]):
            raise ValueError("bytes that are no frame: %r" % head)
        count = (words & 0x0F) - 3
        options = struct.unpack("<%dI" % count, self.reader.read(4 * count))
        payload = self.reader.read(length)
        return (flags, stream, options, payload) if len(payload) == length else None

    def send(self, flags, payload, options=(), stream=0):
        head = struct.pack("<BBI", 0x13 + len(options), flags, len(payload))
        head += struct.pack("<IBx", zlib.crc32(head), stream)
        data = memoryview(head + struct.pack("<%dI" % len(options), *options) + payload)
        while data:
            data = data[self.writer.write(data):]


class Worker:
    """Waits for requests and answers each."""

    def __init__(self):
        self.relay = Relay()
        self.number = ()  # the request's number, where the server gave one

    def requests(self):
        """Yields (context, body) of each request until the server says stop."""
        while (frame := self.relay.receive()) is not None:
            flags, stream, options, payload = frame
            if flags & CONTROL:
                command = json.loads(payload)
                if command.get("stop"):
                    return
                # The handshake. "rr": 1 tells our server that we repeat request numbers, so it
                # may send a request ahead; RoadRunner does not ask and gets the pid alone.
                answer = {"pid": os.getpid()}
                if command.get("rr") == 1:
                    answer["rr"] = 1
                self.relay.send(CONTROL, json.dumps(answer).encode())
            elif not stream & (STOP | PONG):
                self.number = options[1:2]
                yield json.loads(payload[: options[0]]), payload[options[0]:]

    def respond(self, status, headers, body, more=False):
        """Answers the request; with more=True, further calls continue the same answer.

        (A worker that streams should also look for STOP between two parts; this one is simple.)
        """
        context = json.dumps({"status": status, "headers": headers}).encode()
        options = (len(context),) + tuple(self.number)
        self.relay.send(JSON, context + body, options, STREAM if more else 0)

    def error(self, text):
        """The server answers 500 and logs the text; the worker stays in service."""
        options = (0,) + tuple(self.number) if self.number else ()
        self.relay.send(ERROR, text.encode(), options)


def main():
    worker = Worker()
    served = 0
    for request, body in worker.requests():
        served += 1
        try:
            url = urlsplit(request["uri"])
            if url.path == "/error":
                raise RuntimeError("an error on purpose")
            answer = {
                "language": "Python " + sys.version.split()[0],
                "pid": os.getpid(),
                "served": served,
                "method": request["method"],
                "path": url.path,
                "query": parse_qs(request["rawQuery"]),
                "headers": request["headers"],
                "bodyLength": len(body),
            }
            text = json.dumps(answer, indent=2).encode() + b"\n"
            worker.respond(200, {"Content-Type": ["application/json"]}, text)
        except Exception as error:  # one request may fail, the worker goes on
            print("request failed: %r" % error, file=sys.stderr, flush=True)
            worker.error(repr(error))


if __name__ == "__main__":
    main()
