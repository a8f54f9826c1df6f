"""The section `reload`: files change, workers are replaced. Real files, edited as editors do."""

import os
import re
import shutil

from harness import cli, process
from harness.client import request_bytes
from harness.load import Load
from harness.project import CHANGE, TCP, WORKER, Project, app

CONFIG = """
version: "3"
server: {{command: "php worker.php"}}
http: {{address: "127.0.0.1:0", pool: {{num_workers: 2}}}}
logs: {{channels: {{http: {{level: error}}}}}}
reload: {{interval: 1s, {global_} services: {{http: {{dirs: [src], {service}}}}}}}
"""


def start(rr, global_="", service="recursive: true", **named):
    return Project(rr, CONFIG.format(global_=global_, service=service), **named)


# -- edits ----------------------------------------------------------------------------------------


def test_an_edit_brings_new_workers(rr):
    project = start(rr)
    before = set(project.server.workers())
    assert project.get() == "one"
    project.edit("two")
    assert {project.get() for _ in range(4)} == {"two"}
    project.server.wait_workers(lambda now: len(now) == 2 and not set(now) & before)
    assert project.resets() == 1


def test_a_file_that_is_put_in_place_by_rename(rr):
    """Most editors write another file and rename it; vim moves the old one away first."""
    project = start(rr)
    with project.reset():
        (project.src / ".app.php.tmp").write_text(app("renamed"))
        os.replace(project.src / ".app.php.tmp", project.src / "app.php")
    assert project.get() == "renamed"
    with project.reset():
        os.rename(project.src / "app.php", project.src / "app.php~")
        (project.src / "app.php").write_text(app("vim"))
        os.unlink(project.src / "app.php~")
    assert project.get() == "vim"
    assert project.resets() == 2


def test_a_link_that_is_set_elsewhere(rr):
    project = start(rr, files={"a.txt": app("a"), "b.txt": app("b")})
    for name in "ab":
        with project.reset():
            os.symlink(f"../{name}.txt", project.src / "new.php")
            os.replace(project.src / "new.php", project.src / "app.php")
        assert project.get() == name


def test_touch_and_chmod_count(rr):
    project = start(rr)
    with project.reset():
        os.utime(project.src / "app.php")
    with project.reset():
        os.chmod(project.src / "app.php", 0o600)
    assert project.resets() == 2


def test_two_hundred_files_are_one_reset(rr):
    project = start(rr)
    with project.reset():
        for number in range(200):
            (project.src / f"{number}.php").write_text("<?php")
        (project.src / "app.php").write_text(app("many"))
    assert project.get() == "many"
    project.edit("after")
    assert project.resets() == 2


# -- folders --------------------------------------------------------------------------------------


def test_a_folder_that_comes_later_is_watched(rr):
    project = start(rr)
    with project.reset():
        (project.src / "new/deep").mkdir(parents=True)
        (project.src / "new/deep/a.php").write_text("<?php")
    with project.reset():
        (project.src / "new/deep/a.php").write_text("<?php 1;")
    assert project.resets() == 2


def test_folders_that_are_moved_in_and_out(rr):
    project = start(rr, files={"elsewhere/deep/a.php": "<?php"})
    outside = project.server.directory / "elsewhere"
    with project.reset():
        outside.rename(project.src / "inside")
    with project.reset():
        (project.src / "inside/deep/a.php").write_text("<?php 1;")
    with project.reset():
        (project.src / "inside").rename(outside)
    mark = project.log.mark()
    (outside / "deep/a.php").write_text("<?php 2;")  # is nothing to us any more
    project.edit("last")
    assert project.resets() == 4
    assert project.log.count(CHANGE + r".*/a\.php", since=mark) == 0


def test_a_folder_that_is_removed_and_made_anew(rr):
    project = start(rr, files={"src/lib/a.php": "<?php"})
    with project.reset():
        shutil.rmtree(project.src / "lib")
    with project.reset():
        (project.src / "lib").mkdir()
        (project.src / "lib/a.php").write_text("<?php")
    with project.reset():
        (project.src / "lib/a.php").write_text("<?php 1;")
    assert project.resets() == 3


def test_a_whole_root_is_replaced(rr):
    """As `git checkout` or a deploy may do."""
    project = start(rr)
    with project.reset():
        shutil.copytree(project.src, project.server.directory / "next")
        (project.server.directory / "next/app.php").write_text(app("next"))
        project.src.rename(project.server.directory / "old")
        (project.server.directory / "next").rename(project.src)
    assert project.get() == "next"
    project.edit("and on")
    assert project.get() == "and on"


def test_a_root_that_is_not_there_yet(rr):
    project = Project(rr, CONFIG.format(global_="", service="recursive: true").replace(
        "[src]", "[src, later/code]"))
    project.log.wait(r"later/code: no such folder yet; it is waited for")
    with project.reset():
        (project.server.directory / "later/code").mkdir(parents=True)
        (project.server.directory / "later/code/a.php").write_text("<?php")
    assert project.resets() == 1


# -- what does not count --------------------------------------------------------------------------


def test_ignored_folders_and_files(rr):
    project = start(rr, service="recursive: true, ignore: [src/cache, src/lib/made.php]",
                      files={"src/cache/old/a.php": "<?php", "src/lib/a.php": "<?php"})
    for name in ("cache/b.php", "cache/old/a.php", "lib/made.php"):
        (project.src / name).write_text("<?php 1;")
    (project.src / "cache/new").mkdir()
    (project.src / "cache/new/c.php").write_text("<?php")
    project.no_change()


def test_names_without_a_pattern(rr):
    project = start(rr)
    (project.src / "notes.txt").write_text("x")
    (project.src / "php").write_text("x")
    (project.src / "Makefile").write_text("x")
    project.no_change()


def test_patterns_are_parts_of_names(rr):
    """RoadRunner's rule: no glob, no suffix. Those of the service are added to the global ones."""
    project = start(rr, global_='patterns: [".twig", ".php"],',
                      service='recursive: true, patterns: ["config"]')
    for name in ("page.twig", "my.config.json", "a.php.dist"):
        with project.reset():
            (project.src / name).write_text("x")
    (project.src / "page.html").write_text("x")
    project.edit("last")
    assert project.resets() == 4
    assert project.log.count(r"page\.html") == 0


def test_without_recursive_only_the_folder_itself_counts(rr):
    project = start(rr, service="recursive: false", files={"src/lib/a.php": "<?php"})
    (project.src / "lib/a.php").write_text("<?php 1;")
    (project.src / "new").mkdir()
    (project.src / "new/a.php").write_text("<?php")
    project.no_change()


def test_a_read_is_no_change(rr):
    project = start(rr)
    assert (project.src / "app.php").read_text() and os.listdir(project.src)
    project.get()
    project.no_change()


# -- which pools ----------------------------------------------------------------------------------

POOLS = """
version: "3"
server: {command: "php worker.php"}
http:
  address: "127.0.0.1:0"
  pool: {num_workers: 1}
  pools: {slow: {match: {path: /slow}, pool: {num_workers: 1}}}
tcp:
  servers: {main: {addr: "127.0.0.1:0", delimiter: "\\n"}}
  pool: {num_workers: 1, command: "php tcp.php"}
reload:
  interval: 1s
  services:
    http: {dirs: [src]}
    "http.slow": {dirs: [slow]}
    tcp: {dirs: [tcp]}
"""


def test_a_service_stands_for_its_pools(rr):
    project = Project(rr, POOLS, files={"tcp.php": TCP, "slow/a.php": "<?php", "tcp/a.php": "<?php"})
    mark = project.log.mark()
    with project.reset("tcp"):
        (project.server.directory / "tcp/a.php").write_text("<?php 1;")
    with project.reset(r"http\.slow"):
        (project.server.directory / "slow/a.php").write_text("<?php 1;")
    assert [project.resets(mark, pool) for pool in ("http", r"http\.slow", "tcp")] == [0, 1, 1]
    with project.reset(), project.reset(r"http\.slow"):
        (project.src / "app.php").write_text(app("two"))
        (project.server.directory / "slow/a.php").write_text("<?php 2;")  # the same burst
    assert project.get() == project.get("/slow") == "two"
    with project.reset("tcp"):
        (project.server.directory / "tcp/a.php").write_text("<?php 2;")
    assert [project.resets(mark, pool) for pool in ("http", r"http\.slow", "tcp")] == [1, 2, 2]


def test_processes_of_the_service_plugin_are_started_anew(rr):
    project = Project(rr, CONFIG.format(global_="", service="").replace(
        "http: {dirs: [src], }", "service: {dirs: [src]}") + """
service:
  clock: {command: "php -r 'require \\"src/app.php\\"; fprintf(STDERR, app(0).chr(10)); sleep(1000);'"}
""")
    project.log.wait(r"\bone\b")
    with project.held():
        (project.src / "app.php").write_text(app("two"))
    project.log.wait(r"\btwo\b")
    assert project.get() == "one"  # http was not named


# -- nothing is lost ------------------------------------------------------------------------------


def test_every_request_is_answered_while_files_change(rr):
    project = start(rr)
    with Load(project.server, "/", clients=6, seconds=60) as load:
        for text in ("two", "three", "four"):
            load.wait(50)
            project.edit(text)
        load.wait(50)
    load.assert_all()
    assert project.resets() == 3


def test_a_request_that_runs_keeps_its_worker(rr, gate):
    config = """
        http: {address: "127.0.0.1:0", pool: {num_workers: 1}}
        reload: {services: {http: {dirs: [src]}}}
        """
    project = Project(rr, config, worker=gate.worker, env=gate.env)
    with project.server.open(30) as long:
        long.send(request_bytes("GET", "/hold?name=long"))
        old = gate.begun("long")
        with project.reset():
            (project.src / "a.php").write_text("<?php")
        assert old in project.server.workers()
        gate.open("long")
        assert long.read_response().status == 200
    assert process.wait_gone(old)


# -- new code that does not start -----------------------------------------------------------------


def test_a_failed_reset_keeps_the_old_workers_and_tells_no_client(rr):
    project = start(rr)
    old = set(project.server.workers())
    mark = project.log.mark()
    with project.held():
        (project.src / "app.php").write_text("<?php die('SECRET');")
    project.log.wait(r'reset failed, the old workers stay.*"pool": "http".*SECRET', since=mark)
    for _ in range(4):
        answer = project.server.request("GET", "/", headers={"Accept": "text/html"})
        assert (answer.status, answer.text) == (200, "one")
    assert set(project.server.workers()) == old
    project.edit("fixed")
    assert project.get() == "fixed"


def test_a_first_start_that_fails_ends_the_server(rr):
    server = rr(CONFIG.format(global_="", service=""), expect_fail=True,
                files={"worker.php": WORKER, "src/app.php": "<?php ("})
    assert server.code == 1
    assert "Parse error" in str(server.log)


# -- configuration --------------------------------------------------------------------------------


def test_wrong_sections_are_named_with_file_and_line(tmp_path):
    for text, wanted in [
        ("reload:\n  intervall: 1s\n  services: {http: {dirs: [a]}}\n",
         r"warning: .*\.rr\.yaml:4: reload\.intervall: .*did you mean interval"),
        ("reload:\n  services:\n    http:\n      dir: [a]\n      dirs: [b]\n",
         r"warning: .*\.rr\.yaml:6: reload\.services\.http\.dir: .*did you mean dirs"),
        ("reload:\n  services:\n    http: {dirs: [a]}\n    htpp: {dirs: [a]}\n",
         r"warning: .*\.rr\.yaml:6: reload\.services\.htpp: no plugin of this name has workers; "
         r"there are http"),
        ("reload:\n  services:\n    http: {recursive: true}\n",
         r"warning: .*\.rr\.yaml:5: reload\.services\.http.*no folder is named"),
        ("reload:\n  interval: 10ms\n  services: {http: {dirs: [a]}}\n",
         r"\.rr\.yaml:4: reload\.interval: too short interval"),
        ("reload:\n  interval: 1s\n", r"\.rr\.yaml:3: reload(\.services)?: at least one service"),
        ("reload:\n  services:\n    http: {dirs: [a], recursive: maybe}\n",
         r"\.rr\.yaml:5: reload\.services\.http\.recursive: "),
    ]:
        (tmp_path / ".rr.yaml").write_text(
            'version: "3"\nserver: {command: "php a.php"}\n' + text
            + 'http: {address: "127.0.0.1:0"}\n')
        done = cli.run("check", cwd=tmp_path)
        assert re.search(wanted, done.out + done.err), (text, done.out + done.err)
        assert done.code == (0 if wanted.startswith("warning") else 1), text


def test_the_section_of_a_roadrunner_1_file(rr):
    project = Project(rr, """
        rpc: {enable: false}
        http:
          address: 127.0.0.1:0
          workers: {command: "php @WORKERS@/legacy.php", pool: {numWorkers: 1}}
        reload: {interval: 1, patterns: [".php"], services: {http: {dirs: ["src"], recursive: true}}}
        """, verbatim=True)
    project.edit("two")
    assert project.resets() == 1
