"""nginx in front of the FastCGI listener."""


import pytest

from harness import nginx
from harness.client import ClosedEarly, RawConnection, request_bytes

pytestmark = pytest.mark.skipif(nginx.binary() is None, reason="needs nginx")


class Front:
    """rr with nginx before it."""

    def __init__(self, rr, place, kind, keep, options="", pool="num_workers: 2", **named):
        if kind == "unix":
            path = place / "rr.sock"
            self.server = rr(f"http: {{fcgi: {{address: 'unix://{path}'}}, pool: {{{pool}}}}}",
                             **named)
            upstream = f"unix:{path}"
        else:
            self.server = rr(f"http: {{fcgi: {{address: '127.0.0.1:0'}}, pool: {{{pool}}}}}", **named)
            upstream = self.server.log.wait(r"fcgi://(127.0.0.1:\d+)").group(1)
        self.nginx = nginx.Nginx(place / "nginx", upstream, options, keep)

    def open(self):
        return RawConnection(self.nginx.address)

    def ask(self, method, target, headers=(), body=b""):
        with self.open() as connection:
            connection.send(request_bytes(method, target, headers, body))
            return connection.read_response(head=method == "HEAD")


@pytest.fixture
def front(rr, tmp_path):
    made = []

    def make(kind="tcp", keep=True, options="", **named):
        made.append(Front(rr, tmp_path, kind, keep, options, **named))
        return made[-1]

    yield make
    for each in made:
        each.nginx.stop()


EVERY = pytest.mark.parametrize("kind, keep", [("tcp", True), ("tcp", False), ("unix", True),
                                               ("unix", False)])
UNBUFFERED = "fastcgi_buffering off; fastcgi_request_buffering off;"


@EVERY
def test_requests_and_answers(front, kind, keep):
    site = front(kind, keep)
    for _ in range(20):
        assert site.ask("GET", "/status?body=x").body == b"x"
    seen = site.ask("POST", "/a%2Fb?c=d", {"X-A": "1", "Content-Type": "text/plain",
                                           "Cookie": "a=b"}, b"body").json()
    assert seen["uri"] == "http://localhost/a%2Fb?c=d"
    assert seen["method"] == "POST"
    assert seen["remoteAddr"] == "127.0.0.1"
    assert seen["protocol"] == "HTTP/1.1"
    assert seen["body"] == "Ym9keQ=="
    assert seen["headers"]["X-A"] == ["1"]
    assert seen["headers"]["Content-Type"] == ["text/plain"]
    assert seen["headers"]["Content-Length"] == ["4"]
    assert seen["cookies"] == {"a": "b"}
    head = site.ask("HEAD", "/headers?Content-Length=3")
    assert (head.status, head.header("Content-Length"), head.body) == (200, "3", b"")
    for code in (204, 304, 404):
        assert site.ask("GET", f"/status?code={code}").status == code
    assert site.ask("GET", "/error").status == 500
    assert site.ask("POST", "/kill", (), b"x").status == 502
    assert "upstream sent" not in site.nginx.log()


@EVERY
def test_large_bodies_both_ways(front, kind, keep):
    site = front(kind, keep)
    body = bytes(range(256)) * 12000  # 3 MB
    assert site.ask("POST", "/raw", (), body).body == body
    assert site.ask("GET", "/big?mb=3").body == b"x" * (3 << 20)
    upload = (b'--X\r\nContent-Disposition: form-data; name="f"; filename="f.bin"\r\n\r\n' + body +
              b"\r\n--X--\r\n")
    seen = site.ask("POST", "/", {"Content-Type": "multipart/form-data; boundary=X"}, upload).json()
    assert seen["files"]["f.bin"][0] == len(body)


@pytest.mark.parametrize("keep", [True, False])
def test_without_buffering(front, keep):
    site = front("tcp", keep, UNBUFFERED)
    body = bytes(range(256)) * 12000
    assert site.ask("POST", "/raw", (), body).body == body
    with site.open() as connection:  # chunked: nginx knows no length
        connection.send(b"POST /raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        b"3\r\nabc\r\n")
        connection.send(b"4\r\ndefg\r\n0\r\n\r\n")
        assert connection.read_response().body == b"abcdefg"
    with site.open() as connection:
        connection.send(request_bytes("GET", "/stream?n=5"))
        answer = connection.read_response()
        assert answer.body == b"".join(b"chunk %d\n" % n for n in range(1, 6))


def test_a_stream_arrives_as_it_is_made(front, gate):
    site = front(options=UNBUFFERED, worker="pages.php", env=gate.env)
    with site.open() as connection:
        connection.send(request_bytes("GET", "/events?n=2&gate=g"))
        head = connection.read_head()
        assert head.header("Content-Type") == "text/event-stream"
        assert b"event number 1" in connection.read_chunk()
        gate.open("g2")
        assert b"event number 2" in connection.read_chunk()


@EVERY
def test_a_cut_answer_is_seen_as_such(front, kind, keep):
    site = front(kind, keep, UNBUFFERED)
    with site.open() as connection:
        connection.send(request_bytes("GET", "/stream?n=3&die=2&ms=50"))
        with pytest.raises(ClosedEarly):
            connection.read_response()
    assert site.ask("GET", "/status?body=on").body == b"on"


@EVERY
def test_a_client_that_goes_stops_its_stream(front, kind, keep):
    site = front(kind, keep, UNBUFFERED)
    connection = site.open()
    connection.send(request_bytes("GET", "/stream?n=100000&ms=1"))
    connection.read_head()
    connection.abort()
    site.server.log.wait("stream stopped")
    assert site.ask("GET", "/status?body=on").body == b"on"


def test_a_full_queue_is_503(front, gate):
    site = front(pool="num_workers: 1, max_queue_size: 1", worker=gate.worker, env=gate.env)
    with site.open() as first:
        first.send(request_bytes("GET", "/hold?name=a"))
        gate.begun("a")
        assert site.ask("GET", "/").status == 503
        gate.open("a")
        assert first.read_response().status == 200
