"""What stands under config/ runs: every sample passes `rr check`, every example answers."""

import shutil

import pytest

from harness.server import ROOT

SAMPLES = sorted(path.name for path in (ROOT / "config").glob("*.yaml"))
EXAMPLES = sorted(path.parent.name for path in (ROOT / "config" / "examples").glob("*/.rr.yaml"))
LOOPBACK = {"RR_HTTP_ADDRESS": "127.0.0.1:0"}


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


def example(rr, name):
    return rr("", config_path=ROOT / "config" / "examples" / name / ".rr.yaml",
              env={**LOOPBACK, "RR_RPC_LISTEN": f"unix://{rr.place}/rpc.sock"})


@pytest.mark.parametrize("name", EXAMPLES)
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
