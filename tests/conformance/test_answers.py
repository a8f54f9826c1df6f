"""Frames of a worker and the bytes a client gets for them (http.md 4 and 10, goridge 1 and 3)."""

import re
import time

import pytest

from harness.scripted import answer_headers, configuration, frame, reply
from harness import process
from harness.client import request_bytes

STREAM, STOP, PING, PONG = 1, 2, 4, 8
HELLO = reply('{"status":200}', b"hello", 0)


def ask(server, data, method="GET", version="HTTP/1.1", **named):
    with server.open() as connection:
        connection.send(request_bytes(method, "/", answer_headers(data, **named), version=version))
        return connection.read_response(head=method == "HEAD")


def raw(server, data, method="GET", more=(("Connection", "close"),)):
    """All bytes of the answer, with a fixed date."""
    headers = answer_headers(data) + list(more)
    with server.open() as connection:
        connection.send(request_bytes(method, "/", headers))
        return re.sub(rb"Date: [^\r]*", b"Date: D", connection.read_to_end())


# -- frames -------------------------------------------------------------------------------------

GOOD = {
    "flags 0": HELLO,
    "JSON flag": reply('{"status":200}', b"hello", 8),
    "protobuf flag": reply(b"\x08\xc8\x01", b"hello", 0x80),
    "the specification's bytes": bytes.fromhex(
        "1400130000005f19296b00000e0000007b22737461747573223a3230307d68656c6c6f"),
    "another version nibble": reply('{"status":200}', b"hello", version=2),
    "a reserved byte": reply('{"status":200}', b"hello", reserved=0x5a),
    "PING on the first frame": reply('{"status":200}', b"hello", stream=PING),
    "no context": reply("", b"hello"),
    "blanks in the context": reply(' { "status" : 200 , "headers" : { } } ', b"hello"),
    "null headers": reply('{"status":200,"headers":null}', b"hello"),
    "unknown keys": reply('{"x":[1,{"y":null}],"status":200,"z":1.5e3}', b"hello"),
}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("split", [0, 1, 7])
def test_a_good_answer(server, name, split):
    response = ask(server, GOOD[name], split=split)
    assert (response.status, response.body) == (200, b"hello")
    assert response.header("Content-Length") == "5"


def corrupted(data, at):
    return data[:at] + bytes([data[at] ^ 0xff]) + data[at + 1:]


BAD = {
    "wrong CRC": corrupted(HELLO, 7),
    "no option": frame(b'{"status":200}'),
    "two options": frame(b'{"status":200}', 8, [14, 1]),
    "context longer than the payload": frame(b'{"status":200}', 8, [15]),
    "header of 2 words": frame(b'{"status":200}', 8, words=2),
    "header of 0 words": frame(b'{"status":200}', 8, words=0),
    "header of 14 words": frame(b'{"status":200}', 8, [14] + [0] * 10, words=14),
    "header of 15 words": frame(b'{"status":200}', 8, [14] + [0] * 11, words=15),
    "a context that is no JSON": reply('{"status":', b"hello"),
    "a context that is no object": reply("[200]", b"hello"),
    "a status that is no number": reply('{"status":"200"}', b"hello"),
    "header values that are no list": reply('{"status":200,"headers":{"A":"b"}}', b"hello"),
    "bytes behind the context": reply('{"status":200}x', b"hello"),
    "damaged protobuf": reply(b"\x08\xc8\x01\x12\xff", b"hello", 0x80),
    "a text": b"Warning: something went wrong in /app/index.php on line 12\n",
}


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_answer_is_502_and_hurts_nobody_else(server, name):
    assert ask(server, BAD[name]).status == 502
    assert ask(server, HELLO).body == b"hello"


def test_a_started_frame_is_waited_for_ten_seconds_at_most(rr):
    server = rr(configuration())
    begin = time.monotonic()
    with server.open(timeout=30) as connection:
        connection.send(request_bytes("GET", "/", answer_headers(b"ok\n")))
        assert connection.read_response().status == 502
    assert time.monotonic() - begin < 15
    assert ask(server, HELLO).body == b"hello"


def test_an_error_frame_is_500(server):
    before = server.workers()
    assert raw(server, frame(b"boom", 0x40), more=[("Connection", "close")]) == (
        b"HTTP/1.1 500 Internal Server Error\r\nDate: D\r\nContent-Length: 0\r\n"
        b"Connection: close\r\n\r\n")
    assert server.workers() == before


def test_an_error_frame_keeps_the_connection(server):
    with server.open() as connection:
        for _ in range(2):
            connection.send(request_bytes("GET", "/", answer_headers(frame(b"boom", 0x40))))
            assert connection.read_response().status == 500


def test_an_announced_giant_is_not_allocated(rr):
    server = rr(configuration("num_workers: 1, supervisor: {exec_ttl: 700ms}"))
    head = frame(b"", 8, [14])
    import struct
    import zlib
    start = b"\x14\x08\xff\xff\xff\xff"
    giant = start + struct.pack("<I", zlib.crc32(start)) + head[10:] + b'{"status":200}'
    process.reset_peak(server.pid)
    before = process.memory_kib(server.pid)
    assert ask(server, giant, await_frames=1).status in (502, 504)
    assert process.memory_kib(server.pid, "VmHWM") - before < 8 * 1024


def test_empty_context_and_body_are_an_empty_200(server):
    response = ask(server, reply("", b""))
    assert (response.status, response.header("Content-Length")) == (200, "0")


def test_a_second_answer_is_found_before_the_next_dispatch(server):
    double = HELLO + reply('{"status":200}', b"second")
    for _ in range(5):
        assert ask(server, double).body == b"hello"
        for number in (b"one", b"two"):
            assert ask(server, reply('{"status":200}', number)).body == number


def test_replace_me_runs_the_request_elsewhere(rr):
    """The same bytes make every worker ask for replacement: it must end with 503."""
    server = rr(configuration())
    assert ask(server, reply('{"stop":true}')).status == 503


@pytest.mark.parametrize("handshake", [
    b'{"pid":1}', b'{"pid":4242,"x":{"y":[1]}}', b' {"pid" : 77 } '])
def test_handshakes_that_pass(rr, handshake):
    import base64
    server = rr(configuration(),
                env={"HANDSHAKE": base64.b64encode(frame(handshake, 1)).decode()})
    assert ask(server, HELLO).body == b"hello"


@pytest.mark.parametrize("data", [
    frame(b'{"pid":0}', 1), frame(b'{"pid":-5}', 1), frame(b"{}", 1), frame(b"[1]", 1),
    frame(b'{"pid":1}', 0), corrupted(frame(b'{"pid":1}', 1), 8), b"hello world, this is PHP"])
def test_handshakes_that_fail_the_start(rr, data):
    import base64
    server = rr(configuration("num_workers: 1, allocate_timeout: 5s"), expect_fail=True,
                env={"HANDSHAKE": base64.b64encode(data).decode()})
    assert server.code == 1
    assert server.family() == []


# -- streams ------------------------------------------------------------------------------------


def test_a_stream_is_chunked_as_it_comes(server):
    data = (reply('{"status":200}', b"one,", stream=STREAM) + reply("", b"two,", stream=STREAM)
            + reply("", b"three"))
    response = ask(server, data)
    assert response.header("Transfer-Encoding") == "chunked"
    assert b"".join(response.chunks) == b"one,two,three"


def test_a_stream_frame_by_frame_is_flushed_at_once(server):
    headers = answer_headers(reply('{"status":200}', b"one,", stream=STREAM)
                             + reply("", b"", stream=STREAM | PING), await_frames=1,
                             then=reply("", b"two"))
    with server.open() as connection:
        connection.send(request_bytes("GET", "/", headers))
        assert connection.read_head().status == 200
        assert connection.read_chunk() == b"one,"
        assert connection.read_chunk() == b"two"
        assert connection.read_chunk() == b""


def test_a_stream_to_http_1_0_ends_with_the_connection(server):
    data = reply('{"status":200}', b"one,", stream=STREAM) + reply("", b"two")
    response = ask(server, data, version="HTTP/1.0")
    assert response.header("Transfer-Encoding") is None
    assert response.body == b"one,two"


def test_a_ping_from_the_second_frame_on_is_answered_by_pong(rr):
    server = rr(configuration())
    data = reply('{"status":200}', b"one", stream=STREAM) + reply("", b"", stream=STREAM | PING)
    assert ask(server, data, await_frames=1, then=reply("", b"two")).body == b"onetwo"
    assert (server.directory / "received").read_bytes() == bytes.fromhex(
        "13000000000096d180340800")


def test_a_client_that_leaves_a_stream_is_told_to_the_worker_by_stop(rr):
    server = rr(configuration())
    chunk = reply("", b"x" * 1000, stream=STREAM)
    data = reply('{"status":200}', b"one", stream=STREAM) + chunk * 8
    with server.open() as connection:
        connection.send(request_bytes("GET", "/", answer_headers(data, await_frames=1,
                                                                 then=reply("", b""))))
        connection.read_head()
        connection.abort()
    received = server.directory / "received"
    process.eventually(lambda: received.exists() and received.read_bytes(), 10, "the STOP")
    assert received.read_bytes() == bytes.fromhex("13000000000096d180340200")
    assert ask(server, HELLO).body == b"hello"
    assert len(server.workers()) == 1


def test_an_error_in_mid_stream_cuts_the_connection(server):
    data = reply('{"status":200}', b"one", stream=STREAM) + frame(b"boom", 0x40)
    answer = raw(server, data)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not answer.endswith(b"0\r\n\r\n")


def test_later_heads_of_a_stream_have_no_effect(server):
    data = (reply('{"status":201,"headers":{"A":["1"]}}', b"one", stream=STREAM)
            + reply('{"status":500,"headers":{"A":["2"]}}', b"two"))
    response = ask(server, data)
    assert (response.status, response.all("A"), response.body) == (201, ["1"], b"onetwo")


def test_an_end_without_codec_flag_is_a_normal_end(server):
    data = reply('{"status":200}', b"one", stream=STREAM) + frame(b"", 0, [0])
    assert ask(server, data).body == b"one"


def test_every_informational_answer_is_sent_and_then_the_real_status(server):
    data = (reply('{"status":103,"headers":{"Link":["</a.css>"]}}', stream=STREAM)
            + reply('{"status":102}', stream=STREAM)
            + reply('{"status":103,"headers":{"Link":["</b.js>"]}}', stream=STREAM)
            + reply('{"status":404,"headers":{"X-F":["1"]}}', b"final"))
    with server.open() as connection:
        connection.send(request_bytes("GET", "/", answer_headers(data)))
        seen = [connection.read_response(informational=True) for _ in range(4)]
    assert [response.status for response in seen] == [103, 102, 103, 404]
    assert seen[0].raw_head == b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    assert seen[3].body == b"final"
    assert seen[3].header("X-F") == "1"


def test_http_1_0_gets_no_informational_answer(server):
    data = reply('{"status":103}', stream=STREAM) + reply('{"status":200}', b"final")
    with server.open() as connection:
        connection.send(request_bytes("GET", "/", answer_headers(data), version="HTTP/1.0"))
        assert connection.read_response(informational=True).status == 200


# -- heads --------------------------------------------------------------------------------------


def test_the_order_of_headers(server):
    data = reply('{"status":200,"headers":{"x-b":["1","2"],"A":["3"]}}', b"final")
    assert raw(server, data) == (
        b"HTTP/1.1 200 OK\r\nA: 3\r\nX-B: 1\r\nX-B: 2\r\nDate: D\r\nContent-Length: 5\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nfinal")


@pytest.mark.parametrize("status", [0, 99, 600, 1000, -1])
def test_an_impossible_status_is_500_with_a_text(server, status):
    data = reply('{"status":%d,"headers":{"X-A":["1"]}}' % status, b"x")
    response = ask(server, data)
    assert response.status == 500
    assert response.text == f"unknown status code from worker: {status}\n"
    assert response.header("X-A") == "1"
    assert response.header("X-Content-Type-Options") == "nosniff"
    assert response.header("Content-Type") == "text/plain; charset=utf-8"


def test_an_unnamed_status_passes(server):
    assert ask(server, reply('{"status":599}', b"x")).status == 599


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body_drops_it(server, status):
    with server.open() as connection:
        connection.send(request_bytes("GET", "/", answer_headers(
            reply('{"status":%d}' % status, b"dropped"))))
        response = connection.read_response()
        assert response.status == status
        assert response.header("Transfer-Encoding") is None
        connection.send(request_bytes("GET", "/", answer_headers(HELLO)))
        assert connection.read_response().body == b"hello"


@pytest.mark.parametrize("length", ["3", "5", "9"])
def test_a_wrong_content_length_of_the_worker_never_breaks_the_framing(server, length):
    data = reply('{"status":200,"headers":{"Content-Length":["%s"]}}' % length, b"hello")
    with server.open() as connection:
        connection.send(request_bytes("GET", "/", answer_headers(data)))
        try:
            response = connection.read_response()
        except AssertionError:
            return  # closed: visible to the client
        assert response.body == b"hello"[:len(response.body)]
        if response.header("Connection", "").lower() != "close":
            connection.send(request_bytes("GET", "/", answer_headers(HELLO)))
            assert connection.read_response().body == b"hello"


def test_a_head_answer_names_its_type_but_has_no_body(server):
    response = ask(server, reply('{"status":200}', b"<html><body>"), method="HEAD")
    assert response.header("Content-Type") == "text/html; charset=utf-8"


@pytest.mark.parametrize("body, kind", [
    (b"hello", "text/plain; charset=utf-8"),
    (b'{"a":1}', "text/plain; charset=utf-8"),
    (b"  <!DOCTYPE HTML>", "text/html; charset=utf-8"),
    (b"<p>x", "text/html; charset=utf-8"),
    (b"<?xml version", "text/xml; charset=utf-8"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF89a", "image/gif"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b\x08", "application/x-gzip"),
    (b"\x00\x01\x02", "application/octet-stream"),
    (b"\xef\xbb\xbfx", "text/plain; charset=utf-8"),
    (b"wOFF", "font/woff"),
])
def test_content_type_is_sniffed(server, body, kind):
    assert ask(server, reply('{"status":200}', body)).header("Content-Type") == kind


def test_no_type_is_invented_for_an_encoded_or_empty_body(server):
    data = reply('{"status":200,"headers":{"Content-Encoding":["br"]}}', b"xxxx")
    assert ask(server, data).header("Content-Type") is None
    assert ask(server, reply('{"status":200}')).header("Content-Type") is None


@pytest.mark.parametrize("name, value, seen", [
    ("x-lower-CASE", "v", ["v"]),
    ("X-A", "a\\r\\nSet-Cookie: b", ["a  Set-Cookie: b"]),
    ("X-A", "a\\nb", ["a b"]),
    ("X-A", "caf\\u00e9", ["caf\u00c3\u00a9"]),
    ("Date", "mine", ["mine"]),
    ("Server", "php", ["php"]),
])
def test_header_values(server, name, value, seen):
    data = reply('{"status":200,"headers":{"%s":["%s"]}}' % (name, value), b"x")
    response = ask(server, data)
    assert response.all(name) == seen
    assert response.all("Set-Cookie") == []


@pytest.mark.parametrize("name", ["X Bad", "", "X:Y", "X\\r\\nY", "X\\u00e9"])
def test_headers_that_are_no_tokens_are_dropped(server, name):
    data = reply('{"status":200,"headers":{"%s":["v"],"Good":["1"]}}' % name, b"x")
    response = ask(server, data)
    assert response.header("Good") == "1"
    assert {key for key, _ in response.headers} <= {"Good", "Date", "Content-Length",
                                                    "Content-Type"}


def test_push_and_marker_headers_are_not_sent(server):
    data = reply('{"status":200,"headers":{"Http2-Push":["/a.css"]}}', b"x")
    response = ask(server, data)
    assert response.header("Http2-Push") is None
    assert response.header("No-Workers") is None
    assert response.header("Server") is None


def test_connection_close_of_the_worker_is_honoured(server):
    data = reply('{"status":200,"headers":{"Connection":["close"]}}', b"x")
    with server.open() as connection:
        connection.send(request_bytes("GET", "/", answer_headers(data)))
        assert connection.read_response().header("Connection") == "close"
        assert connection.closed_by_peer()


def test_trailers(server):
    data = reply('{"status":200,"headers":{"Trailer":["X-Sum, x-low","Third"],"X-Sum":["abc"],'
                 '"x-low":["l"],"Third":["3"],"Other":["o"]}}', b"body")
    response = ask(server, data)
    assert response.header("X-Sum") is None and response.header("Third") is None
    assert response.header("Trailer") is None
    assert response.header("Other") == "o"
    assert response.chunks == [b"body"]
    assert response.trailers == [("Third", "3"), ("X-Sum", "abc"), ("x-low", "l")]


def test_protobuf_headers(server):
    def entry(name, *values):
        inner = b"".join(b"\x0a" + bytes([len(value)]) + value for value in values)
        pair = b"\x0a" + bytes([len(name)]) + name + b"\x12" + bytes([len(inner)]) + inner
        return b"\x12" + bytes([len(pair)]) + pair
    data = reply(b"\x08\xc9\x01" + entry(b"X-A", b"1", b"2") + entry(b"X-B", b"\xff"), b"body",
                 0x80)
    response = ask(server, data)
    assert response.status == 201
    assert response.all("X-A") == ["1", "2"]
    assert response.all("X-B") == ["\xff"]


# -- connections --------------------------------------------------------------------------------


def test_expect_100_continue(server):
    with server.open() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                        b"Content-Length: 5\r\n\r\n")
        assert connection.read_head().raw_head == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert connection.send(b"hello").read_response().status == 200


def test_no_100_continue_when_the_body_is_already_there(server):
    with server.open() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                        b"Content-Length: 5\r\n\r\nhello")
        statuses = [connection.read_head().status]
        if statuses == [100]:
            statuses.append(connection.read_head().status)
        assert statuses[-1] == 200


def test_an_expectation_refused_at_once_needs_no_body(rr):
    server = rr(configuration(http="max_request_size: 1"))
    with server.open() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                        b"Content-Length: 50000000\r\n\r\n")
        assert connection.read_head().status == 413


def test_http_1_0_closes_unless_asked_to_stay(server):
    with server.open() as connection:
        connection.send(b"GET / HTTP/1.0\r\n\r\n")
        assert connection.read_response().status == 200
        assert connection.closed_by_peer()
    with server.open() as connection:
        for _ in range(2):
            connection.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            response = connection.read_response()
            assert response.header("Connection", "").lower() == "keep-alive"


def test_connection_close_of_the_client_is_honoured(server):
    with server.open() as connection:
        connection.send(request_bytes("GET", "/", {"Connection": "close"}))
        assert connection.read_response().header("Connection") == "close"
        assert connection.closed_by_peer()


def test_many_pipelined_requests_with_bodies(server):
    with server.open() as connection:
        connection.send(b"".join(
            request_bytes("POST", f"/{number}", {"Content-Type": "text/plain"}, b"x" * number)
            for number in range(1, 50)))
        for number in range(1, 50):
            assert connection.read_response().json()["context"]["uri"].endswith(f"/{number}")
