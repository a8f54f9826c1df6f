"""The official PHP client, unmodified. By hand: RR_SDK_AUTOLOAD names its autoload file."""

import os
import pathlib
import subprocess

import pytest

from harness.rpc import address_of

pytestmark = pytest.mark.skipif("RR_SDK_AUTOLOAD" not in os.environ,
                                reason="RR_SDK_AUTOLOAD is not set")
SCRIPT = pathlib.Path(__file__).parent / "workers" / "goridge.php"


@pytest.mark.parametrize("listen", ["tcp://127.0.0.1:0", "unix://rr.sock"])
def test_goridge(rr, listen):
    server = rr(f"""
        http: {{address: "127.0.0.1:0", pool: {{num_workers: 2}}}}
        rpc: {{listen: "{listen}"}}
        """)
    address = address_of(server)
    address = f"unix://{address}" if isinstance(address, str) else f"tcp://127.0.0.1:{address[1]}"
    done = subprocess.run(["php", str(SCRIPT), address], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[:6] == [
        "version 2025.1.14", 'list ["http"]', "prefix 2025.1.14",
        "workers 2 pid,status,numExecs,created,memoryUsage,CPUPercent,command,statusStr",
        "config 3", "error Error 'rpc: can't find service nosuch.Foo'"], done.stdout
    assert lines[6:8] == ["error Error 'rpc: can't find method rpc.Foo'", "thousand"]
    assert lines[8:] in ([], ["multi 100"])
