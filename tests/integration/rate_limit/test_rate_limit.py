"""The middleware rate_limit with real PHP. The limits are per hour: no clock decides a test."""

import collections
import concurrent.futures
import subprocess

from harness.client import RawConnection, request_bytes
from harness.control import Pages


def config(limit="rate: 3, per: 1h", middleware="[rate_limit]", http="", more=""):
    return (f"http: {{address: '127.0.0.1:0', http2: {{h2c: true}}, middleware: {middleware}, "
            f"rate_limit: {{{limit}}}, pool: {{num_workers: 1}}, {http}}}\n{more}")


def curl(server, source, *more):
    """The status that another process gets, which comes from `source`."""
    return subprocess.run(
        ["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "20",
         "--interface", source, *more, f"{server.url}/pid"],
        capture_output=True, check=True, text=True).stdout


def statuses(server, count, **headers):
    pairs = {name.replace("_", "-"): value for name, value in headers.items()}
    return [server.get("/pid", headers=pairs).status for _ in range(count)]


def test_beyond_the_limit_a_client_is_told_when_to_come_again(rr):
    server = rr(config())
    first = server.get("/pid")
    assert first.status == 200
    assert first.header("RateLimit-Limit") == "3"
    assert first.header("RateLimit-Remaining") == "2"
    assert 1100 < int(first.header("RateLimit-Reset")) <= 1200
    assert statuses(server, 2) == [200, 200]
    refused = server.get("/pid")
    assert refused.status == 429
    assert refused.body == b"Too Many Requests\n"
    assert 1100 < int(refused.header("Retry-After")) <= 1200
    assert refused.header("RateLimit-Remaining") == "0"
    assert 3500 < int(refused.header("RateLimit-Reset")) <= 3600


def test_each_address_has_its_own_limit(rr):
    server = rr(config("rate: 1, per: 1h"))
    assert [curl(server, "127.0.0.1") for _ in range(3)] == ["200", "429", "429"]
    assert [curl(server, "127.0.0.2") for _ in range(2)] == ["200", "429"]
    assert curl(server, "127.0.0.1", "--http2-prior-knowledge") == "429"
    assert curl(server, "127.0.0.3", "--http2-prior-knowledge") == "200"


def test_a_refused_request_leaves_its_connection(rr):
    server = rr(config("rate: 1, per: 1h"))
    with RawConnection(server.address) as connection:
        for status in (200, 429, 429):
            connection.send(request_bytes("POST", "/pid", body=b"a body"))
            assert connection.read_response().status == status


def test_behind_a_proxy_its_clients_are_limited(rr):
    server = rr(config("rate: 1, per: 1h", "[rate_limit, proxy_ip_parser]",
                       "trusted_subnets: [127.0.0.0/8]"))
    assert statuses(server, 2, X_Forwarded_For="192.0.2.1") == [200, 429]
    assert statuses(server, 2, X_Forwarded_For="192.0.2.2") == [200, 429]
    # An IPv6 network of 64 bits is one client.
    assert statuses(server, 1, X_Forwarded_For="2001:db8:1:1::1") == [200]
    assert statuses(server, 1, X_Forwarded_For="2001:db8:1:1:ffff::9") == [429]
    assert statuses(server, 1, X_Forwarded_For="2001:db8:1:2::1") == [200]


def test_the_wrong_order_is_told(rr):
    server = rr(config(middleware="[proxy_ip_parser, rate_limit]",
                       http="trusted_subnets: [127.0.0.0/8]"))
    assert server.log.wait(r"write \[rate_limit, proxy_ip_parser\]")


def test_a_header_names_the_client(rr):
    server = rr(config("rate: 1, per: 1h, key: 'header:X-Api-Key', headers: false"))
    assert statuses(server, 2, X_Api_Key="a") == [200, 429]
    answer = server.get("/pid", headers={"X-Api-Key": "b"})
    assert answer.status == 200
    assert answer.header("RateLimit-Limit") is None
    assert statuses(server, 2) == [200, 429]


def test_exempt_networks_have_no_limit(rr):
    server = rr(config("rate: 1, per: 1h, exempt: [127.0.0.2]"))
    assert [curl(server, "127.0.0.2") for _ in range(4)] == ["200"] * 4
    assert [curl(server, "127.0.0.1") for _ in range(2)] == ["200", "429"]


def test_the_users_own_status(rr):
    server = rr(config("rate: 1, per: 1h, status: 503"))
    assert statuses(server, 2) == [200, 503]


def test_loops_share_one_limit(rr):
    server = rr(config("rate: 50, per: 1h", http="loops: 3"))
    with concurrent.futures.ThreadPoolExecutor(12) as clients:
        counts = collections.Counter(clients.map(lambda _: server.get("/pid").status, range(120)))
    assert counts == {200: 50, 429: 70}


def test_the_limit_is_shown_in_metrics(rr):
    server = rr(config("rate: 1, per: 1h", more="metrics: {address: '127.0.0.1:0'}\n"))
    server.log.wait(r"^  http ")
    statuses(server, 3)
    page = Pages(server, "metrics").get("/metrics").text
    assert "rr_http_rate_limited_total 2" in page
    assert "rr_http_rate_limit_evicted_total 0" in page


def test_an_odd_section_stops_the_start(rr):
    server = rr(config("per: 1s"), expect_fail=True)
    assert server.code == 1
    assert server.log.wait(r"http\.rate_limit\.rate: missing")


def test_without_its_section_it_is_told(rr):
    server = rr("http: {address: '127.0.0.1:0', middleware: [rate_limit], pool: {num_workers: 1}}")
    assert server.log.wait(r"rate_limit: does nothing, it needs .*http\.rate_limit")
    assert statuses(server, 3) == [200] * 3
