"""`rr workers -i` in a terminal: the picture, its size, its keys, and the way back."""

import os
import re
import signal

import pytest

from harness import process
from harness.cli import rpc
from harness.load import Background
from harness.rpc import Client, address_of
from harness.server import binary
from harness.tmux import Screen

RPC = "rpc: {listen: 'tcp://127.0.0.1:0'}\n"


def serve(rr, pool="num_workers: 2", **named):
    return rr(RPC + f"http: {{address: '127.0.0.1:0', pool: {{{pool}}}}}", **named)


def watch(screen: Screen, server, *args, command="workers"):
    """Starts the table between two looks at the terminal's mode; its pid stands in a file."""
    for name in ("before", "after", "pid", "code"):
        (screen.directory / name).unlink(missing_ok=True)
    line = " ".join([binary(), command, "-i", *rpc(server), *args])
    screen.type(f"stty -a > before; sh -c 'echo $$ > pid; exec {line}'; echo $? > code; "
                "stty -a > after")


def viewer(screen):
    file = screen.directory / "pid"
    return int(process.eventually(lambda: file.exists() and file.read_text(), what="its pid"))


def mode(file):
    """What stty wrote, without the size: tests change it."""
    return re.sub(r"rows \d+; columns \d+;", "", file.read_text())


def assert_restored(screen, code=0):
    after = screen.directory / "after"
    process.eventually(lambda: after.exists() and after.read_text(), what="the end of rr")
    assert mode(after) == mode(screen.directory / "before")
    assert int((screen.directory / "code").read_text()) == code
    screen.wait(r"ready\$ \Z|ready\$\Z")
    assert not screen.second_screen()
    assert screen.cursor_shown()
    assert "Workers of" not in screen.text()


def assert_fits(screen, columns):
    assert all(len(line) <= columns for line in screen.lines())
    boxes = [line for line in screen.lines() if line[:1] in "┌│├└"]
    assert boxes and len({len(line) for line in boxes}) == 1, screen.text()


def test_the_table_is_shown_and_refreshed_in_place(rr, screen):
    server = serve(rr)
    watch(screen, server)
    screen.wait(r"Workers of \[http\]: 2 workers, 0 working, 0 waiting")
    for title in ("PID", "STATUS", "EXECS", "MEMORY", "CPU %", "CREATED"):
        assert title in screen.text()
    assert_fits(screen, 80)
    assert screen.second_screen() and not screen.cursor_shown()
    for _ in range(3):
        server.get("/pid")
    screen.wait(r"│ ready +│ 3 +│")  # the worker that was idle last took all three
    assert screen.text().count("Workers of") == 1
    screen.keys("q")
    assert_restored(screen)


def test_workers_that_leave_leave_the_picture(rr, screen):
    server = serve(rr, pool="num_workers: 4")
    watch(screen, server)
    screen.wait(r"4 workers")
    with Client(address_of(server)) as client:
        client.call("informer.RemoveWorker", b'"http"')
        client.call("informer.RemoveWorker", b'"http"')
    screen.wait(r"2 workers")
    assert len(re.findall(r"^│ \d+", screen.text(), re.M)) == 2
    assert screen.text().count("└") == 1
    screen.keys("q")
    assert_restored(screen)


def test_t_shows_what_each_worker_does(rr, screen, gate):
    server = serve(rr, worker=gate.worker, env=gate.env)
    held = Background(server.get, "/hold?name=report&of=november")
    gate.begun("report")
    watch(screen, server)
    screen.wait(r"1 working")
    assert "TASK" not in screen.text()
    screen.keys("t")
    screen.wait(r"│ \d\S* GET /hold\?name=r")
    assert_fits(screen, 80)
    screen.keys("t")
    screen.wait_gone("TASK")
    gate.open("report")
    held.result()
    screen.keys("q")
    assert_restored(screen)


def test_queue_and_reset_are_shown(rr, screen, gate):
    server = serve(rr, pool="num_workers: 1", worker=gate.worker, env=gate.env)
    watch(screen, server)
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    waiting = [Background(server.get, "/") for _ in range(3)]
    screen.wait(r"1 working, 3 waiting")
    gate.open("a")
    held.result()
    for one in waiting:
        one.result()
    screen.wait(r"0 working, 0 waiting")
    server.signal(signal.SIGUSR1)
    screen.wait(r"generation 2")
    screen.keys("q")
    assert_restored(screen)


def test_a_reset_under_way_is_shown(rr, screen):
    server = serve(rr, pool="num_workers: 1", env={"BOOT_SLEEP_MS": "2500"}, timeout=40)
    watch(screen, server)
    screen.wait(r"1 worker,")
    server.signal(signal.SIGUSR1)
    screen.wait(r"resetting")
    screen.wait(r"generation 2")
    screen.keys("q")
    assert_restored(screen)


def test_the_picture_follows_the_size_of_the_terminal(rr, screen, gate):
    server = serve(rr, worker=gate.worker, env=gate.env)
    held = Background(server.get, "/hold?name=a&b=" + "x" * 200)
    gate.begun("a")
    screen.resize(120)
    watch(screen, server)
    screen.wait("CREATED")
    screen.keys("t")
    screen.wait("TASK")
    for columns in (80, 40):
        screen.resize(columns)
        process.eventually(lambda: "TASK" in screen.text()
                           and max(map(len, screen.lines())) <= columns
                           and len([x for x in screen.lines() if x[:1] == "┌"]) == 1,
                           what=f"{columns} columns")
        assert_fits(screen, columns)
        assert re.search(r"│ working", screen.text())
        assert "GET /hold" in screen.text()
    screen.keys("t")
    screen.wait_gone("TASK")
    assert_fits(screen, 40)
    assert "0 waiting" in screen.text()
    screen.resize(80)
    screen.wait("CREATED")
    gate.open("a")
    held.result()
    screen.keys("q")
    assert_restored(screen)


def test_more_workers_than_rows_scroll(rr, screen):
    server = serve(rr, pool="num_workers: 12")
    screen.resize(80, 10)
    watch(screen, server)
    screen.wait(r"lines hidden")
    first = str(min(server.workers()))
    last = str(max(server.workers()))
    assert first in screen.text() and last not in screen.text()
    screen.keys("PageDown", "PageDown", "F5", "x")
    screen.wait(last)
    screen.keys("Up", "PageUp", "PageUp", "k")
    screen.wait(first)
    screen.keys("PageDown", "q")  # all of it in one piece of input
    assert_restored(screen)


def test_ctrl_c_restores_the_terminal(rr, screen):
    server = serve(rr)
    watch(screen, server)
    screen.wait("Workers of")
    screen.keys("C-c")
    assert_restored(screen)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_signals_restore_the_terminal(rr, screen, number):
    server = serve(rr)
    watch(screen, server)
    screen.wait("Workers of")
    os.kill(viewer(screen), number)
    assert_restored(screen)


def test_an_abort_restores_the_terminal(rr, screen):
    server = serve(rr)
    watch(screen, server)
    screen.wait("Workers of")
    os.kill(viewer(screen), signal.SIGABRT)
    assert_restored(screen, code=128 + signal.SIGABRT)


def test_ctrl_z_gives_the_shell_its_terminal_until_fg(rr, screen):
    server = serve(rr)
    line = " ".join([binary(), "workers", "-i", *rpc(server)])
    screen.type("stty -a > before")
    screen.type(line)
    screen.wait("Workers of")
    screen.keys("C-z")
    screen.wait("Stopped")
    assert not screen.second_screen() and screen.cursor_shown()
    screen.type("stty -a > after")
    before, after = (screen.directory / name for name in ("before", "after"))
    process.eventually(lambda: after.exists() and after.read_text())
    assert mode(before) == mode(after)
    screen.type("fg")
    screen.wait("Workers of")
    assert screen.second_screen()
    screen.keys("q")
    screen.wait(r"ready\$ ?\Z")
    assert not screen.second_screen()


def test_a_server_that_goes_and_comes_back(rr, screen, tmp_path):
    path = tmp_path / "rr.sock"
    text = (f"rpc: {{listen: 'unix://{path}'}}\n"
            "http: {address: '127.0.0.1:0', pool: {num_workers: 1}}")
    server = rr(text)
    watch(screen, server)
    screen.wait("Workers of")
    server.stop()
    screen.wait("no server answers at|closed the connection")
    assert "Workers of" not in screen.text()
    again = rr(text)
    screen.wait(str(again.workers()[0]))
    screen.keys("q")
    assert_restored(screen)


def test_http_workers_is_refreshed_too(rr, screen):
    server = serve(rr)
    watch(screen, server, command="http:workers")
    screen.wait(r"\|   PID   \|  STATUS   \|  EXECS  \|")
    server.get("/pid")
    screen.wait(r"\| ready     \|       1 \|")
    screen.keys("q")
    assert_restored(screen)


def test_a_reset_shows_its_progress_on_one_line(rr, screen):
    server = serve(rr, pool="num_workers: 1", env={"BOOT_SLEEP_MS": "1500"}, timeout=40)
    screen.type(" ".join([binary(), "reset", *rpc(server)]))
    screen.wait(r"^resetting http \.\.\. \d")
    screen.wait(r"plugin reset: \[http\] in 1\.")
    assert "resetting http ..." not in screen.text()


def test_a_dumb_terminal_gets_the_table_once(rr, screen):
    server = serve(rr)
    screen.type(" ".join(["TERM=dumb", binary(), "workers", "-i", *rpc(server)]))
    screen.wait(r"└")
    screen.wait(r"ready\$ ?\Z")
    assert not screen.second_screen()
