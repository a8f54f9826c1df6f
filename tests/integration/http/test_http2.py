"""HTTP/2 without TLS: prior knowledge and Upgrade, against real workers."""

import json
import re
import select
import shutil
import signal
import subprocess

import h2.exceptions
import pytest

from harness.http2 import Http2
from harness.client import request_bytes

ONE = "http: {address: '127.0.0.1:0', http2: {h2c: true}, pool: {num_workers: 1}}"
TWO = "http: {address: '127.0.0.1:0', http2: {h2c: true}, pool: {num_workers: 2}}"


def http(extra, pool="num_workers: 1"):
    return f"http: {{address: '127.0.0.1:0', http2: {{h2c: true}}, pool: {{{pool}}}, {extra}}}"


def open_(server, **more):
    return Http2(("127.0.0.1", server.port), **more)


# -- requests and answers -------------------------------------------------------------------------


def test_php_sees_the_request_as_it_was_sent(rr):
    server = rr(ONE)
    with open_(server) as client:
        answer = client.get("/show?a=1", headers=[("x-a", "1"), ("x-a", "2"), ("cookie", "a=1"),
                                                  ("cookie", "b=2")], authority="site.test:81")
        seen = json.loads(answer.body)
        assert answer.status == 200
        assert seen["protocol"] == "HTTP/2.0"
        assert seen["uri"] == "http://site.test:81/show?a=1"
        assert seen["method"] == "GET"
        assert seen["headers"]["X-A"] == ["1", "2"]
        assert seen["headers"]["Cookie"] == ["a=1; b=2"]
        assert "Host" not in seen["headers"]


def test_heads_have_no_fields_of_a_connection(rr):
    server = rr(ONE)
    with open_(server) as client:
        answer = client.get("/headers?Connection=close&Keep-Alive=5&Upgrade=x&X-Mine=1")
        names = [name for name, _ in answer.headers]
        assert answer.header("x-mine") == "1"
        assert not {"connection", "keep-alive", "upgrade", "transfer-encoding"} & set(names)
        assert all(name == name.lower() for name in names)
        assert client.get("/status?body=still").body == b"still"


def test_streams_are_answered_as_their_workers_end(rr):
    server = rr(TWO)
    with open_(server) as client:
        slow = client.request("/sleep?ms=600")
        fast = client.request("/status?body=fast")
        assert client.answer(fast).body == b"fast"
        assert not client.answers[slow].ended
        assert client.answer(slow).status == 200


def test_a_hundred_streams_at_once(rr):
    server = rr(TWO)
    with open_(server) as client:
        streams = [client.request(f"/status?body={n}") for n in range(100)]
        assert [client.answer(s).body for s in streams] == [str(n).encode() for n in range(100)]


def test_a_body_goes_both_ways(rr):
    server = rr(ONE)
    body = bytes(range(256)) * 12000  # 3 MB
    with open_(server) as client:
        stream = client.request("/raw", "POST", [("content-type", "application/octet-stream")], body)
        assert client.answer(stream).body == body
        length = client.request("/length", "PUT", [("content-length", "5")], b"12345")
        assert client.answer(length).body.startswith(b"5 ")


def test_uploads_and_forms_arrive(rr):
    server = rr(ONE)
    if not shutil.which("curl"):
        pytest.fail("curl is missing")
    out = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "-F", "a=1", "-F",
                          "f=@/proc/self/cmdline;filename=n.txt", server.url + "/show"],
                         capture_output=True, timeout=20, check=True).stdout
    seen = json.loads(out)
    assert seen["protocol"] == "HTTP/2.0"
    assert "n.txt" in out.decode()
    with open_(server) as client:
        form = client.request("/show", "POST",
                              [("content-type", "application/x-www-form-urlencoded")], b"x=1&y[]=2")
        assert b'"y"' in client.answer(form).body


def test_a_stream_of_frames_comes_as_it_is_written(rr):
    server = rr(ONE)
    with open_(server) as client:
        stream = client.request("/stream?n=3&ms=150")
        client.until(lambda: client.answers[stream].body)
        assert not client.answers[stream].ended
        assert client.answer(stream).header("content-length") is None


def test_informational_heads_and_trailers(rr):
    server = rr(ONE)
    with open_(server) as client:
        hinted = client.get("/early-hints?code=201")
        assert [dict(head)[":status"] for head in hinted.informational] == ["103", "103"]
        assert hinted.status == 201
        trailed = client.get("/trailers")
        assert trailed.body == b"trailed"
        assert sorted(trailed.trailers) == [("x-low", "l"), ("x-sum", "abc")]


def test_head_and_204_have_no_body(rr):
    server = rr(ONE)
    with open_(server) as client:
        assert client.get("/status?body=abc", method="HEAD").body == b""
        assert client.get("/status?code=204").status == 204
        assert client.get("/status?code=304&body=x").body == b""


def test_expect_continue(rr):
    server = rr(ONE)
    with open_(server) as client:
        stream = client.request("/raw", "POST", [("expect", "100-continue")], end=False)
        client.until(lambda: client.answers[stream].informational)
        assert dict(client.answers[stream].informational[0])[":status"] == "100"
        client.send(stream, b"now")
        assert client.answer(stream).body == b"now"


def test_a_slow_client_pauses_its_worker_and_nobody_else(rr):
    server = rr(TWO)
    with open_(server, greedy=False, window=1000) as client:
        slow = client.request("/big?mb=8")
        client.until(lambda: len(client.answers[slow].body) >= 1000)
        with open_(server) as other:
            assert other.get("/status?body=free").body == b"free"
        client.greedy = True
        while not client.answers[slow].ended:
            client.connection.increment_flow_control_window(1 << 20)
            client.connection.increment_flow_control_window(1 << 20, slow)
            client.flush()
            client.receive()
        assert len(client.answers[slow].body) == 8 << 20


# -- what is wrong ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path, status", [("/a b", 400), ("no-slash", 400), ("/%zz", 400)])
def test_bad_targets(rr, path, status):
    server = rr(ONE)
    with open_(server) as client:
        answer = client.get(path)
        assert answer.reset == 1 or answer.status == status
        assert client.get("/status?body=on").body == b"on"


def test_limits_have_their_statuses(rr):
    server = rr(http("limits: {target: 100, head: 4KB, headers: 20}, max_request_size: 1"))
    with open_(server) as client:
        assert client.get("/" + "a" * 200).status == 414
        assert client.get("/", headers=[(f"x-{n}", "1") for n in range(30)]).status == 431
        assert client.get("/", headers=[("x-long", "a" * 5000)]).status == 431
        large = client.request("/raw", "POST", [("content-length", str(3 << 20))], end=False)
        assert client.answer(large).status == 413
        assert client.get("/status?body=on").body == b"on"


def test_worker_failures_end_a_stream_not_the_connection(rr):
    server = rr(ONE)
    with open_(server) as client:
        assert client.get("/error").status == 500
        assert client.answer(client.request("/exit", "POST", body=b"x")).status == 502
        assert client.get("/badstatus").status == 500
        assert client.get("/status?body=on").body == b"on"


def test_an_answer_cut_half_way_resets_its_stream(rr):
    server = rr(TWO)
    with open_(server) as client:
        stream = client.request("/stream?n=3&ms=100&die=1")
        answer = client.answer(stream)
        assert answer.ended or answer.reset is not None
        assert client.get("/status?body=on").body == b"on"


def test_a_body_that_stops_is_answered_with_408(rr):
    server = rr(http("timeouts: {body: 300ms}"))
    with open_(server) as client:
        stream = client.request("/raw", "POST", end=False)
        client.connection.send_data(stream, b"half")
        client.flush()
        assert client.answer(stream).status == 408
        assert client.get("/status?body=on").body == b"on"


def test_an_answer_before_the_end_of_its_request_asks_for_no_more(rr):
    server = rr(http("max_request_size: 1"))
    with open_(server) as client:
        stream = client.request("/raw", "POST", [("content-length", str(9 << 20))], end=False)
        answer = client.answers[stream]
        client.until(lambda: answer.reset is not None)
        assert (answer.status, answer.reset) == (413, 0)


def test_queue_full_is_503_with_retry_after(rr):
    server = rr(http("access_logs: false", "num_workers: 1, max_queue_size: 1"))
    with open_(server) as client:
        streams = [client.request("/sleep?ms=300") for _ in range(4)]
        answers = [client.answer(s) for s in streams]
        refused = [a for a in answers if a.status == 503]
        assert refused and all(a.header("retry-after") == "1" for a in refused)


@pytest.mark.parametrize("frames, code", [
    ([(6, 0, 0, b"short")], 6),                       # PING of 5 bytes
    ([(0, 0, 0, b"data")], 1),                        # DATA on stream 0
    ([(8, 0, 0, b"\0\0\0\0")], 1),                    # WINDOW_UPDATE of 0
    ([(4, 0, 0, b"\0\4\xff\xff\xff\xff")], 3),        # a window beyond 2^31-1
    ([(1, 4, 2, b"\x82\x84\x86")], 1),                # an even stream
    ([(1, 4, 5, b"\xff\xff\xff\xff\xff")], 9),        # no HPACK
    ([(9, 4, 1, b"")], 1),                            # CONTINUATION of nothing
    ([(5, 4, 1, b"\0\0\0\2")], 1),                    # PUSH_PROMISE of a client
], ids=lambda value: str(value)[:24])
def test_broken_frames_end_the_connection_with_a_reason(rr, frames, code):
    server = rr(ONE)
    with open_(server) as client:
        client.until(lambda: client.settings)
        for kind, flags, stream, payload in frames:
            client.frame(kind, flags, stream, payload)
        client.wait_end()
        assert client.goaway == code
    with open_(server) as client:
        assert client.get("/status?body=on").body == b"on"


def test_a_flood_of_resets_is_stopped(rr):
    server = rr(TWO)
    with open_(server) as client:
        try:
            for _ in range(3000):
                stream = client.request("/sleep?ms=1")
                client.connection.reset_stream(stream, 8)
                client.flush()
        except (OSError, h2.exceptions.ProtocolError):  # the server had enough
            pass
        try:
            client.wait_end()
        except (OSError, h2.exceptions.ProtocolError):
            pass
        assert client.closed or client.goaway is not None
    with open_(server) as client:
        assert client.get("/status?body=on").body == b"on"


@pytest.mark.parametrize("kind, payload", [(6, b"12345678"), (4, b""), (2, b"\0\0\0\0\1")],
                         ids=["ping", "settings", "priority"])
def test_floods_of_control_frames_are_stopped(rr, kind, payload):
    server = rr(ONE)
    with open_(server) as client:
        stream = 1 if kind == 2 else 0
        one = len(payload).to_bytes(3, "big") + bytes([kind, 0]) + stream.to_bytes(4, "big") + payload
        try:
            for _ in range(200):
                client.raw(one * 100)
        except OSError:
            pass
        try:
            client.wait_end()
        except OSError:
            client.closed = True
        assert client.closed
    with open_(server) as client:
        assert client.get("/status?body=on").body == b"on"


def test_endless_continuations_are_stopped(rr):
    server = rr(ONE)
    with open_(server) as client:
        client.frame(1, 1, 1, b"\x82\x84\x86")
        try:
            for _ in range(2000):
                client.frame(9, 0, 1, b"\x00\x01a\x01b" * 100)
            client.wait_end()
        except OSError:
            pass
    with open_(server) as client:
        assert client.get("/status?body=on").body == b"on"


def test_a_closed_window_and_pings_hold_no_worker(rr):
    """A PING now and then must not look as if the client took its answer."""
    server = rr(http("timeouts: {write: 1s}"))
    with open_(server, greedy=False, window=0) as client:
        stream = client.request("/big?mb=2")
        client.until(lambda: client.answers[stream].headers)
        for _ in range(60):
            client.connection.ping(b"12345678")
            client.flush()
            client.receive()
            while client.answers[stream].reset is None:  # until the next PING is due
                if not select.select([client.socket], [], [], 0.2)[0]:
                    break
                client.receive()
            if client.answers[stream].reset is not None:
                break
        assert client.answers[stream].reset == 8  # CANCEL
        with open_(server) as other:
            assert other.get("/status?body=free").body == b"free"


def test_a_large_head_of_an_answer_arrives(rr):
    server = rr(ONE)
    with open_(server) as client:
        client.connection.decoder.max_header_list_size = 1 << 20
        answer = client.get("/headers?large=70000")
        assert len(answer.header("x-large")) == 70000


def test_a_head_that_never_ends_has_a_time_limit(rr):
    server = rr(http("timeouts: {header: 300ms}"))
    with open_(server) as client:
        client.frame(1, 0, 1, b"\x82")  # HEADERS without END_HEADERS
        client.until(lambda: client.goaway is not None or client.closed)
        assert client.goaway == 1


def test_streams_that_we_have_to_reset_are_a_flood_too(rr):
    server = rr(ONE)
    with open_(server) as client:
        head = b"\x82\x84\x86\x41\x01h"
        try:
            for number in range(1, 20000, 2):
                client.raw(len(head).to_bytes(3, "big") + b"\1\5" + number.to_bytes(4, "big") + head
                           + b"\0\0\4\x08\0" + number.to_bytes(4, "big") + b"\x7f\xff\xff\xff")
        except OSError:
            pass
        while client.goaway is None:  # python3-h2 has not heard of these streams
            client.input += client.socket.recv(65536) or pytest.fail("closed without a word")
            client.take_frames()
        assert client.goaway == 11  # ENHANCE_YOUR_CALM


def test_odd_bytes_and_names_of_a_worker_do_not_kill_its_answer(rr):
    server = rr(ONE)
    with open_(server) as client:
        answer = client.get("/headers?X-Odd=a%1b%5b31mb%7fc")
        assert answer.status == 200
        assert answer.header("x-odd") == "a [31mb c"
        for name in ("Connection", "keep-alive"):
            trailed = client.get(f"/trailers?also={name}")
            assert trailed.body == b"trailed"
            assert sorted(dict(trailed.trailers)) == ["x-low", "x-sum"]


def test_a_body_behind_an_answer_from_a_file_is_not_answered_again(rr, tmp_path):
    (tmp_path / "public").mkdir()
    (tmp_path / "public/f.bin").write_bytes(b"f" * 3_000_000)
    server = rr(http(f"middleware: [static], static: {{dir: {tmp_path}/public}}"))
    with open_(server) as client:
        stream = client.request("/f.bin", "POST", [("content-length", "600000")], end=False)
        for _ in range(60):
            client.send(stream, b"x" * 10000, end=False)
        answer = client.answer(stream)
        assert answer.status == 200
        assert len(answer.body) == 3_000_000


# -- the life of a connection -----------------------------------------------------------------------


def test_upgrade_from_http_1(rr):
    server = rr(ONE)
    out = subprocess.run(["curl", "-sS", "--http2", "-i", server.url + "/show?up=1"],
                         capture_output=True, timeout=20, check=True).stdout.decode()
    assert out.startswith("HTTP/1.1 101 Switching Protocols")
    assert "HTTP/2 200" in out
    assert json.loads(out[out.index("{"):])["protocol"] == "HTTP/1.1"  # this one came that way


def test_an_invalid_preface_ends_the_connection(rr):
    server = rr(ONE)
    with server.open() as connection:
        connection.send(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + b"x" * 64)
        assert b"HTTP/1.1" not in connection.read_to_end()


def test_an_upgrade_with_senseless_settings_ends(rr):
    server = rr(ONE)
    with server.open() as connection:
        connection.send(request_bytes("GET", "/show", {
            "Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "!!"}))
        assert connection.closed_by_peer()
    assert server.get("/status?body=on").text == "on"


def test_without_h2c_the_preface_is_refused_and_upgrade_ignored(rr):
    server = rr("http: {address: '127.0.0.1:0', pool: {num_workers: 1}}")
    with server.open() as connection:
        connection.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert connection.read_response().status in (400, 505)
    with server.open() as connection:
        connection.send(request_bytes("GET", "/status?body=one", {
            "Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAQAAP__"}))
        assert connection.read_response().body == b"one"


def test_http_1_goes_on_beside_it(rr):
    server = rr(ONE)
    assert server.get("/status?body=one").text == "one"


def test_the_limit_of_streams_is_told_and_kept(rr):
    server = rr("http: {address: '127.0.0.1:0', http2: {h2c: true, max_concurrent_streams: 7}, "
                "pool: {num_workers: 1}}")
    with open_(server) as client:
        client.until(lambda: 3 in client.settings)
        assert client.settings[3] == 7


def test_a_stop_lets_streams_finish_and_says_goaway(rr):
    server = rr(TWO)
    with open_(server) as client:
        stream = client.request("/sleep?ms=700")
        client.until(lambda: client.settings)
        server.signal(signal.SIGTERM)
        assert client.answer(stream).status == 200
        client.wait_end()
        assert client.goaway == 0
    assert server.wait() == 0


def test_a_stop_tells_idle_connections_which_stream_was_the_last(rr):
    server = rr(TWO)
    with open_(server) as client:
        assert client.get("/status?body=x").body == b"x"
        server.signal(signal.SIGTERM)
        client.wait_end()
        assert client.goaway == 0
        assert client.last_stream == 1
    assert server.wait() == 0


def test_a_stop_waits_for_no_endless_head(rr):
    server = rr(TWO)
    with open_(server) as client:
        client.until(lambda: client.settings)
        client.frame(1, 0, 1, b"\x82")  # HEADERS without END_HEADERS
        server.signal(signal.SIGTERM)
        client.wait_end()
    assert server.wait() == 0


def test_an_idle_connection_ends_with_goaway(rr):
    server = rr(http("timeouts: {idle: 300ms}"))
    with open_(server) as client:
        assert client.get("/status?body=x").body == b"x"
        client.wait_end()
        assert client.goaway == 0


def test_a_client_that_goes_costs_nobody_anything(rr):
    server = rr(TWO)
    for _ in range(5):
        client = open_(server)
        client.request("/sleep?ms=100")
        client.request("/big?mb=4")
        client.socket.close()
    with open_(server) as client:
        assert client.get("/status?body=on").body == b"on"


def test_each_stream_has_its_record(rr):
    server = rr(http("access_logs: true"))
    with open_(server) as client:
        client.get("/status?body=1&k=one")
        client.get("/status?body=1&k=two")
    server.log.wait(r"http access log.*k=one")
    server.log.wait(r"http access log.*k=two")


# -- other people's programs ------------------------------------------------------------------------


def test_nghttp_and_h2load(rr):
    server = rr(TWO)
    for program in ("nghttp", "h2load"):
        if not shutil.which(program):
            pytest.fail(f"{program} is missing")
    out = subprocess.run(["nghttp", "-v", server.url + "/status?body=hello"], capture_output=True,
                         timeout=20, check=True).stdout.decode()
    assert ":status: 200" in out and "hello" in out
    out = subprocess.run(["h2load", "-n", "2000", "-c", "4", "-m", "16", server.url + "/status?body=x"],
                         capture_output=True, timeout=60, check=True).stdout.decode()
    assert re.search(r"2000 succeeded, 0 failed", out)
