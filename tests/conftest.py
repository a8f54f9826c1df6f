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


@pytest.fixture
def rr(request, tmp_path):
    started = []

    def start(yaml, *, expect_fail=False, ready=True, timeout=30.0, directory=None, **named):
        place = directory or tmp_path / f"rr{len(started)}"
        place.mkdir(parents=True, exist_ok=True)
        server = Server(place, yaml, **named)
        started.append(server)
        if expect_fail:
            server.wait(timeout)
        elif ready:
            server.wait_ready(timeout)
        return server

    yield start
    for server in reversed(started):
        server.close()
    problems = [problem for server in started for problem in server.problems]
    report = getattr(request.node, "report_call", None)
    if problems or report is None or report.failed:
        for server in started:
            print(server.describe())
    if problems:
        pytest.fail("; ".join(problems))


@pytest.fixture
def notify_socket(tmp_path):
    receiver = NotifySocket(tmp_path)
    yield receiver
    receiver.close()
