"""What stands under config/ runs: every sample passes `rr check`, every example answers."""

import json
import shutil
import subprocess
import sys

import jsonschema
import pytest
import yaml

from harness import process, tcp
from harness.server import ROOT

SAMPLES = sorted(path.name for path in (ROOT / "config").glob("*.yaml"))
CHATS = ["tcp-chat", "tcp-chat-python"]
EXAMPLES = sorted(path.parent.name for path in (ROOT / "config" / "examples").glob("*/.rr.yaml"))
PAGES = [name for name in EXAMPLES if name not in CHATS]
LOOPBACK = {"RR_HTTP_ADDRESS": "127.0.0.1:0", "RR_TCP_ADDRESS": "127.0.0.1:0"}


@pytest.mark.parametrize("path", SAMPLES)
def test_samples_pass_the_check(rr, path):
    server = rr("", config_path=ROOT / "config" / path, command="check", expect_fail=True)
    assert server.code == 0, str(server.log)
    assert server.log.find("unknown|nearest") is None


def test_the_file_of_all_keys_passes_the_check(rr):
    text = (ROOT / ".rr.yaml.example").read_text()
    server = rr(text, verbatim=True, command="check", expect_fail=True)
    assert server.code == 0, str(server.log)
    assert server.log.find("unknown|nearest") is None


def schema_errors(text):
    schema = json.loads((ROOT / "config" / "schema.json").read_text())
    validator = jsonschema.Draft7Validator(schema)
    return [error.json_path for error in validator.iter_errors(yaml.safe_load(text))]


def test_the_schema_is_made_from_the_file_of_all_keys():
    done = subprocess.run([sys.executable, "-B", ROOT / "tools" / "schema", "--check"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [".rr.yaml.example", *(f"config/{name}" for name in SAMPLES),
                                  *(f"config/examples/{name}/.rr.yaml" for name in EXAMPLES)])
def test_the_schema_accepts_our_files(path):
    assert schema_errors((ROOT / path).read_text()) == []


@pytest.mark.parametrize("text, place", [
    ("http: {access_logs: 3}", "$.http.access_logs"),
    ("server: {protocol: v4}", "$.server.protocol"),
    ("http: {pool: {supervisor: [1]}}", "$.http.pool.supervisor"),
])
def test_the_schema_finds_mistakes(text, place):
    assert schema_errors(text) == [place]


def example(rr, name):
    return rr("", config_path=ROOT / "config" / "examples" / name / ".rr.yaml",
              env={**LOOPBACK, "RR_RPC_LISTEN": f"unix://{rr.place}/rpc.sock",
                   "RR_METRICS_ADDRESS": "127.0.0.1:0"})


@pytest.mark.parametrize("name", PAGES)
def test_every_example_starts_and_answers(rr, name):
    if name == "node" and shutil.which("node") is None:
        pytest.skip("there is no node")
    server = example(rr, name)
    assert server.get("/").status == 200
    assert server.stop() == 0


def test_hello_is_a_page(rr):
    response = example(rr, "hello").get("/")
    assert response.header("Content-Type").startswith("text/html")


def test_streaming_arrives_in_pieces(rr):
    server = example(rr, "streaming")
    with server.open() as connection:
        connection.send(b"GET /events?n=2 HTTP/1.1\r\nHost: a\r\n\r\n")
        head = connection.read_head()
        assert head.header("Content-Type").startswith("text/event-stream")
        assert any(b"data:" in connection.read_chunk() for _ in range(3))


def test_rpc_calls_the_server(rr):
    server = example(rr, "rpc")
    workers = json.loads(server.get("/workers").body)
    assert len(workers) == 4
    assert sum(" working, " in line for line in workers) == 1  # the one that asks
    assert json.loads(server.get("/report").body)[0].startswith("the report was written by")
    assert json.loads(server.get("/reset").body) == ["new workers serve"]
    old = {line.split()[0] for line in workers}
    # Old ones are listed until they have gone.
    process.eventually(lambda: not old & {line.split()[0]
                                          for line in json.loads(server.get("/workers").body)},
                       what="new workers only")


@pytest.mark.parametrize("name", CHATS)
def test_chats_talk(rr, name):
    server = example(rr, name)
    with tcp.connect(server, "chat") as one:
        one.expect(b"* welcome; /who lists who is here, /quit leaves\n")
        with tcp.connect(server, "chat") as two:
            two.expect(b"* welcome; /who lists who is here, /quit leaves\n")
            second = two.name
            one.expect(f"* {second} joined\n".encode())
            one.send(b"hello there\nand again\r\n")
            two.expect(f"<{one.name}> hello there\n<{one.name}> and again\n".encode())
            two.send(b"/who\n").expect(f"* {one.name}, {two.name}\n".encode())
            two.send(b"/quit\n")
            assert two.read_to_end() == b"* bye\n"
        one.expect(f"* {second} left\n".encode())
    assert server.stop() == 0
