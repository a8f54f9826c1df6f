"""Scripted workers: the test gives the bytes, conformance/worker.py writes them.

`frame` and `reply` build Goridge v3 frames, wrong where the test wants them so.
"""

import base64
import struct
import zlib

from harness.server import ROOT

WORKER = ROOT / "tests" / "conformance" / "worker.py"


def frame(payload, flags=0, options=(), stream=0, reserved=0, version=1, words=None):
    """A Goridge v3 frame, wrong where the test wants it so."""
    head = struct.pack("<BBI", version << 4 | (3 + len(options) if words is None else words),
                       flags, len(payload))
    return (head + struct.pack("<I", zlib.crc32(head)) + bytes([stream, reserved])
            + struct.pack(f"<{len(options)}I", *options) + payload)


def reply(context, body=b"", flags=8, **named):
    """An answer: one option, the length of the context."""
    if isinstance(context, str):
        context = context.encode()
    return frame(context + body, flags, [len(context)], **named)


def answer_headers(data, split=0, await_frames=0, then=b""):
    headers = [("X-Answer", base64.b64encode(data).decode())]
    if split:
        headers.append(("X-Split", str(split)))
    if await_frames:
        headers += [("X-Await", str(await_frames)), ("X-Then", base64.b64encode(then).decode())]
    return headers


def configuration(pool="num_workers: 1", http=""):
    return f"""
        version: "3"
        server: {{command: "python3 {WORKER}"}}
        http:
          address: "127.0.0.1:0"
          pool: {{{pool}}}
          {http}
        """
