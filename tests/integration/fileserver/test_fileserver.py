"""The fileserver plugin: folders on an address of their own, beside the workers."""

import gzip
import os
import re
import time

import pytest

from harness.client import ClosedEarly, RawConnection, request_bytes

CONFIG = """
http:
  address: 127.0.0.1:0
  pool: {num_workers: 1}
fileserver:
  address: unix://files.sock
  calculate_etag: true
  serve:
    - prefix: /files
      root: public
      bytes_range: true
      compress: true
      max_age: 60
      cache_duration: 0
    - prefix: /
      root: other
"""


@pytest.fixture
def server(rr, tmp_path):
    place = tmp_path / "site"
    for name, content in [("public/a.txt", b"hello"), ("public/index.html", b"<html>"),
                          ("public/large.bin", bytes(range(256)) * 65536),
                          ("public/long.css", b"p{} " * 1000), ("other/b.php", b"<?php"),
                          ("secret.txt", b"secret")]:
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (time.time() - 3600,) * 2)
    return rr(CONFIG, directory=place)


def connect(server):
    return RawConnection(str(server.directory / "files.sock"))


def get(server, target, headers=(), method="GET"):
    with connect(server) as connection:
        connection.send(request_bytes(method, target, headers))
        return connection.read_response(head=method == "HEAD")


def test_files_and_their_headers(server):
    response = get(server, "/files/a.txt")
    assert (response.status, response.body) == (200, b"hello")
    assert re.fullmatch(r'"5-\d+"', response.header("ETag"))
    assert response.header("Cache-Control") == "public, max-age=60"
    assert response.header("Content-Type") == "text/plain; charset=utf-8"
    assert get(server, "/FILES/").body == b"<html>"
    assert get(server, "/b.php").body == b"<?php"
    assert get(server, "/files/a.txt",
               {"If-None-Match": response.header("ETag")}).status == 304
    assert get(server, "/files/a.txt", method="HEAD").header("Content-Length") == "5"
    # Workers have their own address.
    assert server.get("/files/a.txt").header("Content-Type").startswith("application/json")


@pytest.mark.parametrize("target", ["/missing", "/files/../secret.txt", "/%2e%2e/secret.txt",
                                    "/files/%00a.txt", "/..%2fsecret.txt"])
def test_what_is_not_there(server, target):
    response = get(server, target)
    assert (response.status, response.body) == (404, f"Cannot GET {target}".encode())


def test_other_methods(server):
    assert get(server, "/files/a.txt", method="POST").body == b"Cannot POST /files/a.txt"


def test_compressed_and_nothing_beside_the_source(server):
    response = get(server, "/files/long.css", {"Accept-Encoding": "gzip"})
    assert response.header("Content-Encoding") == "gzip"
    assert gzip.decompress(response.body) == b"p{} " * 1000
    assert get(server, "/files/long.css").body == b"p{} " * 1000
    assert sorted(os.listdir(server.directory / "public")) == [
        "a.txt", "index.html", "large.bin", "long.css"]


def test_a_large_file_in_parts_and_for_a_client_that_waits(server):
    content = (server.directory / "public/large.bin").read_bytes()
    part = get(server, "/files/large.bin", {"Range": "bytes=100-9000099"})
    assert (part.status, part.body) == (206, content[100:9000100])
    with connect(server) as slow:
        slow.send(request_bytes("GET", "/files/large.bin"))
        slow.send(request_bytes("GET", "/files/a.txt"))
        assert get(server, "/files/a.txt").body == b"hello"  # served while the other waits
        assert server.get("/pid").status == 200
        assert slow.read_response().body == content
        assert slow.read_response().body == b"hello"


def test_a_file_that_is_cut_cuts_the_answer(server):
    size = 64 << 20
    path = server.directory / "public/huge.bin"
    with open(path, "wb") as file:
        file.truncate(size)
    with connect(server) as connection:
        connection.send(request_bytes("GET", "/files/huge.bin"))
        assert connection.read_head().header("Content-Length") == str(size)
        os.truncate(path, 1 << 20)
        with pytest.raises(ClosedEarly):
            connection._exactly(size)
    assert get(server, "/files/a.txt").body == b"hello"


def test_it_stops_while_a_client_waits(server):
    with connect(server) as slow:
        slow.send(request_bytes("GET", "/files/large.bin"))
        slow.read_head()
        assert server.stop() == 0


def test_without_http(rr, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x.txt").write_text("x")
    server = rr("""
        version: "3"
        fileserver:
          address: unix://files.sock
          serve: [{prefix: /, root: .}]
        """, verbatim=True, directory=tmp_path / "a", ready=False)
    server.log.wait("file server started")
    assert get(server, "/x.txt").body == b"x"


def test_mistakes_are_named(rr):
    server = rr("fileserver: {serve: [{prefix: x}]}", expect_fail=True)
    server.log.wait(r"fileserver\.address: missing")
    server.log.wait(r"fileserver\.serve\.prefix: must begin with /")
