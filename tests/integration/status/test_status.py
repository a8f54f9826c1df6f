"""Health and readiness over HTTP: at rest, under overload, while starting and stopping."""

import json
import signal
import subprocess
import time
import urllib.request

import pytest

from harness.client import RawConnection
from harness.control import Pages, http_port, taken_port
from harness.load import Background, Load
from harness.process import eventually
from harness.rpc import PROTO, Client, address_of

CONFIG = """
http: {{address: '127.0.0.1:0', {http} pool: {{{pool}}}}}
status: {{address: '127.0.0.1:0'{status}}}
"""
FINE = [{"plugin_name": "http", "error_message": "", "status_code": 200}]
FAILING = [{"plugin_name": "http", "error_message": "internal server error, see logs",
            "status_code": 503}]
SOON = 5.0  # a bound for answers that should take milliseconds, on a machine that is busy


def start(rr, pool="num_workers: 1", status="", http="", more="", **named):
    server = rr(CONFIG.format(pool=pool, status=status, http=http) + more, **named)
    server._port = http_port(server)
    return server, Pages(server, "status")


def test_a_server_at_rest_is_healthy_and_ready(rr):
    _, status = start(rr)
    for path in ("/health", "/ready", "/health?plugin=http", "/ready?plugin=http&plugin=nosuch"):
        answer = status.get(path)
        assert (answer.status, answer.json()) == (200, FINE)
        assert answer.header("Content-Type") == "text/plain; charset=utf-8"


def test_curl_and_urllib_get_an_answer(rr):
    _, status = start(rr)
    url = f"http://127.0.0.1:{status.port}/health"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert json.load(answer) == FINE
    for extra in ([], ["--http1.0"], ["--http2"], ["-d", "x" * 5000]):
        done = subprocess.run(["curl", "-sS", *extra, url, url], capture_output=True, timeout=20)
        assert done.stdout == json.dumps(FINE, separators=(",", ":")).encode() * 2, done.stderr


def test_unknown_plugins_are_skipped_and_commas_split_nothing(rr):
    _, status = start(rr)
    for query in ("plugin=nosuch", "plugin=http,jobs", "plugin="):
        answer = status.get(f"/ready?{query}")
        assert (answer.status, answer.body) == (200, b"[]")


def test_other_paths_are_404_and_jobs_says_what_is_missing(rr):
    _, status = start(rr)
    answer = status.get("/")
    assert (answer.status, answer.text.strip()) == (404, "404 page not found")
    answer = status.get("/jobs")
    assert (answer.status, answer.text) == (503, "jobs plugin not found")


def test_head_and_keep_alive(rr):
    _, status = start(rr)
    with status.open() as connection:
        connection.send(b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n"
                        b"GET /ready HTTP/1.1\r\nHost: a\r\n\r\n")
        head = connection.read_response(head=True)
        assert head.status == 200 and int(head.header("Content-Length")) > 0
        assert connection.read_response().json() == FINE


def test_a_unix_socket_serves_too(rr, tmp_path):
    server = rr("http: {address: '127.0.0.1:0', pool: {num_workers: 1}}\n"
                "status: {address: 'unix://status.sock'}\n", directory=tmp_path)
    with RawConnection(str(tmp_path / "status.sock")) as connection:
        connection.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.read_response().json() == FINE
    assert server.stop() == 0
    assert not (tmp_path / "status.sock").exists()


# -- workers that work, die, do not come back -----------------------------------------------------


def test_all_workers_busy_and_the_queue_full_is_healthy_and_not_ready(rr, gate):
    server, status = start(rr, "num_workers: 2, max_queue_size: 4", worker=gate.worker,
                           env=gate.env)
    held = [Background(server.get, f"/hold?name={name}") for name in "ab"]
    gate.begun("a"), gate.begun("b")
    assert status.get("/health").status == 200
    assert status.get("/ready").status == 200  # busy, but the queue has room
    queued = [server.open(timeout=30) for _ in range(2)]
    for connection in queued:
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    eventually(lambda: status.get("/ready").status == 503, what="a full queue")
    assert status.get("/ready").json() == FAILING
    assert status.get("/health").json() == FINE
    gate.open("a"), gate.open("b")
    assert [each.result().status for each in held] == [200, 200]
    for connection in queued:
        connection.read_response()
        connection.close()
    eventually(lambda: status.get("/ready").status == 200, what="ready again")


def test_strict_ready_wants_an_idle_worker(rr, gate):
    server, status = start(rr, status=", strict_ready: true", worker=gate.worker, env=gate.env)
    assert status.get("/ready").status == 200
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    eventually(lambda: status.get("/ready").status == 503, what="the only worker being busy")
    assert status.get("/health").status == 200
    gate.open("a")
    assert held.result().status == 200
    eventually(lambda: status.get("/ready").status == 200, what="ready again")


def test_a_flood_far_beyond_what_the_workers_can_do_delays_no_health_check(rr):
    server, status = start(rr, "num_workers: 2, max_queue_size: 8")
    with Load(server, "/sleep?ms=200", clients=80) as load:
        load.wait(50)
        for _ in range(20):
            begin = time.monotonic()
            assert status.get("/health").status == 200
            assert status.get("/ready").status in (200, 503)
            assert time.monotonic() - begin < SOON
    assert not load.failures
    assert set(load.statuses) == {200, 503}


def test_no_worker_left_is_unhealthy_with_the_configured_status(rr, tmp_path):
    broken = tmp_path / "broken"
    server, status = start(rr, status=", unavailable_status_code: 500",
                           env={"BOOT_FAIL": "19", "BOOT_FAIL_FILE": str(broken)})
    broken.touch()
    assert server.post("/kill", b"x").status == 502
    eventually(lambda: status.get("/health").status == 500, what="no worker")
    answer = status.get("/ready")
    assert answer.status == 500
    assert answer.json()[0]["status_code"] == 500
    broken.unlink()
    eventually(lambda: status.get("/ready").status == 200, what="the next attempt to boot")


def test_a_debug_pool_is_ready_until_a_boot_fails(rr, tmp_path):
    broken = tmp_path / "broken"
    server, status = start(rr, "debug: true",
                           env={"BOOT_FAIL": "19", "BOOT_FAIL_FILE": str(broken)})
    assert status.get("/ready").json() == FINE
    assert server.get("/pid").status == 200
    assert status.get("/health").json() == FINE
    broken.touch()
    assert server.get("/pid").status == 502
    eventually(lambda: status.get("/ready").status == 503, what="the failed boot being told")
    broken.unlink()
    assert server.get("/pid").status == 200
    eventually(lambda: status.get("/ready").status == 200, what="the next boot being told")


# -- start and stop -------------------------------------------------------------------------------


def test_status_answers_before_the_workers_are_there(rr, tmp_path):
    server = rr("http: {address: '127.0.0.1:0', pool: {num_workers: 1}}\n"
                "status: {address: 'unix://s'}\n", directory=tmp_path, ready=False,
                env={"BOOT_SLEEP_MS": "1500"})
    eventually(lambda: (tmp_path / "s").exists(), what="the socket")
    with RawConnection(str(tmp_path / "s")) as connection:
        connection.send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.read_response().json() == FAILING
    server.wait_ready()


@pytest.mark.parametrize("option, health", [("", 200), (", drain_unhealthy: true", 503)])
def test_while_draining_health_is_told_and_nothing_is_ready(rr, gate, option, health):
    server, status = start(rr, status=option, worker=gate.worker, env=gate.env)
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    server.signal(signal.SIGTERM)
    eventually(lambda: status.get("/ready").status == 503, what="the drain")
    answer = status.get("/health")
    assert (answer.status, answer.text) == (health, "service is shutting down")
    assert status.get("/ready").text == "service is shutting down"
    assert status.get("/jobs").status == 503
    gate.open("a")
    assert held.result().status == 200
    assert server.wait() == 0


def test_a_restart_in_place_keeps_the_port(rr):
    server, status = start(rr)
    mark = server.log.mark()
    server.signal(signal.SIGUSR2)
    server.log.wait("server started", since=mark, timeout=20)
    assert status.get("/health").status == 200


# -- over RPC -------------------------------------------------------------------------------------


def test_rpc_answers_the_same_questions(rr, gate):
    server, _ = start(rr, "num_workers: 1, max_queue_size: 1", worker=gate.worker, env=gate.env,
                      more="rpc: {listen: 'tcp://127.0.0.1:0'}\n")
    with Client(address_of(server)) as client:
        for method in ("status.Status", "status.Ready"):
            assert client.call(method, b"\x0a\x04http", flags=PROTO).body == b"\x08\xc8\x01"
            assert client.call(method, b'{"plugin":"http"}').body == b'{"code":200}'
        assert client.call("status.Status", b'{"plugin":"nosuch"}').error == (
            "checker_rpc_status:\n\tchecker_plugin_status: no such plugin: nosuch")
        assert client.call("status.Ready", b"").error == (
            "checker_rpc_ready:\n\tchecker_plugin_ready: no such plugin: ")
        held = Background(server.get, "/hold?name=a")
        gate.begun("a")
        eventually(lambda: b'"code":503' in client.call("status.Ready", b'{"plugin":"http"}').body,
                   what="a full queue")
        assert client.call("status.Status", b'{"plugin":"http"}').body == b'{"code":200}'
        gate.open("a")
        assert held.result().status == 200


# -- what is wrong is said ------------------------------------------------------------------------


def test_a_taken_port_names_key_and_address(rr):
    holder, port = taken_port()
    with holder:
        server = rr(f"http: {{address: '127.0.0.1:0'}}\nstatus: {{address: '127.0.0.1:{port}'}}\n",
                    expect_fail=True)
    assert server.code == 1
    assert (f"status.address: tcp://127.0.0.1:{port}: bind: address already in use"
            in server.log.text("err"))
    assert server.family() == []


@pytest.mark.parametrize("section, problem", [
    ("{check_timeout: 60}", r"status\.address: missing; say where /health and /ready are served"),
    ("{address: 'http://127.0.0.1:1'}", r"status\.address: only tcp:// and unix://"),
    ("{address: ':1', check_timeout: 30s}", r"status\.check_timeout: "),
])
def test_a_wrong_section_stops_the_start_with_its_line(rr, section, problem):
    server = rr(f"http: {{address: '127.0.0.1:0'}}\nstatus: {section}\n", expect_fail=True)
    assert server.code == 1
    assert server.log.find(r"\.rr\.yaml:5: " + problem)


def test_a_file_of_roadrunner_1x_has_its_health_on_every_path(rr):
    server = rr("http:\n  address: 127.0.0.1:0\n  workers:\n    command: php @WORKERS@/legacy.php\n"
                "    pool: {numWorkers: 1}\nhealth: {address: '127.0.0.1:0'}\n"
                "rpc: {enable: false}\n", verbatim=True)
    status = Pages(server, "status")
    answer = status.get("/")
    assert (answer.status, answer.body) == (200, b"")
