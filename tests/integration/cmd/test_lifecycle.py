"""From the command line to the exit code, without a plugin that listens."""

import os
import pty
import re
import signal
import socket
import subprocess
import time

import pytest

from harness import process
from harness.server import MARK, ROOT, binary

SERVER = """
version: "3"
server: {command: "php w.php"}
"""


def run(*args, cwd=None, env=None):
    done = subprocess.run([binary(), *args], cwd=cwd, env={**os.environ, **(env or {})},
                          capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


# -- the service manager --------------------------------------------------------------------------

def test_an_abstract_notify_socket_is_reached(rr):
    name = f"rr-test-{os.getpid()}-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("\0" + name)
        receiver.settimeout(10)
        rr(SERVER, env={"NOTIFY_SOCKET": "@" + name})
        assert receiver.recv(100) == b"READY=1"


def test_the_watchdog_is_fed_twice_per_interval(rr, notify_socket):
    server = rr(SERVER + "endure: {watchdog_sec: 1}\n", env={"NOTIFY_SOCKET": notify_socket.path})
    assert notify_socket.receive() == "READY=1"
    begin = time.monotonic()
    for _ in range(3):
        assert notify_socket.receive() == "WATCHDOG=1"
    assert 1.0 < time.monotonic() - begin < 3.0
    server.log.wait(r"\[INFO\] sdnotify: watchdog enabled, timeout: 1 seconds")
    server.signal(signal.SIGTERM)
    while (state := notify_socket.receive()) == "WATCHDOG=1":
        pass
    assert state == "STOPPING=1"


def test_a_notify_socket_that_nobody_reads_is_a_warning(rr, tmp_path):
    server = rr(SERVER, env={"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    server.log.wait(r"\[WARN\] sdnotify: ")
    assert server.stop() == 0


def test_a_restart_is_told_as_a_reload(rr, notify_socket):
    server = rr(SERVER, env={"NOTIFY_SOCKET": notify_socket.path})
    assert notify_socket.receive() == "READY=1"
    server.signal(signal.SIGUSR2)
    assert notify_socket.receive().startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert notify_socket.receive() == "READY=1"
    assert server.stop() == 0


def test_stop_tells_the_service_manager(rr, notify_socket):
    server = rr(SERVER, args=["-p"])
    code, _, err = run("stop", "-w", str(server.directory),
                       env={"NOTIFY_SOCKET": notify_socket.path})
    assert code == 0, err
    assert notify_socket.receive() == "STOPPING=1"
    assert server.wait() == 0


# -- signals --------------------------------------------------------------------------------------

@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGABRT])
def test_quit_and_abort_stop_gracefully(rr, number):
    server = rr(SERVER)
    assert server.stop(number=number) == 0
    assert "stop signal received, grace timeout is: 30 seconds" in server.log.text("out")


def test_two_signals_at_once_are_one_stop(rr):
    server = rr(SERVER + "hooks: {server_stopping: {command: 'sleep 0.3'}}\n")
    server.signal(signal.SIGTERM)
    server.signal(signal.SIGINT)
    assert server.wait() == 0
    assert "exit forced" not in server.log.text()


def test_hup_stops_a_server_whose_terminal_hangs_up(rr, tmp_path):
    (tmp_path / ".rr.yaml").write_text(SERVER)
    try:
        pid, terminal = pty.fork()
    except OSError as error:
        pytest.skip(f"no terminals here: {error}")
    if pid == 0:
        os.execve(binary(), [binary(), "serve", "-w", str(tmp_path)],
                  {**os.environ, MARK: "terminal"})
    output = b""
    try:
        while b"server started" not in output:
            output += os.read(terminal, 4096)
        os.kill(pid, signal.SIGHUP)
        while b"stop signal received" not in output:
            output += os.read(terminal, 4096)
    finally:
        if b"stop signal received" not in output:
            os.kill(pid, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)


def test_a_stop_during_the_start_does_not_wait_for_what_boots(rr):
    server = rr(SERVER.replace('w.php"', 'w.php", on_init: {command: "sh -c \'echo began; sleep 60\'"}'),
                ready=False)
    server.log.wait("began")
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 5
    assert "server started" not in server.log.text()
    assert "on_init failed" not in server.log.text()


def test_usr2_keeps_directory_and_relative_paths(rr, tmp_path):
    below = tmp_path / "sub"
    below.mkdir()
    (below / "x.yaml").write_text(SERVER.replace("w.php\"", "w.php\", on_init: {command: pwd}"))
    child = subprocess.Popen([binary(), "serve", "-c", "sub/x.yaml", "-p"], cwd=tmp_path,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, start_new_session=True)
    try:
        for line in child.stdout:
            if "server started" in line:
                break
        for _ in range(2):
            child.send_signal(signal.SIGUSR2)
            seen = []
            for line in child.stdout:
                seen.append(line)
                if "server started" in line:
                    break
            else:
                pytest.fail("no second start:\n" + "".join(seen))
            assert int((below / ".pid").read_text()) == child.pid
    finally:
        child.terminate()
    rest = child.stdout.read()
    assert child.wait(20) == 0, rest
    assert not (below / ".pid").exists()


def test_usr2_gives_up_cleanly_if_the_workers_broke(rr):
    worker = f"<?php require '{ROOT}/php-worker/workers/hello.php';"
    server = rr(SERVER + "http: {address: '127.0.0.1:0', pool: {num_workers: 1}}\n",
                args=["-p"], files={"w.php": worker})
    (server.directory / "w.php").write_text("<?php exit(7);")
    server.signal(signal.SIGUSR2)
    assert server.wait() == 1
    assert "exited with code 7" in server.log.text("err")
    assert not (server.directory / ".pid").exists()


# -- on_init --------------------------------------------------------------------------------------

def on_init(keys):
    return SERVER.replace('w.php"', f'w.php", on_init: {{{keys}}}')


def test_on_init_runs_before_the_server_is_up(rr):
    server = rr(on_init("command: \"sh -c 'echo to-stdout; echo to-stderr >&2; touch done'\""))
    assert (server.directory / "done").exists()
    server.log.wait(r"INFO\s+server\s+to-stdout")
    server.log.wait(r"INFO\s+server\s+to-stderr")


def test_a_failing_on_init_is_an_error_and_no_more(rr):
    server = rr(on_init("command: \"sh -c 'exit 3'\""))
    server.log.wait(r"ERROR\s+server.*exited with code 3")
    assert server.stop() == 0


def test_a_failing_on_init_ends_the_start_if_so_wanted(rr):
    server = rr(on_init("exit_on_error: true, command: \"sh -c 'exit 3'\""), expect_fail=True)
    assert server.code == 1
    assert "exited with code 3" in server.log.text("err")
    assert "server started" not in server.log.text()


def test_an_on_init_that_takes_too_long_is_killed_with_its_children(rr):
    server = rr(on_init("exec_timeout: 300ms, command: \"sh -c 'sleep 100 & sleep 100'\""))
    server.log.wait("exec_timeout")
    assert server.family() == []


def test_an_on_init_that_does_not_exist_is_named(rr):
    server = rr(on_init("exit_on_error: true, command: nosuchprogram"), expect_fail=True)
    assert server.code == 1
    assert "nosuchprogram" in server.log.text("err")


# -- configuration --------------------------------------------------------------------------------

def test_check_prints_problems_and_warnings(tmp_path):
    (tmp_path / ".rr.yaml").write_text(
        'version: "3"\nserver:\n  relay: udp://x\n  comand: php w.php\n')
    code, out, _ = run("check", "-w", str(tmp_path))
    assert code == 1
    assert ".rr.yaml:3: server.relay: invalid DSN" in out
    assert "warning: " in out and "did you mean command" in out
    assert "configuration is valid" not in out


def test_check_in_json(tmp_path):
    import json
    (tmp_path / ".rr.yaml").write_text(SERVER + "servr: {a: 1}\n")
    code, out, _ = run("check", "--json", "-w", str(tmp_path))
    found = json.loads(out)
    assert code == 0 and found["valid"] and found["problems"] == []
    assert "did you mean server" in found["warnings"][0]
    code, out, _ = run("check", "--json", "--strict", "-w", str(tmp_path))
    assert code == 1 and not json.loads(out)["valid"]


def test_check_does_not_write_a_pid_file(tmp_path):
    (tmp_path / ".rr.yaml").write_text(SERVER)
    assert run("check", "-p", "-w", str(tmp_path))[0] == 0
    assert not (tmp_path / ".pid").exists()


def test_a_missing_directory_is_named():
    code, _, err = run("serve", "-w", "/nonexistent/x")
    assert code == 1
    assert "chdir /nonexistent/x: no such file or directory" in err


def test_dotenv_path_wins_over_the_flag(rr):
    server = rr(on_init("command: \"sh -c 'echo value=$FROM'\""),
                files={"a.env": "FROM=flag\n", "b.env": "FROM=variable\n"},
                args=["--dotenv", "a.env"], env={"DOTENV_PATH": "b.env"})
    server.log.wait("value=variable")


def test_a_dotenv_never_replaces_what_is_set(rr):
    server = rr(on_init("command: \"sh -c 'echo value=$FROM'\""), files={"a.env": "FROM=file\n"},
                args=["--dotenv", "a.env"], env={"FROM": "outside"})
    server.log.wait("value=outside")


def test_a_bad_endure_log_level_is_told(rr):
    server = rr(SERVER + "endure: {log_level: foo, print_graph: true}\n")
    assert "[WARN] Failed to parse log level, using default (error): unknown log level \"foo\"" in (
        server.log.text("out"))
    server.log.wait(r"digraph")


def test_a_plugin_without_what_it_needs_is_warned_about(rr):
    server = rr("version: '3'\nhooks: {server_started: {command: 'true'}}\n")
    server.log.wait(r"\.rr\.yaml:2: hooks: .*server")


# -- boot failures --------------------------------------------------------------------------------

HTTP = """
version: "3"
server: {command: "php w.php"}
http: {address: "127.0.0.1:0", pool: {num_workers: 2, allocate_timeout: 20s}}
"""


def test_a_worker_that_dies_at_boot_is_shown_with_output_code_and_command(rr):
    server = rr(HTTP, files={"w.php": "<?php fwrite(STDERR, 'no database here'); exit(7);"},
                expect_fail=True)
    assert server.code == 1
    errors = server.log.text("err")
    assert "handle_serve_command: http: " in errors
    assert "no database here" in errors
    assert "php w.php" in errors
    assert re.search(r"\b7\b", errors)
    assert server.family() == []


def test_a_missing_worker_binary_is_named(rr):
    server = rr(HTTP.replace("php w.php", "nosuchphp w.php"), expect_fail=True)
    assert server.code == 1
    assert 'exec: "nosuchphp": executable file not found in $PATH' in server.log.text("err")


def test_a_stop_while_workers_boot_is_quick_and_clean(rr):
    server = rr(HTTP, files={"w.php": "<?php file_put_contents('began', ''); sleep(60);"},
                ready=False)
    process.eventually(lambda: (server.directory / "began").exists(), what="the boot")
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 5
    assert "ERROR" not in server.log.text()  # that they were killed is no failure of theirs
