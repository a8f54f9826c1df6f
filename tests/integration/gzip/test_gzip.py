"""The middleware gzip: real PHP behind it, curl and independent decoders in front."""

import shutil
import subprocess
import zlib
from urllib.parse import urlencode

import brotli
import pytest

from harness.control import Pages
from harness.client import request_bytes

BROWSER = "gzip, deflate, br, zstd"


def config(gzip="{}", middleware="[gzip]", more=""):
    return (f"http: {{address: '127.0.0.1:0', http2: {{h2c: true}}, "
            f"middleware: {middleware}, gzip: {gzip}, "
            f"pool: {{num_workers: 1}}}}\n{more}")


def page(size=20000, status=200, path="/page", **headers):
    pairs = [("size", size), ("status", status)]
    pairs += [(f"h[{name.replace('_', '-')}]", value) for name, value in headers.items()]
    return f"{path}?{urlencode(pairs)}"


def unzstd(data):
    return subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout


DECODERS = {
    "gzip": lambda data: zlib.decompress(data, 31),
    "br": brotli.decompress,
    "zstd": unzstd,
}


@pytest.fixture(scope="module")
def server(rr_module):
    return rr_module(config(), worker="pages.php")


def ask(server, target, accept=BROWSER, method="GET", **headers):
    return server.request(method, target, headers={"Accept-Encoding": accept, **headers})


@pytest.fixture(scope="module")
def plain(server):
    return server.get(page()).body


@pytest.mark.parametrize("accept, encoding", [
    ("gzip", "gzip"), ("gzip, deflate, br", "br"), (BROWSER, "zstd"), ("*", "gzip"),
    ("zstd;q=0.1, br;q=0.5, gzip;q=0.9", "gzip")])
def test_a_page_is_compressed_as_the_client_likes(server, plain, accept, encoding):
    answer = ask(server, page(), accept)
    assert answer.header("Content-Encoding") == encoding
    assert answer.header("Vary") == "Accept-Encoding"
    assert answer.header("Content-Length") == str(len(answer.body))
    assert len(answer.body) < len(plain) / 2
    assert DECODERS[encoding](answer.body) == plain


def test_listed_twice_it_runs_once(rr, plain):
    server = rr(config(middleware="[gzip, gzip]"), worker="pages.php")
    server.log.wait(r"http\.middleware: gzip: listed twice")
    answer = ask(server, page(), "gzip")
    assert answer.all("Content-Encoding") == ["gzip"]
    assert DECODERS["gzip"](answer.body) == plain


@pytest.mark.parametrize("accept", ["", "identity", "gzip;q=0", "deflate", "identity, gzip;q=0.1"])
def test_a_client_that_wants_the_page_plain_gets_it(server, plain, accept):
    answer = ask(server, page(), accept)
    assert answer.body == plain
    assert answer.header("Content-Encoding") is None
    assert answer.header("Vary") == "Accept-Encoding"


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_curl_reads_it(server, plain, encoding):
    got = subprocess.run(
        ["curl", "-sS", "--max-time", "20", "-H", f"Accept-Encoding: {encoding}", "--compressed",
         f"{server.url}{page()}"], capture_output=True, check=True)
    assert got.stdout == plain


def curl2(server, target, *more):
    """Body and head over HTTP/2, as they came."""
    run = subprocess.run(
        ["curl", "-sS", "--http2-prior-knowledge", "--max-time", "20", "-D", "/dev/stderr", *more,
         f"{server.url}{target}"], capture_output=True, check=True)
    return run.stdout, run.stderr.decode().lower()


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_pages_and_streams_are_compressed_over_http2(server, plain, encoding):
    body, head = curl2(server, page(), "-H", f"Accept-Encoding: {encoding}")
    assert head.startswith("http/2 200") and f"content-encoding: {encoding}\r\n" in head
    assert f"content-length: {len(body)}\r\n" in head
    assert DECODERS[encoding](body) == plain
    body, head = curl2(server, "/lines?n=500", "-H", f"Accept-Encoding: {encoding}")
    assert f"content-encoding: {encoding}\r\n" in head
    assert DECODERS[encoding](body).count(b"\n") == 500


def test_an_event_arrives_at_once_over_http2(rr, gate):
    server = rr(config(), worker="pages.php", env=gate.env)
    with subprocess.Popen(
            ["curl", "-sSN", "--http2-prior-knowledge", "--max-time", "20", "-H",
             "Accept-Encoding: gzip", "--compressed", f"{server.url}/events?n=3&gate=h"],
            stdout=subprocess.PIPE) as client:
        for number in range(1, 4):
            if number > 1:
                gate.begun(f"h{number}")
                gate.open(f"h{number}")
            assert client.stdout.readline() == b"id: %d\n" % number
            assert client.stdout.readline() == b"data: event number %d\n" % number
            assert client.stdout.readline() == b"\n"
        assert client.stdout.read() == b""
        assert client.wait(20) == 0


def test_short_bodies_of_workers_stay_as_they_are(server):
    short = ask(server, page(1023))
    assert short.header("Content-Encoding") is None and short.header("Vary") is None
    assert ask(server, page(1024)).header("Content-Encoding") == "zstd"


@pytest.mark.parametrize("headers", [
    {"Content_Encoding": "x-own"}, {"Content_Range": "bytes 0-19999/50000"},
    {"Cache_Control": "no-transform"}, {"Content_Type": "image/png"},
    {"Content_Type": "video/mp4"}, {"No_Gzip_Compression": "1"}])
def test_what_must_not_be_compressed_is_not(server, plain, headers):
    answer = ask(server, page(**headers))
    assert answer.body == plain
    assert answer.header("Content-Encoding") in (None, "x-own")
    assert answer.header("No-Gzip-Compression") is None


def test_a_body_without_a_type_gets_the_one_it_looks_like(server, plain):
    answer = ask(server, page(Content_Type="none"), "gzip")
    assert answer.header("Content-Encoding") == "gzip"
    assert answer.header("Content-Type") == ask(
        server, page(Content_Type="none"), "").header("Content-Type")
    assert DECODERS["gzip"](answer.body) == plain


def test_files_are_compressed_where_static_is_inside(rr):
    text = b"".join(b".row-%d { color: #%06x }\n" % (i, i * 7919) for i in range(20000))
    server = rr(config(middleware="[static, gzip]").replace("http: {", "http: {static: {dir: pub}, "),
                worker="pages.php", files={"pub/a.css": text, "pub/b.css": text[:20000],
                                           "pub/c.css": text[:500]})
    for name, size in (("a", len(text)), ("b", 20000)):
        for encoding, decode in DECODERS.items():
            answer = ask(server, f"/{name}.css", encoding)
            assert answer.header("Content-Encoding") == encoding
            assert answer.header("Accept-Ranges") is None
            assert decode(answer.body) == text[:size]
    assert ask(server, "/c.css").header("Content-Encoding") is None
    part = ask(server, "/a.css", Range="bytes=0-9999")
    assert part.status == 206 and part.body == text[:10000]
    assert part.header("Content-Encoding") is None


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body_get_no_encoding(server, status):
    answer = ask(server, page(0, status))
    assert answer.status == status
    assert answer.header("Content-Encoding") is None


def test_head_says_that_the_page_varies(server):
    answer = ask(server, page(), method="HEAD")
    assert answer.header("Content-Encoding") is None
    assert answer.header("Vary") == "Accept-Encoding"


def test_a_strong_tag_becomes_weak_and_other_headers_stay(server):
    answer = ask(server, page(ETag='"v1"', Vary="Cookie", Accept_Ranges="bytes", X_A="1"))
    assert answer.header("ETag") == 'W/"v1"'
    assert answer.all("Vary") == ["Cookie, Accept-Encoding"]
    assert answer.header("Accept-Ranges") is None
    assert answer.header("X-A") == "1"
    assert ask(server, page(ETag='"v1"'), "").header("ETag") == '"v1"'


@pytest.mark.parametrize("accept, decoder", [
    ("gzip", lambda: zlib.decompressobj(31)), ("br", None),
    (BROWSER, lambda: zlib.decompressobj(31))])
def test_each_event_of_a_stream_arrives_before_the_next_is_made(rr, gate, accept, decoder):
    server = rr(config(), worker="pages.php", env=gate.env)
    if decoder is None:
        engine = brotli.Decompressor()
        decode = engine.process
    else:
        decode = decoder().decompress
    with server.open() as connection:
        connection.send(request_bytes("GET", "/events?n=4&gate=e", {"Accept-Encoding": accept}))
        head = connection.read_head()
        assert head.header("Content-Encoding") == ("br" if accept == "br" else "gzip")
        text = b""
        for number in range(1, 5):
            if number > 1:
                gate.begun(f"e{number}")  # the worker waits for us: nothing more comes by itself
                gate.open(f"e{number}")
            while f"data: event number {number}\n\n".encode() not in text:
                text += decode(connection.read_chunk())
            assert f"number {number + 1}".encode() not in text


def test_zstd_streams_where_it_is_all_that_the_client_knows(rr, gate, tmp_path):
    server = rr(config(), worker="pages.php", env=gate.env)
    with server.open() as connection:
        connection.send(request_bytes("GET", "/events?n=2&gate=z", {"Accept-Encoding": "zstd"}))
        assert connection.read_head().header("Content-Encoding") == "zstd"
        with subprocess.Popen(["zstd", "-dc"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as decoder:
            gate.begun("z2")
            first = connection.read_chunk()
            gate.open("z2")
            rest = b""
            while chunk := connection.read_chunk():
                rest += chunk
            text, _ = decoder.communicate(first + rest, timeout=20)
    assert b"event number 1\n\n" in text and text.endswith(b"event number 2\n\n")


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_a_fast_stream_of_many_frames_is_complete(server, encoding):
    answer = ask(server, "/lines?n=3000", encoding)
    text = DECODERS[encoding](answer.body)
    assert text.count(b"\n") == 3000 and text.endswith(b"line 3000 of a long table of values that "
                                                       b"resemble each other\n")


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_a_body_of_megabytes_is_complete(server, encoding):
    size = 5_000_000
    answer = ask(server, page(size), encoding)
    assert answer.header("Content-Encoding") == encoding
    assert len(DECODERS[encoding](answer.body)) == size


def test_old_clients_get_it_compressed_too(server, plain):
    with server.open() as connection:
        connection.send(request_bytes("GET", page(), {"Accept-Encoding": "gzip"},
                                      version="HTTP/1.0"))
        answer = connection.read_response()
    assert DECODERS["gzip"](answer.body) == plain


def test_a_worker_that_dies_in_a_stream_cuts_the_answer(rr):
    server = rr(config())  # echo.php
    with server.open() as connection:
        connection.send(request_bytes("GET", "/stream?n=3&die=2", {"Accept-Encoding": "gzip"}))
        connection.read_head()
        rest = connection.read_to_end()
    assert not rest.endswith(b"0\r\n\r\n")


def test_beyond_max_memory_streams_go_plain_and_the_metrics_say_so(rr, gate):
    server = rr(config("{max_memory: 200KB}", more="metrics: {address: '127.0.0.1:0'}\n").replace(
        "num_workers: 1", "num_workers: 2"), worker="pages.php", env=gate.env)
    with server.open() as first, server.open() as second:
        first.send(request_bytes("GET", "/events?n=2&gate=m", {"Accept-Encoding": "gzip"}))
        assert first.read_head().header("Content-Encoding") == "gzip"
        second.send(request_bytes("GET", "/events?n=1", {"Accept-Encoding": "gzip"}))
        plain = second.read_response()
        assert plain.header("Content-Encoding") is None
        assert b"event number 1" in plain.body
        gate.open("m2")
        while first.read_chunk():
            pass
    text = Pages(server, "metrics").get("/metrics").text
    assert 'rr_http_compressed_total{encoding="gzip"} 1' in text
    assert "rr_http_compression_refused_total 1" in text
    assert "rr_http_compression_bytes 0" in text


def test_keys_choose_types_sizes_and_encodings(rr):
    server = rr(config("{level: 9, min_size: 10, encodings: [gzip], types: ['text/html']}"),
                worker="pages.php")
    assert ask(server, page(100)).header("Content-Encoding") == "gzip"
    assert ask(server, page(100, Content_Type="text/plain")).header("Content-Encoding") is None


def test_it_does_nothing_where_it_is_not_listed(rr):
    server = rr(config(middleware="[]"), worker="pages.php")
    assert ask(server, page()).header("Content-Encoding") is None


def test_version_1_switches_it_on_by_its_own_section(rr):
    php = shutil.which("php")
    server = rr(f"""
        http:
          address: 127.0.0.1:0
          workers: {{command: '{php} @WORKERS@/legacy.php', pool: {{numWorkers: 1}}}}
        gzip: {{enable: true}}
        """, verbatim=True)
    answer = ask(server, "/big?mb=1", "gzip")
    assert answer.header("Content-Encoding") == "gzip"
    assert len(DECODERS["gzip"](answer.body)) == 1 << 20


def test_a_bad_key_names_file_and_line(rr):
    server = rr(config("{level: 12}"), expect_fail=True)
    assert "http.gzip.level" in str(server.log)
