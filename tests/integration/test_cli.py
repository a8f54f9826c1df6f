"""The commands around serve, and signals other than stop."""

import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from harness import process
from harness.load import Load
from harness.server import binary

ONE = "http: {address: '127.0.0.1:0', pool: {num_workers: 1}}"


def run(*args, cwd=None, env=None):
    done = subprocess.run([binary(), *args], cwd=cwd, env={**os.environ, **(env or {})},
                          capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("flag", ["-v", "--version"])
def test_the_version_is_one_that_the_php_packages_understand(flag):
    code, out, _ = run(flag)
    assert code == 0
    assert re.search(r"\bversion (\d+\.\d+\.\d+[\w.-]*)", out).group(1) == "2025.1.14"


@pytest.mark.parametrize("args", [[], ["-h"], ["help"], ["--help"]])
def test_help_lists_the_commands(args):
    code, out, err = run(*args)
    assert code == 0
    assert err == ""
    for command in ("serve", "stop", "check", "completion"):
        assert command in out


def test_help_of_a_command():
    code, out, _ = run("help", "serve")
    assert code == 0
    assert "--override" in out or "-o" in out


@pytest.mark.parametrize("args, says", [
    (["serv"], 'unknown command "serv"'),
    (["serve", "--bogus"], "unknown flag: --bogus"),
    (["serve", "-z"], "unknown shorthand flag: 'z' in -z"),
    (["serve", "-c"], "flag needs an argument: 'c' in -c"),
])
def test_wrong_usage_is_exit_code_1_with_a_text(args, says):
    code, _, err = run(*args)
    assert code == 1
    assert says in err


def test_a_mistyped_command_is_told_the_nearest():
    assert "Did you mean this?" in run("serv")[2]


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh", "powershell"])
def test_completions_exist(shell):
    code, out, _ = run("completion", shell)
    assert code == 0
    assert "serve" in out


def test_the_bash_completion_is_valid(tmp_path):
    script = tmp_path / "rr.bash"
    script.write_text(run("completion", "bash")[1])
    assert subprocess.run(["bash", "-n", str(script)], timeout=10).returncode == 0


def test_stop_ends_a_server_with_a_pid_file(rr):
    server = rr(ONE, args=["-p"])
    code, _, err = run("stop", "-w", str(server.directory))
    assert code == 0, err
    assert f"stopping process with PID: {server.pid}" in err
    assert server.wait() == 0


def test_stop_by_force_does_not_wait_for_requests(rr):
    server = rr(ONE, args=["-p"])
    with server.open() as connection:
        connection.send(b"GET /sleep?ms=20000 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.ping()
        begin = time.monotonic()
        assert run("stop", "-f", "-w", str(server.directory))[0] == 0
        server.wait(10)
        assert time.monotonic() - begin < 6


def test_stop_without_a_pid_file_says_how_to_get_one(tmp_path):
    code, _, err = run("stop", "-w", str(tmp_path))
    assert code == 1
    assert "open .pid: no such file or directory" in err
    assert "serve -p" in err


def test_stop_of_a_dead_pid(tmp_path):
    (tmp_path / ".pid").write_text("99999999\n")
    code, _, err = run("stop", "-w", str(tmp_path))
    assert code == 1
    assert "process already finished" in err or "no such process" in err.lower()


def test_the_configuration_is_looked_for_in_the_working_directory(rr):
    server = rr(ONE)
    code, out, err = run("check", "-w", str(server.directory), cwd="/")
    assert code == 0, out + err


def test_a_dotenv_file_fills_variables(rr):
    server = rr("""
        version: "3"
        server: {command: "php @WORKERS@/echo.php", env: {RR_TEST_FROM: "${FROM_FILE:-nothing}"}}
        http: {address: "${HOST}:0", pool: {num_workers: 1}}
        """, files={"app.env": "HOST=127.0.0.1\nFROM_FILE='from the file'\n"},
        args=["--dotenv", "app.env"])
    assert server.get("/").json()["env"]["RR_TEST_FROM"] == "from the file"


def test_a_missing_dotenv_file_stops_the_start(rr):
    server = rr(ONE, args=["--dotenv", "nope.env"], expect_fail=True)
    assert server.code == 1
    assert "open nope.env: no such file or directory" in server.log.text("err")


def test_verbose_serve_logs_requests(rr):
    server = rr(ONE + "\nlogs: {level: error}\n", args=["-v", "-d"])
    server.get("/pid?looked=for")
    server.log.wait(r"/pid\?looked=for")


def test_usr2_starts_the_binary_anew_under_the_same_pid(rr):
    server = rr(ONE)
    before = server.workers()
    mark = server.log.mark()
    server.signal(signal.SIGUSR2)
    server.log.wait("restart signal", since=mark)
    server.log.wait("server started", 20, since=mark)
    server._port = None
    assert server.get("/pid").status == 200
    assert not set(server.workers()) & set(before)
    assert server.stop() == 0


def test_usr2_with_a_broken_configuration_keeps_the_server(rr):
    server = rr(ONE)
    before = server.workers()
    file = server.directory / ".rr.yaml"
    file.write_text(file.read_text().replace("num_workers", "num_workers: [1], old"))
    server.signal(signal.SIGUSR2)
    server.log.wait("restart refused, this server goes on")
    server.log.wait(r"\.rr\.yaml:\d+: http\.pool")
    assert server.get("/pid").status == 200
    assert server.workers() == before
    assert server.stop() == 0


def test_usr2_under_load_fails_no_request(rr):
    """The listening socket is inherited: connections wait in it, they are not refused."""
    server = rr(ONE)
    server.get("/pid")
    with Load(server, "/pid", clients=4, seconds=30, headers={"Connection": "close"}) as load:
        load.wait(30)
        mark = server.log.mark()
        server.signal(signal.SIGUSR2)
        server.log.wait("server started", 20, since=mark)
        load.wait(30)
    load.assert_all()


def test_hup_without_a_terminal_reopens_the_log_files(rr):
    server = rr(ONE + "\nlogs: {mode: production, level: info, output: [server.log]}\n")
    log = server.directory / "server.log"
    server.get("/pid")
    process.eventually(lambda: log.exists() and log.read_text(), what="the log")
    log.rename(server.directory / "server.log.1")
    server.signal(signal.SIGHUP)
    process.eventually(lambda: server.get("/pid").status == 200 and log.exists(),
                       what="the new file")
    assert server.stop() == 0


def test_a_hook_runs_on_its_event(rr):
    server = rr(ONE + """
hooks:
  server.started: {command: "touch started"}
""", ready=False)
    process.eventually(lambda: (pathlib.Path(server.directory) / "started").exists(),
                       what="the hook")
