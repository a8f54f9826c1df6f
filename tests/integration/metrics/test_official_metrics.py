"""The official PHP package against the real server. By hand: RR_SDK_METRICS_AUTOLOAD names its
autoload file."""

import os
import pathlib
import subprocess

import pytest

from harness.control import Pages
from harness.rpc import address_of

pytestmark = pytest.mark.skipif("RR_SDK_METRICS_AUTOLOAD" not in os.environ,
                                reason="RR_SDK_METRICS_AUTOLOAD is not set")
SCRIPT = pathlib.Path(__file__).parent / "official_metrics.php"

EXPECTED = """\
# HELP level A level
# TYPE level gauge
level 9.5
# HELP shop_web_orders Orders taken
# TYPE shop_web_orders counter
shop_web_orders{country="de",kind="new"} 2.5
# TYPE size histogram
size_count{unit="kg"} 1
size_sum{unit="kg"} 2
size_bucket{unit="kg",le="1"} 0
size_bucket{unit="kg",le="2.5"} 1
size_bucket{unit="kg",le="10"} 1
size_bucket{unit="kg",le="+Inf"} 1
# TYPE took summary
took_count 1
took_sum 0.25
"""


@pytest.mark.parametrize("listen", ["tcp://127.0.0.1:0", "unix://rpc.sock"])
def test_every_call_of_the_package(rr, listen):
    server = rr(f"rpc: {{listen: '{listen}'}}\nmetrics: {{address: '127.0.0.1:0', collect: {{"
                "configured: {type: counter, labels: [a]}}}\n")
    where = address_of(server)
    address = f"unix://{where}" if isinstance(where, str) else f"tcp://{where[0]}:{where[1]}"
    done = subprocess.run(["php", SCRIPT, address], timeout=60, capture_output=True,
                          text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
    text = Pages(server, "metrics").get("/metrics").text
    ours = [line for line in text.splitlines(True) if "process_" not in line]
    assert 'configured{a="x"} 1\n' in ours
    assert "".join(line for line in ours if "configured" not in line) == EXPECTED
