"""What PHP is told about a request (http.md 2 and 3), as the bytes of its frame."""

import base64
import json
import struct
import zlib

import pytest

from harness.scripted import configuration
from harness.client import request_bytes
from harness.process import eventually


def seen(server, data):
    with server.open() as connection:
        response = connection.send(data).read_response()
    assert response.status == 200, response.text
    return response.json()


def context(server, method="GET", target="/", headers=(), body=b"", **named):
    return seen(server, request_bytes(method, target, headers, body, **named))["context"]


def body_of(server, *args, **named):
    return base64.b64decode(seen(server, request_bytes(*args, **named))["body"])


def test_the_frame(server):
    answer = seen(server, request_bytes("POST", "/", body=b"hello"))
    head = bytes.fromhex(answer["head"])
    raw = base64.b64decode(answer["raw"])
    assert head[0] == 0x14
    assert head[1] == 0x08
    assert struct.unpack("<I", head[2:6])[0] == len(raw) + 5
    assert struct.unpack("<I", head[6:10])[0] == zlib.crc32(head[:6])
    assert head[10:12] == b"\0\0"
    assert answer["options"] == [len(raw)]


def test_the_keys_stand_in_their_fixed_order(server):
    answer = seen(server, request_bytes("GET", "/a?x=1", {"Cookie": "a=1; b=%20x"}))
    pairs = json.loads(base64.b64decode(answer["raw"]), object_pairs_hook=list)
    assert [key for key, _ in pairs] == ["remoteAddr", "protocol", "method", "uri", "headers",
                                         "cookies", "rawQuery", "parsed", "uploads", "attributes"]
    assert answer["context"] == {
        "remoteAddr": "127.0.0.1", "protocol": "HTTP/1.1", "method": "GET",
        "uri": "http://localhost/a?x=1", "headers": {"Cookie": ["a=1; b=%20x"]},
        "cookies": {"a": "1", "b": " x"}, "rawQuery": "x=1", "parsed": False, "uploads": None,
        "attributes": {}}


@pytest.mark.parametrize("target, uri, query", [
    ("/a/../b//c/%2F%41", "http://h/a/../b//c/%2F%41", ""),
    ("/p?", "http://h/p?", ""),
    ("/p?a#b", "http://h/p?a#b", "a#b"),
    ("/caf\xe9", "http://h/caf%E9", ""),
    ("/\xc3\xa9?q=\xc3\xa9", "http://h/%C3%A9?q=%C3%A9", "q=%C3%A9"),
    ("/?q=\xff", "http://h/?q=%FF", "q=%FF"),
    ("http://other:81/p?x", "http://other:81/p?x", "x"),
    ("https://user:pass@other/p", "https://user:pass@other/p", ""),
    ("/?a=<b>&c", "http://h/?a=<b>&c", "a=<b>&c"),
])
def test_uri_and_query(server, target, uri, query):
    answer = context(server, target=target, host="h")
    assert (answer["uri"], answer["rawQuery"]) == (uri, query)


def test_uri_without_host(server):
    answer = context(server, target="/x", host=None, version="HTTP/1.0")
    assert (answer["uri"], answer["protocol"]) == ("http:///x", "HTTP/1.0")


def test_uri_with_a_port(server):
    assert context(server, host="example.org:8080")["uri"] == "http://example.org:8080/"


@pytest.mark.parametrize("method", ["GET", "get", "FOO", "PROPFIND", "DELETE", "M-SEARCH"])
def test_methods_pass_as_they_are(server, method):
    assert context(server, method)["method"] == method


def test_options_star_never_reaches_php(server):
    response = server.request("OPTIONS", "*")
    assert (response.status, response.body) == (200, b"")
    assert response.header("Content-Length") == "0"


def test_header_names_are_canonical_and_values_kept_in_order(server):
    headers = context(server, headers=[
        ("x-MULTI-part", "one"), ("X_under", "u"), ("TE", "trailers"), ("HTTP2-Settings", "s"),
        ("X-Multi-Part", "two"), ("x-multi-part", "three, four"), ("User-Agent", "t"),
        ("Authorization", "Basic x"), ("Connection", "keep-alive"), ("X-Blank", " \t v \t ")
    ])["headers"]
    assert headers == {
        "X-Multi-Part": ["one", "two", "three, four"], "X_under": ["u"], "Te": ["trailers"],
        "Http2-Settings": ["s"], "User-Agent": ["t"], "Authorization": ["Basic x"],
        "Connection": ["keep-alive"], "X-Blank": ["v"]}


def test_host_and_framing_headers_are_not_passed_on(server):
    headers = context(server, "POST", body=b"", headers=[("Content-Length", "0")])["headers"]
    assert headers == {"Content-Length": ["0"]}
    with server.open() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                        b"Trailer: X-T\r\n\r\n1\r\na\r\n0\r\nX-T: 1\r\n\r\n")
        answer = connection.read_response().json()
    assert answer["context"]["headers"] == {}
    assert base64.b64decode(answer["body"]) == b"a"


def test_bytes_that_are_not_utf8_become_the_replacement_character(server):
    headers = context(server, headers=[("X", "a\xffb"), ("Y", "\xc3\xa9")])["headers"]
    assert headers == {"X": ["a\ufffdb"], "Y": ["\u00e9"]}


@pytest.mark.parametrize("header, cookies", [
    ("a=1; b=2", {"a": "1", "b": "2"}),
    ("a=1; a=2", {"a": "2"}),
    ('a="quoted"', {"a": "quoted"}),
    ("a=%20x+y", {"a": " x y"}),
    ("a=%zz; b=1", {"b": "1"}),
    ("c d=1; b=1", {"b": "1"}),
    ("a[x]=1; b=1", {"b": "1"}),
    ("=1; b=1", {"b": "1"}),
    ("g; b=1", {"g": "", "b": "1"}),
    ('a=x"y; b=1', {"b": "1"}),
    ("a=x\\y; b=1", {"b": "1"}),
    ("a=caf\xe9; b=1", {"b": "1"}),
    ("a=1;b=2;;c=3", {"a": "1", "b": "2", "c": "3"}),
    ("a=b=c", {"a": "b=c"}),
])
def test_cookies(server, header, cookies):
    assert context(server, headers=[("Cookie", header)])["cookies"] == cookies


def test_cookies_of_several_lines(server):
    assert context(server, headers=[("Cookie", "a=1"), ("Cookie", "b=2; a=3")])["cookies"] == {
        "a": "3", "b": "2"}


# -- bodies -------------------------------------------------------------------------------------

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("body, tree", [
    ("a=1&a=2&b[]=x&b[]=y&c[k]=1&c[k2][]=z&e[][n]=1&e[][n]=2&empty=&novalue",
     '{"a":"2","b":["x","y"],"c":{"k":"1","k2":["z"]},"e":{"":{"n":"2"}},"empty":"","novalue":""}'),
    ("n[1]=1&n[0]=2", '{"n":{"0":"2","1":"1"}}'),
    ("a=&a[b]=2", '{"a":{"b":"2"}}'),
    ("a[b]=2&a=", '{"a":{"b":"2"}}'),
    ("a[b]c=1", '{"a":{"b":{"c":"1"}}}'),
    ("[z]=1", '{"":{"z":"1"}}'),
    ("u[v=1", '{"u":{"v":"1"}}'),
    ("q]=1", '{"q":"1"}'),
    ("sp ace=1", '{"space":"1"}'),
    ("dot.key=1", '{"dot.key":"1"}'),
    ("a=%20%2B+x", '{"a":" + x"}'),
    ("a=<&b=>", '{"a":"\\u003c","b":"\\u003e"}'),
    ("a=\"\\", '{"a":"\\"\\\\"}'),
])
def test_form_trees(server, body, tree):
    answer = seen(server, request_bytes("POST", "/", FORM, body.encode()))
    assert base64.b64decode(answer["body"]).decode() == tree
    assert answer["context"]["parsed"] is True


def test_deep_trees(server):
    deep = "a" + "[b]" * 126
    assert b'{"b":{"b":' in body_of(server, "POST", "/", FORM, f"{deep}=1".encode())
    deeper = "a" + "[b]" * 127
    assert body_of(server, "POST", "/", FORM, f"{deeper}=1&c=2".encode()) == b'{"c":"2"}'


def test_an_empty_form_is_an_empty_object(server):
    answer = seen(server, request_bytes("POST", "/", {**FORM, "Content-Length": "0"}))
    assert base64.b64decode(answer["body"]) == b"{}"
    assert answer["context"]["parsed"] is True


def test_a_long_field_name_takes_no_time(server):
    import time
    begin = time.monotonic()
    body_of(server, "POST", "/", FORM, b"a" * 1_000_000 + b"=1")
    body_of(server, "POST", "/", FORM, b"a" + b"[b]" * 300_000 + b"=1")
    assert time.monotonic() - begin < 3


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_form_of_another_method_is_an_empty_tree(server, method):
    answer = seen(server, request_bytes(method, "/", FORM, b"a=1"))
    assert base64.b64decode(answer["body"]) == b"{}"
    assert answer["context"]["parsed"] is True


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_bodies_of_head_and_options_are_ignored(server, method):
    with server.open() as connection:
        connection.send(request_bytes(method, "/", FORM, b"a=1"))
        response = connection.read_response(head=method == "HEAD")
        assert response.status == 200
        if method == "OPTIONS":
            assert response.json()["body"] == ""
        assert connection.send(request_bytes("GET", "/")).read_response().status == 200


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "",
                                  "Application/X-WWW-Form-Urlencoded"])
def test_other_bodies_pass_raw(server, kind):
    answer = seen(server, request_bytes("POST", "/", {"Content-Type": kind}, b"a=1&\x00\xff"))
    assert base64.b64decode(answer["body"]) == b"a=1&\x00\xff"
    assert answer["context"]["parsed"] is False
    assert answer["context"]["uploads"] is None


@pytest.mark.parametrize("headers, target, body", [
    (FORM, "/", b"a=%zz"),
    (FORM, "/?q=%zz", b"a=1"),
    (FORM, "/", b"a=1;b=2"),
    (FORM, "/", b"a=1&a[b]=2"),
    (FORM, "/", b"a[]=1&a[x]=2"),
    (FORM, "/", b"&".join(b"a%d=1" % number for number in range(10001))),
    ({"Content-Type": "multipart/form-data"}, "/", b"--x\r\n"),
    ({"Content-Type": "multipart/form-data; boundary=x"}, "/", b"no boundary at all"),
    ({"Content-Type": "multipart/form-data; boundary=x"}, "/",
     b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\ncut off"),
])
def test_bad_forms_are_400_and_keep_the_connection(server, headers, target, body):
    with server.open() as connection:
        response = connection.send(request_bytes("POST", target, headers, body)).read_response()
        assert response.status == 400
        if response.header("Connection", "").lower() != "close":
            assert connection.send(request_bytes("GET", "/")).read_response().status == 200


def test_raw_body_keeps_forms_as_they_are(rr):
    server = rr(configuration(http="raw_body: true"))
    answer = seen(server, request_bytes("POST", "/", FORM, b"a=%20&b"))
    assert base64.b64decode(answer["body"]) == b"a=%20&b"
    assert answer["context"]["parsed"] is False


def test_max_request_size_counts_exactly(rr):
    server = rr(configuration(http="max_request_size: 1"))
    assert server.post("/", b"x" * (1 << 20)).status == 200
    assert server.post("/", b"x" * ((1 << 20) + 1)).status == 413
    with server.open() as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(17):
                connection.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        except OSError:
            pass
        assert connection.read_response().status == 413


# -- uploads ------------------------------------------------------------------------------------


def multipart(*parts, boundary="B"):
    body = b""
    for disposition, kind, content in parts:
        body += f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n".encode()
        if kind:
            body += f"Content-Type: {kind}\r\n".encode()
        body += b"\r\n" + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


MULTIPART = {"Content-Type": "multipart/form-data; boundary=B"}


def test_uploads_and_fields(server):
    answer = seen(server, request_bytes("POST", "/", MULTIPART, multipart(
        ('name="f"; filename="a.txt"', "text/plain", b"hello"),
        ('name="g[]"; filename="dir/b.PHP"', "text/x-php", b"<?php"),
        ('name="g[]"; filename="c"', "", b""),
        ('name="h[k]"; filename="d.bin"', "", b"\r\n--not the boundary"),
        ('name="plain"', "", b"value"), ('name="list[]"', "", b"1"), ('name="none"; filename=""',
                                                                      "", b""))))
    uploads = answer["context"]["uploads"]
    leaf = uploads["f"]
    assert {key: leaf[key] for key in ("name", "mime", "size", "error")} == {
        "name": "a.txt", "mime": "text/plain", "size": 5, "error": 0}
    assert leaf["tmpName"]
    assert [(file["name"], file["size"], file["error"]) for file in uploads["g"]] == [
        ("b.PHP", 5, 0), ("c", 0, 0)]
    assert uploads["h"]["k"]["size"] == 20
    assert base64.b64decode(answer["body"]) == b'{"list":["1"],"none":"","plain":"value"}'
    assert answer["context"]["parsed"] is True


def test_upload_files_are_gone_after_the_answer(rr, tmp_path):
    directory = tmp_path / "up"
    directory.mkdir()
    server = rr(configuration(http=f"uploads: {{dir: '{directory}'}}"))
    answer = seen(server, request_bytes("POST", "/", MULTIPART, multipart(
        ('name="f"; filename="a.txt"', "", b"x" * 100_000))))
    assert answer["context"]["uploads"]["f"]["tmpName"].startswith(str(directory) + "/upload")
    eventually(lambda: not list(directory.iterdir()), 5, "the deletion of the upload")


def test_forbidden_and_allowed_extensions(rr):
    server = rr(configuration(http='uploads: {forbid: [".PHP"], allow: [".txt", ".php"]}'))
    uploads = seen(server, request_bytes("POST", "/", MULTIPART, multipart(
        ('name="a"; filename="a.php"', "", b"x"), ('name="b"; filename="b.TXT"', "", b"x"),
        ('name="c"; filename="c.png"', "", b"x"))))["context"]["uploads"]
    assert [uploads[name]["error"] for name in "abc"] == [8, 0, 8]
    assert uploads["a"]["tmpName"] == ""


def test_a_missing_upload_directory_is_error_6(rr):
    server = rr(configuration(http="uploads: {dir: /nowhere/at/all}"))
    uploads = seen(server, request_bytes("POST", "/", MULTIPART, multipart(
        ('name="a"; filename="a.txt"', "", b"x"))))["context"]["uploads"]
    assert uploads["a"]["error"] == 6


# -- protobuf -----------------------------------------------------------------------------------


def test_the_protobuf_context(rr):
    server = rr(configuration(http="context_codec: protobuf"))
    with server.open() as connection:
        connection.send(b"GET /x HTTP/1.0\r\n\r\n")
        answer = connection.read_response().json()
    assert bytes.fromhex(answer["head"]) == bytes.fromhex("148025000000b00e8f0f0000")
    assert base64.b64decode(answer["context"]["undecoded"]) == (
        b"\x0a\x09127.0.0.1\x12\x08HTTP/1.0\x1a\x03GET\x22\x09http:///x")
