"""Fixtures of the tests that run the real binary.

    def test_hello(rr):
        server = rr("http: {address: 127.0.0.1:0, pool: {num_workers: 1}}")
        assert server.get("/pid").status == 200

`rr(yaml, worker="echo.php", env={}, files={}, args=[], overrides=[], expect_fail=False)` starts
`rr serve` on the text (harness/server.py) and returns when it is ready, or has failed where that
was expected. RR_BINARY names another binary, for instance a sanitizer build.
"""

import os
import signal

import pytest

from harness.gate import Gate
from harness.server import NotifySocket, Server, binary, is_sanitized


def pytest_collection_modifyitems(items):
    if not os.path.exists(binary()):
        raise pytest.UsageError(f"there is no binary at {binary()}; build it or set RR_BINARY")
    if is_sanitized():
        skip = pytest.mark.skip(reason="a sanitizer build has its own memory")
        for item in items:
            if "exact_memory" in item.keywords:
                item.add_marker(skip)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    setattr(item, f"report_{report.when}", report)


@pytest.fixture(autouse=True)
def _time_limit(request):
    """No test hangs: a minute and a half is more than the longest needs, sanitizers included."""
    def expire(*_):
        raise AssertionError("the test ran for 90 s")
    previous = signal.signal(signal.SIGALRM, expire)
    signal.alarm(90)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


class Starter:
    """Starts servers and closes them all; `rr` and `rr_module` are its two lifetimes."""

    def __init__(self, place):
        self.place = place
        self.servers = []

    def __call__(self, yaml, *, expect_fail=False, ready=True, timeout=30.0, directory=None,
                 **named):
        place = directory or self.place / f"rr{len(self.servers)}"
        place.mkdir(parents=True, exist_ok=True)
        server = Server(place, yaml, **named)
        self.servers.append(server)
        if expect_fail:
            server.wait(timeout)
        elif ready:
            server.wait_ready(timeout)
        return server

    def close(self, tell):
        for server in reversed(self.servers):
            server.close()
        problems = [problem for server in self.servers for problem in server.problems]
        if problems or tell():
            for server in self.servers:
                print(server.describe())
        if problems:
            pytest.fail("; ".join(problems))


@pytest.fixture
def rr(request, tmp_path):
    starter = Starter(tmp_path)
    yield starter
    report = getattr(request.node, "report_call", None)
    starter.close(lambda: report is None or report.failed)


@pytest.fixture(scope="module")
def rr_module(request, tmp_path_factory):
    """As rr, for the tests of a file that only ask and leave the server as it was."""
    starter = Starter(tmp_path_factory.mktemp("module"))
    failed = request.session.testsfailed
    yield starter
    starter.close(lambda: request.session.testsfailed > failed)


@pytest.fixture
def notify_socket(tmp_path):
    receiver = NotifySocket(tmp_path)
    yield receiver
    receiver.close()


@pytest.fixture
def gate(tmp_path):
    """Holds workers until the test lets them go on (harness/gate.py)."""
    directory = tmp_path / "gate"
    directory.mkdir()
    gate = Gate(directory)
    yield gate
    for file in directory.glob("*.begun"):
        gate.open(file.stem)
