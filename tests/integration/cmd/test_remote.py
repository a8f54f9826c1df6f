"""Commands that talk to a running server: workers, reset, status, jobs and the names of 1.x."""

import json
import socket
import socketserver
import struct
import subprocess
import threading

import pytest

from harness import rpc as rpc_wire
from harness.cli import rpc, run
from harness.load import Background
from harness.server import NotifySocket, ROOT, binary

RPC = "rpc: {listen: 'tcp://127.0.0.1:0'}\n"


def serve(rr, pool="num_workers: 2", more="", **named):
    return rr(RPC + f"http: {{address: '127.0.0.1:0', pool: {{{pool}}}}}\n{more}", **named)


def closed_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


# -- workers --------------------------------------------------------------------------------------

def test_workers_prints_roadrunners_table(rr):
    server = serve(rr)
    done = run("workers", *rpc(server))
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "Workers of [http]:"
    assert [cell.strip() for cell in lines[2].split("│")[1:-1]] == [
        "PID", "STATUS", "EXECS", "MEMORY", "CPU %", "CREATED"]
    assert [int(line.split("│")[1]) for line in lines[4:-1]] == sorted(server.workers())
    assert len({len(line) for line in lines[1:]}) == 1


def test_workers_as_json_say_what_each_does(rr, gate):
    server = serve(rr, worker=gate.worker, env=gate.env)
    held = Background(server.get, "/hold?name=a")
    pid = gate.begun("a")
    found = run("workers", "--json", *rpc(server)).json()
    gate.open("a")
    held.result()
    [group] = found["groups"]
    assert (group["plugin"], group["queued"], group["resetting"]) == ("http", 0, False)
    tasks = {worker["pid"]: worker["task"] for worker in group["workers"]}
    assert tasks[pid] == "GET /hold?name=a"
    assert [task for other, task in tasks.items() if other != pid] == [""]
    [busy] = [worker for worker in group["workers"] if worker["pid"] == pid]
    assert busy["statusStr"] == "working" and busy["taskTime"] > 0


def test_workers_of_one_plugin_and_of_one_that_is_not_there(rr):
    server = serve(rr)
    assert "Workers of [http]:" in run("workers", "http", *rpc(server)).out
    done = run("workers", "http", "nosuch", *rpc(server))
    assert done.code == 1
    assert "Workers of [http]:" in done.out
    assert "has no workers of: nosuch" in done.err


def test_interactive_without_a_terminal_prints_the_table_once(rr):
    server = serve(rr)
    for command in ("workers", "http:workers"):
        done = run(command, "-i", *rpc(server))
        assert done.code == 0
        assert "\x1b" not in done.out
        assert str(server.workers()[0]) in done.out


def test_http_workers_prints_the_table_of_1x(rr):
    server = serve(rr)
    lines = run("http:workers", *rpc(server)).out.splitlines()
    assert lines[1] == "|   PID   |  STATUS   |  EXECS  | MEMORY  |      CREATED       |"
    assert len(lines) == 6


# -- the way to the server ------------------------------------------------------------------------

def test_the_server_is_found_by_the_configuration(rr):
    port = closed_port()
    server = rr(f"rpc: {{listen: 'tcp://127.0.0.1:{port}'}}\n"
                "http: {address: '127.0.0.1:0', pool: {num_workers: 1}}")
    done = run("workers", "-c", server.directory / ".rr.yaml", cwd="/")
    assert done.code == 0, done.err
    done = run("workers", "-w", server.directory)
    assert done.code == 0, done.err
    other = closed_port()
    done = run("workers", "-w", server.directory, "-o", f"rpc.listen=tcp://127.0.0.1:{other}")
    assert done.code == 1
    assert f"no server answers at tcp://127.0.0.1:{other} (rpc.listen of -o)" in done.err


def test_the_server_is_found_over_a_unix_socket_beside_the_configuration(rr):
    server = rr("rpc: {listen: 'unix://rr.sock'}\n"
                "http: {address: '127.0.0.1:0', pool: {num_workers: 1}}")
    done = run("status", "-c", server.directory / ".rr.yaml", cwd="/")
    assert done.code == 0, done.err


def test_a_server_that_does_not_run_is_told_plainly(tmp_path):
    port = closed_port()
    config = tmp_path / ".rr.yaml"
    config.write_text(f'version: "3"\nrpc: {{listen: "tcp://127.0.0.1:{port}"}}\n')
    for command in ("workers", "reset", "status", "http:workers", "http:reset"):
        done = run(command, "-w", tmp_path)
        assert done.code == 1
        assert done.err == (f"no server answers at tcp://127.0.0.1:{port} (rpc.listen in "
                            f"{config}): is `rr serve` running?\n")
        scripted = run(command, "-w", tmp_path, "--json")
        assert scripted.code == 1
        assert scripted.json()["error"] + "\n" == done.err


def test_a_configuration_without_rpc_is_told_what_to_add(tmp_path):
    (tmp_path / ".rr.yaml").write_text('version: "3"\n')
    done = run("workers", "-w", tmp_path)
    assert done.code == 1
    assert done.err.startswith("rpc service not specified in the configuration. Tip: add")
    assert "rpc:\n  listen: tcp://127.0.0.1:6001\n" in done.err


def test_without_a_configuration_rpc_is_offered(tmp_path):
    done = run("workers", "-w", tmp_path)
    assert done.code == 1
    assert "no such file or directory" in done.err
    assert "--rpc tcp://" in done.err


@pytest.mark.parametrize("address, says", [
    ("http://127.0.0.1:1", "only tcp:// and unix:// addresses are served"),
    ("tcp://127.0.0.1", "expected host:port"),
    ("unix:///nonexistent/rr.sock", "no server answers at unix:///nonexistent/rr.sock (--rpc)"),
])
def test_a_wrong_address_is_told(address, says):
    done = run("workers", "--rpc", address)
    assert done.code == 1
    assert says in done.err


def test_a_port_that_speaks_something_else_is_told():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer():
            with listener.accept()[0] as connection:
                connection.recv(100)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        served = Background(answer)
        done = run("workers", "--rpc", f"tcp://127.0.0.1:{port}")
        served.result()
    assert done.code == 1
    assert "what answers there is no RPC port" in done.err
    assert "rpc.listen" in done.err


# -- reset ----------------------------------------------------------------------------------------

def test_reset_replaces_the_workers_and_says_how_long_it_took(rr):
    server = serve(rr)
    before = set(server.workers())
    done = run("reset", *rpc(server))
    assert done.code == 0, done.err
    assert not before & set(server.wait_workers(lambda pids: len(pids) == 2))
    assert "resetting plugin: [http] \n" in done.err
    assert "plugin reset: [http] in " in done.err
    assert run("reset", "-s", "http", *rpc(server)).err == ""


def test_http_reset_has_the_words_of_1x(rr):
    server = serve(rr)
    done = run("http:reset", *rpc(server))
    assert done.code == 0
    assert done.out.startswith("Restarting http worker pool: done")
    assert done.out.endswith("\n")


def test_a_reset_of_a_plugin_that_is_not_there_fails(rr):
    server = serve(rr)
    done = run("reset", "nosuch", *rpc(server))
    assert done.code == 1
    assert "plugin reset failed: [nosuch]: no such plugin: nosuch" in done.err


def test_a_reset_whose_workers_do_not_boot_shows_their_output(rr, tmp_path):
    blocker = tmp_path / "blocker"
    server = serve(rr, env={"BOOT_FAIL": "19", "BOOT_FAIL_FILE": str(blocker),
                            "BOOT_STDERR": "the database is gone\n"})
    before = server.workers()
    blocker.touch()
    done = run("reset", *rpc(server))
    assert done.code == 1
    assert "plugin reset failed: [http]" in done.err
    assert "the database is gone" in done.err
    assert "19" in done.err
    legacy = run("http:reset", *rpc(server))
    assert legacy.code == 1
    assert "Error: " in legacy.err and "the database is gone" in legacy.err
    scripted = run("reset", "--json", *rpc(server))
    assert scripted.code == 1
    [http] = scripted.json()["plugins"]
    assert not http["ok"] and "the database is gone" in http["error"]
    assert server.workers() == before
    assert "the database is gone" in run("workers", *rpc(server)).out
    assert "the database is gone" in run("status", *rpc(server)).out


def test_reset_tells_the_service_manager(rr, notify_socket: NotifySocket):
    server = serve(rr)
    done = run("reset", *rpc(server), env={"NOTIFY_SOCKET": notify_socket.path})
    assert done.code == 0
    assert notify_socket.receive().startswith("RELOADING=1")
    assert notify_socket.receive().startswith("READY=1")


def test_a_server_that_ends_during_a_reset_is_told(rr):
    server = serve(rr, env={"BOOT_SLEEP_MS": "3000"}, pool="num_workers: 1", timeout=40)
    waiting = Background(run, "reset", *rpc(server))
    server.wait_workers(lambda pids: len(pids) > 1, what="the new generation")
    server.kill()
    done = waiting.result()
    assert done.code == 1
    assert "the reset may not have happened" in done.err


# -- status, jobs ---------------------------------------------------------------------------------

def test_status_says_whether_plugins_serve(rr):
    server = serve(rr)
    done = run("status", *rpc(server))
    assert done.code == 0
    assert done.out.startswith("server 2025.1.14 answers at tcp://")
    assert "http: ready, 2 workers, 0 working, 0 waiting" in done.out
    summary = run("status", "--json", *rpc(server)).json()
    assert summary["ready"] and summary["version"] == "2025.1.14"
    assert summary["plugins"][0]["workers"] == 2


def test_jobs_says_that_there_are_none(rr):
    server = serve(rr)
    for args in (["--list"], ["--pause", "a,b"], ["--resume", "a"], ["--destroy", "a"]):
        done = run("jobs", *args, *rpc(server))
        assert done.code == 1
        assert "has no jobs" in done.err
    assert "rr jobs --pause pipe1,pipe2" in run("jobs", "--pause", *rpc(server)).err
    assert "rr jobs --<destroy/resume/pause>" in run("jobs", *rpc(server)).err


# -- other servers --------------------------------------------------------------------------------

class Stock(socketserver.StreamRequestHandler):
    """What RoadRunner answers: it has no informer.Status."""

    def handle(self):
        worker = {"pid": 42, "status": 2, "numExecs": 1234, "created": 1, "memoryUsage": 29_000_000,
                  "CPUPercent": 1.5, "command": "", "statusStr": "working"}
        service = {**worker, "pid": 43, "status": 1, "statusStr": "", "command": "/bin/sleep 9"}
        pipeline = {"Pipeline": "mails", "Driver": "memory", "Queue": "mails", "Active": 1,
                    "Delayed": 2, "Reserved": 0, "Ready": True, "Priority": 10, "ErrorMessage": ""}
        answers = {
            ("informer.List", "true"): ["service", "jobs"],
            ("informer.Workers", '"jobs"'): {"workers": [worker]},
            ("informer.Workers", '"service"'): {"workers": [service]},
            ("informer.Jobs", '"jobs"'): [pipeline], ("informer.Jobs", '"service"'): None,
            ("rpc.Version", "true"): "2025.1.14",
            ("jobs.List", '{"pipelines":[]}'): {"pipelines": ["mails"]},
            ("jobs.Pause", '{"pipelines":["mails","b"]}'): {},
        }
        while head := self.rfile.read(20):
            size, = struct.unpack("<I", head[2:6])
            number, length = struct.unpack("<II", head[12:])
            payload = self.rfile.read(size).decode()
            method, body = payload[:length], payload[length:]
            flags, text = rpc_wire.JSON, None
            if (method, body) in answers:
                text = json.dumps(answers[method, body])
            elif method == "informer.Workers":
                text = '{"workers":null}'
            else:
                flags, text = flags | rpc_wire.ERROR, f"rpc: can't find method {method}"
            self.wfile.write(rpc_wire.frame(method, text.encode(), number, flags))


@pytest.fixture
def stock():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Stock) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield ["--rpc", f"tcp://127.0.0.1:{server.server_address[1]}"]
        server.shutdown()


def test_tables_of_a_server_without_our_method(stock):
    lines = run("workers", *stock).out.splitlines()
    assert lines[0] == "Workers of [jobs]:"
    assert lines[2].split("│")[1:4] == [" PID ", " STATUS  ", " EXECS "]
    assert "│ 42  │ working │ 1,234 │ 29 MB  │ 1.50  │" in lines[4]
    assert lines[6] == "Jobs of [jobs]:"
    assert [cell.strip() for cell in lines[10].split("│")[1:-1]] == [
        "READY", "mails", "memory", "mails", "1", "2", "0"]
    assert lines[12] == "Workers of [service]:"
    assert [cell.strip() for cell in lines[14].split("│")[1:-1]] == [
        "PID", "MEMORY", "CPU %", "COMMAND"]


def test_a_name_that_such_a_server_does_not_have(stock):
    done = run("workers", "http", *stock)
    assert done.code == 1
    assert "has no workers of: http" in done.err


def test_status_of_such_a_server(stock):
    assert "jobs: ready, 1 worker, 1 working\n" in run("status", *stock).out


def test_pipelines_are_listed_and_paused(stock):
    assert run("jobs", "--list", *stock).out.splitlines() == [
        "┌────────────────┐", "│ PIPELINE ( S ) │", "├────────────────┤", "│ mails          │",
        "└────────────────┘"]
    assert "│ b              │" in run("jobs", "--pause", "mails,b", *stock).out


# -- stop -----------------------------------------------------------------------------------------

def test_stop_without_a_pid_file_asks_over_rpc(rr):
    server = rr("rpc: {listen: 'unix://rr.sock'}\n"
                "http: {address: '127.0.0.1:0', pool: {num_workers: 1}}")
    done = run("stop", "-w", server.directory)
    assert done.code == 0, done.err
    assert server.wait() == 0


# -- completions ----------------------------------------------------------------------------------

@pytest.mark.parametrize("line, offers", [
    ("rr wor", ["workers"]),
    ("rr http:", ["reset", "workers"]),
    ("rr http:w", ["workers"]),
    ("rr workers --", ["--interactive", "--json", "--rpc", "--logFormat", "--jsonConfig"]),
    ("rr check --", ["--json", "--strict"]),
    ("rr http:reset --r", ["--rpc"]),
    ("rr serve -l ", ["color", "json", "plain"]),
])
def test_bash_completes_commands_and_flags(tmp_path, line, offers):
    script = tmp_path / "rr.bash"
    script.write_text(subprocess.run([binary(), "completion", "bash"], capture_output=True,
                                     text=True, check=True).stdout)
    done = subprocess.run(["bash", "--norc", "-c", f"""
        source {script}
        COMP_LINE={line!r} COMP_POINT={len(line)} COMP_WORDBREAKS=$' \\t\\n:='
        _rr
        printf '%s\\n' "${{COMPREPLY[@]}}"
        """], capture_output=True, text=True, timeout=10)
    assert set(offers) <= set(done.stdout.split()), done


@pytest.mark.parametrize("shell", ["fish", "zsh", "powershell"])
def test_completions_know_the_new_commands(shell):
    out = run("completion", shell).out
    for word in ("workers", "reset", "status", "jobs", "rpc", "interactive", "logFormat"):
        assert word in out
    assert ("http\\:reset" if shell == "zsh" else "http:reset") in out


def test_the_man_page_and_the_readme_name_every_command():
    page = (ROOT / "packaging" / "rr.1").read_text()
    readme = (ROOT / "README.md").read_text()
    for command in ("serve", "check", "stop", "workers", "reset", "status", "jobs", "kv",
                    "http:reset", "http:workers", "completion"):
        assert f"\n.B {command}\n" in page, command
        assert f"`rr {command}" in readme, command
