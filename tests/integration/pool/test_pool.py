"""Workers: how many there are, which one is taken, when and why they are replaced."""

import collections
import os
import signal
import time

import pytest

from harness import process
from harness.load import Background, Load
from harness.server import POOL_WORKERS


def pool(text, server=""):
    return f"http: {{address: '127.0.0.1:0', pool: {{{text}}}}}\n{server}"


def test_workers_boot_in_parallel(rr):
    begin = time.monotonic()
    server = rr(pool("num_workers: 8"), env={"BOOT_SLEEP_MS": "500"})
    assert time.monotonic() - begin < 3.0  # one after another: 4 s of sleeping alone
    assert len(server.workers()) == 8


def test_no_number_means_one_worker_per_cpu(rr):
    assert len(rr(pool("num_workers: 0")).workers()) == os.cpu_count()


def test_the_worker_that_became_idle_last_is_taken_first(rr):
    server = rr(pool("num_workers: 4"))
    assert len({server.get("/pid").text for _ in range(20)}) == 1


def test_workers_lead_their_own_process_group(rr):
    server = rr(pool("num_workers: 2"))
    assert all(os.getpgid(pid) == pid for pid in server.workers())


def test_a_pool_can_have_its_own_command(rr):
    server = rr(pool(f"num_workers: 1, command: [php, '{POOL_WORKERS}/stubborn.php']"))
    assert int(server.get("/").text) in server.workers()
    server.kill()


# -- max_jobs -----------------------------------------------------------------------------------


def test_a_worker_ends_after_max_jobs(rr):
    server = rr(pool("num_workers: 1, max_jobs: 5"))
    served = [server.get("/").json() for _ in range(23)]
    per_worker = collections.Counter(answer["pid"] for answer in served)
    assert max(answer["served"] for answer in served) == 5
    assert sorted(per_worker.values(), reverse=True) == [5, 5, 5, 5, 3]


def test_max_jobs_under_load_fails_nobody(rr):
    server = rr(pool("num_workers: 2, max_jobs: 20"))
    most = collections.Counter()

    def check(response):
        answer = response.json()
        most[answer["pid"]] = max(most[answer["pid"]], answer["served"])
        assert len(server.workers()) <= 4

    with Load(server, "/", clients=4, check=check) as load:
        load.wait(400)
    load.assert_all()
    assert len(most) >= 10
    assert max(most.values()) <= 22  # 20 and up to 14 % of it


def test_the_last_job_is_answered_before_the_worker_is_stopped(rr):
    server = rr(pool("num_workers: 1, max_jobs: 1, destroy_timeout: 3s"),
                worker=POOL_WORKERS / "stubborn.php")
    begin = time.monotonic()
    first = int(server.get("/").text)
    assert time.monotonic() - begin < 1.5
    assert int(server.get("/").text) != first


# -- supervisor ---------------------------------------------------------------------------------


def supervised(limits, workers=2, more=""):
    return pool(f"num_workers: {workers}, supervisor: {{watch_tick: 100ms, {limits}}}{more}")


def test_ttl_replaces_workers_and_fails_nobody(rr):
    server = rr(supervised("ttl: 1s"))
    before = server.workers()
    with Load(server, "/pid", clients=4) as load:
        now = server.wait_workers(
            lambda pids: len(pids) == 2 and not set(pids) & set(before), 10, "new workers")
        load.wait(20)
    load.assert_all()
    assert len(now) == 2


def test_idle_ttl_retires_a_worker_that_rests(rr):
    server = rr(supervised("idle_ttl: 1s"))
    used = int(server.get("/pid").text)
    unused = [pid for pid in server.workers() if pid != used]
    server.wait_workers(lambda pids: used not in pids and len(pids) == 2, 10, "a new worker")
    assert set(unused) <= set(server.workers())  # what ran nothing is never idle


def test_exec_ttl_is_504_and_costs_the_worker(rr):
    server = rr(supervised("exec_ttl: 300ms", workers=1))
    before = server.workers()
    begin = time.monotonic()
    response = server.get("/sleep?ms=8000")
    assert response.status == 504
    assert 0.25 < time.monotonic() - begin < 3
    assert response.body == b""
    assert int(server.get("/pid").text) not in before


def test_internal_error_code_replaces_504(rr):
    server = rr("http: {address: '127.0.0.1:0', internal_error_code: 505, pool: "
                "{num_workers: 1, supervisor: {exec_ttl: 200ms}}}")
    assert server.get("/sleep?ms=5000").status == 505


def test_exec_ttl_is_counted_for_each_frame_of_a_stream(rr):
    server = rr(supervised("exec_ttl: 400ms", workers=1))
    response = server.get("/stream?n=6&ms=150")
    assert response.status == 200
    assert response.text.splitlines()[-1] == "chunk 6"


def test_a_worker_over_its_memory_limit_finishes_its_job_and_goes(rr):
    server = rr(supervised("max_worker_memory: 80", workers=1))
    fat = server.get("/memory?mb=120")
    assert fat.status == 200
    pid = fat.json()["pid"]
    server.wait_workers(lambda pids: pids and pid not in pids, 10, "a new worker")
    assert server.get("/pid").status == 200


# -- deaths -------------------------------------------------------------------------------------


def test_a_killed_idle_worker_is_replaced(rr):
    server = rr(pool("num_workers: 2"))
    victim = server.workers()[0]
    os.kill(victim, signal.SIGKILL)
    server.wait_workers(lambda pids: len(pids) == 2 and victim not in pids, 10, "a new worker")
    assert server.get("/pid").status == 200


@pytest.mark.parametrize("plain", ["0", "1"])
def test_killing_workers_under_a_get_load_fails_no_request(rr, plain):
    server = rr(pool("num_workers: 3"), env={"RR_WORKER_PLAIN": plain})
    with Load(server, "/pid", clients=8, seconds=40) as load:
        load.wait(50)
        killed = set()
        for _ in range(15):
            # With all three there again: a request whose second worker dies too is rightly a 502.
            alive = server.wait_workers(lambda pids: len(set(pids) - killed) == 3)
            os.kill(alive[0], signal.SIGKILL)
            killed.add(alive[0])
            load.wait(40).wait_round()
    load.assert_all()
    server.wait_workers(lambda pids: len(pids) == 3)


def test_killing_workers_under_load_never_mixes_answers(rr):
    server = rr(pool("num_workers: 2"))

    def client(name):
        with server.open(timeout=30) as connection:
            for number in range(150):
                token = f"{name}-{number}"
                connection.send(f"GET /status?body={token} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                response = connection.read_response()
                assert (response.status, response.text) == (200, token)

    clients = [Background(client, f"client{number}") for number in range(8)]
    killed = set()
    while not all(each.done for each in clients) and len(killed) < 10:
        fresh = [pid for pid in server.workers() if pid not in killed]
        if fresh:
            os.kill(fresh[0], signal.SIGKILL)
            killed.add(fresh[0])
        process.eventually(lambda: len(set(server.workers()) - killed) == 2
                           or all(each.done for each in clients), what="a new worker")
    for each in clients:
        each.result(60)


def test_a_post_whose_worker_dies_is_502_and_not_repeated(rr):
    server = rr(pool("num_workers: 2"))
    before = set(server.workers())
    assert server.post("/kill", b"x").status == 502
    server.wait_workers(lambda pids: len(pids) == 2 and set(pids) != before, 10, "a new worker")
    assert len(set(server.workers()) & before) == 1
    assert server.get("/pid").status == 200


@pytest.mark.parametrize("target", ["/kill", "/exit?code=0", "/exit?code=7", "/fatal"])
def test_a_get_that_kills_two_workers_is_502(rr, target):
    server = rr(pool("num_workers: 2"))
    before = server.workers()
    assert server.get(target).status == 502
    server.wait_workers(lambda pids: len(pids) == 2 and not set(pids) & set(before), 10,
                        "two new workers")
    assert server.get("/pid").status == 200


def test_without_retry_safe_methods_one_death_is_502(rr):
    server = rr("http: {address: '127.0.0.1:0', retry_safe_methods: false, "
                "pool: {num_workers: 2}}")
    before = set(server.workers())
    assert server.get("/kill").status == 502
    server.wait_workers(lambda pids: len(pids) == 2 and set(pids) != before, 10, "a new worker")
    assert len(set(server.workers()) & before) == 1


def test_a_death_in_mid_stream_cuts_the_connection(rr):
    server = rr(pool("num_workers: 1"))
    answer = server.raw(b"GET /stream?n=5&die=2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert b"chunk 2" in answer
    assert not answer.endswith(b"0\r\n\r\n")  # the client must see that the end is missing


def test_no_php_outlives_a_killed_server(rr):
    server = rr(pool("num_workers: 3"))
    workers = server.workers()
    assert len(workers) == 3
    with server.open() as busy:
        busy.send(b"GET /sleep?ms=30000 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.ping()
        server.kill()
        assert all(process.wait_gone(pid, 3) for pid in workers)


# -- planned ends -------------------------------------------------------------------------------


@pytest.mark.parametrize("stubborn", ["stop", "term"])
def test_destroy_timeout_bounds_the_stop_of_a_worker_that_does_not_obey(rr, stubborn):
    server = rr(pool("num_workers: 2, destroy_timeout: 1s"), worker=POOL_WORKERS / "stubborn.php",
                env={"STUBBORN": stubborn})
    workers = server.workers()
    begin = time.monotonic()
    server.stop(timeout=10)
    assert time.monotonic() - begin < 4
    assert not any(process.is_alive(pid) for pid in workers)


@pytest.mark.parametrize("stubborn", ["stop", "term"])
def test_destroy_timeout_bounds_the_end_by_max_jobs(rr, stubborn):
    server = rr(pool("num_workers: 1, max_jobs: 1, destroy_timeout: 700ms"),
                worker=POOL_WORKERS / "stubborn.php", env={"STUBBORN": stubborn})
    done = int(server.get("/").text)
    begin = time.monotonic()
    assert process.wait_gone(done, 5)
    assert time.monotonic() - begin < 2.5


def test_a_crash_before_the_stop_does_not_delay_it(rr):
    server = rr(pool("num_workers: 2"))
    os.kill(server.workers()[0], signal.SIGKILL)
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 2


# -- dynamic allocator, debug -------------------------------------------------------------------


def test_the_allocator_grows_on_queue_time_and_shrinks_on_idleness(rr, gate):
    server = rr(pool("num_workers: 1, allocate_timeout: 10s, dynamic_allocator: "
                     "{max_workers: 3, spawn_rate: 2, idle_timeout: 1s}"),
                worker=gate.worker, env=gate.env)
    begin = time.monotonic()
    held = [Background(server.get, f"/hold?name=r{number}") for number in range(4)]
    for number in range(4):
        gate.begun(f"r{number}")
    assert time.monotonic() - begin < 6
    assert len(server.workers()) == 4
    for number in range(4):
        gate.open(f"r{number}")
    assert [each.result().status for each in held] == [200] * 4
    server.wait_workers(lambda pids: len(pids) == 1, 10, "the end of the extra workers")
    assert server.get("/").status == 200


def test_the_allocator_never_exceeds_its_limit(rr, gate):
    server = rr(pool("num_workers: 1, allocate_timeout: 2s, dynamic_allocator: "
                     "{max_workers: 1, spawn_rate: 5, idle_timeout: 10s}"),
                worker=gate.worker, env=gate.env)
    held = [Background(server.get, f"/hold?name=r{number}") for number in range(2)]
    gate.begun("r0"), gate.begun("r1")
    assert server.get("/").status == 503
    assert len(server.workers()) == 2
    gate.open("r0"), gate.open("r1")
    assert [each.result().status for each in held] == [200, 200]


def test_debug_runs_each_request_in_a_new_process(rr):
    server = rr("""
        version: "3"
        server: {command: "php w.php"}
        http: {address: "127.0.0.1:0", pool: {debug: true, num_workers: 4}}
        """, files={"w.php": """<?php
            require '@ROOT@/php-worker/autoload.php';
            (new Rr\\Worker\\HttpWorker())->serve(fn () => 'one ' . getmypid());
            """})
    answers = [server.get("/").text for _ in range(3)]
    assert len(set(answers)) == 3 and all(answer.startswith("one ") for answer in answers)
    script = server.directory / "w.php"
    script.write_text(script.read_text().replace("'one ", "'two "))
    assert server.get("/").text.startswith("two ")
    process.eventually(lambda: server.workers() == [], what="the end of the processes")


def test_debug_bounds_the_number_of_processes(rr, gate):
    server = rr(pool("debug: true"), worker=gate.worker, env=gate.env)
    limit = max(8, 2 * os.cpu_count())
    held = [Background(server.get, f"/hold?name=r{number}") for number in range(limit + 4)]
    process.eventually(lambda: sum(gate.has_begun(f"r{n}") for n in range(limit + 4)) >= limit,
                       20, "the begin of the first requests")
    assert len(server.workers()) <= limit
    for number in range(limit + 4):
        gate.open(f"r{number}")
    assert [each.result().status for each in held] == [200] * (limit + 4)


def test_debug_shows_the_error_text(rr):
    server = rr(pool("debug: true"))
    response = server.get("/error?text=what-went-wrong")
    assert response.status == 500
    assert "what-went-wrong" in response.text


def test_debug_leaves_no_process_after_an_error(rr):
    server = rr(pool("debug: true"))
    server.get("/error")
    process.eventually(lambda: server.workers() == [], what="the end of the process")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change the user")
def test_workers_run_as_the_configured_user(rr, tmp_path):
    server = rr("""
        version: "3"
        server: {command: "sleep 1000", user: nobody}
        http: {address: "127.0.0.1:0", pool: {num_workers: 1, allocate_timeout: 20s}}
        """, ready=False)
    pid = process.eventually(server.workers, what="the worker")[0]
    process.eventually(lambda: os.stat(f"/proc/{pid}").st_uid != 0, what="the change of user")
    assert not process.environment(pid).get(b"RR_RPC")
    server.kill()
    assert process.wait_gone(pid, 3)
