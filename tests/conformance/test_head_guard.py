"""Request heads and body framings that must be refused, and their neighbours that must not be.

Each refused case is followed by a second request on the same connection, as an attacker would
smuggle it: exactly one answer may come, the connection must end, PHP must see nothing.
"""

import pytest

from harness.scripted import configuration

SECOND = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


def get(*lines, target=b"/", version=b"HTTP/1.1", host=b"Host: a"):
    head = [b"GET " + target + b" " + version] + ([host] if host else []) + list(lines)
    return b"\r\n".join(head) + b"\r\n\r\n"


def post(*lines, body=b""):
    return b"\r\n".join([b"POST / HTTP/1.1", b"Host: a", *lines]) + b"\r\n\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked"

REFUSED = {
    # name: (bytes, statuses allowed)
    "bare LF after the request line": (b"GET / HTTP/1.1\nHost: a\r\n\r\n", {400}),
    "bare LF after a header": (b"GET / HTTP/1.1\r\nHost: a\n\r\n", {400}),
    "bare LF everywhere": (b"GET / HTTP/1.1\nHost: a\n\n", {400}),
    "bare CR in a value": (get(b"X: a\rb"), {400}),
    "bare CR before the colon": (get(b"X\r: a"), {400}),
    "bare CR in the request line": (b"GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "CR CR LF": (b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", {400}),
    "obs-fold with a blank": (get(b"X: a", b" b"), {400}),
    "obs-fold with a tab": (get(b"X: a", b"\tb"), {400}),
    "obs-fold as first header": (b"GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n", {400}),
    "NUL in a value": (get(b"X: a\0b"), {400}),
    "NUL in a name": (get(b"X\0Y: a"), {400}),
    "NUL in the target": (get(target=b"/a\0b"), {400}),
    "blank before the colon": (get(b"X : a"), {400}),
    "tab before the colon": (get(b"X\t: a"), {400}),
    "blank in a name": (get(b"X Y: a"), {400}),
    "empty name": (get(b": a"), {400}),
    "no colon": (get(b"X"), {400}),
    "control byte in a name": (get(b"X\x01: a"), {400}),
    "control byte in a value": (get(b"X: a\x01b"), {400}),
    "DEL in a value": (get(b"X: a\x7fb"), {400}),
    "byte above 127 in a name": (get(b"X\xe9: a"), {400}),
    "parenthesis in a name": (get(b"X(Y): a"), {400}),
    "missing Host on 1.1": (get(host=None), {400}),
    "repeated Host": (get(b"Host: b"), {400}),
    "repeated equal Host": (get(b"Host: a"), {400}),
    "repeated Host in another case": (get(b"hOST: a"), {400}),
    "repeated Host on 1.0": (get(b"Host: b", version=b"HTTP/1.0"), {400}),
    "HTTP/0.9 by omission": (b"GET /\r\n", {400, 505}),
    "HTTP/0.9 by name": (get(version=b"HTTP/0.9"), {400, 505}),
    "HTTP/2.0": (get(version=b"HTTP/2.0"), {400, 505}),
    "HTTP/1": (get(version=b"HTTP/1"), {400, 505}),
    "HTTP/1.10": (get(version=b"HTTP/1.10"), {400, 505}),
    "HTTP/01.1": (get(version=b"HTTP/01.1"), {400, 505}),
    "lower-case protocol": (get(version=b"http/1.1"), {400, 505}),
    "another protocol": (get(version=b"RTSP/1.0"), {400, 505}),
    "two blanks before the target": (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "two blanks after the target": (b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "tab as separator": (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "blank before the method": (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "blank after the version": (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", {400, 505}),
    "no target": (b"GET HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "no method": (b"/ HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "method with a bad byte": (b"G(T / HTTP/1.1\r\nHost: a\r\n\r\n", {400}),
    "a TLS hello": (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n", {400}),

    "CL with TE": (post(b"Content-Length: 5", CHUNKED, body=b"0\r\n\r\n"), {400}),
    "TE with CL": (post(CHUNKED, b"Content-Length: 5", body=b"0\r\n\r\n"), {400}),
    "TE gzip": (post(b"Transfer-Encoding: gzip"), {400, 501}),
    "TE identity": (post(b"Transfer-Encoding: identity"), {400, 501}),
    "TE gzip, chunked": (post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), {400, 501}),
    "TE chunked, chunked": (post(b"Transfer-Encoding: chunked, chunked", body=b"0\r\n\r\n"),
                            {400, 501}),
    "TE chunked, identity": (post(b"Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n"),
                             {400, 501}),
    "TE twice": (post(CHUNKED, CHUNKED, body=b"0\r\n\r\n"), {400, 501}),
    "TE chunked and identity on two lines": (
        post(CHUNKED, b"Transfer-Encoding: identity", body=b"0\r\n\r\n"), {400, 501}),
    "TE with a parameter": (post(b"Transfer-Encoding: chunked;q=1", body=b"0\r\n\r\n"),
                            {400, 501}),
    "TE quoted": (post(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"), {400, 501}),
    "TE with a vertical tab": (post(b"Transfer-Encoding: \x0bchunked", body=b"0\r\n\r\n"),
                               {400, 501}),
    "TE with a trailing comma": (post(b"Transfer-Encoding: chunked,", body=b"0\r\n\r\n"),
                                 {400, 501}),
    "TE empty": (post(b"Transfer-Encoding:"), {400, 501}),
    "TE xchunked": (post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"), {400, 501}),
    "TE on 1.0": (b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                  {400}),
    "TE folded": (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
                  {400}),
    "TE with a blank before the colon": (
        post(b"Transfer-Encoding : chunked", body=b"0\r\n\r\n"), {400}),

    "CL twice, different": (post(b"Content-Length: 3", b"Content-Length: 4", body=b"abcd"), {400}),
    "CL twice, equal": (post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"), {400}),
    "CL list": (post(b"Content-Length: 3, 3", body=b"abc"), {400}),
    "CL with plus": (post(b"Content-Length: +3", body=b"abc"), {400}),
    "CL with minus": (post(b"Content-Length: -3", body=b"abc"), {400}),
    "CL hexadecimal": (post(b"Content-Length: 0x3", body=b"abc"), {400}),
    "CL with a blank inside": (post(b"Content-Length: 1 0", body=b"abc"), {400}),
    "CL with a point": (post(b"Content-Length: 3.0", body=b"abc"), {400}),
    "CL empty": (post(b"Content-Length:", body=b"abc"), {400}),
    "CL words": (post(b"Content-Length: three", body=b"abc"), {400}),
    "CL with an underscore": (post(b"Content-Length: 1_0", body=b"abc"), {400}),
    "CL beyond 64 bits": (post(b"Content-Length: 18446744073709551617", body=b"a"), {400, 413}),
    "CL beyond max_request_size": (post(b"Content-Length: 9999999999", body=b"a"), {413}),
    "CL of 19 digits": (post(b"Content-Length: 9223372036854775807", body=b"a"), {413}),
    "CL beyond 63 bits": (post(b"Content-Length: 9223372036854775808", body=b"a"), {400}),

    "chunk size not hexadecimal": (post(CHUNKED, body=b"g\r\na\r\n0\r\n\r\n"), {400}),
    "chunk size empty": (post(CHUNKED, body=b"\r\na\r\n0\r\n\r\n"), {400}),
    "chunk size with a sign": (post(CHUNKED, body=b"+1\r\na\r\n0\r\n\r\n"), {400}),
    "chunk size with 0x": (post(CHUNKED, body=b"0x1\r\na\r\n0\r\n\r\n"), {400}),
    "chunk size with a leading blank": (post(CHUNKED, body=b" 1\r\na\r\n0\r\n\r\n"), {400}),
    "chunk size overflowing": (post(CHUNKED, body=b"10000000000000001\r\na\r\n0\r\n\r\n"),
                               {400, 413}),
    "chunk size with a bare LF": (post(CHUNKED, body=b"1\na\r\n0\r\n\r\n"), {400}),
    "chunk without its CRLF": (post(CHUNKED, body=b"1\r\nab\r\n0\r\n\r\n"), {400}),
    "chunk ended by a bare LF": (post(CHUNKED, body=b"1\r\na\n0\r\n\r\n"), {400}),
    "chunk extension with a bare LF": (post(CHUNKED, body=b"1;a\nb\r\na\r\n0\r\n\r\n"), {400}),
    "last chunk with a bare LF": (post(CHUNKED, body=b"0\n\r\n"), {400}),

    "Expect of something else": (post(b"Expect: 200-maybe", b"Content-Length: 0"), {417}),
    "a long target": (get(target=b"/" + b"a" * 20000), {414}),
    "a long header": (get(b"X: " + b"a" * 70000), {431}),
    "many headers": (get(*[b"X-%d: a" % number for number in range(300)]), {431}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(server, name):
    data, allowed = REFUSED[name]
    with server.open() as connection:
        try:
            connection.send(data + SECOND)
        except ConnectionError:
            pass  # refused before everything was sent
        response = connection.read_response()
        assert response.status in allowed
        assert response.header("Connection", "").lower() == "close"
        assert connection.read_to_end() == b""


ACCEPTED = {
    "plain": get(),
    "an empty line before": b"\r\n" + get(),
    "no Host on 1.0": get(host=None, version=b"HTTP/1.0"),
    "empty Host": get(host=b"Host:"),
    "header names in any case": get(b"x-y: 1", b"X-Z: 2"),
    "no blank after the colon": get(b"X:a"),
    "blanks around a value": get(b"X: \t a \t "),
    "an empty value": get(b"X:"),
    "every token byte in a name": get(b"!#$%&'*+-.^_`|~09azAZ: a"),
    "bytes above 127 in a value": get(b"X: \xe4\xf6\xff"),
    "a tab in a value": get(b"X: a\tb"),
    "an unknown method": b"FOO / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a lower-case method": b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "absolute form": get(target=b"http://other:81/p?q"),
    "CL 0": post(b"Content-Length: 0"),
    "CL with leading zeros": post(b"Content-Length: 0003", body=b"abc"),
    "TE chunked": post(CHUNKED, body=b"3\r\nabc\r\n0\r\n\r\n"),
    "TE CHUNKED in capitals": post(b"Transfer-Encoding: CHUNKED", body=b"3\r\nabc\r\n0\r\n\r\n"),
    "chunk size in capitals": post(CHUNKED, body=b"A\r\n0123456789\r\n0\r\n\r\n"),
    "chunk size with leading zeros": post(CHUNKED, body=b"0003\r\nabc\r\n000\r\n\r\n"),
    "chunk extensions": post(CHUNKED, body=b'3;a=b;c="d"\r\nabc\r\n0\r\n\r\n'),
    "trailers": post(CHUNKED, body=b"3\r\nabc\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\n"),
    "a target at the limit": get(target=b"/" + b"a" * 16000),
    "many headers": get(*[b"X-%d: a" % number for number in range(240)]),
    "an odd target": get(target=b"/a?b=<>{}|^`\"\\"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(server, name):
    with server.open() as connection:
        assert connection.send(ACCEPTED[name]).read_response().status == 200


@pytest.mark.parametrize("name", [name for name in ACCEPTED if "1.0" not in name])
def test_accepted_byte_by_byte_and_followed_by_another(server, name):
    if len(ACCEPTED[name]) > 500:
        pytest.skip("too long to send byte by byte")
    with server.open() as connection:
        for at in range(len(ACCEPTED[name])):
            connection.send(ACCEPTED[name][at:at + 1])
        assert connection.read_response().status == 200
        assert connection.send(get(target=b"/next")).read_response().json()[
            "context"]["uri"].endswith("/next")


def test_limits_are_keys(rr):
    server = rr(configuration(http="limits: {target: 100, head: 1KB, headers: 5}"))
    assert server.get("/" + "a" * 150).status == 414
    assert server.get("/", headers={"X": "a" * 2000}).status == 431
    assert server.get("/", headers={f"X-{n}": "a" for n in range(10)}).status == 431
    assert server.get("/" + "a" * 50).status == 200


def test_header_and_idle_timeouts(rr):
    server = rr(configuration(http="timeouts: {header: 500ms, idle: 500ms, body: 500ms}"))
    with server.open() as slow:
        slow.send(b"GET / HTTP/1.1\r\nHost:")
        assert slow.read_response().status == 408
        assert slow.closed_by_peer()
    with server.open() as slow:
        slow.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        assert slow.read_response().status == 408
        assert slow.closed_by_peer()
    with server.open() as idle:
        idle.send(get())
        assert idle.read_response().status == 200
        assert idle.closed_by_peer()
    with server.open() as silent:
        assert silent.closed_by_peer()
