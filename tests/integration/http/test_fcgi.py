"""The FastCGI listener with a gateway of the test's own: records, parameters, ends, limits."""

import json
import os
import random
import signal
import socket

import pytest

from harness import fcgi, process
from harness.client import ClosedEarly
from harness.fcgi import Gateway


def section(extra="", pool="num_workers: 1", address="127.0.0.1:0"):
    return f"http: {{fcgi: {{address: '{address}'}}, pool: {{{pool}}}{extra}}}"


def gateway(server):
    return Gateway(("127.0.0.1", port(server)))


def port(server):
    return int(server.log.wait(r"^  fcgi   fcgi://127.0.0.1:(\d+)   ").group(1))


@pytest.fixture(scope="module")
def plain(rr_module):
    return rr_module(section())


# -- requests -------------------------------------------------------------------------------------


def test_php_sees_what_the_gateway_says(rr):
    server = rr(section())
    with gateway(server) as client:
        answer = client.ask("/show%20it?a=1", "POST", b"the body", more=[
            ("CONTENT_TYPE", "text/plain"), ("HTTPS", "on"), ("HTTP_X_A", "1"), ("HTTP_X_A", "2"),
            ("HTTP_COOKIE", "a=1; b=2"), ("SCRIPT_FILENAME", "/nowhere.php"),
            ("HTTP_CONTENT_LENGTH", "99"), ("HTTP_TRANSFER_ENCODING", "chunked")])
        assert (answer.status, answer.end) == (200, fcgi.COMPLETE)
        seen = json.loads(answer.body)
        assert seen["uri"] == "https://site.test/show%20it?a=1"
        assert seen["method"] == "POST"
        assert seen["protocol"] == "HTTP/1.1"
        assert seen["remoteAddr"] == "192.0.2.7"
        assert seen["rawQuery"] == "a=1"
        assert seen["cookies"] == {"a": "1", "b": "2"}
        assert seen["body"] == "dGhlIGJvZHk="
        assert seen["headers"] == {"Content-Type": ["text/plain"], "Content-Length": ["8"],
                                   "X-A": ["1", "2"], "Cookie": ["a=1; b=2"]}


def test_forms_and_uploads_are_read(rr):
    server = rr(section())
    with gateway(server) as client:
        form = client.ask("/", "POST", b"a=1&b[]=2", more=[
            ("CONTENT_TYPE", "application/x-www-form-urlencoded")])
        assert json.loads(form.body)["form"] == {"a": "1", "b": {"0": "2"}} or (
            json.loads(form.body)["form"] == {"a": "1", "b": ["2"]})
        data = os.urandom(400_000)
        body = (b'--X\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n' + data +
                b"\r\n--X--\r\n")
        upload = client.ask("/", "POST", body, more=[
            ("CONTENT_TYPE", "multipart/form-data; boundary=X")])
        assert json.loads(upload.body)["files"]["f.bin"][0] == len(data)


def test_records_may_be_cut_anywhere_and_padded(rr):
    server = rr(section())
    body = b"0123456789" * 30
    data = (fcgi.begin() +
            fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(fcgi.params("/raw", "POST", body)), 7, 5) +
            fcgi.stream(fcgi.STDIN, 1, body, 11, 255))
    with gateway(server) as client:
        for at in range(0, len(data), 13):
            client.send(data[at:at + 13])
        assert client.read_answer().body == body
        assert client.ask("/status?body=more").body == b"more"


def test_a_body_without_a_length_ends_with_its_stream(rr):
    server = rr(section())
    with gateway(server) as client:
        client.send(fcgi.begin() +
                    fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(fcgi.params("/raw", "PUT"))) +
                    fcgi.stream(fcgi.STDIN, 1, b"abc" * 1000, 100))
        assert client.read_answer().body == b"abc" * 1000


def test_large_bodies_go_both_ways(rr):
    server = rr(section())
    body = bytes(range(256)) * 12000  # 3 MB
    with gateway(server) as client:
        assert client.ask("/raw", "POST", body).body == body
        assert client.ask("/big?mb=3").body == b"x" * (3 << 20)


def test_answers_have_a_status_and_no_framing(rr):
    server = rr(section())
    with gateway(server) as client:
        answer = client.ask("/headers?Connection=close&X-Mine=1")
        assert answer.headers[0] == ("Status", "200 OK")
        assert answer.header("X-Mine") == "1"
        assert answer.header("Connection") is None
        with pytest.raises(ClosedEarly):  # the worker asked for it
            client.read_record()
    with gateway(server) as client:
        stream = client.ask("/stream?n=3")
        assert stream.body == b"chunk 1\nchunk 2\nchunk 3\n"
        assert stream.header("Transfer-Encoding") is None
        head = client.ask("/headers?Content-Length=3", "HEAD")
        assert (head.status, head.body, head.header("Content-Length")) == (200, b"", "3")
        for code in (204, 304):
            empty = client.ask(f"/status?code={code}")
            assert (empty.status, empty.body) == (code, b"")
        assert client.ask("*", "OPTIONS").status == 200


def test_errors_of_workers_have_their_status(rr):
    server = rr(section(pool="num_workers: 1, allocate_timeout: 10s"))
    with gateway(server) as client:
        assert client.ask("/error").status == 500
        assert client.ask("/badstatus").status == 500
        assert client.ask("/kill", "POST", b"x").status == 502
        assert client.ask("/status?body=on").body == b"on"


def test_a_full_queue_is_503(rr, gate):
    server = rr(section(pool="num_workers: 1, max_queue_size: 1"), worker=gate.worker, env=gate.env)
    with gateway(server) as first, gateway(server) as second:
        first.send(fcgi.request_records("/hold?name=a"))
        gate.begun("a")
        answer = second.ask("/")
        assert (answer.status, answer.header("Retry-After")) == (503, "1")
        gate.open("a")
        assert first.read_answer().status == 200


def test_a_cut_answer_has_no_end(rr):
    server = rr(section())
    with gateway(server) as client:
        client.send(fcgi.request_records("/stream?n=3&die=2"))
        with pytest.raises((ClosedEarly, ConnectionError)):
            while client.read_record()[0] != fcgi.END:
                pass


def test_heads_without_a_sense_are_refused_and_the_connection_goes_on(rr):
    server = rr(section())
    with gateway(server) as client:
        for named in ({"target": "nothing"}, {"method": "G T"}, {"host": "a/b"},
                      {"more": [("HTTP_X", "a\r\nb")]}, {"more": [("CONTENT_LENGTH", "x")]}):
            answer = client.ask(**{"target": "/", **named})
            assert (answer.status, answer.end) == (400, fcgi.COMPLETE), named
        assert client.ask("/" + "a" * 20000).status == 414
        assert client.ask(more=[("HTTP_X", "a" * 70000)]).status == 431
        assert client.ask(more=[(f"HTTP_X{n}", "a") for n in range(300)]).status == 431
        assert client.ask(more=[("BULK", "a" * 1_000_000)]).status == 431
        assert client.ask("/status?body=fine").body == b"fine"


@pytest.mark.parametrize("length", [2, 4])
def test_a_body_of_another_length_is_refused(rr, length):
    server = rr(section())
    with gateway(server) as client:
        items = [(name, value) for name, value in fcgi.params("/raw", "POST")
                 if name != "CONTENT_LENGTH"] + [("CONTENT_LENGTH", str(length))]
        client.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(items)) +
                    fcgi.stream(fcgi.STDIN, 1, b"abc"))
        assert client.read_answer().status == 400
        assert client.ask("/raw", "POST", b"abcd").body == b"abcd"


def test_a_body_above_the_limit_is_413(rr):
    server = rr(section(extra=", max_request_size: 1"))
    with gateway(server) as client:
        client.send(fcgi.begin() + fcgi.stream(
            fcgi.PARAMS, 1, fcgi.pairs(fcgi.params("/raw", "POST", b"x" * (2 << 20)))) +
            fcgi.record(fcgi.STDIN, 1, b"x" * 1000))
        assert client.read_answer().status == 413


# -- connections ----------------------------------------------------------------------------------


def test_without_keep_conn_the_connection_ends(rr):
    server = rr(section())
    with gateway(server) as client:
        assert client.ask("/status?body=x", keep=False).body == b"x"
        assert client.receive() == b""


def test_requests_of_a_connection_have_their_numbers(rr):
    server = rr(section())
    with gateway(server) as client:
        for request in (1, 300, 65535, 1):
            assert client.ask(f"/status?body={request}", request=request).body == (
                str(request).encode())


def test_values_are_told(rr):
    server = rr(section())
    with gateway(server) as client:
        client.send(fcgi.record(fcgi.GET_VALUES, 0, fcgi.pairs(
            [("FCGI_MPXS_CONNS", ""), ("FCGI_MAX_REQS", ""), ("UNKNOWN", "")])))
        kind, request, content = client.read_record()
        assert (kind, request) == (fcgi.GET_VALUES_RESULT, 0)
        values = dict(fcgi.read_pairs(content))
        assert values["FCGI_MPXS_CONNS"] == "0" and int(values["FCGI_MAX_REQS"]) > 0
        assert len(values) == 2
        client.send(fcgi.record(99, 0, b"what"))
        kind, request, content = client.read_record()
        assert (kind, request, content[0]) == (fcgi.UNKNOWN_TYPE, 0, 99)
        client.send(fcgi.record(99, 7, b"what") + fcgi.record(fcgi.STDIN, 7, b"nobody's"))
        assert client.ask("/status?body=on").body == b"on"


def test_other_roles_and_second_requests_are_refused(rr, gate):
    server = rr(section(), worker=gate.worker, env=gate.env)
    with gateway(server) as client:
        for role in (fcgi.AUTHORIZER, fcgi.FILTER, 77):
            client.send(fcgi.begin(role=role))
            assert client.read_answer().end == fcgi.UNKNOWN_ROLE
        client.send(fcgi.request_records("/hold?name=a"))
        gate.begun("a")
        client.send(fcgi.request_records("/", request=2))
        assert client.read_answer(2).end == fcgi.CANT_MULTIPLEX
        gate.open("a")
        assert client.read_answer(1).status == 200
        client.send(fcgi.begin(role=fcgi.FILTER, keep=False))
        assert client.read_answer().end == fcgi.UNKNOWN_ROLE
        assert client.receive() == b""


def test_an_abort_ends_the_request_and_nothing_else(rr, gate):
    server = rr(section(), worker=gate.worker, env=gate.env)
    with gateway(server) as client, gateway(server) as other:
        client.send(fcgi.begin() + fcgi.record(fcgi.ABORT))  # before its parameters
        assert client.read_answer().end == fcgi.COMPLETE
        client.send(fcgi.request_records("/hold?name=a"))
        gate.begun("a")
        other.send(fcgi.request_records("/hold?name=never", "POST", b"x"))  # waits
        client.send(fcgi.record(fcgi.ABORT))
        answer = client.read_answer()
        assert (answer.end, answer.raw) == (fcgi.COMPLETE, b"")
        other.send(fcgi.record(fcgi.ABORT, 1))
        assert other.read_answer().end == fcgi.COMPLETE
        gate.open("a")
        assert other.ask("/").status == 200
        assert client.ask("/").status == 200
        assert not gate.has_begun("never")
    server.log.wait(r'"?status"?\D{1,4}499')


def test_a_gateway_that_goes_stops_a_stream(rr):
    server = rr(section())
    client = gateway(server)
    client.send(fcgi.request_records("/stream?n=100000&ms=1"))
    client.read_record()
    client.close()
    server.log.wait("stream stopped")
    with gateway(server) as other:
        assert other.ask("/status?body=free").body == b"free"


def test_a_slow_gateway_stops_the_worker_only(rr):
    server = rr(section(pool="num_workers: 2"))
    with gateway(server) as slow, gateway(server) as other:
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        slow.send(fcgi.request_records("/stream?n=200&size=100000"))
        assert other.ask("/status?body=x").body == b"x"
        assert slow.read_answer().body == b"x" * 20_000_000
        assert process.memory_kib(server.pid, "VmHWM") < 200_000


@pytest.mark.parametrize("records", [
    fcgi.record(fcgi.BEGIN, version=2),
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    fcgi.record(fcgi.BEGIN, 1, b"\0\1"),
    fcgi.record(fcgi.BEGIN, 0, b"\0\1\0\0\0\0\0\0"),
    fcgi.begin() + fcgi.begin(),
    fcgi.begin() + fcgi.record(fcgi.STDIN, 1, b"x"),
    fcgi.begin() + fcgi.record(fcgi.STDIN, 1),
], ids=["version", "http", "short", "zero", "twice", "stdin", "end"])
def test_what_is_no_fastcgi_ends_the_connection(plain, records):
    with gateway(plain) as client:
        client.send(records)
        assert client.receive() == b""
    with gateway(plain) as client:
        assert client.ask("/status?body=on").body == b"on"


def test_gateways_that_send_damage_and_go_harm_nobody(rr):
    """Found: a reset while the queue of a gateway that had closed was flushed."""
    server = rr(section(pool="num_workers: 2"))
    dice = random.Random(5)
    ask = fcgi.request_records
    pieces = [ask("/status?body=x"), ask("/raw", "POST", b"abc" * 50000), ask("/big?mb=1", request=2),
              ask("/stream?n=20&size=20000"), ask("/sleep?ms=5", keep=False),
              fcgi.record(fcgi.ABORT), fcgi.record(fcgi.STDIN), fcgi.record(fcgi.PARAMS),
              fcgi.begin(), fcgi.begin(role=fcgi.FILTER, keep=False), fcgi.record(99, 0, b"x"),
              fcgi.record(fcgi.GET_VALUES, 0, fcgi.pairs([("FCGI_MPXS_CONNS", "")]))]
    for _ in range(300):
        data = bytearray(b"".join(dice.choices(pieces, k=dice.randint(1, 5))))
        for _ in range(dice.choice([0, 0, 1, 3])):
            data[dice.randrange(len(data))] = dice.randrange(256)
        size, end = dice.choice([len(data), dice.randint(1, len(data))]), dice.randrange(4)
        with gateway(server) as client:
            try:
                client.send(data[:size])
                if end == 0:
                    client.finish_sending()
                elif end == 1:
                    client.abort()
                else:
                    client.socket.settimeout(0.02)
                    client.receive()
            except OSError:
                pass  # it was cut off: right so
    with gateway(server) as client:
        assert client.ask("/status?body=on").body == b"on"


def test_cut_parameters_are_400(rr):
    server = rr(section())
    with gateway(server) as client:
        for cut in (b"\x05", b"\xff\xff\xff\xff\xff\xff\xff\xff", fcgi.pairs(fcgi.params())[:-1]):
            client.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, cut) +
                        fcgi.record(fcgi.STDIN, 1))
            assert client.read_answer().status == 400
        assert client.ask("/status?body=on").body == b"on"


def test_limits_of_time(rr):
    server = rr(section(extra=", timeouts: {header: 300ms, body: 300ms, idle: 300ms}"))
    with gateway(server) as client:
        assert client.receive() == b""  # no request
    with gateway(server) as client:
        client.send(fcgi.begin())
        assert client.receive() == b""  # no parameters
    with gateway(server) as client:
        client.send(fcgi.begin() +
                    fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(fcgi.params("/raw", "POST", b"abc"))) +
                    fcgi.record(fcgi.STDIN, 1, b"a"))
        assert client.read_answer().status == 408
        assert client.receive() == b""
    with gateway(server) as client:
        assert client.ask("/status?body=x").body == b"x"
        assert client.receive() == b""  # no second request


# -- life -----------------------------------------------------------------------------------------


def test_http_is_served_beside_it(rr):
    server = rr("http: {address: '127.0.0.1:0', fcgi: {address: '127.0.0.1:0'}, "
                "pool: {num_workers: 1}}")
    assert server.get("/status?body=http").text == "http"
    with gateway(server) as client:
        assert client.ask("/status?body=fcgi").body == b"fcgi"


def test_a_unix_socket_goes_with_the_server(rr, tmp_path):
    path = str(tmp_path / "rr.sock")
    server = rr(section(address=f"unix://{path}"))
    with Gateway(path) as client:
        assert client.ask("/status?body=x").body == b"x"
    assert server.stop() == 0
    assert not os.path.exists(path)


def test_a_stop_finishes_what_was_accepted(rr, gate):
    server = rr(section(), worker=gate.worker, env=gate.env)
    with gateway(server) as idle, gateway(server) as busy:
        assert idle.ask("/").status == 200
        busy.send(fcgi.request_records("/hold?name=a"))
        gate.begun("a")
        server.signal(signal.SIGTERM)
        assert idle.receive() == b""
        gate.open("a")
        assert busy.read_answer().status == 200
        assert busy.receive() == b""
    assert server.wait() == 0


def test_records_of_requests_have_the_url_only(rr):
    server = rr(section() + "\nlogs: {mode: production}")
    with gateway(server) as client:
        client.ask("/status?body=x", more=[("HTTPS", "on")])
    line = server.log.wait(r"(\{.*http log.*\})").group(1)
    record = json.loads(line)
    assert record["URI"] == ""
    assert record["URL"] == "https://site.test/status?body=x"
    assert record["remote_address"] == "192.0.2.7:4711"
