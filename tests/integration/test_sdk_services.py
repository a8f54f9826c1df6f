"""The official packages lock, services and app-logger against the real server. By hand:
RR_SDK_SERVICES_AUTOLOAD names their autoload file."""

import os
import subprocess

import pytest

from harness.rpc import address_of
from harness.server import WORKERS

pytestmark = pytest.mark.skipif("RR_SDK_SERVICES_AUTOLOAD" not in os.environ,
                                reason="RR_SDK_SERVICES_AUTOLOAD is not set")


@pytest.mark.parametrize("listen", ["tcp://127.0.0.1:0", "unix://rpc.sock"])
def test_every_call_of_the_packages(rr, listen):
    server = rr(f"version: '3'\nrpc: {{listen: '{listen}'}}\nservice: {{}}\n")
    where = address_of(server)
    address = f"unix://{where}" if isinstance(where, str) else f"tcp://{where[0]}:{where[1]}"
    done = subprocess.run(["php", WORKERS / "official_services.php", address], timeout=60,
                          capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
    for level, word in (("ERROR", "error"), ("WARN", "warning"), ("INFO", "info"),
                        ("DEBUG", "debug")):
        server.log.wait(rf"\t{level}\tapp {{9}}\t{word} alone$")
        server.log.wait(rf'\t{level}\tapp {{9}}\t{word} with\t'
                        r'{"text": "a b", "number": "5", "list": "\[1,\\"x\\"\]"}$')
    server.log.wait(r"^log alone$")
    server.log.wait(r'^log with text:a b,number:5,list:\[1,"x"\]$')
