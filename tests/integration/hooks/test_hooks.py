"""Commands on events: when they run, what they are told, what their failure means."""

import os
import pathlib
import signal

import pytest

from harness import process

HTTP = "http: {address: '127.0.0.1:0', pool: {num_workers: 1}}\n"


def hooks(text):
    return HTTP + "hooks: {" + text + "}\n"


def tell(event, *names, more=""):
    """A hook that prints variables of its event, one per line."""
    variables = " ".join(f"RR_EVENT_{name}" for name in names)
    return f"{event}: {{command: [sh, -c, 'printenv RR_EVENT {variables}'] {more}}}"


def wait_told(server, event, *values, since=0):
    for value in (event, *values):
        server.log.wait(rf'\thooks {{7}}\t{value}\t{{"event": "{event}"}}', since=since)


def sleepers(server):
    def is_sleep(pid):
        try:
            return pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "sleep"
        except OSError:
            return False
    return [pid for pid in server.family() if is_sleep(pid)]


# -- the life of the server -----------------------------------------------------------------------


def test_server_starting_runs_before_anything_listens(rr, tmp_path):
    server = rr(hooks("server_starting: {command: [sh, -c,"
                      " 'printenv RR_EVENT; cat /proc/net/tcp > tcp']}"), directory=tmp_path)
    wait_told(server, "server_starting")
    sockets = [line.split() for line in (tmp_path / "tcp").read_text().splitlines()[1:]]
    listening = {local for _, local, _, state, *_ in sockets if state == "0A"}
    assert f"0100007F:{server.port:04X}" not in listening
    assert server.get("/pid").status == 200


def test_a_failing_server_starting_is_a_warning(rr):
    server = rr(hooks("server_starting: {command: [sh, -c, 'exit 4']}"))
    assert server.log.wait(r'WARN\thooks {7}\thook failed\t.*server_starting: exited with 4')
    assert server.get("/pid").status == 200


def test_fail_stop_ends_the_start(rr):
    server = rr(hooks("server_starting: {command: [sh, -c, 'exit 4'], fail: stop}"),
                expect_fail=True)
    assert server.code == 1
    assert "server_starting: exited with 4" in server.log.text("err")
    assert server.family() == []


def test_a_command_that_does_not_exist_is_named(rr):
    server = rr(hooks("server_starting: {command: no-such-command, fail: stop}"),
                expect_fail=True)
    assert server.code == 1
    assert "no-such-command" in server.log.text("err")


def test_started_and_stopping(rr):
    server = rr(hooks(tell("server_started") + ", " + tell("server_stopping")))
    wait_told(server, "server_started")
    assert server.stop() == 0
    wait_told(server, "server_stopping")


def test_a_stop_is_not_held_up_longer_than_the_grace_period(rr):
    server = rr(hooks("server_stopping: {command: sleep 1000}")
                + "endure: {grace_period: 1s}\n")
    server.stop(timeout=10)
    assert server.log.wait(r"server_stopping: killed after")
    assert server.family() == []


# -- workers, resets, requests --------------------------------------------------------------------


def test_a_worker_that_is_killed(rr):
    server = rr(hooks(tell("worker_exited", "POOL", "PID", "SIGNAL") + ", "
                      + tell("worker_ready", "POOL")))
    wait_told(server, "worker_ready", "http")
    pid = int(server.log.wait(r'worker is ready\t{"pid": (\d+)').group(1))
    os.kill(pid, signal.SIGKILL)
    wait_told(server, "worker_exited", "http", pid, 9)


def test_a_reset(rr):
    server = rr(hooks(tell("reset.begun", "POOL") + ", " + tell("reset-done", "POOL")))
    server.signal(signal.SIGUSR1)
    wait_told(server, "reset_begun", "http")
    wait_told(server, "reset_done", "http")


def test_a_request(rr):
    server = rr(hooks(tell("request_finished", "METHOD", "URI", "STATUS")))
    server.get("/pid?from=test")
    wait_told(server, "request_finished", "GET", r".*/pid\?from=test", 200)


def test_a_failing_background_command_with_fail_stop_ends_the_server(rr):
    server = rr(hooks("request_finished: {command: 'false', fail: stop}"))
    server.get("/pid")
    assert server.wait() == 1
    assert "request_finished: exited with 1" in server.log.text("err")


def test_a_flood_of_events_is_cut_off_with_a_warning(rr):
    server = rr(hooks("request_finished: {command: sleep 1000}") + "endure: {grace_period: 2s}\n")
    for _ in range(20):
        assert server.get("/pid").status == 200
    server.log.wait(r'WARN\thooks {7}\thooks were dropped, too many are running\t{"count": ')
    process.eventually(lambda: len(sleepers(server)) == 16, 10, "sixteen commands")
    server.stop(timeout=20)
    assert server.family() == []


# -- limits and ends ------------------------------------------------------------------------------


def test_the_whole_group_is_killed_at_the_timeout(rr):
    server = rr(hooks("server_starting: {timeout: 300ms,"
                      " command: [sh, -c, 'sleep 1000 & sleep 1000 & wait']}"))
    assert server.log.wait(r"server_starting: killed after \d+ ms")
    process.eventually(lambda: not sleepers(server), 5, "the end of the sleepers")


def test_no_command_outlives_a_killed_server(rr):
    server = rr(hooks("server_started: {command: sleep 1000}"))
    process.eventually(lambda: sleepers(server), 5, "the command")
    server.kill()  # the fixture looks for what is left


# -- configuration --------------------------------------------------------------------------------


@pytest.mark.parametrize("text, problem", [
    ("worker_faild: {command: x}",
     r"hooks\.worker_faild: unknown event; did you mean worker_failed\?"),
    ("worker_failed: {timeout: 1s}", r"hooks\.worker_failed\.command: missing"),
    ("worker_failed: {command: x, fail: never}", r"hooks\.worker_failed\.fail: .*ignore, stop"),
])
def test_a_wrong_section_stops_the_start_with_its_line(rr, text, problem):
    server = rr(hooks(text), expect_fail=True)
    assert server.code == 1
    assert server.log.find(r"\.rr\.yaml:\d+: " + problem)
