"""Pools per route: slow requests have workers of their own."""

import pytest

from harness import cli, process
from harness.client import request_bytes

SLOW = """
    rpc: {listen: "tcp://127.0.0.1:0"}
    http:
      address: 127.0.0.1:0
      pool: {num_workers: 1}
      pools:
        slow:
          match: {path: /sleep}
          pool: {num_workers: 2}
        posts:
          match: {method: POST, header: {X-Kind: "a*"}}
          pool: {num_workers: 1}
"""

def test_slow_routes_cannot_starve_fast_ones(rr):
    server = rr(SLOW)
    slow = [server.open() for _ in range(4)]
    for connection in slow:
        connection.send(request_bytes("GET", "/sleep?ms=400"))
    # Two run and two wait, all of them elsewhere.
    for _ in range(20):
        assert server.get("/status?body=fast").text == "fast"
    for connection in slow:
        assert connection.read_response().status == 200
        connection.close()


def test_a_request_goes_to_the_first_pool_that_matches(rr):
    server = rr(SLOW)
    default = server.get("/pid").text
    other = server.post("/pid", b"", headers={"X-Kind": "abc"}).text
    assert default != other
    assert server.post("/pid", b"", headers={"X-Kind": "b"}).text == default
    assert server.post("/pid", b"", headers={"X-Kind": "az"}).text == other


def test_pools_are_listed_and_reset_by_name(rr):
    server = rr(SLOW)
    default = server.get("/pid").text
    other = server.post("/pid", b"", headers={"X-Kind": "a"}).text
    names = cli.run("workers", "--json", *cli.rpc(server)).out
    assert '"http.slow"' in names and '"http.posts"' in names
    assert cli.run("reset", "http.posts", *cli.rpc(server)).code == 0
    assert server.post("/pid", b"", headers={"X-Kind": "a"}).text != other
    assert server.get("/pid").text == default


def test_rr_mode_is_the_plugins(rr):
    server = rr(SLOW)
    assert len(server.workers()) == 4
    for worker in server.workers():
        assert process.environment(worker).get(b"RR_MODE") == b"http"


def test_a_pool_that_does_not_start_stops_the_start_and_is_named(rr):
    server = rr("""
        http:
          address: 127.0.0.1:0
          pool: {num_workers: 1}
          pools:
            broken: {match: {path: /x}, pool: {num_workers: 1, command: "php -r 'exit(3);'"}}
    """, ready=False)
    assert server.wait() == 1
    assert "http.pools.broken" in str(server.log)
    assert not server.workers()


@pytest.mark.parametrize("pools, message", [
    ("{slow: {pool: {num_workers: 1}}}", r"http.pools.slow.match: missing"),
    ("{slow: {match: {path: reports}}}", r"http.pools.slow.match.path: must begin with /"),
    ("{slow: {match: {pth: /reports, path: /a}}}", r"did you mean"),
])
def test_mistakes_are_named(rr, pools, message):
    found = rr(f"http: {{address: '127.0.0.1:0', pools: {pools}}}", command="check", expect_fail=True)
    found.wait()
    assert found.log.find(message), str(found.log)
