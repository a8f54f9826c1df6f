"""The debug pool: who asks for the debugger has workers of his own, and stops nobody else."""

import json
import os
import signal

import pytest

from harness import cli
from harness.client import request_bytes
from harness.control import Pages, http_port
from harness.fcgi import Gateway
from harness.http2 import Http2

DEBUG = {"X-Debug": "1"}


def config(debug="{header: X-Debug, cookie: XDEBUG_SESSION}", http="", more="",
           address="127.0.0.1:0"):
    return (f"http: {{address: '{address}', pool: {{num_workers: 1}}, http2: {{h2c: true}}, "
            f"{http + ', ' if http else ''}debug: {debug}}}\n{more}")


RPC = 'rpc: {listen: "tcp://127.0.0.1:0"}\n'


def pid(server, headers=(), target="/pid", address=None, before=b""):
    with server.open(address=address) as connection:
        connection.send(before + request_bytes("GET", target, headers, host="a"))
        answer = connection.read_response()
    assert answer.status == 200, answer
    return answer.text


class Judge:
    """Tells where requests went: the default pool has one worker, which stays."""

    def __init__(self, server, **named):
        self.server = server
        self.named = named
        self.default = pid(server, **named)

    def debugs(self, headers=(), **named):
        return pid(self.server, headers, **{**self.named, **named}) != self.default


def hold(server, name, headers=DEBUG, method="GET"):
    """A request that waits in its worker."""
    connection = server.open(timeout=30)
    connection.send(request_bytes(method, f"/hold?name={name}", headers))
    return connection


def test_a_stopped_request_stops_nobody_else(rr, gate):
    server = rr(config(more=RPC + "status: {address: '127.0.0.1:0', strict_ready: true}\n"),
                worker=gate.worker, env=gate.env)
    server._port = http_port(server)
    default = server.get("/").text
    with hold(server, "stop") as stopped:
        stopper = gate.begun("stop")
        assert stopper != int(default)
        for _ in range(20):
            assert server.get("/").text == default
        assert Pages(server, "status").get("/ready").status == 200
        assert Pages(server, "status").get("/health?plugin=http").status == 200
        # The others get new code meanwhile, and the one in the debugger stays.
        assert cli.run("reset", *cli.rpc(server)).code == 0
        fresh = server.get("/").text
        assert fresh not in (default, str(stopper))
        assert stopper in server.workers()
        gate.open("stop")
        answer = stopped.read_response()
        assert (answer.status, answer.text) == (200, str(stopper))
    assert server.get("/").text == fresh


@pytest.mark.parametrize("debug", ["true", "false"])
def test_one_worker_that_stays_or_one_for_each_request(rr, debug):
    server = rr(config(f"{{pool: {{debug: {debug}}}}}"))
    default = server.get("/pid").text
    first, second = (server.get("/pid", headers=DEBUG).text for _ in range(2))
    assert default not in (first, second)
    assert (first == second) == (debug == "false")


def test_header_and_cookie(rr):
    judge = Judge(rr(config()))
    for headers in ({"X-Debug": "1"}, {"x-debug": "yes"}, {"Cookie": "XDEBUG_SESSION=PHPSTORM"},
                    {"Cookie": "a=b; XDEBUG_SESSION=1"},
                    {"X-Debug": "1", "Cookie": "XDEBUG_SESSION=1"},
                    {"X-Debug": "0", "Cookie": "XDEBUG_SESSION=1"},
                    {"X-Debug": "1", "Cookie": "XDEBUG_SESSION=0"}):
        assert judge.debugs(headers), headers
    for headers in ({}, {"X-Debug": "0"}, {"X-Debug": ""}, {"X-Debug": "Off"},
                    {"Cookie": "XDEBUG_SESSION="}, {"Cookie": "XDEBUG_SESSION=no"},
                    {"Cookie": "a=XDEBUG_SESSION"}, {"X-Debug": "false", "Cookie": "X-Debug=1"}):
        assert not judge.debugs(headers), headers


def test_without_the_section_the_header_is_a_header(rr):
    server = rr("http: {address: '127.0.0.1:0', pool: {num_workers: 1}}")
    assert server.get("/pid", headers=DEBUG).text == server.get("/pid").text
    assert server.get("/show", headers=DEBUG).json()["headers"]["X-Debug"] == ["1"]


def test_it_comes_before_the_pools_of_routes(rr):
    server = rr(config(http="pools: {pids: {match: {path: /pid}, pool: {num_workers: 1}}}"))
    route = server.get("/pid").text
    assert server.get("/pid").text == route
    assert server.get("/pid", headers=DEBUG).text != route


def test_php_sees_the_header_and_the_mode(rr):
    server = rr(config())
    seen = server.get("/show", headers=DEBUG).json()
    assert seen["headers"]["X-Debug"] == ["1"]


# -- who is trusted -------------------------------------------------------------------------------


def test_an_untrusted_header_is_passed_on_as_it_is(rr):
    server = rr(config("{trusted: [192.0.2.0/24]}"))
    judge = Judge(server)
    assert not judge.debugs(DEBUG)
    assert server.get("/show", headers=DEBUG).json()["headers"]["X-Debug"] == ["1"]


V1 = "PROXY TCP4 {} 10.0.0.1 40000 443\r\n"


@pytest.mark.parametrize("debug, client, trusted", [
    ("{header: X-Debug}", "127.0.0.5", True),
    ("{header: X-Debug}", "203.0.113.7", False),
    ("{trusted: [127.0.0.0/8, 203.0.113.0/24]}", "203.0.113.7", True),
    # A sender that is not trusted itself can claim what it likes.
    ("{trusted: [203.0.113.0/24]}", "203.0.113.7", False)])
def test_a_proxy_header(rr, debug, client, trusted):
    server = rr(config(debug, http="proxy_protocol: {listen: true, trusted: [127.0.0.0/8]}"))
    judge = Judge(server, before=V1.format(client).encode())
    assert judge.debugs(DEBUG) == trusted


def fcgi_debugs(gateway, *more):
    """Of a connection to a server of which the default pool's pid is known."""
    default = gateway.ask("/pid").body
    assert gateway.ask("/pid").body == default
    return gateway.ask("/pid", more=[("HTTP_X_DEBUG", "1"), *more]).body != default


def test_a_fastcgi_gateway(rr, tmp_path):
    server = rr("http: {fcgi: {address: '127.0.0.1:0'}, pool: {num_workers: 1}, "
                "debug: {header: X-Debug, cookie: C}}")
    port = int(server.log.wait(r"^  fcgi   fcgi://127.0.0.1:(\d+)   ").group(1))
    with Gateway(("127.0.0.1", port)) as gateway:
        assert fcgi_debugs(gateway, ("REMOTE_ADDR", "127.0.0.1"))
        assert fcgi_debugs(gateway, ("REMOTE_ADDR", "::1"), ("HTTP_X_DEBUG", "0"),
                           ("HTTP_COOKIE", "C=1"))
        assert not fcgi_debugs(gateway)  # 192.0.2.7
        assert not fcgi_debugs(gateway, ("REMOTE_ADDR", ""))  # speaks for nobody
        assert not fcgi_debugs(gateway, ("REMOTE_ADDR", "unix:"))
        assert not fcgi_debugs(gateway, ("REMOTE_ADDR", "127.0.0.1"),
                               ("HTTP_X_FORWARDED_FOR", "203.0.113.9"))
        # What was said of one request counts for no other.
        assert not fcgi_debugs(gateway)


@pytest.mark.parametrize("trusted, debugs", [("127.0.0.1", True), ("192.0.2.0/24", False)])
def test_a_fastcgi_gateway_on_a_unix_socket(rr, tmp_path, trusted, debugs):
    path = str(tmp_path / "fcgi.sock")
    server = rr(f"http: {{fcgi: {{address: 'unix://{path}'}}, pool: {{num_workers: 1}}, "
                f"debug: {{trusted: ['{trusted}']}}}}")
    server.log.wait(r"^  fcgi   ")
    with Gateway(path) as gateway:
        assert fcgi_debugs(gateway, ("REMOTE_ADDR", "127.0.0.1")) == debugs
        assert not fcgi_debugs(gateway, ("REMOTE_ADDR", ""))


def test_a_fastcgi_gateway_must_be_trusted_itself(rr):
    server = rr("http: {fcgi: {address: '127.0.0.1:0'}, pool: {num_workers: 1}, "
                "debug: {trusted: [192.0.2.0/24]}}")
    port = int(server.log.wait(r"^  fcgi   fcgi://127.0.0.1:(\d+)   ").group(1))
    with Gateway(("127.0.0.1", port)) as gateway:
        assert not fcgi_debugs(gateway)  # REMOTE_ADDR is 192.0.2.7


@pytest.mark.parametrize("http", [
    "", "middleware: [proxy_ip_parser], trusted_subnets: [127.0.0.0/8]",
    "middleware: [proxy_ip_parser], trusted_subnets: [127.0.0.0/8], trusted_entry: untrusted"])
def test_forwarded_addresses(rr, http):
    """With and without proxy_ip_parser, which believes the first entry: the spoofed one."""
    judge = Judge(rr(config(http=http)))
    for client in ("127.0.0.1", "::1, 127.0.0.9"):
        assert judge.debugs({**DEBUG, "X-Forwarded-For": client})
    for client in ("203.0.113.9", "127.0.0.1, 203.0.113.9", "203.0.113.9, 127.0.0.1", "garbage"):
        assert not judge.debugs({**DEBUG, "X-Forwarded-For": client})
    assert not judge.debugs({**DEBUG, "Forwarded": "for=127.0.0.1, for=203.0.113.9"})
    assert not judge.debugs([("X-Debug", "1"), ("X-Forwarded-For", "127.0.0.1"),
                             ("X-Real-Ip", "203.0.113.9")])


def test_headers_of_proxy_ip_parser_name_clients(rr):
    judge = Judge(rr(config(http="middleware: [proxy_ip_parser], trusted_subnets: [127.0.0.0/8], "
                                 "trusted_headers: [X-Client]")))
    assert judge.debugs({**DEBUG, "X-Client": "127.0.0.2"})
    assert not judge.debugs({**DEBUG, "X-Client": "203.0.113.9"})
    assert not judge.debugs({**DEBUG, "X-Client": "127.0.0.1, 203.0.113.9"})


def test_a_forwarded_address_never_makes_trusted(rr):
    judge = Judge(rr(config("{trusted: [203.0.113.0/24]}",
                            http="middleware: [proxy_ip_parser], trusted_subnets: [127.0.0.0/8]")))
    assert not judge.debugs({**DEBUG, "X-Forwarded-For": "203.0.113.9"})


def test_a_unix_socket(rr, tmp_path):
    path = str(tmp_path / "rr.sock")
    judge = Judge(rr(config(address=f"unix://{path}")), address=path)
    assert not judge.debugs(DEBUG)
    assert not judge.debugs({**DEBUG, "X-Forwarded-For": "127.0.0.1"})
    path = str(tmp_path / "own.sock")
    judge = Judge(rr(config("{trusted: [unix, '127.0.0.1']}", address=f"unix://{path}")),
                  address=path)
    assert judge.debugs(DEBUG)
    assert judge.debugs({**DEBUG, "X-Forwarded-For": "127.0.0.1"})
    assert not judge.debugs({**DEBUG, "X-Forwarded-For": "203.0.113.9"})


def test_http2(rr):
    server = rr(config())
    with Http2(server.address) as client:
        default = client.get("/pid").body
        assert client.get("/pid").body == default
        assert client.get("/pid", headers=[("x-debug", "1")]).body != default
        assert client.get("/pid", headers=[("cookie", "a=1"), ("cookie", "XDEBUG_SESSION=1")]
                          ).body != default
        assert client.get("/pid", headers=[("x-debug", "0")]).body == default
        assert client.get("/pid", headers=[("x-debug", "1"), ("x-forwarded-for", "203.0.113.9")]
                          ).body == default


def test_http2_streams_go_on_beside_a_stopped_one(rr, gate):
    server = rr(config(), worker=gate.worker, env=gate.env)
    with Http2(server.address) as client:
        stopped = client.request("/hold?name=a", headers=[("x-debug", "1")])
        worker = gate.begun("a")
        for _ in range(5):
            assert client.get("/").body != str(worker).encode()
        gate.open("a")
        assert client.answer(stopped).body == str(worker).encode()


# -- the pool -------------------------------------------------------------------------------------


def groups(server):
    return cli.run("workers", "--json", *cli.rpc(server)).json()


def test_listed_and_reset_by_name(rr, gate):
    server = rr(config("{pool: {debug: false}}", more=RPC), worker=gate.worker, env=gate.env)
    server._port = http_port(server)
    default, debug = server.get("/").text, server.get("/", headers=DEBUG).text
    listed = json.dumps(groups(server))
    assert '"http.debug"' in listed and debug in listed
    only = cli.run("workers", "http.debug", "--json", *cli.rpc(server)).out
    assert debug in only and default not in only
    assert cli.run("reset", "http.debug", *cli.rpc(server)).code == 0
    assert server.get("/", headers=DEBUG).text != debug
    assert server.get("/").text == default


def test_a_reset_does_not_wait_for_the_debugger(rr, gate):
    server = rr(config(more=RPC), worker=gate.worker, env=gate.env)
    server._port = http_port(server)
    with hold(server, "a") as stopped:
        worker = gate.begun("a")
        assert str(worker) in json.dumps(groups(server))
        assert cli.run("reset", "http.debug", *cli.rpc(server)).code == 0
        gate.open("a")
        assert stopped.read_response().text == str(worker)


def test_metrics_count_it(rr):
    server = rr(config("{pool: {debug: false}}", more="metrics: {address: '127.0.0.1:0'}\n"))
    server._port = http_port(server)
    text = Pages(server, "metrics").get("/metrics").text
    assert 'rr_http_total_workers' in text
    assert "debug" in text, text


@pytest.mark.parametrize("pool", ["num_workers: 2", "num_workers: 2, debug: false"])
def test_more_requests_than_workers_wait_and_none_is_lost(rr, gate, pool):
    server = rr(config(f"{{pool: {{{pool}}}}}"), worker=gate.worker, env=gate.env)
    default = server.get("/").text
    names = ["a", "b", "c", "d", "e"]
    waiting = {}
    for name in names:
        waiting[name] = hold(server, name, method="POST" if name in "bd" else "GET")
        server.ping()  # in this order
    try:
        gate.begun("a")
        gate.begun("b")
        begun = ["a", "b"]
        while begun:
            assert server.get("/").text == default
            running = [name for name in names if gate.has_begun(name) and name in waiting]
            assert len(running) <= 2, running
            name = begun.pop(0)
            gate.open(name)
            with waiting.pop(name) as connection:
                answer = connection.read_response()
                assert answer.status == 200 and answer.text != default
            rest = [each for each in names if each in waiting and each not in begun]
            if rest:
                gate.begun(rest[0])
                begun.append(rest[0])
        assert not waiting
        assert [gate.times_begun(name) for name in names] == [1] * len(names)
    finally:
        for connection in waiting.values():
            connection.close()


def test_a_client_that_goes_leaves_the_queue(rr, gate):
    server = rr(config(), worker=gate.worker, env=gate.env)
    with hold(server, "a") as first:
        gate.begun("a")
        gone = hold(server, "gone")
        server.ping()
        gone.abort()
        with hold(server, "b") as second:
            server.ping()
            gate.open("a")
            gate.open("b")
            assert first.read_response().status == 200
            assert second.read_response().status == 200
    assert not gate.has_begun("gone")


def test_a_request_whose_worker_is_ended_is_not_run_again(rr, gate):
    """Who ends the process from the debugger does not want the next one to stop there, too."""
    server = rr(config(), worker=gate.worker, env=gate.env)
    with hold(server, "a") as stopped:
        os.kill(gate.begun("a"), signal.SIGKILL)
        answer = stopped.read_response()
        assert answer.status == 502
        assert answer.text  # the reason, as with pool.debug
    assert gate.times_begun("a") == 1


def test_a_boot_error_stops_nobody_else(rr):
    server = rr(config("{pool: {command: \"php -r 'echo 42; exit(3);'\"}}",
                       more="status: {address: '127.0.0.1:0'}\n"))
    server._port = http_port(server)
    answer = server.get("/pid", headers=DEBUG)
    assert answer.status >= 500 and "42" in answer.text
    assert server.get("/pid").status == 200
    assert Pages(server, "status").get("/ready").status == 200
    assert Pages(server, "status").get("/health").status == 200


def test_a_pool_that_does_not_start_is_named(rr):
    server = rr(config("{pool: {debug: false, command: \"php -r 'exit(3);'\"}}"), ready=False)
    assert server.wait() == 1
    assert "http.debug: " in str(server.log)
    assert not server.workers()


def test_a_slow_request_has_all_the_time(rr, gate):
    """exec_ttl of http.pool is not the debug pool's."""
    server = rr("http: {address: '127.0.0.1:0', debug: {header: X-Debug}, pool: {num_workers: 1, "
                "supervisor: {watch_tick: 1s, exec_ttl: 1s}}}", worker=gate.worker, env=gate.env)
    with hold(server, "debug") as stopped, hold(server, "plain", {}, "POST") as plain:
        gate.begun("debug")
        gate.begun("plain")
        assert plain.read_response().status == 504
        gate.open("debug")
        assert stopped.read_response().status == 200


# -- middlewares ----------------------------------------------------------------------------------


def test_what_the_debugger_sees_is_nothing_for_the_cache(rr):
    server = rr(config(http="middleware: [cache]"), worker="pages.php")
    page = "/page?size=10&h[X-Cache-For]=60"
    assert server.get(page, headers=DEBUG).header("Age") is None
    assert server.get(page).header("Age") is None  # was not kept
    assert server.get(page).header("Age") is not None
    assert server.get(page, headers=DEBUG).header("Age") is None


# -- configuration --------------------------------------------------------------------------------


@pytest.mark.parametrize("debug, more, message", [
    ("{header: 'X Debug'}", "", r"http\.debug\.header: no name of a header: X Debug"),
    ("{cookie: 'a=b'}", "", r"http\.debug\.cookie: no name of a cookie: a=b"),
    ("{header: ''}", "", r"http\.debug: neither header nor cookie"),
    ("{trusted: [10.0.0.0/40]}", "", r"http\.debug\.trusted: neither .*: 10\.0\.0\.0/40"),
    ("{trusted: []}", "", r"http\.debug\.trusted: empty"),
    ("true", "", r"http\.debug: expected a section"),
    ("{header: X, pool: {num_workers: 501}}", "", r"http\.debug\.pool\.num_workers: "),
    ("{header: X-Debug}", "pools: {debug: {match: {path: /x}, pool: {num_workers: 1}}}",
     r"\.rr\.yaml:\d+: http\.pools\.debug: this is the name of the pool of http\.debug")])
def test_mistakes_are_named(rr, debug, more, message):
    server = rr(config(debug, http=more), expect_fail=True)
    assert server.code == 1
    assert server.log.find(message), str(server.log)


def test_hints(rr):
    checked = rr(config("{headr: X}"), command="check", expect_fail=True)
    assert checked.log.find("http.debug.headr.*did you mean header"), str(checked.log)
    checked = rr(config("{}"), command="check", expect_fail=True)
    assert checked.log.find("http.debug: empty: there is no debug pool"), str(checked.log)


def test_the_start_says_whose_word_counts(rr):
    server = rr(config("{trusted: [10.0.0.0/8, unix]}"))
    assert server.log.wait(r"http\.debug.*10\.0\.0\.0/8, unix")
