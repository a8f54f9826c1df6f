"""The middleware proxy_ip_parser with real PHP: whose word about the client counts."""

import pytest

from harness.client import RawConnection, request_bytes


def config(subnets="[127.0.0.0/8]", address="127.0.0.1:0", more="", middleware="[proxy_ip_parser]"):
    return (f"http: {{address: '{address}', middleware: {middleware}, trusted_subnets: {subnets}, "
            f"access_logs: true, pool: {{num_workers: 1}}, {more}}}\n")


@pytest.fixture(scope="module")
def server(rr_module):
    return rr_module(config())


def client(server, headers, address=None):
    """The client's address as PHP sees it."""
    with server.open(address=address) as connection:
        connection.send(request_bytes("GET", "/", headers))
        answer = connection.read_response()
    assert answer.status == 200
    return answer.json()["remoteAddr"]


def test_a_trusted_proxy_names_the_client(server):
    assert client(server, {"X-Forwarded-For": "192.0.2.1, 10.0.0.1"}) == "192.0.2.1"
    assert client(server, {"Forwarded": 'for="[2001:db8::17]:4711";proto=https'}) == "2001:db8::17"
    assert client(server, {"X-Real-Ip": "192.0.2.3:99"}) == "192.0.2.3"
    assert client(server, {"Cf-Connecting-Ip": "192.0.2.5"}) == "192.0.2.5"
    assert client(server, {}) == "127.0.0.1"


def test_a_bar_or_a_blank_ends_the_value_of_for(server):
    assert client(server, {"Forwarded": "for=192.0.2.1|x"}) == "192.0.2.1"
    assert client(server, {"Forwarded": "for=192.0.2.1 x;proto=https"}) == "192.0.2.1"


def test_the_log_shows_the_client(server):
    client(server, {"X-Forwarded-For": "192.0.2.77"})
    assert server.log.wait(r'remote_address"?[=:] ?"?192\.0\.2\.77')


def test_what_is_no_address_never_reaches_php(server):
    assert client(server, {"X-Forwarded-For": "garbage"}) == "127.0.0.1"
    assert client(server, {"X-Forwarded-For": "<script>", "X-Real-Ip": "192.0.2.3"}) == "192.0.2.3"


def test_others_are_not_believed(rr):
    server = rr(config("[10.0.0.0/8]"))
    assert client(server, {"X-Forwarded-For": "192.0.2.1"}) == "127.0.0.1"


def test_a_proxy_on_a_unix_socket(rr, tmp_path):
    path = str(tmp_path / "rr.sock")
    server = rr(config(address=f"unix://{path}"))
    assert client(server, {"X-Forwarded-For": "192.0.2.1"}, path) == "192.0.2.1"
    assert client(server, {}, path) == "@"


def test_the_users_own_headers_and_entry(rr):
    server = rr(config(more="trusted_headers: [X-Client, X-Forwarded-For], "
                            "trusted_entry: untrusted"))
    forwarded = [("X-Forwarded-For", "6.6.6.6, 192.0.2.1"), ("X-Forwarded-For", "127.0.0.9")]
    assert client(server, forwarded) == "192.0.2.1"
    assert client(server, [*forwarded, ("x-client", "192.0.2.8")]) == "192.0.2.8"
    assert client(server, {"X-Real-Ip": "192.0.2.1"}) == "127.0.0.1"


def test_unlisted_or_without_networks_it_does_nothing(rr):
    server = rr(config(middleware="[]"))
    assert client(server, {"X-Forwarded-For": "192.0.2.1"}) == "127.0.0.1"
    server = rr(config("[]"))
    assert client(server, {"X-Forwarded-For": "192.0.2.1"}) == "127.0.0.1"
    assert server.log.wait(r"proxy_ip_parser: does nothing, it needs .*http\.trusted_subnets")


def test_a_bad_network_stops_the_start(rr):
    server = rr(config("[10.0.0.0/33]"), expect_fail=True)
    assert server.code == 1
    assert server.log.wait(r"http\.trusted_subnets: no network like .*: 10\.0\.0\.0/33")


def test_a_file_of_version_1_believes_the_last_entry(rr):
    server = rr("""
        http:
          address: 127.0.0.1:0
          workers: {command: "php @WORKERS@/legacy.php", pool: {numWorkers: 1}}
        """, verbatim=True)
    assert client(server, {"X-Forwarded-For": "6.6.6.6, 192.0.2.1, garbage"}) == "192.0.2.1"
    assert client(server, {"Forwarded": "for=192.0.2.9"}) == "127.0.0.1"


def test_a_raw_connection_keeps_each_requests_own_client(server):
    with RawConnection(server.address) as connection:
        for number in (1, 2, 3):
            connection.send(request_bytes("GET", "/", {"X-Real-Ip": f"192.0.2.{number}"}))
            assert connection.read_response().json()["remoteAddr"] == f"192.0.2.{number}"
        connection.send(request_bytes("GET", "/"))
        assert connection.read_response().json()["remoteAddr"] == "127.0.0.1"
