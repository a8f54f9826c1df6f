"""A worker for the conformance tests: Goridge v3 by hand, every byte under the test's control.

A request with the header X-Answer is answered with exactly those bytes (base64). X-Split: n writes
them n bytes at a time. X-Await: n then waits for n further frames of the server, whose bytes are
appended to the file `received`. Any other request is answered with what its frame held, as JSON.

HANDSHAKE (base64) replaces the answer to the pid request.
"""

import base64
import json
import os
import struct
import sys
import zlib


def read(size):
    data = b""
    while len(data) < size:
        piece = os.read(0, size - len(data))
        if not piece:
            sys.exit(0)
        data += piece
    return data


def read_frame():
    head = read(12)
    words = (head[0] & 15) - 3
    options = read(4 * words) if words > 0 else b""
    size, = struct.unpack("<I", head[2:6])
    return head, struct.unpack(f"<{words}I", options), read(size), head + options


def write(data, split=0):
    step = split or len(data) or 1
    for at in range(0, len(data), step):
        piece = data[at:at + step]
        while piece:
            piece = piece[os.write(1, piece):]


def frame(payload, flags, options=()):
    head = struct.pack("<BBI", 0x10 | (3 + len(options)), flags, len(payload))
    return (head + struct.pack("<I", zlib.crc32(head)) + b"\0\0"
            + struct.pack(f"<{len(options)}I", *options) + payload)


def header(context, name):
    return context["headers"].get(name, [""])[0]


def answer(head, options, payload):
    raw, body = payload[:options[0]], payload[options[0]:]
    try:
        context = json.loads(raw)
    except ValueError:
        context = {"headers": {}, "undecoded": base64.b64encode(raw).decode()}
    given = header(context, "X-Answer")
    if given:
        write(base64.b64decode(given), int(header(context, "X-Split") or 0))
        for _ in range(int(header(context, "X-Await") or 0)):
            _, _, tail, start = read_frame()
            with open("received", "ab") as file:
                file.write(start + tail)
        write(base64.b64decode(header(context, "X-Then")))
        return
    seen = {"context": context, "raw": base64.b64encode(raw).decode(),
            "body": base64.b64encode(body).decode(), "head": head.hex(), "options": options}
    reply = b'{"status":200,"headers":{"Content-Type":["application/json"]}}'
    write(frame(reply + json.dumps(seen).encode(), 8, [len(reply)]))


while True:
    head, options, payload, _ = read_frame()
    if head[1] & 1:
        command = json.loads(payload)
        if command.get("stop"):
            break
        handshake = os.environ.get("HANDSHAKE")
        write(base64.b64decode(handshake) if handshake
              else frame(b'{"pid":%d}' % os.getpid(), 1))
    elif options:
        answer(head, options, payload)
