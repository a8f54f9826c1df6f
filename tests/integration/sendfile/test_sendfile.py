"""X-Sendfile: a worker names a file, the client gets it."""

import gzip
import pathlib

import pytest

from harness.client import request_bytes

WORKER = pathlib.Path(__file__).parent / "workers" / "send.php"
CONFIG = """
http:
  address: 127.0.0.1:0
  middleware: [sendfile]
  pool: {num_workers: 1}
"""


@pytest.fixture
def files(tmp_path):
    place = tmp_path / "rr"
    (place / "private").mkdir(parents=True)
    (place / "private/report.txt").write_text("the report")
    (place / "private/empty.txt").write_text("")
    (place / "private/large.bin").write_bytes(bytes(range(256)) * 16384)  # 4 MiB
    return place


@pytest.fixture
def server(rr, files):
    return rr(CONFIG, worker=WORKER, directory=files)


def test_relative_and_absolute_paths(server, files):
    for path in ["private/report.txt", files / "private/report.txt"]:
        response = server.get(f"/?file={path}")
        assert (response.status, response.body) == (200, b"the report")
        assert response.header("X-Sendfile") is None
        assert response.header("Content-Length") == "10"
        assert response.header("Content-Type") == "text/plain; charset=utf-8"


def test_without_the_header_nothing_changes(server):
    response = server.get("/")
    assert (response.status, response.body) == (200, b"of the worker")
    assert response.header("Last-Modified") is None


def test_status_and_headers_are_the_workers(server):
    response = server.get("/?file=private/report.txt&code=203&disposition=attachment")
    assert (response.status, response.body) == (203, b"the report")
    assert response.header("Content-Disposition") == "attachment"


def test_what_can_not_be_sent(server):
    up = server.get("/?file=private/../private/report.txt")
    assert (up.status, up.body) == (403, b"")
    missing = server.get("/?file=private/missing.txt")
    assert (missing.status, missing.body) == (404, b"not found\n")
    folder = server.get("/?file=private")
    assert (folder.status, folder.body) == (500, b"Is a directory\n")
    server.log.wait("private/missing.txt")


def test_an_empty_file_ends(server):
    response = server.get("/?file=private/empty.txt")
    assert (response.status, response.body) == (200, b"")
    assert response.header("Content-Length") == "0"


def test_a_large_file_its_head_and_a_part(server, files):
    content = (files / "private/large.bin").read_bytes()
    assert server.get("/?file=private/large.bin").body == content
    with server.open() as connection:
        connection.send(request_bytes("HEAD", "/?file=private/large.bin"))
        assert connection.read_response(head=True).header("Content-Length") == str(len(content))
        connection.send(request_bytes("GET", "/?file=private/large.bin",
                                      {"Range": "bytes=1000-2000999"}))
        part = connection.read_response()
        assert (part.status, part.body) == (206, content[1000:2001000])
        connection.send(request_bytes("GET", "/?file=private/large.bin&etag=%22v%22",
                                      {"If-None-Match": '"v"'}))
        assert connection.read_response().status == 304
        connection.send(request_bytes("GET", "/?file=private/report.txt"))
        assert connection.read_response().body == b"the report"


def test_a_stream_with_the_header_is_replaced(server):
    assert server.get("/stream?file=private/report.txt").body == b"the report"
    # The worker's stream is thrown away, and the worker lives.
    assert server.get("/stream").body == b"one,two"
    assert server.get("/").body == b"of the worker"


def test_an_empty_header_does_not_reach_the_client(server):
    response = server.get("/stream")
    assert (response.status, response.body) == (200, b"one,two")
    assert response.header("X-Sendfile") is None


@pytest.mark.parametrize("middleware", ["[gzip, sendfile]", "[sendfile, gzip]"])
def test_a_file_is_not_labelled_with_the_encoding_of_the_body_that_it_replaces(
        rr, files, middleware):
    server = rr(CONFIG.replace("[sendfile]", middleware) + "  gzip: {min_size: 0}\n",
                worker=WORKER, directory=files)
    response = server.get("/?file=private/report.txt&etag=%22v%22",
                          headers={"Accept-Encoding": "gzip"})
    if middleware == "[gzip, sendfile]":
        assert (response.body, response.header("ETag")) == (b"the report", '"v"')
        assert response.header("Content-Encoding") is None
    else:
        assert gzip.decompress(response.body) == b"the report"
        assert (response.header("Content-Encoding"), response.header("ETag")) == ("gzip", 'W/"v"')
    # What is not replaced is compressed as ever.
    plain = server.get("/", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(plain.body) == b"of the worker"


def test_a_root_that_is_not_there_is_warned_of(rr, files):
    server = rr(CONFIG + "  sendfile: {roots: [private, nope]}\n", worker=WORKER, directory=files)
    server.log.wait(r"http\.sendfile\.roots: no such folder: nope")
    assert server.get("/?file=private/report.txt").body == b"the report"


def test_what_was_just_written_is_sent(server):
    for text in ["one", "two", "twenty"]:
        assert server.get(f"/written?text={text}").body == text.encode()


def test_only_below_the_roots(rr, files):
    (files / "private/link.txt").symlink_to("../outside.txt")
    (files / "outside.txt").write_text("outside")
    server = rr(CONFIG + "  sendfile: {roots: [private]}\n", worker=WORKER, directory=files)
    assert server.get("/?file=private/report.txt").body == b"the report"
    for path in ["outside.txt", "private/link.txt", "/etc/passwd"]:
        assert server.get(f"/?file={path}").status == 403
