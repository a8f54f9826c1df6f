"""Reset by SIGUSR1: a new generation boots beside the old one and takes over."""

import os
import signal
import time

from harness import process
from harness.load import Background, Load
from harness.server import ROOT


def pool(text, more=""):
    return f"http: {{address: '127.0.0.1:0', {more} pool: {{{text}}}}}"


def reset(server, count, timeout=15.0):
    """Resets and waits until only new workers are there; their pids."""
    before = set(server.workers())
    server.signal(signal.SIGUSR1)
    return server.wait_workers(
        lambda pids: len(pids) == count and not set(pids) & before, timeout, "the new generation")


def test_a_reset_replaces_every_worker(rr):
    server = rr(pool("num_workers: 3"))
    now = reset(server, 3)
    assert int(server.get("/pid").text) in now


def test_resets_under_load_fail_no_request(rr):
    server = rr(pool("num_workers: 2"))
    with Load(server, "/pid", clients=8, seconds=40) as load:
        for _ in range(5):
            load.wait(50)
            reset(server, 2)
        load.wait(50)
    load.assert_all()


VERSIONED = """<?php
require '@ROOT@/php-worker/autoload.php';
$version = file_get_contents('version');
touch("booting-$version");
while (!file_exists('go')) {
    usleep(1000);
}
(new Rr\\Worker\\HttpWorker())->serve(fn () => $version);
"""


def test_a_signal_during_a_reset_is_not_lost(rr):
    """The generation that boots may have read the old code: a further one follows."""
    server = rr("""
        version: "3"
        server: {command: "php w.php"}
        http: {address: "127.0.0.1:0", pool: {num_workers: 2}}
        """, files={"w.php": VERSIONED.replace("@ROOT@", str(ROOT)), "version": "1", "go": ""})
    (server.directory / "go").unlink()
    (server.directory / "version").write_text("2")
    server.signal(signal.SIGUSR1)
    process.eventually((server.directory / "booting-2").exists, what="the second generation")
    (server.directory / "version").write_text("3")
    server.signal(signal.SIGUSR1)
    server.signal(signal.SIGUSR1)
    mark = server.log.mark()
    (server.directory / "go").touch()
    process.eventually(lambda: server.log.count("reset done", since=mark) == 2,
                       what="the third generation")
    assert {server.get("/").text for _ in range(4)} == {"3"}


def test_a_reset_is_no_pause(rr):
    server = rr(pool("num_workers: 2"), env={"BOOT_SLEEP_MS": "1200"})
    with Load(server, "/pid", clients=4, seconds=40) as load:
        load.wait(50)
        reset(server, 2)
        load.wait(50)
    load.assert_all()
    assert max(load.latencies) < 1.0


def test_a_long_request_delays_nobody_and_is_answered(rr, gate):
    server = rr(pool("num_workers: 1"), worker=gate.worker, env=gate.env)
    held = Background(server.get, "/hold?name=long")
    old = gate.begun("long")
    server.signal(signal.SIGUSR1)
    new = process.eventually(lambda: [pid for pid in server.workers() if pid != old])
    assert int(server.get("/").text) in new
    gate.open("long")
    answer = held.result()
    assert (answer.status, answer.text) == (200, str(old))
    assert process.wait_gone(old, 5)


def test_a_boot_that_fails_keeps_the_old_generation(rr, tmp_path):
    blocker = tmp_path / "blocker"
    server = rr(pool("num_workers: 2"),
                env={"BOOT_FAIL": "19", "BOOT_FAIL_FILE": str(blocker)})
    before = server.workers()
    blocker.touch()
    mark = server.log.mark()
    with Load(server, "/pid", clients=4) as load:
        server.signal(signal.SIGUSR1)
        server.log.wait(r"code\D{1,5}19\b", since=mark)
        load.wait(50)
    load.assert_all()
    server.wait_workers(lambda pids: pids == before, what="the end of the failed worker")
    blocker.unlink()
    reset(server, 2)


def test_two_resets_at_once_end_with_one_pool(rr):
    server = rr(pool("num_workers: 2"), env={"BOOT_SLEEP_MS": "200"})
    before = set(server.workers())
    with Load(server, "/pid", clients=4) as load:
        for _ in range(5):
            server.signal(signal.SIGUSR1)
            load.wait(5)
        server.wait_workers(lambda pids: len(pids) == 2 and not set(pids) & before, 15)
        load.wait(50)
    load.assert_all()


RELEASE = """<?php
require '@ROOT@/php-worker/autoload.php';
(new Rr\\Worker\\HttpWorker())->serve(fn () => 'RELEASE ' . getcwd() . ' ' . getenv('SETTING'));
"""


def test_a_symlinked_release_is_picked_up_at_reset(rr, tmp_path):
    for name in ("one", "two"):
        directory = tmp_path / "releases" / name
        directory.mkdir(parents=True)
        (directory / "w.php").write_text(RELEASE.replace("RELEASE", name).replace(
            "@ROOT@", str(ROOT)))
    current = tmp_path / "current"
    current.symlink_to(tmp_path / "releases" / "one")
    server = rr("""
        version: "3"
        server: {command: "php w.php"}
        http: {address: "127.0.0.1:0", pool: {num_workers: 2}}
        """, directory=current)
    assert server.get("/").text.startswith("one ")
    os.symlink(tmp_path / "releases" / "two", tmp_path / "next")
    os.replace(tmp_path / "next", current)
    crashed = server.workers()[0]
    os.kill(crashed, signal.SIGKILL)
    server.wait_workers(lambda pids: crashed not in pids and len(pids) == 2)
    assert {server.get("/").text.split()[0] for _ in range(4)} == {"one"}  # same generation
    reset(server, 2)
    text = server.get("/").text
    assert text.startswith("two ")
    assert text.split()[1].endswith("/releases/two")


def test_the_dotenv_file_is_read_anew_at_reset(rr):
    server = rr("""
        version: "3"
        server: {command: "php w.php"}
        http: {address: "127.0.0.1:0", pool: {num_workers: 1}}
        """, files={"w.php": RELEASE, "app.env": "SETTING=before\n"},
        args=["--dotenv", "app.env"])
    assert server.get("/").text.endswith(" before")
    (server.directory / "app.env").write_text("SETTING=after\n")
    reset(server, 1)
    assert server.get("/").text.endswith(" after")


def test_a_stop_during_a_reset_ends_everything(rr):
    server = rr(pool("num_workers: 2"), env={"BOOT_SLEEP_MS": "800"})
    server.signal(signal.SIGUSR1)
    server.wait_workers(lambda pids: len(pids) > 2, what="the new generation's first worker")
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 5


def test_a_stream_of_the_old_generation_is_stopped_after_reset_timeout(rr):
    server = rr(pool("num_workers: 1, reset_timeout: 700ms"))
    with server.open(timeout=20) as connection:
        connection.send(b"GET /stream?n=1000&ms=20 HTTP/1.1\r\nHost: a\r\n\r\n")
        head = connection.read_head()
        assert head.status == 200
        assert connection.read_chunk() == b"chunk 1\n"
        old = server.workers()[0]
        server.signal(signal.SIGUSR1)
        assert process.wait_gone(old, 10)
    assert server.get("/pid").status == 200
