"""Commands of rr that talk to a running server."""

import json
import os
import subprocess
from dataclasses import dataclass

from harness.server import binary


@dataclass
class Done:
    code: int
    out: str
    err: str

    def json(self):
        return json.loads(self.out)


def run(*args, cwd=None, env=None, timeout=60):
    done = subprocess.run([binary(), *map(str, args)], cwd=cwd, timeout=timeout,
                          env={**os.environ, "NO_COLOR": "1", **(env or {})},
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return Done(done.returncode, done.stdout, done.stderr)


def rpc(server):
    """The arguments that lead a command to this server."""
    address = server.log.wait(r"^  rpc    (\S+)").group(1)
    if address.startswith("unix://") and not address.startswith("unix:///"):
        address = f"unix://{server.directory / address[7:]}"
    return ["--rpc", address]
