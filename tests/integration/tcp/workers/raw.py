"""A tcp worker by hand, which keeps every byte that the server sends.

Each frame is appended to the file TCP_FRAMES: a line of JSON, `frame` its head and options in hex,
`payload` in base64, `pid` ours. A DATA event whose message is

    X base64           gets exactly these bytes as its reply
    F base64           the same; then the end of this script
    L name base64      gets WRITE `ok` CR LF; the bytes follow when the gate GATE_DIR/name.open is
                       there, whatever the worker does then; name.sent appears afterwards
    anything else      gets it back

CONNECTED and CLOSE get CONTINUE. A second option (the number of a request) is repeated where the
handshake offered it: TCP_NUMBERED=1.
"""

import base64
import json
import os
import pathlib
import struct
import sys
import threading
import time
import zlib

OFFERED = os.environ.get("TCP_NUMBERED") == "1"
FRAMES = open(os.environ["TCP_FRAMES"], "a", buffering=1, encoding="ascii")


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
    options = read(4 * ((head[0] & 15) - 3))
    payload = read(struct.unpack("<I", head[2:6])[0])
    FRAMES.write(json.dumps({"frame": (head + options).hex(), "pid": os.getpid(),
                             "payload": base64.b64encode(payload).decode()}) + "\n")
    return head, struct.unpack(f"<{len(options) // 4}I", options), payload


def write(data):
    while data:
        data = data[os.write(1, data):]


def frame(payload, flags, options=()):
    head = struct.pack("<BBI", 0x10 | (3 + len(options)), flags, len(payload))
    return (head + struct.pack("<I", zlib.crc32(head)) + b"\0\0"
            + struct.pack(f"<{len(options)}I", *options) + payload)


def reply(verb, body, options):
    write(frame(verb + body, 0, [len(verb), *options[1:]]))


def send_late(name, data):
    gate = pathlib.Path(os.environ["GATE_DIR"])
    while not (gate / f"{name}.open").exists():
        time.sleep(0.002)
    write(data)
    (gate / f"{name}.sent").touch()


while True:
    head, options, payload = read_frame()
    if head[1] & 1:
        command = json.loads(payload)
        if command.get("stop"):
            break
        offer = b',"rr":1' if OFFERED and command.get("rr") == 1 else b""
        write(frame(b'{"pid":%d%s}' % (os.getpid(), offer), 1))
        continue
    body = payload[options[0]:]
    words = body.split()
    if json.loads(payload[:options[0]])["event"] != "DATA":
        reply(b"CONTINUE", b"", options)
    elif words and words[0] in (b"X", b"F"):
        write(base64.b64decode(words[1]))
        if words[0] == b"F":
            break
    elif words and words[0] == b"L":
        reply(b"WRITE", b"ok\r\n", options)
        threading.Thread(target=send_late, args=(words[1].decode(), base64.b64decode(words[2])),
                         daemon=True).start()
    else:
        reply(b"WRITE", body, options)
