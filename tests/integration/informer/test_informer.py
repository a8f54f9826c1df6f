"""informer.* over RPC."""

import json

from harness.load import Background
from harness.process import eventually
from harness.rpc import Client, address_of

RPC = "rpc: {listen: 'tcp://127.0.0.1:0'}\n"
KEYS = {"pid", "status", "numExecs", "created", "memoryUsage", "CPUPercent", "command", "statusStr"}


def serve(rr, pool="num_workers: 2", **named):
    return rr(RPC + f"http: {{address: '127.0.0.1:0', pool: {{{pool}}}}}", **named)


def ask(server, method, body=b"true"):
    with Client(address_of(server)) as client:
        reply = client.call(method, body)
        assert reply.error is None, reply.error
        return json.loads(reply.body)


def refused(server, method, body):
    with Client(address_of(server)) as client:
        return client.call(method, body).error


def test_list_names_the_plugins_with_workers(rr):
    assert ask(serve(rr), "informer.List") == ["http"]


def test_workers_have_eight_keys_and_the_processes_pids(rr):
    server = serve(rr)
    server.get("/pid")
    workers = ask(server, "informer.Workers", b'"http"')["workers"]
    assert sorted(worker["pid"] for worker in workers) == sorted(server.workers())
    for worker in workers:
        assert set(worker) == KEYS
        assert (worker["status"], worker["statusStr"]) == (1, "ready")
        assert worker["memoryUsage"] > 1_000_000
        assert worker["created"] > 1_700_000_000_000_000_000
    assert sum(worker["numExecs"] for worker in workers) == 1


def test_an_unknown_plugin_has_null_workers(rr):
    server = serve(rr)
    assert ask(server, "informer.Workers", b'"nosuch"') == {"workers": None}
    assert ask(server, "informer.Jobs", b'"http"') is None


def test_a_busy_pool_is_listed_at_once(rr, gate):
    server = serve(rr, worker=gate.worker, env=gate.env)
    held = [Background(server.get, f"/hold?name={name}") for name in "ab"]
    for name in "ab":
        gate.begun(name)
    workers = ask(server, "informer.Workers", b'"http"')["workers"]
    assert [worker["statusStr"] for worker in workers] == ["working", "working"]
    for name, one in zip("ab", held):
        gate.open(name)
        one.result()


def test_workers_are_added_and_removed_with_false_for_success(rr):
    server = serve(rr)
    assert ask(server, "informer.AddWorker", b'"http"') is False
    assert len(server.workers()) == 3
    assert ask(server, "resetter.Reset", b'"http"') is True
    server.wait_workers(lambda pids: len(pids) == 3, what="a reset with the changed size")
    assert ask(server, "informer.RemoveWorker", b'"http"') is False
    server.wait_workers(lambda pids: len(pids) == 2)


def test_what_has_no_workers_cannot_be_resized(rr):
    server = serve(rr)
    for method in ("informer.AddWorker", "informer.RemoveWorker"):
        assert refused(server, method, b'"rpc"') == "plugin rpc does not support workers management"


def test_status_tells_queue_generation_and_tasks(rr, gate):
    server = serve(rr, pool="num_workers: 1", worker=gate.worker, env=gate.env)
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    waiting = Background(server.get, "/")
    eventually(lambda: ask(server, "informer.Status", b'""')["groups"][0]["queued"] == 1)
    [found] = ask(server, "informer.Status", b'"http"')["groups"]
    assert found["plugin"] == "http" and not found["resetting"] and found["ready"]
    assert found["workers"][0]["task"] == "GET /hold?name=a"
    assert set(found["workers"][0]) == KEYS | {"task", "taskTime"}
    gate.open("a")
    held.result()
    waiting.result()
    assert ask(server, "informer.Status", b'"nosuch"') == {"groups": []}


def test_http_workers_of_1x(rr):
    server = serve(rr)
    workers = ask(server, "http.Workers")["workers"]
    assert [worker["status"] for worker in workers] == ["ready", "ready"]
    assert set(workers[0]) == {"pid", "status", "numExecs", "created", "memoryUsage"}


def test_a_removed_worker_is_not_counted_any_more(rr):
    server = serve(rr, pool="num_workers: 3")
    for left in (2, 1, 1):  # the last one stays
        assert ask(server, "informer.RemoveWorker", b'"http"') is False
        assert len(ask(server, "informer.Workers", b'"http"')["workers"]) == left
