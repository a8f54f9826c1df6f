"""Request bodies: Expect, limits, spooling, uploads."""

import zlib

import pytest

from harness import process
from harness.client import request_bytes

MB = 1 << 20
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MULTIPART = {"Content-Type": "multipart/form-data; boundary=B"}


def http(extra="", pool="num_workers: 1"):
    return f"http: {{address: '127.0.0.1:0', pool: {{{pool}}}, {extra}}}"


def upload(*files):
    body = b""
    for number, (name, content) in enumerate(files):
        head = f'--B\r\nContent-Disposition: form-data; name="f{number}"; filename="{name}"'
        body += head.encode() + b"\r\n\r\n" + content + b"\r\n"
    return body + b"--B--\r\n"


# -- Expect -------------------------------------------------------------------------------------


def test_expect_100_continue_is_answered_before_the_body(rr):
    server = rr(http())
    with server.open() as connection:
        connection.send(b"POST /raw HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                        b"Content-Length: 3\r\n\r\n")
        assert connection.read_head().raw_head == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert connection.send(b"abc").read_response().body == b"abc"


def test_expect_with_the_body_behind_it_needs_no_100(rr):
    server = rr(http())
    with server.open() as connection:
        connection.send(b"POST /raw HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                        b"Content-Length: 3\r\n\r\nabc")
        assert connection.read_response(informational=True).status == 200


def test_another_expectation_is_417(rr):
    server = rr(http())
    with server.open() as connection:
        connection.send(request_bytes("POST", "/", {"Expect": "200-ok"}, b"abc"))
        assert connection.read_response().status == 417
        assert connection.closed_by_peer()


def test_a_body_that_is_too_large_is_refused_instead_of_continued(rr):
    server = rr(http("max_request_size: 1"))
    with server.open() as connection:
        connection.send(b"POST /raw HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                        b"Content-Length: 1048577\r\n\r\n")
        response = connection.read_response(informational=True)
        assert response.status == 413
        assert response.text == "serve_http: http: request body too large\n"
        assert response.header("X-Content-Type-Options") == "nosniff"
        assert connection.closed_by_peer()


# -- limits -------------------------------------------------------------------------------------


def test_the_answer_413_survives_a_client_that_keeps_sending(rr):
    server = rr(http("max_request_size: 1"))
    with server.open() as connection:
        connection.send(b"POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 1572864\r\n\r\n")
        for _ in range(12):
            connection.send(b"x" * 65536)
        assert connection.read_response().status == 413


def test_a_form_above_its_limit_is_413(rr):
    server = rr(http("limits: {form: 64KB}"))
    assert server.post("/", b"a=" + b"x" * 70_000, headers=FORM).status == 413
    assert server.post("/", b"a=" + b"x" * 60_000, headers=FORM).status == 200


def test_a_bad_chunk_is_400(rr):
    server = rr(http())
    with server.open() as connection:
        connection.send(b"POST /raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        b"zz\r\n")
        assert connection.read_response().status == 400
        assert connection.closed_by_peer()


@pytest.mark.parametrize("limit, status, header", [
    ("target: 100", 414, b"GET /" + b"x" * 200 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("head: 1KB", 431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 2000 + b"\r\n\r\n"),
    ("headers: 5", 431, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 10 + b"\r\n")])
def test_heads_over_the_limits(rr, limit, status, header):
    server = rr(http(f"limits: {{{limit}}}"))
    with server.open() as connection:
        assert connection.send(header).read_response().status == status
        assert connection.closed_by_peer()


# -- spooling -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [65536, 65537, 262144, 5 * MB + 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_around_and_above_the_threshold_arrive_whole(rr_module, size, chunked):
    server = rr_module(http())
    body = bytes(range(256)) * (size // 256) + b"z" * (size % 256)
    with server.open(timeout=30) as connection:
        if chunked:
            data = b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            for at in range(0, size, 50_000):
                piece = body[at:at + 50_000]
                data += b"%x\r\n" % len(piece) + piece + b"\r\n"
            connection.send(data + b"0\r\n\r\n")
        else:
            connection.send(request_bytes("POST", "/length", (), body))
        assert connection.read_response().text == f"{size} {zlib.crc32(body):08x}"
        # The connection is in step.
        connection.send(request_bytes("POST", "/raw", (), b"next"))
        assert connection.read_response().body == b"next"


def test_a_slow_upload_holds_no_worker(rr):
    server = rr(http())
    with server.open() as slow:
        slow.send(b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n"
                  + b"x" * 150_000)
        assert server.get("/status?body=y").text == "y"
        slow.send(b"x" * 50_000)
        assert slow.read_response().text.startswith("200000 ")


def test_a_body_that_cannot_be_spooled_is_500(rr):
    server = rr(http("uploads: {dir: /nowhere/at/all}"))
    assert server.post("/length", b"x" * 100_000).status == 500
    assert server.post("/length", b"x").status == 200


def test_a_client_that_goes_in_the_middle_of_an_upload_leaves_nothing(rr, tmp_path):
    directory = tmp_path / "up"
    directory.mkdir()
    server = rr(http(f"uploads: {{dir: '{directory}'}}"))
    with server.open() as connection:
        connection.send(request_bytes("POST", "/", MULTIPART, upload(("a", b"x" * 200_000)))[:-20])
        process.eventually(lambda: list(directory.iterdir()), 5, "the upload file")
        connection.abort()
    process.eventually(lambda: not list(directory.iterdir()), 5, "its deletion")


# -- uploads ------------------------------------------------------------------------------------


def test_large_uploads_are_written_once_and_whole(rr):
    server = rr(http())
    first = bytes(range(256)) * 8192
    second = b"\r\n--A" * 50_000
    response = server.post("/", upload(("a.bin", first), ("b.bin", second), ("c", b"")),
                           headers=MULTIPART)
    assert response.json()["files"] == {
        "a.bin": [len(first), f"{zlib.crc32(first):08x}"],
        "b.bin": [len(second), f"{zlib.crc32(second):08x}"],
        "c": [0, "00000000"]}


def test_upload_files_are_private(rr, tmp_path):
    directory = tmp_path / "up"
    directory.mkdir()
    server = rr(http(f"uploads: {{dir: '{directory}'}}"))
    with server.open() as connection:
        connection.send(request_bytes("POST", "/", MULTIPART, upload(("a", b"x" * 200_000)))[:-10])
        file = process.eventually(lambda: list(directory.iterdir()), 5, "the upload file")[0]
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.name.startswith("upload") and file.name[6:].isdigit()


def test_a_multipart_body_that_breaks_off_is_400_and_leaves_no_file(rr, tmp_path):
    directory = tmp_path / "up"
    directory.mkdir()
    server = rr(http(f"uploads: {{dir: '{directory}'}}"))
    response = server.post("/", upload(("a", b"x" * 1000))[:-10], headers=MULTIPART)
    assert response.status == 400
    assert response.text.startswith("serve_http: ")
    process.eventually(lambda: not list(directory.iterdir()), 5, "the deletion")


def test_a_chunked_multipart_body_without_boundary_is_400_and_the_connection_goes_on(rr):
    server = rr(http())
    with server.open() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data\r\n"
                        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert connection.read_response().status == 400
        connection.send(request_bytes("GET", "/pid"))
        assert connection.read_response().status == 200


def test_a_broken_chunk_behind_a_broken_form_ends_the_connection(rr):
    server = rr(http())
    with server.open() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data\r\n"
                        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n")
        assert connection.read_response().status == 400
        assert connection.closed_by_peer()


def test_an_upload_that_cannot_be_stored_is_logged(rr, tmp_path):
    server = rr(http(f"uploads: {{dir: '{tmp_path}/missing'}}"))
    response = server.post("/", upload(("a.txt", b"abc")), headers=MULTIPART)
    assert response.status == 200
    assert "missing" in server.log.wait(r"error opening the file.*").group()
