"""Side processes: the section, their lives, the RPC methods, the end."""

import json
import os
import re
import signal
import struct

import pytest

from harness.load import Background
from harness.process import children, environment, eventually, is_alive, wait_gone
from harness.proto import decode, encode
from harness.rpc import PROTO, Client, address_of

RPC = """\
version: "3"
rpc: {listen: "tcp://127.0.0.1:0"}
"""
SLEEPER = "sh -c \"trap 'exit 0' INT; echo up; while :; do sleep 0.05; done\""
DEAF = "sh -c \"trap '' INT; echo deaf; while :; do sleep 0.05; done\""


def services(text):
    return RPC + "service:\n" + "\n".join("  " + line for line in text.splitlines()) + "\n"


@pytest.fixture
def server(rr):
    return rr(RPC + "service: {}\n")


@pytest.fixture
def client(server):
    with Client(address_of(server), timeout=30) as connection:
        yield connection


def create(client, name, command, processes=1, **fields):
    numbers = {"exec_timeout": 4, "remain_after_exit": 5, "env": 6, "restart_sec": 7,
               "service_name_in_logs": 8, "timeout_stop_sec": 9}
    more = [(numbers[key], value) for key, value in fields.items() if key != "env"]
    more += [(6, encode((1, key), (2, value))) for key, value in fields.get("env", {}).items()]
    return client.call("service.Create",
                       encode((1, name), (2, command), (3, processes), *more), flags=PROTO)


def named(client, method, name=""):
    return client.call(f"service.{method}", encode((1, name)) if name else b"", flags=PROTO)


def ok(reply):
    assert reply.error is None, reply.error
    return reply.flags == PROTO and decode(reply.body) == {2: [1]}


def names(client):
    return [name.decode() for name in decode(named(client, "List").body).get(1, [])]


def statuses(client, name):
    reply = named(client, "Statuses", name)
    assert reply.error is None, reply.error
    return [decode(status) for status in decode(reply.body).get(1, [])]


def pids(client, name):
    return [status[2][0] for status in statuses(client, name)]


def workers(client):
    return json.loads(client.call("informer.Workers", b'"service"').body)["workers"]


# -- the section ----------------------------------------------------------------------------------


def test_a_service_of_the_file_runs_and_speaks_in_the_log(rr):
    server = rr(services("""\
tick:
  command: sh -c "echo out; echo err >&2; printenv RR_RPC"
  env: {greeting: hello}"""))
    server.log.wait(r"\tINFO\tservice {5}\tout$")
    server.log.wait(r"\tINFO\tservice {5}\terr$")
    server.log.wait(r"\tINFO\tservice {5}\ttcp://127.0.0.1:0$")
    server.log.wait(r'\tINFO\tservice {5}\tservice ended\t{"service": "tick"')
    assert server.running


def test_names_and_variables(rr):
    server = rr(services("""\
Tick:
  command: printenv FIRST SECOND
  service_name_in_log: true
  env:
    first: a b
    second: ${FIRST_OF_ALL}-c"""), env={"FIRST_OF_ALL": "z"})
    server.log.wait(r"\tINFO\tservice\.tick\ta b$")
    server.log.wait(r"\tINFO\tservice\.tick\tz-c$")


def test_an_exit_code_is_an_error_with_all_one_needs(rr):
    server = rr(services("broken:\n  command: sh -c 'exit 7'"))
    server.log.wait(r'\tERROR\tservice {5}\tservice ended with an error\t{"service": "broken", '
                    r'"command": "\S*sh -c exit 7", "pid": \d+, "exit_code": 7, "next": ')
    assert server.running


def test_a_missing_command_is_an_error_and_the_server_goes_on(rr):
    server = rr(services("broken:\n  command: no-such-command --x\n"
                         f"good:\n  command: {json.dumps(SLEEPER)}"))
    line = server.log.wait(r"\tERROR\tservice {5}\tservice cannot be started\t(.*)").group(1)
    assert json.loads(line) == {
        "service": "broken", "command": "no-such-command --x",
        "error": 'exec: "no-such-command": executable file not found in $PATH',
        "next": "none, remain_after_exit is false; `rr reset service` starts it again"}
    server.log.wait(r"\tup$")
    with Client(address_of(server)) as client:
        (status,) = statuses(client, "broken")
        assert "executable file not found" in decode(status[5][0])[2][0].decode()
        assert len(workers(client)) == 1


def test_a_missing_command_that_comes_is_started(rr, tmp_path):
    server = rr(services("late:\n  command: ./late.sh\n  remain_after_exit: true\n"
                         "  restart_sec: 1"), directory=tmp_path)
    server.log.wait(r'"next": "another start in 1s"')
    script = tmp_path / "late.new"
    script.write_text("#!/bin/sh\necho here I am\nexec sleep 1000\n")
    script.chmod(0o755)
    script.rename(tmp_path / "late.sh")
    server.log.wait(r"\there I am$")


def test_remain_after_exit_starts_again_after_any_end(rr):
    server = rr(services("again:\n  command: sh -c 'echo run; exec sleep 1000'\n"
                         "  remain_after_exit: true\n  restart_sec: 1"))
    server.log.wait(r"\trun$")
    (pid,) = children(server.pid)
    mark = server.log.mark()
    os.kill(pid, signal.SIGKILL)
    server.log.wait(r'service was ended by a signal\t{.*"signal": 9, "next": "another start in 1s"',
                    since=mark)
    server.log.wait(r"\trun$", since=mark)
    assert len(children(server.pid)) == 1


def test_exec_timeout_kills(rr):
    server = rr(services("slow:\n  command: sleep 1000\n  exec_timeout: 100ms"))
    server.log.wait(r'\tERROR\tservice {5}\tservice ran longer than exec_timeout and was killed\t'
                    r'{"service": "slow", .*"exec_timeout": "100ms"')
    assert children(server.pid) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_user(rr):
    server = rr(services("who:\n  command: id -un\n  user: nobody"))
    server.log.wait(r"\tINFO\tservice {5}\tnobody$")


def test_check_names_what_is_wrong(rr):
    server = rr(services("a: {process_num: 2}\n"
                         "b: {command: x, restart_sec: soon}\n"
                         "c: {command: 'sh -c \"x'}\n"
                         "d: {command: x, user: root, evn: {}}"), command="check",
                expect_fail=True)
    assert server.code == 1
    assert server.log.find(r"\.rr\.yaml:\d+: service\.a\.command: missing")
    assert server.log.find(r"\.rr\.yaml:\d+: service\.b\.restart_sec: ")
    assert server.log.find(r"\.rr\.yaml:\d+: service\.c\.command: .*quote")
    assert server.log.find(r"service\.d\.evn.*env")


def test_no_section_no_methods(rr):
    server = rr(RPC)
    with Client(address_of(server)) as client:
        assert named(client, "List").error == "rpc: can't find service service.List"
        assert "service" not in json.loads(client.call("informer.List", b"true").body)


def test_a_chatterbox_delays_nobody(rr):
    server = rr(services("chatter:\n  command: 'yes'") + "logs: {channels: {service: {level: error}}}\n")
    with Client(address_of(server), timeout=30) as client:
        for sequence in range(200):
            assert client.call("rpc.Version", sequence=sequence).error is None
        assert len(workers(client)) == 1


# -- RPC ------------------------------------------------------------------------------------------


def test_created_looked_at_restarted_terminated(server, client):
    assert ok(create(client, "a", SLEEPER, 2, env={"some_name": "x $HOME"}))
    eventually(lambda: server.log.count(r"\tup$") == 2, what="two processes")
    assert names(client) == ["a"]
    before = pids(client, "a")
    assert len(set(before)) == 2 and sorted(before) == children(server.pid)
    assert environment(before[0])[b"SOME_NAME"] == b"x " + os.environb[b"HOME"]
    status = statuses(client, "a")[0]
    assert struct.unpack("<f", status.get(1, [b"\0\0\0\0"])[0])[0] >= 0
    assert status[3][0] > 10_000
    assert status[4][0].decode().endswith("sh -c trap 'exit 0' INT; echo up; "
                                          "while :; do sleep 0.05; done")
    assert 5 not in status
    assert decode(named(client, "Status", "a").body)[2] == [before[1]]
    assert ok(named(client, "Restart", "a"))
    after = pids(client, "a")
    assert not set(before) & set(after)
    assert not any(is_alive(pid) for pid in before)
    assert ok(named(client, "Terminate", "a"))
    assert names(client) == [] and children(server.pid) == []


def test_a_process_that_ended_is_still_listed(server, client):
    assert ok(create(client, "short", "true"))
    server.log.wait("service ended")
    (status,) = statuses(client, "short")
    pid = status[2][0]
    assert decode(status[5][0]) == {
        2: [f"process_state: open /proc/{pid}/statm: no such file or directory".encode()]}
    assert ok(named(client, "Terminate", "short"))


def test_errors(client):
    assert ok(create(client, "a", SLEEPER))
    assert create(client, "a", "true").error == "the service with a name already exists"
    assert create(client, "b", "true", 0).error == \
        "the service with b name should have at least 1 process"
    assert create(client, "b", "no-such-command").error == \
        'exec: "no-such-command": executable file not found in $PATH'
    for method in ("Terminate", "Restart", "Statuses", "Status"):
        assert named(client, method, "b").error == "the service with b name doesn't exist"
    assert names(client) == ["a"]


def test_json(server, client):
    body = json.dumps({"name": "a", "command": SLEEPER, "process_num": 1,
                       "env": {"key": "value"}}).encode()
    assert client.call("service.Create", body).body == b'{"ok":true}'
    assert json.loads(client.call("service.List", b"").body) == {"services": ["a"]}
    server.log.wait(r"\tup$")
    (status,) = json.loads(client.call("service.Statuses", b'{"name":"a"}').body)["status"]
    assert environment(status["pid"])[b"KEY"] == b"value"


def test_restarts_at_once_leave_one_process(server, client):
    assert ok(create(client, "a", SLEEPER))

    def restart():
        with Client(address_of(server), timeout=30) as one:
            return ok(named(one, "Restart", "a"))

    assert all(one.result() for one in [Background(restart) for _ in range(10)])
    assert len(children(server.pid)) == 1
    assert pids(client, "a") == children(server.pid)
    assert server.stop() == 0
    started = server.log.count("service was started")
    assert started == server.log.count("service was stopped") and started <= 11


def test_a_deaf_process_is_killed_and_holds_up_nobody(server, client):
    assert ok(create(client, "deaf", DEAF, timeout_stop_sec=1))
    server.log.wait(r"\tdeaf$")
    (pid,) = pids(client, "deaf")

    def terminate():
        with Client(address_of(server), timeout=30) as one:
            return ok(named(one, "Terminate", "deaf"))

    waiting = Background(terminate)
    eventually(lambda: names(client) == [], what="the begin of the termination")
    assert client.call("rpc.Version").error is None
    assert waiting.result()
    assert not is_alive(pid)
    server.log.wait(r"service does not end on SIGINT and is killed")


# -- the control plane ----------------------------------------------------------------------------


def test_workers_are_listed_and_a_dead_one_hides_nobody(rr):
    server = rr(services(f"""\
a: {{command: {json.dumps(SLEEPER)}}}
dead: {{command: 'true'}}
b: {{command: {json.dumps(SLEEPER)}, process_num: 2}}"""))
    server.log.wait("service ended")
    eventually(lambda: server.log.count(r"\tup$") == 3, what="three processes")
    with Client(address_of(server)) as client:
        listed = workers(client)
        assert sorted(worker["pid"] for worker in listed) == children(server.pid)
        for worker in listed:
            assert (worker["status"], worker["statusStr"]) == (1, "")
            assert (worker["numExecs"], worker["created"]) == (0, 0)
            assert re.match(r"^/\S*/sh -c trap ", worker["command"])
            assert worker["memoryUsage"] > 0
        assert "service" in json.loads(client.call("informer.List", b"true").body)
        assert client.call("informer.AddWorker", b'"service"').error.endswith(
            "plugin service does not support workers management")


def test_reset_restarts_all(rr):
    server = rr(services(f"a: {{command: {json.dumps(SLEEPER)}, process_num: 2}}"))
    eventually(lambda: len(children(server.pid)) == 2, what="two processes")
    before = children(server.pid)
    with Client(address_of(server)) as client:
        assert "service" in json.loads(client.call("resetter.List", b"true").body)
        assert client.call("resetter.Reset", b'"service"').body == b"true"
        assert len(children(server.pid)) == 2
        assert not set(before) & set(children(server.pid))


def test_a_signal_resets_too(rr):
    server = rr(services(f"a: {{command: {json.dumps(SLEEPER)}}}"))
    server.log.wait(r"\tup$")
    (before,) = children(server.pid)
    server.signal(signal.SIGUSR1)
    assert wait_gone(before)
    eventually(lambda: len(children(server.pid)) == 1, what="the new process")


# -- the end --------------------------------------------------------------------------------------


def test_the_stop_waits_for_all_side_by_side(rr, tmp_path):
    """Each process ends only when all five were asked to."""
    (tmp_path / "last.sh").write_text("""
        trap 'touch asked.$$; while [ $(ls asked.* | wc -l) -lt 5 ]; do sleep 0.05; done
              echo bye; exit 0' INT
        echo up
        while :; do sleep 0.05; done
        """)
    server = rr(services("a: {command: sh last.sh, process_num: 5, timeout_stop_sec: 60}"),
                directory=tmp_path)
    eventually(lambda: server.log.count(r"\tup$") == 5, what="five processes")
    assert server.stop() == 0
    assert server.log.count(r"\tbye$") == 5
    assert server.family() == []


def test_deaf_processes_do_not_outlive_the_grace_period(rr):
    server = rr(services(f"a: {{command: {json.dumps(DEAF)}, process_num: 2, timeout_stop_sec: 60}}")
                + "endure: {grace_period: 1s}\n")
    eventually(lambda: server.log.count(r"\tdeaf$") == 2, what="two processes")
    server.stop(timeout=10)
    assert server.family() == []


def test_services_end_after_the_requests(rr, gate):
    server = rr(f"""
        http: {{address: "127.0.0.1:0", pool: {{num_workers: 1}}}}
        service: {{a: {{command: {json.dumps(SLEEPER)}}}}}
        """, worker=gate.worker, env=gate.env)
    server.log.wait(r"\tup$")
    slow = Background(server.get, "/hold?name=slow")
    gate.begun("slow")
    server.signal(signal.SIGTERM)
    server.log.wait("server is stopping")
    assert not server.log.find("service was stopped")
    gate.open("slow")
    assert slow.result().status == 200
    assert server.stop() == 0
    assert server.log.find("service was stopped")


def test_what_a_service_leaves_in_its_group_ends_with_it(rr):
    server = rr(services("a:\n  command: sh -c \"trap '' INT; sleep 1000 & echo left; exit 0\""))
    server.log.wait("service ended")
    eventually(lambda: server.family() == [], what="the end of what was left")
