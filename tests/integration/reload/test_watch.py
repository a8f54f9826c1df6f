"""`rr serve --watch`: what is watched without a section, and what is shown while nothing starts."""

import os
import shutil
import signal

from harness import cli, process, tcp
from harness.chromium import chromium
from harness.client import request_bytes
from harness.http2 import Http2
from harness.load import Load
from harness.project import CHANGE, DONE, TCP, Project, app

CONFIG = """
version: "3"
server: {command: "php worker.php"}
rpc: {listen: "tcp://127.0.0.1:0"}
http: {address: "127.0.0.1:0", http2: {h2c: true}, pool: {num_workers: 2}}
logs: {channels: {http: {level: error}}}
"""
BROKEN = "<?php fwrite(STDERR, \"<b>no & database</b> \\x1b[31mred\\x1b[0m\\n\"); exit(7);"
REASON = "the worker exited with code 7 before it was ready"
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def watch(rr, config=CONFIG, args=(), **named):
    return Project(rr, config, args=["--watch", *args], **named)


def break_it(project):
    """An edit after which no worker starts; returns when that has been seen."""
    mark = project.log.mark()
    with project.held():
        (project.src / "app.php").write_text(BROKEN)
    project.log.wait(r"^http: waiting for an edit", since=mark)


def check_pages(server):
    """Everybody is told why, each as they like it."""
    page = server.get("/any?path=1", headers=HTML)
    assert page.status == 503
    assert page.header("Content-Type") == "text/html; charset=utf-8"
    assert page.header("Cache-Control") == "no-store"
    assert page.header("Retry-After") == "1"
    for part in (REASON, "php worker.php", "&lt;b&gt;no &amp; database&lt;/b&gt; red",
                 '<meta http-equiv="refresh"'):
        assert part in page.text
    assert "<b>" not in page.text and "\x1b" not in page.text
    for headers in ((), {"Accept": "*/*"}, {"Accept": "application/json"}):
        text = server.post("/api", b"{}", headers=headers)
        assert (text.status, text.header("Content-Type")) == (503, "text/plain; charset=utf-8")
        assert text.text.startswith(f"{REASON}\n  command: php worker.php\n  output:\n")
        assert "<b>no & database</b>" in text.text
    head = server.request("HEAD", "/", headers=HTML)
    assert (head.status, head.body) == (503, b"")
    assert head.header("Content-Length") == str(len(page.body))
    with Http2(("127.0.0.1", server.port)) as client:
        answer = client.get("/any?path=1", headers=[("accept", "text/html")])
        assert answer.status == 503 and answer.body == page.body
        assert answer.header("content-type") == "text/html; charset=utf-8"
        assert answer.header("retry-after") == "1"
        text = client.get("/", headers=[("accept", "*/*")])
        assert text.status == 503 and text.body.startswith(REASON.encode())
        head = client.get("/", method="HEAD", headers=[("accept", "text/html")])
        assert (head.status, head.body) == (503, b"")


# -- an edit, good or bad -------------------------------------------------------------------------


def test_an_edit_brings_new_workers(rr):
    project = watch(rr)
    assert project.log.find(r"reload \d+ folders? watched for changes")
    project.edit("two")
    assert {project.get() for _ in range(4)} == {"two"}
    project.log.wait(r"^http: new workers serve \(\d+ ms\)")
    assert project.resets() == 1


def test_a_failing_boot_is_shown_until_an_edit_helps(rr):
    project = watch(rr)
    break_it(project)
    check_pages(project.server)
    project.edit("fixed")
    assert {project.get() for _ in range(4)} == {"fixed"}
    project.log.wait(r"^http: new workers serve")


def test_the_terminal_shows_a_failing_boot_once_per_edit(rr):
    project = watch(rr)
    for _ in range(2):
        break_it(project)  # the same fault again is worth another line
    text = project.log.text("err")
    assert text.count("http: the workers do not start: " + REASON) == 2
    assert text.count("http: waiting for an edit") == 2
    assert "  command: php worker.php\n    | <b>no & database</b>" in text
    project.edit("fixed")


def test_the_terminal_shows_it_whatever_the_log_does(rr):
    project = watch(rr, CONFIG.partition("logs:")[0] + "logs: {mode: none}\n")
    mark = project.log.mark()
    (project.src / "app.php").write_text(BROKEN)
    project.log.wait(REASON, since=mark)
    project.log.wait("waiting for an edit", since=mark)
    check_pages(project.server)
    (project.src / "app.php").write_text(app("fixed"))
    project.log.wait(r"http: new workers serve", since=mark)
    assert project.get() == "fixed"


def test_a_first_start_that_fails_waits_for_an_edit(rr):
    project = watch(rr, files={"src/app.php": BROKEN})
    project.log.wait(r"^http: the workers do not start: " + REASON)
    check_pages(project.server)
    project.edit("fixed")
    assert {project.get() for _ in range(4)} == {"fixed"}
    project.server.wait_workers(lambda now: len(now) == 2)


def test_an_edit_while_the_first_workers_boot_is_not_lost(rr):
    project = watch(rr, ready=False, files={"src/app.php": app("old") + """
        touch('boots');
        while (!file_exists('go')) {
            usleep(1000);
        }"""})
    process.eventually((project.server.directory / "boots").exists, what="the first boot")
    (project.src / "app.php").write_text(app("new"))
    project.log.wait(CHANGE)
    (project.server.directory / "go").touch()
    project.log.wait(DONE.format("http"))
    assert {project.get() for _ in range(4)} == {"new"}


def test_an_edit_while_new_code_hangs_at_its_start(rr):
    project = watch(rr)
    mark = project.log.mark()
    (project.src / "app.php").write_text("<?php touch('hangs'); while (true) { usleep(1000); }")
    process.eventually((project.server.directory / "hangs").exists, what="the boot that hangs")
    assert project.get() == "one"
    hanging = set(project.server.workers())
    project.edit("fixed")
    assert {project.get() for _ in range(4)} == {"fixed"}
    project.server.wait_workers(lambda now: len(now) == 2 and not set(now) & hanging)
    assert project.log.count("waiting for an edit", since=mark) == 0


def test_a_browser_comes_back_by_itself(rr, tmp_path):
    project = watch(rr, CONFIG.partition("logs:")[0], files={"src/app.php": BROKEN})
    with chromium(project.server.url + "/page", tmp_path / "profile"):
        project.log.wait(r'http log.*"status": 503.*"URI": "/page"', timeout=60)
        mark = project.log.mark()
        project.edit("fixed")
        project.log.wait(r'http log.*"status": 200.*"URI": "/page"', timeout=60, since=mark)


def test_a_command_that_is_not_there_yet(rr):
    project = watch(rr, CONFIG.replace("php worker.php", "./start.php"))
    answer = project.server.get("/")
    assert answer.status == 503 and "start.php" in answer.text
    start = project.server.directory / "start.php"
    mark = project.log.mark()
    staged = project.server.directory / "staged"
    staged.write_text("#!/usr/bin/env php\n"
                      + (project.server.directory / "worker.php").read_text())
    staged.chmod(0o755)
    staged.rename(start)
    project.log.wait(DONE.format("http"), since=mark)
    assert project.get() == "one"


def test_each_pool_shows_its_own_fault(rr):
    project = watch(rr, CONFIG.replace("pool:", """pools: {slow: {match: {path: /slow},
          pool: {num_workers: 1, command: "php slow.php"}}}, pool:"""),
                    files={"slow.php": "<?php exit(9);"})
    assert project.get() == "one"
    answer = project.server.get("/slow", headers=HTML)
    assert answer.status == 503 and "exited with code 9" in answer.text
    with project.reset(r"http\.slow"):
        shutil.copy(project.server.directory / "worker.php", project.server.directory / "slow.php")
    assert project.get("/slow") == project.get() == "one"


def test_events_of_tcp_wait_for_workers_that_start(rr):
    project = watch(rr, """
        version: "3"
        server: {command: "php tcp.php"}
        tcp:
          servers: {main: {addr: "127.0.0.1:0", delimiter: "\\n"}}
          pool: {num_workers: 1}
        """, files={"tcp.php": TCP, "src/app.php": BROKEN})
    with tcp.connect(project.server, "main") as client:
        client.send(b"hello\n")
        with project.reset("tcp"):
            (project.src / "app.php").write_text(app("hi"))
        client.expect(b"hi")
        mark = project.log.mark()
        with project.held():
            (project.src / "app.php").write_text(BROKEN)
        project.log.wait("^tcp: waiting for an edit", since=mark)
        client.send(b"again\n").expect(b"hi")  # the old worker


def test_a_crash_loop_is_shown_too(rr):
    """The code was broken outside of what is watched: no reset tells it, the next boot does."""
    project = watch(rr, CONFIG + "reload: {services: {http: {dirs: [nowhere]}}}\n",
                    files={"src/app.php": "<?php function app() { exit(3); }"})
    (project.src / "app.php").write_text(BROKEN)
    for _ in range(2):
        project.server.post("/", b"x")
    process.eventually(lambda: REASON in project.get(), what="the page")
    (project.src / "app.php").write_text(app("fixed"))
    process.eventually(lambda: project.get() == "fixed", timeout=30, what="the next try")


def test_who_waits_in_the_queue_is_told(rr, gate):
    config = CONFIG.replace("num_workers: 2", "num_workers: 1") \
        + "reload: {services: {http: {dirs: [nowhere]}}}\n"
    project = watch(rr, config, env=gate.env, files={"src/app.php": """<?php
        function app($request) {
            $gate = getenv('GATE_DIR') . '/first';
            file_put_contents("$gate.begun", getmypid());
            while (!file_exists("$gate.open")) {
                usleep(2000);
            }
            exit(3);
        }"""})
    with project.server.open() as first, project.server.open() as second:
        first.send(request_bytes("POST", "/", body=b"x"))
        gate.begun("first")
        second.send(request_bytes("POST", "/", body=b"x"))
        project.server.ping()
        (project.src / "app.php").write_text(BROKEN)
        gate.open("first")
        assert first.read_response().status == 502
        answer = second.read_response()
        assert answer.status == 503 and REASON in answer.text


def test_ready_and_status_know_of_it(rr):
    project = watch(rr)
    break_it(project)
    done = cli.run("workers", *cli.rpc(project.server))
    assert REASON in done.out
    assert cli.run("reset", *cli.rpc(project.server)).code == 1
    project.edit("fixed")
    assert cli.run("reset", *cli.rpc(project.server)).code == 0


def test_every_request_is_answered_through_good_and_bad_edits(rr):
    project = watch(rr)
    with Load(project.server, "/", clients=6, seconds=60) as load:
        for text in ("two", "three"):
            load.wait(50)
            break_it(project)
            load.wait(20)
            project.edit(text)
        load.wait(50)
    assert not load.failures
    assert set(load.statuses) == {200, 503}


# -- for developers only --------------------------------------------------------------------------


def test_without_watch_no_client_sees_the_output(rr):
    """Neither while old workers serve nor when none is left."""
    project = Project(rr, CONFIG.replace("num_workers: 2", "num_workers: 1, allocate_timeout: 1s")
                      + "reload: {services: {http: {dirs: [src]}}}\n")
    mark = project.log.mark()
    (project.src / "app.php").write_text(BROKEN)
    project.log.wait("reset failed, the old workers stay", since=mark)
    assert project.server.get("/", headers=HTML).text == "one"
    mark = project.log.mark()
    os.kill(project.server.workers()[0], signal.SIGKILL)
    project.log.wait("no & database", since=mark)  # its successor's
    answer = project.server.get("/", headers=HTML)
    assert (answer.status, answer.body) == (503, b"")


def test_a_debug_pool_shows_the_fault_of_its_worker(rr):
    project = Project(rr, CONFIG.replace("num_workers: 2", "debug: true"))
    assert project.get() == "one"
    (project.src / "app.php").write_text(BROKEN)
    page = project.server.get("/", headers=HTML)
    assert (page.status, page.header("Content-Type")) == (502, "text/html; charset=utf-8")
    assert REASON in page.text and "&lt;b&gt;no" in page.text and "<b>" not in page.text
    text = project.server.get("/")
    assert (text.status, text.header("Content-Type")) == (502, "text/plain; charset=utf-8")
    assert text.text.startswith(REASON)
    (project.src / "app.php").write_text(app("fixed"))
    assert project.get() == "fixed"


# -- what is watched ------------------------------------------------------------------------------


def test_what_is_watched_of_a_php_project(rr):
    project = watch(rr, files={"vendor/acme/lib/a.php": "<?php", "node_modules/x/a.php": "<?php",
                               ".git/a.php": "<?php", "var/cache/a.php": "<?php",
                               "storage/framework/views/a.php": "<?php",
                               "vendor/composer/installed.php": "<?php", ".env": "A=1"})
    root = project.server.directory
    for path in ("vendor/acme/lib/a.php", "node_modules/x/a.php", ".git/a.php", "var/cache/a.php",
                 "storage/framework/views/a.php", "README.md"):
        (root / path).write_text("<?php 1;")
    project.no_change()
    for path in (".env", ".env.local", "vendor/composer/installed.php", "src/new/deep/b.php"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        with project.reset():
            (root / path).write_text("<?php 2;")
    assert project.resets() == 5


def test_a_section_says_what_is_watched(rr):
    project = watch(rr, CONFIG + "reload: {services: {http: {dirs: [src]}}}\n")
    (project.server.directory / "other.php").write_text("<?php")
    project.no_change()
    assert project.log.count(CHANGE + r".*/other\.php") == 0


def test_watch_is_of_serve_only():
    done = cli.run("workers", "--watch")
    assert done.code == 1 and "--watch" in done.out + done.err
    assert "--watch" in cli.run("help", "serve").out


def test_a_stop_while_nothing_starts(rr):
    project = watch(rr, files={"src/app.php": BROKEN})
    assert project.server.stop() == 0
