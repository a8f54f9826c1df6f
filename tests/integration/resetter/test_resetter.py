"""resetter.* over RPC: storms of resets, resets under load, and who is not delayed by whom."""

import json
import time

from harness import process
from harness.control import Pages
from harness.load import Background, Load
from harness.rpc import Client, address_of, frame
from harness.server import is_sanitized

RPC = "rpc: {listen: 'tcp://127.0.0.1:0'}\n"


def serve(rr, pool="num_workers: 2", more="", **named):
    return rr(RPC + f"http: {{address: '127.0.0.1:0', pool: {{{pool}}}}}\n{more}", **named)


def reset(server, name="http"):
    """One call on its own connection; nothing, or the error."""
    with Client(address_of(server), timeout=60) as client:
        return client.call("resetter.Reset", json.dumps(name).encode()).error


def generation(server):
    with Client(address_of(server)) as client:
        return json.loads(client.call("informer.Status", b'"http"').body)["groups"][0]["generation"]


def test_list_and_reset(rr):
    server = serve(rr)
    before = set(server.workers())
    with Client(address_of(server)) as client:
        assert json.loads(client.call("resetter.List", b"true").body) == ["http"]
        assert client.call("resetter.Reset", b'"http"').body == b"true"
        assert client.call("http.Reset", b"true").body == b'"OK"'
    assert not before & set(server.wait_workers(lambda pids: len(pids) == 2))


def test_an_unknown_plugin_has_roadrunners_error(rr):
    assert reset(serve(rr), "nosuch") == (
        "resetter_rpc_reset:\n\tresetter_plugin_reset_by_name: no such plugin: nosuch")


def test_a_failed_boot_is_the_callers_error_and_the_old_workers_stay(rr, tmp_path):
    blocker = tmp_path / "blocker"
    server = serve(rr, env={"BOOT_FAIL": "19", "BOOT_FAIL_FILE": str(blocker),
                            "BOOT_STDERR": "the database is gone\n"})
    before = server.workers()
    blocker.touch()
    error = reset(server)
    assert error.startswith("resetter_rpc_reset: ")
    assert "the database is gone" in error
    assert server.workers() == before
    blocker.unlink()
    assert reset(server) is None


VERSIONED = """<?php
require '@ROOT@/php-worker/autoload.php';
$version = file_get_contents(__DIR__ . '/version');
while (!file_exists(__DIR__ . '/go')) {
    usleep(5000);
    clearstatcache();
}
(new Rr\\Worker\\HttpWorker())->serve(fn () => $version);
"""


def test_twenty_resets_at_once_make_two_generations_and_each_caller_sees_its_change(rr):
    server = rr(RPC + """version: "3"
server: {command: "php w.php"}
http: {address: "127.0.0.1:0", pool: {num_workers: 2}}
""", files={"w.php": VERSIONED, "version": "0", "go": ""})
    start = generation(server)
    (server.directory / "go").unlink()
    # An editor saves file after file: each is changed, then a reset is asked for. The answer to
    # another call behind it says that the server has it.
    clients = []
    for number in range(1, 21):
        (server.directory / "version").write_text(str(number))
        client = Client(address_of(server), timeout=30)
        client.send(frame("resetter.Reset", b'"http"', sequence=1)
                    + frame("rpc.Version", b"true", sequence=2))
        assert client.read_reply().sequence == 2
        clients.append(client)
    (server.directory / "go").touch()
    for number, client in enumerate(clients, 1):
        with client:
            reply = client.read_reply()
        assert (reply.sequence, reply.body) == (1, b"true")
        assert int(server.get("/").text) >= number
    assert generation(server) - start == 2


def test_twenty_calls_on_one_connection_are_all_answered(rr):
    server = serve(rr, pool="num_workers: 1", env={"BOOT_SLEEP_MS": "200"})
    start = generation(server)
    with Client(address_of(server), timeout=30) as client:
        client.send(b"".join(frame("resetter.Reset", b'"http"', sequence=number)
                             for number in range(1, 21)))
        replies = [client.read_reply() for _ in range(20)]
    assert {reply.sequence for reply in replies} == set(range(1, 21))
    assert all(reply.body == b"true" for reply in replies)
    assert generation(server) - start <= 2


def test_two_hundred_resets_under_load_fail_no_request(rr):
    count = 40 if is_sanitized() else 200
    server = serve(rr, pool="num_workers: 2")
    start = generation(server)
    with Load(server, "/pid", clients=4, seconds=80) as load:
        load.wait(20)
        with Client(address_of(server), timeout=60) as client:
            for number in range(count):
                reply = client.call("resetter.Reset", b'"http"', sequence=number + 1)
                assert reply.body == b"true", (number, reply.error)
        load.wait(20)
    load.assert_all()
    assert generation(server) - start == count
    server.wait_workers(lambda pids: len(pids) == 2, what="the last generation alone")


def test_a_long_request_delays_no_reset_no_health_check_and_nobody_else(rr, gate):
    server = serve(rr, pool="num_workers: 3", worker=gate.worker, env=gate.env,
                   more="status: {address: '127.0.0.1:0'}")
    status = Pages(server, "status")
    held = Background(server.get, "/hold?name=long")
    old = gate.begun("long")
    slowest = 0.0
    for _ in range(5):
        begin = time.monotonic()
        assert reset(server) is None
        answer = server.get("/")
        assert int(answer.text) != old
        assert [status.get(path).status for path in ("/health", "/ready")] == [200, 200]
        slowest = max(slowest, time.monotonic() - begin)
    assert not held.done and process.is_alive(old)
    gate.open("long")
    assert held.result().text == str(old)
    assert process.wait_gone(old, 5)
    assert slowest < 5, "a reset waited for the request"


def test_other_calls_go_on_during_a_reset(rr):
    server = serve(rr, pool="num_workers: 1", env={"BOOT_SLEEP_MS": "1500"}, timeout=40)
    with Client(address_of(server), timeout=30) as client:
        client.send(frame("resetter.Reset", b'"http"', sequence=1))
        client.send(frame("informer.Status", b'"http"', sequence=2))
        first = client.read_reply()
        assert first.sequence == 2
        assert json.loads(first.body)["groups"][0]["resetting"] is True
        assert client.read_reply().sequence == 1
