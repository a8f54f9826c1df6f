"""Workers that do not boot, that write where they must not, that answer twice or wrongly."""

import os
import re
import signal
import time

import pytest

from harness import process
from harness.load import Load

PLAIN = pytest.mark.parametrize("plain", ["0", "1"], ids=["numbered", "plain"])


def pool(text, more=""):
    return f"http: {{address: '127.0.0.1:0', {more} pool: {{{text}}}}}"


# -- boot ---------------------------------------------------------------------------------------


def test_a_boot_failure_shows_output_exit_code_and_command(rr):
    server = rr(pool("num_workers: 2"), expect_fail=True,
                env={"BOOT_FAIL": "43", "BOOT_STDERR": "no database here\n"})
    assert server.code == 1
    errors = server.log.text("err")
    assert "no database here" in errors
    assert re.search(r"code\D{1,5}43\b", errors)
    assert "echo.php" in errors
    assert server.family() == []


def test_what_a_failing_boot_wrote_to_stdout_is_shown(rr):
    server = rr(pool("num_workers: 1"), expect_fail=True,
                env={"BOOT_FAIL": "1", "BOOT_OUTPUT": "PHP Parse error: something"})
    assert server.code == 1
    assert "PHP Parse error: something" in server.log.text("err")


def test_a_missing_script_is_shown(rr):
    server = rr(pool("num_workers: 1"), worker="/nowhere/at-all.php", expect_fail=True)
    assert server.code == 1
    assert "Could not open input file: /nowhere/at-all.php" in server.log.text("err")


def test_a_missing_executable_is_named(rr):
    server = rr("""
        version: "3"
        server: {command: "no-such-php worker.php"}
        http: {address: "127.0.0.1:0", pool: {num_workers: 1}}
        """, expect_fail=True)
    assert server.code == 1
    assert "no-such-php" in server.log.text("err")


def test_a_silent_worker_ends_the_start_after_allocate_timeout(rr):
    begin = time.monotonic()
    server = rr("""
        version: "3"
        server: {command: "sleep 1000"}
        http: {address: "127.0.0.1:0", pool: {num_workers: 2, allocate_timeout: 1s}}
        """, expect_fail=True)
    assert server.code == 1
    assert time.monotonic() - begin < 5
    assert server.family() == []


def test_a_boot_that_dies_does_not_wait_for_allocate_timeout(rr):
    begin = time.monotonic()
    rr(pool("num_workers: 1, allocate_timeout: 60s"), env={"BOOT_FAIL": "1"}, expect_fail=True)
    assert time.monotonic() - begin < 5


def test_output_before_the_handshake_fails_the_boot_and_is_shown(rr):
    server = rr(pool("num_workers: 1"), env={"BOOT_OUTPUT": "hello from a stray echo"},
                expect_fail=True)
    assert server.code == 1
    assert "hello from a stray echo" in server.log.text("err")


def test_a_replacement_that_fails_is_tried_again(rr, tmp_path):
    blocker = tmp_path / "blocker"
    server = rr(pool("num_workers: 1, allocate_timeout: 1s"),
                env={"BOOT_FAIL": "17", "BOOT_FAIL_FILE": str(blocker),
                     "BOOT_STDERR": "cannot boot\n"})
    blocker.touch()
    mark = server.log.mark()
    os.kill(server.workers()[0], signal.SIGKILL)
    server.log.wait(r"code\D{1,5}17\b", since=mark)
    assert server.get("/pid").status == 503
    assert server.running
    blocker.unlink()
    process.eventually(lambda: server.get("/pid").status == 200, 10, "the recovery")


# -- the log ------------------------------------------------------------------------------------


def test_stderr_is_logged_by_lines(rr):
    server = rr(pool("num_workers: 1"))
    server.get("/stderr?text=first%20line%0Asecond%20line")
    first = server.log.wait("first line").string
    second = server.log.wait("second line").string
    assert "second" not in first
    assert "server" in first and "server" in second


def test_very_long_stderr_lines_are_not_lost(rr):
    server = rr(pool("num_workers: 1"))
    assert server.get(f"/stderr?text={'y' * 12000}").status == 200
    process.eventually(lambda: server.log.text("err").count("y") >= 12000, what="the line")


def test_a_worker_that_floods_stderr_does_not_stall(rr):
    server = rr(pool("num_workers: 1"))
    for _ in range(30):
        assert server.get(f"/stderr?text={'z' * 15000}").status == 200


# -- stray output -------------------------------------------------------------------------------


@PLAIN
@pytest.mark.parametrize("query", ["text=x", "text=hello", "text=0123456789ab", "bytes=100",
                                   "bytes=5000", "text=%13%00%00%00"])
def test_stray_output_costs_its_own_request_and_no_time(rr, query, plain):
    server = rr(pool("num_workers: 1"), env={"RR_WORKER_PLAIN": plain})
    begin = time.monotonic()
    response = server.get(f"/stdout?{query}")
    assert time.monotonic() - begin < 1
    assert response.status == 502
    for _ in range(5):
        answer = server.get("/status?body=mine")
        assert (answer.status, answer.text) == (200, "mine")


@PLAIN
def test_stray_output_under_load_costs_only_its_own_requests(rr, plain):
    server = rr(pool("num_workers: 3"), env={"RR_WORKER_PLAIN": plain})
    with Load(server, "/status?body=mine", clients=6,
              check=lambda response: response.body == b"mine" or response.status) as load:
        for _ in range(5):
            load.wait(30)
            assert server.post("/stdout?text=stray", b"x").status == 502
        load.wait(30)
    load.assert_all()
    assert set(load.bodies) == {b"mine"}


# -- double answers -----------------------------------------------------------------------------


def test_a_second_answer_never_reaches_another_client(rr):
    """Of a numbered worker; conformance/test_answers.py has the same for others."""
    server = rr(pool("num_workers: 1"))
    for _ in range(5):
        assert server.get("/double").text == "first"
        for number in range(3):
            assert server.get(f"/status?body=mine{number}").text == f"mine{number}"


@pytest.mark.parametrize("fence, plain", [("false", "0"), ("true", "0"), ("true", "1")])
def test_a_late_second_answer_never_reaches_another_client(rr, fence, plain):
    """Without numbers only the fence can tell a late second answer from the next one."""
    server = rr(pool(f"num_workers: 1, fence: {fence}"), env={"RR_WORKER_PLAIN": plain})
    for delay in (1, 5, 20):
        with server.open() as connection:
            connection.send(f"GET /double?ms={delay} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            double = connection.read_response()
            assert double.text == "first" or double.status == 502
            for number in range(3):
                connection.send(f"GET /status?body=m{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
                assert connection.read_response().text == f"m{number}"


def test_double_answers_under_load_reach_nobody_else(rr):
    server = rr(pool("num_workers: 2"))
    with Load(server, "/status?body=mine", clients=6) as load:
        for _ in range(10):
            load.wait(20)
            assert server.post("/double", b"x").text in ("first", "")
        load.wait(20)
    load.assert_all()
    assert set(load.bodies) == {b"mine"}


# -- wrong answers ------------------------------------------------------------------------------


@PLAIN
@pytest.mark.parametrize("target, status", [
    ("/error", 500), ("/throw", 500), ("/badstatus", 500), ("/badjson", 502), ("/badframe", 502),
    ("/badoffset", 502)])
def test_the_status_of_a_wrong_answer(rr, target, status, plain):
    server = rr(pool("num_workers: 1"), env={"RR_WORKER_PLAIN": plain})
    begin = time.monotonic()
    assert server.get(target).status == status
    assert time.monotonic() - begin < 1
    assert server.get("/pid").status == 200


def test_another_requests_number_is_a_protocol_error(rr):
    server = rr(pool("num_workers: 1"))
    before = server.workers()
    assert server.get("/badnumber").status == 502
    assert int(server.get("/pid").text) not in before


def test_an_error_frame_keeps_the_worker(rr):
    server = rr(pool("num_workers: 1"))
    before = server.get("/pid").text
    response = server.get("/error?text=secret")
    assert (response.status, response.body) == (500, b"")
    assert server.get("/pid").text == before


@pytest.mark.parametrize("target, replaced", [
    ("/error", True), ("/kill", True), ("/badjson", True), ("/badframe", True)])
def test_internal_error_code_replaces_the_status(rr, target, replaced):
    server = rr(pool("num_workers: 2", "internal_error_code: 418,"))
    assert server.get(target).status == (418 if replaced else 500)


def test_an_unanswered_request_is_an_error_not_an_empty_200(rr):
    server = rr(pool("num_workers: 1, supervisor: {exec_ttl: 1s}"))
    assert server.get("/none").status in (500, 502, 504)
    assert server.get("/pid").status == 200


def test_a_worker_that_asks_to_be_replaced_forever_is_given_up(rr):
    server = rr(pool("num_workers: 1"))
    begin = time.monotonic()
    assert server.get("/replace", timeout=20).status == 503
    assert time.monotonic() - begin < 15
    process.eventually(lambda: server.get("/pid").status == 200, 10, "the recovery")
