"""The official package kv against the real server, with every driver. By hand: RR_SDK_KV_AUTOLOAD names
its autoload file."""

import contextlib
import os
import subprocess

import pytest

from harness import stores
from harness.rpc import address_of
from harness.server import WORKERS

pytestmark = pytest.mark.skipif("RR_SDK_KV_AUTOLOAD" not in os.environ,
                                reason="RR_SDK_KV_AUTOLOAD is not set")

OPTIONS = {"memory": "{}", "boltdb": "{file: kv.db}", "redis": '{addrs: ["%s"], read_timeout: 20s}',
           "memcached": '{addr: ["%s"], read_timeout: 20s}'}


@pytest.mark.parametrize("listen", ["tcp://127.0.0.1:0", "unix://rpc.sock"])
@pytest.mark.parametrize("driver", OPTIONS)
def test_every_call_of_the_package(rr, driver, listen):
    with contextlib.ExitStack() as stack:
        options = OPTIONS[driver]
        if "%s" in options:
            options %= stack.enter_context(getattr(stores, driver)()).address
        server = rr(f"version: '3'\nrpc: {{listen: '{listen}'}}\n"
                    f"kv: {{cache: {{driver: {driver}, config: {options}}}}}\n")
        where = address_of(server)
        address = f"unix://{where}" if isinstance(where, str) else f"tcp://{where[0]}:{where[1]}"
        done = subprocess.run(["php", WORKERS / "official_kv.php", address, "cache", driver],
                              timeout=60, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
