"""A chat in Python 3, with nothing but the standard library: what one client says, all others read.

The frames are explained in ../python/README.md; what is new here: an event of the tcp plugin may be
answered once, several times or not at all. Behind each event stands a CONTROL frame with the server's
pid, and answering that one says: this event is over.
"""

import base64
import json
import os
import socket
import struct
import sys
import zlib

CONTROL, JSON, ERROR = 0x01, 0x08, 0x40  # flags
STOP, PONG = 0x02, 0x08  # stream flags
ROOM = "chat"


def frame(flags, payload, options=()):
    head = struct.pack("<BBI", 0x13 + len(options), flags, len(payload))
    head += struct.pack("<IBx", zlib.crc32(head), 0)
    return head + struct.pack("<%dI" % len(options), *options) + payload


def read_frame(file):
    """(flags, stream flags, options, payload); None at the end."""
    head = file.read(12)
    if len(head) < 12:
        return None
    words, flags, length, crc, stream = struct.unpack("<BBIIBx", head)
    if crc != zlib.crc32(head[:6]):
        raise ValueError("bytes that are no frame: %r" % head)
    count = (words & 0x0F) - 3
    options = struct.unpack("<%dI" % count, file.read(4 * count))
    return flags, stream, options, file.read(length)


class Worker:
    """Waits for events, and answers those that want an answer."""

    def __init__(self):
        self.reader = os.fdopen(os.dup(0), "rb")
        self.writer = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)  # print() ends on stderr, which the server logs

    def send(self, flags, payload, options=()):
        self.writer.write(frame(flags, payload, options))
        self.writer.flush()

    def events(self):
        while (got := read_frame(self.reader)) is not None:
            flags, stream, options, payload = got
            if flags & CONTROL:
                if json.loads(payload).get("stop"):
                    return
                # The handshake, and the end of each event.
                self.send(CONTROL, json.dumps({"pid": os.getpid()}).encode())
            elif not stream & (STOP | PONG):
                event = json.loads(payload[: options[0]])
                event["body"] = payload[options[0]:]
                yield event

    def reply(self, verb, body=b""):
        """WRITE, WRITECLOSE, CLOSE or CONTINUE."""
        self.send(0, verb.encode() + body, (len(verb),))

    def error(self, text):
        """The connection is closed and the server logs the text; the worker stays in service."""
        self.send(ERROR, text.encode())


class Rpc:
    """Calls of the server: a frame with the number of the call and the length of the method."""

    def __init__(self, address):
        kind, _, place = address.partition("://")
        if kind == "unix":
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(place)
        else:
            host, _, port = place.rpartition(":")
            self.socket = socket.create_connection((host or "127.0.0.1", int(port)))
        self.reader = self.socket.makefile("rb")
        self.number = 0

    def call(self, method, argument):
        self.number += 1
        payload = method.encode() + json.dumps(argument).encode()
        self.socket.sendall(frame(JSON, payload, (self.number, len(method))))
        flags, _, options, answer = read_frame(self.reader)
        answer = answer[options[1]:]
        if flags & ERROR:
            raise RuntimeError(answer.decode())
        return json.loads(answer)


def tell_others(rpc, event, text):
    line = base64.b64encode(text.encode(errors="replace") + b"\n").decode()
    for client in rpc.call("tcp.List", {"server": ROOM}):
        if client["uuid"] != event["uuid"]:
            try:
                rpc.call("tcp.Write", {"uuid": client["uuid"], "data_b64": line})
            except RuntimeError:
                pass  # has left meanwhile, or does not read


def handle(worker, rpc, event):
    who = event["remote_addr"]
    if event["event"] == "CONNECTED":
        tell_others(rpc, event, f"* {who} joined")
        worker.reply("WRITE", b"* welcome; /who lists who is here, /quit leaves\n")
    elif event["event"] == "CLOSE":
        tell_others(rpc, event, f"* {who} left")
    elif event["event"] == "DATA":
        line = event["body"].decode(errors="replace").rstrip("\r\n")
        if line == "/quit":
            worker.reply("WRITECLOSE", b"* bye\n")
        elif line == "/who":
            names = [client["remote_addr"] for client in rpc.call("tcp.List", {"server": ROOM})]
            worker.reply("WRITE", f"* {', '.join(names)}\n".encode())
        else:
            tell_others(rpc, event, f"<{who}> {line}")


def main():
    worker = Worker()
    rpc = Rpc(os.environ["RR_RPC"])
    for event in worker.events():
        try:
            handle(worker, rpc, event)
        except Exception as error:  # one event may fail, the worker goes on
            print("event failed: %r" % error, file=sys.stderr, flush=True)
            worker.error(repr(error))


if __name__ == "__main__":
    main()
