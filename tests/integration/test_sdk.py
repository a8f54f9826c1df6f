"""The official SDK's workers, unmodified. By hand: RR_SDK_AUTOLOAD names their autoload file."""

import os
import signal

import pytest

from harness.load import Background, Load
from harness.server import ROOT

BENCH = ROOT / "tests" / "bench" / "workers"

pytestmark = pytest.mark.skipif("RR_SDK_AUTOLOAD" not in os.environ,
                                reason="RR_SDK_AUTOLOAD is not set")
TWO = "http: {address: '127.0.0.1:0', pool: {num_workers: 2}}"


@pytest.fixture(params=["sdk_http.php", "sdk_psr7.php"])
def server(request, rr):
    return rr(TWO, worker=BENCH / request.param)


def test_it_answers(server):
    response = server.get("/")
    assert (response.status, response.body) == (200, b"Hello World!")
    assert server.post("/", os.urandom(500_000)).status == 200


def test_it_stands_kills_and_a_reset_under_load(server):
    with Load(server, "/", clients=6, seconds=30) as load:
        load.wait(50)
        os.kill(server.workers()[0], signal.SIGKILL)
        load.wait(50)
        before = set(server.workers())
        server.signal(signal.SIGUSR1)
        server.wait_workers(lambda pids: len(pids) == 2 and not set(pids) & before)
        load.wait(50)
    load.assert_all()
    assert set(load.bodies) == {b"Hello World!"}


@pytest.mark.parametrize("mode", ["http", "psr7"])
def test_everything_of_a_request_arrives(rr, mode):
    server = rr(TWO, worker="official.php", env={"RR_SDK_MODE": mode})
    assert server.get("/hello").text == "Hello World!"
    assert server.get("/error").status == 500
    assert server.get("/exit?code=3").status == 502
    assert b"x=1" in server.get("/anything?x=1").body
    slow = Background(server.get, "/sleep?ms=300")
    assert server.stop() == 0
    assert slow.result().status == 200


def test_streams(rr):
    server = rr(TWO, worker="official.php", env={"RR_SDK_MODE": "http"})
    response = server.get("/stream?n=20&ms=1")
    assert response.status == 200
    assert len(response.chunks) >= 10
    with server.open() as connection:
        connection.send(b"GET /stream?n=100000&ms=1 HTTP/1.1\r\nHost: a\r\n\r\n")
        connection.read_head()
        connection.abort()
    assert server.get("/hello").text == "Hello World!"
