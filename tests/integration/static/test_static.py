"""Files below http.static.dir: what is answered, with which bytes, and what never is."""

import os
import shutil
import subprocess
import time

import pytest

from harness.client import ClosedEarly, request_bytes

CONFIG = """
http:
  address: 127.0.0.1:0
  middleware: [static]
  pool: {num_workers: 1}
  static:
    dir: public
"""
OLD = time.time() - 3600


@pytest.fixture
def site(tmp_path):
    """A folder with files; `site("key: value", ...)` is the configuration for it."""
    place = tmp_path / "site"
    write(place / "public/a.txt", "hello static\n")
    write(place / "public/a.php", "<?php")
    write(place / "public/css/style.css", "p{}")
    write(place / "public/large.bin", bytes(range(256)) * 8192)  # 2 MiB
    write(place / "public/empty.txt", "")
    write(place / "secret.txt", "secret")
    write(place / ".env", "APP_KEY=secret")

    def configured(*keys):
        return CONFIG + "".join(f"    {key}\n" for key in keys)
    configured.place = place
    configured.public = place / "public"
    return configured


def write(path, content, at=OLD):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    os.utime(path, (at, at))


def start(rr, site, *keys):
    return rr(site(*keys), directory=site.place)


def from_worker(response):
    return response.header("Content-Type", "").startswith("application/json") and (
        b'"method"' in response.body)


def test_a_file_and_its_headers(rr, site):
    server = start(rr, site, "calculate_etag: true", "response: {X-Res: '1'}")
    response = server.get("/a.txt")
    assert (response.status, response.body) == (200, b"hello static\n")
    assert response.header("ETag") == '"13-4037175136"'
    assert response.header("Content-Type") == "text/plain; charset=utf-8"
    assert response.header("Accept-Ranges") == "bytes"
    assert response.header("Content-Length") == "13"
    assert response.header("X-Res") == "1"
    assert response.header("Last-Modified").endswith(" GMT")
    assert server.get("/css/style.css").header("Content-Type") == "text/css; charset=utf-8"
    empty = server.get("/empty.txt")
    assert (empty.status, empty.body, empty.header("ETag")) == (200, b"", None)
    assert empty.header("Content-Length") == "0"


def test_workers_answer_everything_else(rr, site):
    server = start(rr, site, "forbid: ['.php']", "response: {X-Res: '1'}")
    for target in ["/", "/a", "/a.php", "/b.txt", "/css", "/css/", "/a.txt/", "/a%00.txt"]:
        response = server.get(target)
        assert from_worker(response), (target, response)
        assert response.header("X-Res") is None


def test_a_large_file_whole_and_in_parts(rr, site):
    server = start(rr, site)
    content = (site.public / "large.bin").read_bytes()
    assert server.get("/large.bin").body == content
    part = server.get("/large.bin", headers={"Range": "bytes=1000000-1999999"})
    assert part.status == 206
    assert part.body == content[1000000:2000000]
    assert part.header("Content-Range") == f"bytes 1000000-1999999/{len(content)}"
    parts = server.get("/large.bin", headers={"Range": "bytes=0-9,-10"})
    assert parts.status == 206
    boundary = parts.header("Content-Type").partition("boundary=")[2]
    pieces = parts.body.split(f"--{boundary}".encode())
    assert len(pieces) == 4 and pieces[0] == b"" and pieces[3] == b"--\r\n"
    assert pieces[1].endswith(b"\r\n\r\n" + content[:10] + b"\r\n")
    assert pieces[2].endswith(b"\r\n\r\n" + content[-10:] + b"\r\n")
    outside = server.get("/a.txt", headers={"Range": "bytes=13-"})
    assert (outside.status, outside.body) == (416, b"invalid range: failed to overlap\n")
    assert outside.header("Content-Range") == "bytes */13"


def test_head_and_conditions(rr, site):
    server = start(rr, site, "calculate_etag: true")
    with server.open() as connection:
        connection.send(request_bytes("HEAD", "/a.txt"))
        head = connection.read_response(head=True)
        assert head.header("Content-Length") == "13"
        connection.send(request_bytes("GET", "/a.txt", {"If-None-Match": head.header("ETag")}))
        same = connection.read_response()
        assert same.status == 304
        assert same.header("Content-Type") is None
        connection.send(request_bytes("HEAD", "/large.bin"))
        assert connection.read_response(head=True).header("Content-Length") == str(2 << 20)
        connection.send(request_bytes("DELETE", "/a.txt"))
        assert connection.read_response().body == b"hello static\n"
    date = head.header("Last-Modified")
    assert server.get("/a.txt", headers={"If-Modified-Since": date}).status == 304
    assert server.get("/a.txt", headers={"If-Match": '"x"'}).status == 412


def test_the_way_out_is_closed(rr, site):
    (site.public / "out").symlink_to("/etc")
    (site.public / "passwd.txt").symlink_to("/etc/passwd")
    (site.public / "env.txt").symlink_to("../.env")
    (site.public / "own.txt").symlink_to("../secret.txt")
    server = start(rr, site)
    # Below the working directory, which is where links may lead to; and no dotfile.
    assert server.get("/own.txt").body == b"secret"
    for target in ["/out/passwd.txt", "/out/hosts.allow", "/passwd.txt", "/env.txt"]:
        assert from_worker(server.get(target)), target
    for target in [b"/../secret.txt", b"/%2e%2e/secret.txt", b"/..%2fsecret.txt",
                   b"/css/../../secret.txt", b"/%2e%2e%2fsecret.txt", b"/a..b.txt",
                   b"/..%5csecret.txt", b"/css/%2E%2E/%2e./secret.txt",
                   b"http://localhost/../secret.txt"]:
        with server.open() as connection:
            connection.send(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            response = connection.read_response()
            assert (response.status, response.body) == (403, b""), target
    for target in [b"/%252e%252e/secret.txt", b"/..%c0%afsecret.txt"[:1] + b"%c0%ae%c0%ae/secret.txt",
                   b"/\\secret.txt", b"/secret.txt%00.txt", b"//etc/passwd.txt"]:
        with server.open() as connection:
            connection.send(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            response = connection.read_response()
            assert b"root:" not in response.body and response.body != b"secret"
            assert response.status == 400 or from_worker(response), target
    absolute = server.raw(b"GET http://localhost/a.txt HTTP/1.1\r\nHost: localhost\r\n"
                          b"Connection: close\r\n\r\n")
    assert absolute.endswith(b"hello static\n")


def test_no_links_at_all(rr, site):
    (site.public / "own.txt").symlink_to("../secret.txt")
    (site.public / "same.txt").symlink_to("a.txt")
    server = start(rr, site, "symlink_roots: []")
    assert from_worker(server.get("/own.txt"))
    assert server.get("/same.txt").body == b"hello static\n"


def test_a_deploy_moves_the_folder(rr, site):
    write(site.place / "two/a.txt", "second")
    (site.place / "current").symlink_to("public")
    server = rr(CONFIG.replace("dir: public", "dir: current\n    cache: {revalidate: 0s}"),
                directory=site.place)
    assert server.get("/a.txt").body == b"hello static\n"
    (site.place / "next").symlink_to("two")
    os.rename(site.place / "next", site.place / "current")
    assert server.get("/a.txt").body == b"second"


def test_files_are_replaced_removed_and_made_while_served(rr, site):
    server = start(rr, site, "cache: {revalidate: 0s}", "calculate_etag: true")
    first = server.get("/a.txt")
    write(site.public / "new", "another one")
    os.rename(site.public / "new", site.public / "a.txt")
    second = server.get("/a.txt")
    assert second.body == b"another one"
    assert second.header("ETag") != first.header("ETag")
    (site.public / "a.txt").unlink()
    assert from_worker(server.get("/a.txt"))
    write(site.public / "a.txt", "again")
    assert server.get("/a.txt").body == b"again"


def test_a_file_that_is_cut_while_it_is_sent_cuts_the_answer(rr, site):
    size = 64 << 20
    with open(site.public / "huge.bin", "wb") as file:
        file.truncate(size)
    server = start(rr, site)
    with server.open() as connection:
        connection.send(request_bytes("GET", "/huge.bin"))
        head = connection.read_head()
        assert head.header("Content-Length") == str(size)
        os.truncate(site.public / "huge.bin", 1 << 20)
        with pytest.raises(ClosedEarly):
            connection._exactly(size)
    assert server.get("/a.txt").status == 200


def test_a_slow_client_gets_all_of_a_replaced_file(rr, site):
    server = start(rr, site)
    content = b"old" * (4 << 20)
    write(site.public / "huge.bin", content)
    with server.open() as connection:
        connection.send(request_bytes("GET", "/huge.bin"))
        head = connection.read_head()
        write(site.public / "new", "new")
        os.rename(site.public / "new", site.public / "huge.bin")
        assert server.get("/a.txt").status == 200  # others are served meanwhile
        assert connection.read_body(head).body == content


def test_siblings_that_are_compressed(rr, site):
    write(site.public / "app.js", "plain")
    write(site.public / "app.js.br", "brotli")
    write(site.public / "app.js.gz", "gzip")
    server = start(rr, site, "precompressed: true")
    for accepted, body, encoding in [("", b"plain", None), ("gzip", b"gzip", "gzip"),
                                     ("gzip, deflate, br, zstd", b"brotli", "br")]:
        response = server.get("/app.js", headers={"Accept-Encoding": accepted})
        assert (response.body, response.header("Content-Encoding")) == (body, encoding)
        assert response.header("Vary") == "Accept-Encoding"
        assert response.header("Content-Type") == "text/javascript; charset=utf-8"
    assert server.get("/a.txt").header("Vary") is None


def test_an_application_in_the_browser(rr, site):
    write(site.public / "index.html", "<html>app")
    server = start(rr, site, "index: [index.html]", "fallback: index.html",
                   "fallback_exclude: [/api]", "max_age: 1h", "always: [.ico]")
    browser = {"Accept": "text/html,*/*;q=0.8"}
    assert server.get("/").body == b"<html>app"
    deep = server.get("/users/7", headers=browser)
    assert (deep.body, deep.header("Cache-Control")) == (b"<html>app", "no-cache")
    assert server.get("/a.txt").header("Cache-Control") == "public, max-age=3600"
    assert from_worker(server.get("/api/users", headers=browser))
    assert from_worker(server.get("/users/7"))
    assert server.get("/favicon.ico").status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_what_is_sent_to_a_pages_path_reaches_the_worker(rr, site, method):
    write(site.public / "contact.html", "<form>")
    write(site.public / "docs/index.html", "docs")
    server = start(rr, site, "index: [index.html]", "try_files: ['{path}.html']",
                   "fallback: contact.html")
    for target in ["/contact", "/docs", "/docs/", "/", "/users/7"]:
        response = server.request(method, target, headers={"Accept": "text/html"}, body=b"a=1")
        assert from_worker(response), target
        assert response.json()["method"] == method
    assert server.get("/contact").body == b"<form>"
    assert server.get("/docs").status == 301


def test_a_forbidden_extension_is_not_the_fallbacks(rr, site):
    write(site.public / "index.html", "<html>app")
    write(site.public / "login.php.html", "no")
    write(site.public / "my.sublime-workspace", "mine")
    server = start(rr, site, "fallback: index.html", "try_files: ['{path}.html']",
                   "forbid: ['.php', '.sublime-workspace']")
    browser = {"Accept": "text/html,*/*;q=0.8"}
    for target in ["/a.php", "/login.php", "/login.PHP?x", "/my.sublime-workspace"]:
        assert from_worker(server.get(target, headers=browser)), target
    assert server.get("/user.name", headers=browser).body == b"<html>app"


def test_the_fallback_is_asked_for_anew_whatever_response_says(rr, site):
    write(site.public / "index.html", "<html>app")
    server = start(rr, site, "fallback: index.html",
                   "response: {Cache-Control: 'public, max-age=31536000'}")
    deep = server.get("/users/7", headers={"Accept": "text/html"})
    assert (deep.body, deep.all("Cache-Control")) == (b"<html>app", ["no-cache"])
    assert deep.header("Vary") == "Accept"
    assert server.get("/a.txt").all("Cache-Control") == ["public, max-age=31536000"]


def test_siblings_are_chosen_as_gzip_chooses(rr, site):
    write(site.public / "page.unknown", "<html>plain")
    write(site.public / "page.unknown.br", b"\x8bbrotli")
    write(site.public / "page.unknown.gz", b"\x1f\x8bgzip")
    server = start(rr, site, "precompressed: true")
    for lines, encoding in [(["gzip;q=0.5, identity;q=1"], None), (["identity;q=1, *;q=0.1"], None),
                            (["deflate", "br"], "br"), (["gzip", "br;q=0.5"], "gzip")]:
        with server.open() as connection:
            connection.send(request_bytes("GET", "/page.unknown",
                                          [("Accept-Encoding", line) for line in lines]))
            response = connection.read_response()
        assert response.header("Content-Encoding") == encoding, lines
        assert response.header("Content-Type") == "text/html; charset=utf-8"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_resumes_a_download(rr, site):
    server = start(rr, site, "calculate_etag: true")
    content = (site.public / "large.bin").read_bytes()
    target = site.place / "download"
    target.write_bytes(content[:1234567])
    subprocess.run(["curl", "-sSf", "-C", "-", "-o", target, f"{server.url}/large.bin"],
                   check=True, timeout=30)
    assert target.read_bytes() == content


def test_bad_configurations_are_named(rr, site):
    server = rr(CONFIG.replace("public", "nowhere"), expect_fail=True, directory=site.place)
    assert server.code == 1
    server.log.wait(r"\.rr\.yaml:\d+: http\.static\.dir: root directory 'nowhere' does not exist")


def test_version_1_files(rr, site):
    server = rr("""
        http:
          address: 127.0.0.1:0
          workers: {command: "php @WORKERS@/legacy.php", pool: {numWorkers: 1}}
        rpc: {enable: false}
        static:
          dir: public
          forbid: [".php"]
          always: [".ico"]
        """, verbatim=True, directory=site.place)
    assert server.get("/a.txt").body == b"hello static\n"
    assert server.get("/favicon.ico").status == 404


def test_unlisted_it_does_nothing(rr, site):
    server = rr(CONFIG.replace("[static]", "[]"), directory=site.place)
    assert from_worker(server.get("/a.txt"))
    assert from_worker(server.get("/a..b.txt"))


def test_a_stop_waits_for_no_checksum(rr, site):
    with open(site.public / "huge.bin", "wb") as file:
        file.truncate(4 << 30)  # minutes of work for a sanitized server
    server = start(rr, site, "calculate_etag: true")
    with server.open() as connection:
        connection.send(request_bytes("HEAD", "/huge.bin"))
        head = connection.read_response(head=True)
        assert head.header("Content-Length") == str(4 << 30)
        assert head.header("ETag") is None
        # Nor does who has the tag already.
        for tag, status in [(f'"{4 << 30}-1"', 200), ('"13-1"', 412)]:
            connection.send(request_bytes("HEAD", "/huge.bin", {"If-Match": tag}))
            assert connection.read_response(head=True).status == status
    assert server.stop() == 0
