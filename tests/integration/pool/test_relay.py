"""Relays (pipes, tcp, unix) and the older dialect of Goridge."""

import os
import signal
import socket
import stat
import threading

import pytest

from harness.load import Load
from harness.server import POOL_WORKERS


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(params=["pipes", "tcp", "unix"])
def relay(request):
    return {"pipes": "pipes", "tcp": f"tcp://127.0.0.1:{free_port()}",
            "unix": "unix://relay.sock"}[request.param]


def config(relay, pool="num_workers: 2", more=""):
    return f"""
        version: "3"
        server: {{command: "php @WORKERS@/echo.php", relay: "{relay}" {more}}}
        http: {{address: "127.0.0.1:0", pool: {{{pool}}}}}
        """


def test_requests_pass_every_relay(rr, relay):
    server = rr(config(relay))
    seen = server.get("/x").json()
    assert seen["env"]["RR_RELAY"] == relay
    body = os.urandom(300_000)
    assert server.post("/raw", body).body == body
    assert server.get("/stream?n=3").text == "chunk 1\nchunk 2\nchunk 3\n"
    assert server.stop() == 0


def test_every_relay_stands_a_load_with_kills(rr, relay):
    server = rr(config(relay))
    with Load(server, "/pid", clients=6, seconds=30) as load:
        killed = set()
        for _ in range(4):
            load.wait(40)
            alive = server.wait_workers(lambda pids: len(set(pids) - killed) == 2)
            os.kill(alive[0], signal.SIGKILL)
            killed.add(alive[0])
        load.wait(40)
    load.assert_all()
    server.wait_workers(lambda pids: len(pids) == 2)


def test_a_reset_works_on_every_relay(rr, relay):
    server = rr(config(relay))
    before = set(server.workers())
    server.signal(signal.SIGUSR1)
    server.wait_workers(lambda pids: len(pids) == 2 and not set(pids) & before)
    assert server.get("/pid").status == 200


def test_the_unix_relay_is_closed_to_others_and_removed(rr):
    server = rr(config("unix://relay.sock"))
    path = server.directory / "relay.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert server.stop() == 0
    assert not path.exists()


@pytest.mark.parametrize("greeting", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x13\x01\xff\xff\xff\xff",
                                      b"\x00" * 64])
def test_a_stranger_on_the_relay_disturbs_no_boot(rr, greeting):
    port = free_port()
    server = rr(config(f"tcp://127.0.0.1:{port}"))
    with socket.create_connection(("127.0.0.1", port), 5) as stranger:
        stranger.sendall(greeting)
        before = set(server.workers())
        server.signal(signal.SIGUSR1)
        server.wait_workers(lambda pids: len(pids) == 2 and not set(pids) & before, 8)
    assert server.get("/pid").status == 200


def test_a_stranger_who_claims_a_workers_pid_is_dropped(rr):
    """By SO_PEERCRED: the peer must be the child itself or descend from it."""
    server = rr(config("unix://relay.sock", "num_workers: 1"))
    pid = server.workers()[0]
    path = str(server.directory / "relay.sock")
    import json
    import struct
    import zlib
    payload = json.dumps({"pid": pid}).encode()
    head = struct.pack("<BBI", 0x13, 1, len(payload))
    frame = head + struct.pack("<I", zlib.crc32(head)) + b"\0\0" + payload
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.settimeout(15)
        stranger.connect(path)
        stranger.sendall(frame)
        while stranger.recv(4096):
            pass  # the pid request; then the end
    assert server.get("/pid").text == str(pid)


def test_stdout_is_harmless_on_a_socket_relay(rr):
    server = rr("""
        version: "3"
        server: {command: "php w.php", relay: "unix://relay.sock"}
        http: {address: "127.0.0.1:0", pool: {num_workers: 1}}
        """, files={"w.php": """<?php
            require '@ROOT@/php-worker/autoload.php';
            $out = fopen('php://stdout', 'wb');
            (new Rr\\Worker\\HttpWorker())->serve(function () use ($out) {
                fwrite($out, 'stray');
                return 'fine';
            });
            """})
    assert [server.get("/").text for _ in range(3)] == ["fine"] * 3


@pytest.mark.parametrize("relay", ["nonsense", "ftp://x", "tcp://", "unix://"])
def test_a_wrong_relay_stops_the_start(rr, relay):
    server = rr(config(relay), expect_fail=True)
    assert server.code == 1
    assert "relay" in server.log.text("err")


# -- Goridge v2 ---------------------------------------------------------------------------------

LEGACY = """
rpc: {enable: false}   # on by default in 1.x, at a fixed port
http:
  address: 127.0.0.1:0
  workers:
    command: "php @LEGACY@"
    pool:
      numWorkers: 2
      maxJobs: 0
"""


def legacy(text):
    return text.replace("@LEGACY@", str(POOL_WORKERS / "legacy.php"))


def test_a_1x_configuration_serves_1x_workers(rr):
    server = rr(legacy(LEGACY), verbatim=True)
    response = server.get("/hello")
    assert response.status == 200
    assert response.header("X-Dialect") == "v2"
    assert response.text.endswith(" /hello")
    assert len(server.workers()) == 2
    body = os.urandom(200_000)
    assert server.post("/raw", body).body == body
    assert server.stop() == 0


def test_1x_workers_report_errors_and_are_replaced(rr):
    server = rr(legacy(LEGACY), verbatim=True)
    assert server.get("/error").status == 500
    assert server.get("/exit").status == 502
    server.wait_workers(lambda pids: len(pids) == 2)
    assert server.get("/").status == 200


def test_server_protocol_v2_in_a_v3_configuration(rr):
    server = rr(f"""
        version: "3"
        server: {{command: "php {POOL_WORKERS}/legacy.php", protocol: v2}}
        http: {{address: "127.0.0.1:0", pool: {{num_workers: 1}}}}
        """)
    assert server.get("/").header("X-Dialect") == "v2"


def test_a_1x_worker_is_recognised_at_its_first_start(rr):
    server = rr(f"""
        version: "3"
        server: {{command: "php {POOL_WORKERS}/legacy.php"}}
        http: {{address: "127.0.0.1:0", pool: {{num_workers: 2}}}}
        """)
    assert server.get("/").header("X-Dialect") == "v2"


def test_a_1x_worker_that_fails_in_v3_after_another_was_accepted_in_v2_is_no_boot_error(
        rr, tmp_path):
    folder = tmp_path / "late"
    folder.mkdir()
    server = rr(f"""
        version: "3"
        server:
          command: "php {POOL_WORKERS}/legacy_late.php"
          env: [{{LATE_FOLDER: "{folder}"}}]
        http: {{address: "127.0.0.1:0", pool: {{num_workers: 2}}}}
        """)
    server.wait_workers(lambda pids: len(pids) == 2)
    assert server.get("/").header("X-Dialect") == "v2"


def test_a_load_on_1x_workers_with_kills_fails_nobody(rr):
    server = rr(legacy(LEGACY), verbatim=True)
    with Load(server, "/", clients=4, seconds=30) as load:
        load.wait(50)
        os.kill(server.workers()[0], signal.SIGKILL)
        load.wait(50)
    load.assert_all()
    assert threading.active_count() < 50
