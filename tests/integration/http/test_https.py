"""HTTPS: `http.ssl` with real clients: Python's ssl, curl, openssl s_client."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import zlib

import pytest

from harness import process
from harness.certificates import Authority
from harness.client import RawConnection, request_bytes
from harness.http2 import Http2

WATCH = "watch: 50ms, "


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """The server's certificate, others for names, and clients': one known, one of another CA."""
    known = Authority(tmp_path_factory.mktemp("known"))
    for name, names in (("server", "IP:127.0.0.1,DNS:localhost"), ("next", "IP:127.0.0.1"),
                        ("shop", "DNS:shop.test"), ("wild", "DNS:*.wild.test"),
                        ("client", "DNS:client")):
        known.make(name, names)
    known.stranger = Authority(tmp_path_factory.mktemp("stranger"))
    known.stranger.make("client", "DNS:client")
    return known


def ssl_section(place, more="", plain=True, http=""):
    address = "address: '127.0.0.1:0'," if plain else ""
    return (f"http: {{{address} pool: {{num_workers: 2}}, {http}"
            f"ssl: {{address: '127.0.0.1:0', cert: '{place}/server.pem', "
            f"key: '{place}/server.key', {more}}}}}")


def context(authority, version=None, alpn=("http/1.1",), client=None):
    made = ssl.create_default_context(cafile=authority.ca)
    made.set_alpn_protocols(list(alpn))
    if version:
        made.minimum_version = made.maximum_version = version
    if client:
        made.load_cert_chain(client.folder / "client.pem", client.folder / "client.key")
    return made


class Secure(RawConnection):
    """A RawConnection inside TLS."""

    def __init__(self, server, authority, name="127.0.0.1", before=b"", session=None, **of):
        super().__init__(("127.0.0.1", server.https_port))
        if before:
            self.socket.sendall(before)
        made = of.pop("made", None) or context(authority, **of)
        self.socket = made.wrap_socket(self.socket, server_hostname=name, session=session)

    def get(self, target="/", **more):
        return self.send(request_bytes("GET", target, host="site.test", **more)).read_response()

    def certificate(self):
        return self.socket.getpeercert(binary_form=True)


def der(authority, name):
    return ssl.PEM_cert_to_DER_cert((authority.folder / f"{name}.pem").read_text())


# -- requests ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_php_sees_https(rr, authority, version):
    server = rr(ssl_section(authority.folder))
    with Secure(server, authority, version=version) as client:
        for _ in range(3):
            seen = client.get("/show?a=1").json()
            assert seen["uri"] == "https://site.test/show?a=1"
            assert seen["protocol"] == "HTTP/1.1"
        assert client.socket.selected_alpn_protocol() == "http/1.1"
    assert server.get("/show").json()["uri"].startswith("http://")


def test_banner_and_record(rr, authority):
    server = rr(ssl_section(authority.folder), args=["-v"])
    assert server.log.find(r"^  https  https://127\.0\.0\.1:\d+   2 workers")
    assert server.log.find(r"^  http   http://127\.0\.0\.1:\d+   2 workers")
    server.log.wait(r"https server was started.*127\.0\.0\.1")


def test_https_alone(rr, authority):
    server = rr(ssl_section(authority.folder, plain=False))
    with Secure(server, authority) as client:
        assert client.get("/pid").status == 200
    assert not server.log.find(r"^  http   ")


def test_http2_by_alpn(rr, authority):
    server = rr(ssl_section(authority.folder))
    made = context(authority, alpn=("h2", "http/1.1"))
    with Http2(("127.0.0.1", server.https_port),
               wrap=lambda raw: made.wrap_socket(raw, server_hostname="127.0.0.1")) as client:
        assert client.socket.selected_alpn_protocol() == "h2"
        seen = json.loads(client.get("/show", authority="site.test").body)
        assert seen["protocol"] == "HTTP/2.0"
        assert seen["uri"] == "https://site.test/show"


def test_http2_can_be_switched_off(rr, authority):
    server = rr(ssl_section(authority.folder, http="http2: {alpn: false}, "))
    with Secure(server, authority, alpn=("h2", "http/1.1")) as client:
        assert client.socket.selected_alpn_protocol() == "http/1.1"
        assert client.get("/pid").status == 200


def test_a_client_without_alpn_speaks_http_1(rr, authority):
    server = rr(ssl_section(authority.folder))
    made = ssl.create_default_context(cafile=authority.ca)
    with Secure(server, authority, made=made) as client:
        assert client.socket.selected_alpn_protocol() is None
        assert client.get("/pid").status == 200


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl(rr, authority, version, tmp_path):
    server = rr(ssl_section(authority.folder))
    data = os.urandom(3_000_000)
    (tmp_path / "upload").write_bytes(data)

    def curl(*arguments):
        done = subprocess.run(
            ["curl", "-sS", version, "--cacert", authority.ca, "-m", "60", *arguments],
            capture_output=True, timeout=90, check=True)
        return done.stdout
    url = f"https://127.0.0.1:{server.https_port}"
    assert curl("--data-binary", f"@{tmp_path}/upload", "-H", "Content-Type: application/x-x",
                f"{url}/raw") == data
    files = json.loads(curl("-F", f"file=@{tmp_path}/upload", f"{url}/form"))["files"]
    assert files == {"upload": [len(data), f"{zlib.crc32(data):08x}"]}
    assert len(curl(f"{url}/big?mb=8")) == 8 << 20
    assert curl(f"{url}/stream?n=20&size=1000") != b""


def test_big_bodies_both_ways_at_once(rr, authority):
    server = rr(ssl_section(authority.folder))
    data = os.urandom(9_000_001)
    with Secure(server, authority) as client:
        client.socket.settimeout(60)
        for _ in range(2):
            answer = client.send(request_bytes(
                "POST", "/raw", [("Content-Type", "application/x-x")], data,
                host="a")).read_response()
            assert answer.body == data
        assert client.get("/pid").status == 200


def test_a_stream_comes_piece_by_piece(rr, authority):
    server = rr(ssl_section(authority.folder))
    with Secure(server, authority) as client:
        answer = client.get("/stream?n=5&ms=20&size=100")
        assert answer.status == 200
        assert len(answer.chunks) == 5
        assert client.get("/pid").status == 200


def test_a_client_that_does_not_read_is_no_trouble_to_others(rr, authority):
    server = rr(ssl_section(authority.folder))
    with Secure(server, authority) as slow, Secure(server, authority) as other:
        slow.send(request_bytes("GET", "/big?mb=20", host="a"))
        for _ in range(20):
            assert other.get("/pid").status == 200
        slow.socket.settimeout(60)
        assert len(slow.read_response().body) == 20 << 20


def test_pipelined_requests(rr, authority):
    server = rr(ssl_section(authority.folder))
    with Secure(server, authority) as client:
        client.send(b"".join(request_bytes("GET", f"/status?body={n}", host="a")
                             for n in range(30)))
        assert [client.read_response().body for _ in range(30)] == [
            str(n).encode() for n in range(30)]


# -- certificates --------------------------------------------------------------------------------


def several(authority):
    return "certificates: [" + ", ".join(
        f"{{cert: '{authority.folder}/{name}.pem', key: '{authority.folder}/{name}.key'}}"
        for name in ("shop", "wild")) + "], "


@pytest.mark.parametrize("asked, given", [
    ("shop.test", "shop"), ("SHOP.test", "shop"), ("a.wild.test", "wild"), ("wild.test", "server"),
    ("other.test", "server"), ("a.b.wild.test", "server")])
def test_sni(rr, authority, asked, given):
    server = rr(ssl_section(authority.folder, several(authority)))
    made = context(authority)
    made.check_hostname = False
    with Secure(server, authority, name=asked, made=made) as client:
        assert client.certificate() == der(authority, given)
        assert client.get("/pid").status == 200


def test_certificates_without_a_first_one(rr, authority):
    server = rr("http: {pool: {num_workers: 1}, ssl: {address: '127.0.0.1:0', "
                + several(authority) + "}}")
    made = context(authority)
    made.check_hostname = False
    for asked, given in (("a.wild.test", "wild"), ("shop.test", "shop"), ("else.test", "shop")):
        with Secure(server, authority, name=asked, made=made) as client:
            assert client.certificate() == der(authority, given)


@pytest.mark.parametrize("kind, none, stranger, known", [
    ("no_client_certs", True, True, True), ("request_client_cert", True, True, True),
    ("require_any_client_cert", False, True, True),
    ("verify_client_cert_if_given", True, False, True),
    ("require_and_verify_client_cert", False, False, True)])
def test_client_certificates(rr, authority, kind, none, stranger, known):
    server = rr(ssl_section(authority.folder,
                            f"root_ca: '{authority.ca}', client_auth_type: {kind}, "))
    for client, welcome in ((None, none), (authority.stranger, stranger), (authority, known)):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            try:
                with Secure(server, authority, client=client, version=version) as connection:
                    served = connection.get("/pid").status == 200
            except (ssl.SSLError, OSError, AssertionError):
                served = False
            assert served == welcome
    if kind == "require_and_verify_client_cert":
        server.log.wait("handshake failed.*the client sent no certificate")


def test_client_auth_type_without_root_ca_is_said(rr, authority):
    server = rr(ssl_section(authority.folder,
                            "client_auth_type: require_and_verify_client_cert, "))
    assert server.log.find("client_auth_type: has no effect without root_ca")
    with Secure(server, authority) as client:
        assert client.get("/pid").status == 200


def s_client(server, *arguments, cwd, data=b"GET /pid HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"):
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.https_port}", "-ign_eof",
         *arguments], cwd=cwd, input=data, capture_output=True, timeout=30)


def test_openssl_s_client(rr, authority):
    server = rr(ssl_section(authority.folder, several(authority)
                            + f"root_ca: '{authority.ca}', "
                              "client_auth_type: require_and_verify_client_cert, "))
    done = s_client(server, "-CAfile", "ca.pem", "-verify_return_error", "-cert", "client.pem",
                    "-key", "client.key", "-servername", "shop.test", cwd=authority.folder)
    assert b"HTTP/1.1 200 OK" in done.stdout, done.stderr
    assert b"CN = shop" in done.stdout or b"CN=shop" in done.stdout
    refused = s_client(server, "-CAfile", "ca.pem", cwd=authority.folder)
    assert b"HTTP/1.1" not in refused.stdout


@pytest.mark.parametrize("how", [("-tls1_2",), ("-tls1_2", "-no_ticket"), ("-tls1_3",)])
def test_sessions_resume(rr, authority, how):
    server = rr(ssl_section(authority.folder))
    done = s_client(server, *how, "-reconnect", "-CAfile", "ca.pem", cwd=authority.folder)
    if how != ("-tls1_3",):
        assert done.stdout.count(b"Reused, TLSv1.2") == 5, done.stdout[-2000:]
        return
    # -reconnect comes before a ticket of TLS 1.3 has arrived: one that was read is written out.
    kept = authority.folder / "session"
    s_client(server, "-tls1_3", "-sess_out", str(kept), cwd=authority.folder)
    again = s_client(server, "-tls1_3", "-sess_in", str(kept), cwd=authority.folder)
    assert b"Reused, TLSv1.3" in again.stdout
    assert b"HTTP/1.1 200 OK" in again.stdout


@pytest.mark.parametrize("suite, served", [
    ("ECDHE-ECDSA-AES128-GCM-SHA256", True), ("ECDHE-ECDSA-CHACHA20-POLY1305", True),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", True), ("ECDHE-ECDSA-AES128-SHA", False),
    ("ECDHE-ECDSA-AES256-SHA384", False)])
def test_suites(rr, authority, suite, served):
    server = rr(ssl_section(authority.folder))
    done = s_client(server, "-tls1_2", "-cipher", suite, cwd=authority.folder)
    assert (b"HTTP/1.1 200 OK" in done.stdout) == served


@pytest.mark.parametrize("version", ["-tls1", "-tls1_1"])
def test_older_versions_are_refused(rr, authority, version):
    server = rr(ssl_section(authority.folder))
    done = s_client(server, version, "-cipher", "ALL:@SECLEVEL=0", cwd=authority.folder)
    assert b"HTTP/1.1" not in done.stdout
    server.log.wait("handshake failed.*no shared protocol version")


# -- files that change ---------------------------------------------------------------------------


@pytest.fixture
def live(authority, tmp_path):
    """A copy of the server's files, and how to put others in their place."""
    place = tmp_path / "live"
    place.mkdir()

    def put(name):
        for kind in ("pem", "key"):
            shutil.copy(authority.folder / f"{name}.{kind}", place / f"new.{kind}")
            os.rename(place / f"new.{kind}", place / f"server.{kind}")
    put("server")
    place_and = type("Live", (), {"place": place, "put": staticmethod(put)})
    return place_and


def given(server, authority):
    with Secure(server, authority) as client:
        return client.certificate()


def test_sighup_takes_new_certificates_and_keeps_connections(rr, authority, live):
    server = rr(ssl_section(live.place, "watch: 0, "))
    with Secure(server, authority) as old:
        assert old.get("/pid").status == 200
        (live.place / "server.pem").write_text("no certificate at all")
        server.signal(signal.SIGHUP)
        server.log.wait("reload failed.*server.pem: no certificate in PEM form")
        assert given(server, authority) == der(authority, "server")
        live.put("next")
        assert given(server, authority) == der(authority, "server")
        server.signal(signal.SIGHUP)
        process.eventually(lambda: given(server, authority) == der(authority, "next"),
                           what="the new certificate")
        assert old.get("/pid").status == 200
        assert old.certificate() == der(authority, "server")


def test_a_reset_takes_new_certificates(rr, authority, live):
    server = rr(ssl_section(live.place, "watch: 0, "))
    with Secure(server, authority) as old:
        live.put("next")
        server.signal(signal.SIGUSR1)
        server.log.wait("certificates were read anew")
        process.eventually(lambda: given(server, authority) == der(authority, "next"),
                           what="the new certificate")
        assert old.get("/pid").status == 200


def test_replaced_files_are_noticed(rr, authority, live):
    server = rr(ssl_section(live.place, WATCH))
    with Secure(server, authority) as old:
        since = server.log.mark()
        (live.place / "server.key").write_text("half a ke")
        server.log.wait("certificates can't be used.*server.key", since=since)
        assert given(server, authority) == der(authority, "server")
        live.put("next")
        server.log.wait("certificates were read anew", since=since)
        assert given(server, authority) == der(authority, "next")
        assert old.get("/pid").status == 200


def test_a_link_that_points_elsewhere_is_noticed(rr, authority, live, tmp_path):
    link = tmp_path / "current"
    link.symlink_to(live.place)
    server = rr(ssl_section(link, WATCH))
    since = server.log.mark()
    other = tmp_path / "other"
    other.mkdir()
    for kind in ("pem", "key"):
        shutil.copy(authority.folder / f"next.{kind}", other / f"server.{kind}")
    (tmp_path / "new").symlink_to(other)
    os.rename(tmp_path / "new", link)
    server.log.wait("certificates were read anew", since=since)
    assert given(server, authority) == der(authority, "next")


# -- those who speak something else --------------------------------------------------------------


def plain(server, data, finish=True):
    with RawConnection(("127.0.0.1", server.https_port)) as client:
        try:
            client.send(data)
            if finish:
                client.finish_sending()
            return client.read_to_end()
        except OSError:
            return b""  # reset


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "PUT"])
def test_plain_http_gets_a_text(rr, authority, method):
    server = rr(ssl_section(authority.folder))
    assert plain(server, f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode(), finish=False) == (
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
    with Secure(server, authority) as client:
        assert client.get("/pid").status == 200


@pytest.mark.parametrize("data", [
    b"\0" * 100, b"\xff" * 70_000, b"SSH-2.0-OpenSSH_9.2\r\n", b"\x16\x03\x01\xff\xff" + b"z" * 99,
    b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n", b"",
    bytes(range(256)) * 40],
    ids=["zeros", "ones", "ssh", "record", "hello", "proxy", "nothing", "all bytes"])
def test_garbage(rr_module_https, authority, data):
    server = rr_module_https
    for _ in range(3):
        assert b"HTTP" not in plain(server, data)
    with Secure(server, authority) as client:
        assert client.get("/pid").status == 200


@pytest.fixture(scope="module")
def rr_module_https(rr_module, authority):
    return rr_module(ssl_section(authority.folder))


def hello(authority):
    """A whole ClientHello, from Python's ssl."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context(authority).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_a_hello_that_is_cut_anywhere(rr_module_https, authority):
    server, data = rr_module_https, hello(authority)
    for cut in range(0, len(data), 7):
        plain(server, data[:cut])
    for at in range(0, len(data), 11):
        broken = bytearray(data)
        broken[at] ^= 0xff
        plain(server, bytes(broken))
    with Secure(server, authority) as client:
        assert client.get("/pid").status == 200


def test_a_hello_byte_by_byte(rr, authority):
    server = rr(ssl_section(authority.folder))
    with RawConnection(("127.0.0.1", server.https_port)) as client:
        for byte in hello(authority):
            client.send(bytes([byte]))
        assert client.receive(5)[:3] == b"\x16\x03\x03"


def test_damage_after_the_handshake_ends_that_connection(rr, authority):
    server = rr(ssl_section(authority.folder))
    with Secure(server, authority) as other:
        with Secure(server, authority) as client:
            raw = socket.socket(fileno=os.dup(client.socket.fileno()))
            raw.settimeout(10)
            raw.sendall(b"\x17\x03\x03\x00\x20" + b"z" * 32)
            try:
                while raw.recv(4096):
                    pass
            except OSError:
                pass
            raw.close()
        assert other.get("/pid").status == 200


def test_slow_handshakes_end_by_timeouts_header(rr, authority):
    server = rr(ssl_section(authority.folder, http="timeouts: {header: 300ms}, "))
    with RawConnection(("127.0.0.1", server.https_port)) as silent, \
            RawConnection(("127.0.0.1", server.https_port)) as half:
        half.send(hello(authority)[:50])
        assert silent.read_to_end() == b""
        assert half.read_to_end() == b""
        server.log.wait("handshake failed.*took too long")
    with Secure(server, authority) as client:  # and a head after it
        client.send(b"GET / HTTP/1.1\r\n")
        assert client.read_response().status == 408


def test_many_handshakes_that_never_end_hold_up_nobody(rr, authority):
    server = rr(ssl_section(authority.folder))
    crowd = [RawConnection(("127.0.0.1", server.https_port)) for _ in range(200)]
    for client in crowd[::2]:
        client.send(b"\x16\x03\x01\x02\x00")
    with Secure(server, authority) as client:
        assert client.get("/pid").status == 200
    for client in crowd:
        client.abort()
    with Secure(server, authority) as client:
        assert client.get("/pid").status == 200


def test_strangers_do_not_flood_the_log(rr, authority):
    server = rr(ssl_section(authority.folder))
    for _ in range(100):
        plain(server, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", finish=False)
    with Secure(server, authority) as client:
        assert client.get("/pid").status == 200
    assert server.log.count("WARN.*handshake failed") == 0
    assert server.log.count("handshake failed") < 10


# -- stop ----------------------------------------------------------------------------------------


def test_a_stop_finishes_what_runs(rr, authority):
    server = rr(ssl_section(authority.folder))
    with Secure(server, authority) as busy, Secure(server, authority) as idle, \
            RawConnection(("127.0.0.1", server.https_port)) as silent:
        assert idle.get("/pid").status == 200
        busy.send(request_bytes("GET", "/sleep?ms=700", host="a"))
        process.eventually(lambda: server.log.count("http log") >= 1, what="the idle one's record")
        server.signal(signal.SIGTERM)
        answer = busy.read_response()
        assert answer.status == 200
        assert answer.header("connection") == "close"
        assert idle.read_to_end() == b""
        assert silent.read_to_end() == b""
        assert server.wait() == 0


def test_a_reexec_keeps_the_port(rr, authority):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = rr(ssl_section(authority.folder).replace("ssl: {address: '127.0.0.1:0'",
                                                      f"ssl: {{address: '127.0.0.1:{port}'"))
    since = server.log.mark()
    server.signal(signal.SIGUSR2)
    server.log.wait("server started", since=since)
    with Secure(server, authority) as client:
        assert client.get("/pid").status == 200


def test_a_reexec_is_refused_while_a_certificate_is_broken(rr, authority, live):
    server = rr(ssl_section(live.place, "watch: 0, "))
    (live.place / "server.pem").write_text("nothing")
    server.signal(signal.SIGUSR2)
    server.log.wait("restart refused.*server.pem|server.pem: no certificate in PEM form")
    with Secure(server, authority) as client:
        assert client.get("/pid").status == 200


# -- what is wrong with the configuration --------------------------------------------------------


def test_rr_check_looks_into_the_files(rr, authority):
    server = rr("http: {ssl: {cert: '%s/server.pem', key: '%s/client.key'}}"
                % (authority.folder, authority.folder), command="check", expect_fail=True)
    assert server.code == 1
    assert "the key of another certificate" in server.log.text()


@pytest.mark.parametrize("more, said", [
    ("ssl: {cert: nowhere.pem, key: KEY}", "cert file 'nowhere.pem' does not exists"),
    ("ssl: {cert: CERT, key: nowhere.key}", "key file 'nowhere.key' does not exists"),
    ("ssl: {cert: CERT}", "http.ssl.key: missing"),
    ("ssl: {cert: CERT, key: KEY, root_ca: nowhere}", "root_ca file 'nowhere' does not exists"),
    ("ssl: {cert: CERT, key: OTHER}", "client.key: the key of another certificate"),
    ("ssl: {cert: CERT, key: LOCKED}", "the key has a passphrase"),
    ("ssl: {cert: KEY, key: KEY}", "no certificate in PEM form"),
    ("ssl: {cert: CERT, key: CERT}", "no private key in PEM form"),
    ("ssl: {acme: {email: a@b.c, domains: [a.b]}}", "http.ssl.acme: not served"),
    ("ssl: {cert: CERT, key: KEY, client_auth_type: perhaps}", "client_auth_type"),
    ("ssl: {cert: CERT, key: KEY, address: nowhere}", "malformed http server address"),
    ("ssl: {cert: CERT, key: KEY, certificates: [{cert: CERT}]}", "key: missing"),
    ("ssl: {address: ':0'}", "no method has been specified"),
    ("proxy_protocol: {listen: true, trusted: [10.0.0.0/64]}, address: ':0'", "10.0.0.0/64")])
def test_what_is_wrong_is_said(rr, authority, more, said):
    place = authority.folder
    if not (place / "locked.key").exists():
        subprocess.run(["openssl", "pkey", "-in", "server.key", "-aes128", "-passout", "pass:x",
                        "-out", "locked.key"], cwd=place, check=True, timeout=60)
    for word, file in (("CERT", "server.pem"), ("KEY", "server.key"), ("OTHER", "client.key"),
                       ("LOCKED", "locked.key")):
        more = re.sub(rf"\b{word}\b", f"'{place}/{file}'", more)
    server = rr(f"http: {{{more}, pool: {{num_workers: 1}}}}", expect_fail=True)
    assert server.code == 1
    assert said in server.log.text()


def test_acme_beside_a_certificate_is_a_warning(rr, authority):
    server = rr(ssl_section(authority.folder, "acme: {email: a@b.c, domains: [a.b]}, "))
    assert server.log.find("http.ssl.acme: not served")
    with Secure(server, authority) as client:
        assert client.get("/pid").status == 200


def test_an_address_in_use_is_said(rr, authority):
    first = rr(ssl_section(authority.folder))
    server = rr(ssl_section(authority.folder).replace(
        "ssl: {address: '127.0.0.1:0'", f"ssl: {{address: '127.0.0.1:{first.https_port}'"),
        expect_fail=True)
    assert server.code == 1
    assert str(first.https_port) in server.log.text()


# -- ssl.redirect --------------------------------------------------------------------------------


def test_redirect(rr, authority):
    server = rr(ssl_section(authority.folder, "redirect: true, "))
    port = server.https_port
    answer = server.get("/a/b?x=1&y", headers=[])
    location = f"https://127.0.0.1:{port}/a/b?x=1&y"
    assert answer.status == 308
    assert answer.header("location") == location
    assert answer.header("strict-transport-security") == (
        "max-age=31536000; includeSubDomains; preload")
    assert answer.header("content-type") == "text/html; charset=utf-8"
    assert answer.body == (f'<a href="{location.replace("&", "&amp;")}">Permanent Redirect</a>.\n\n'
                           ).encode()
    head = server.request("HEAD", "/x")
    assert (head.status, head.body) == (308, b"")
    post = server.post("/form", b"a=1" * 1000)
    assert (post.status, post.body) == (308, b"")
    assert server.log.count("http log") == 0
    with Secure(server, authority) as client:
        answer = client.get("/pid")
        assert answer.status == 200
        assert answer.header("strict-transport-security") is None
    with server.open() as client:  # and the connection goes on
        for _ in range(3):
            client.send(request_bytes("GET", "/", host="a"))
            assert client.read_response().status == 308


def test_redirect_comes_before_middlewares(rr, authority):
    server = rr(ssl_section(authority.folder, "redirect: true, ",
                            http="middleware: [headers], headers: {response: {X-Mine: 1}}, "))
    assert server.get("/").header("x-mine") is None


def test_redirect_over_h2c(rr, authority):
    server = rr(ssl_section(authority.folder, "redirect: true, ", http="http2: {h2c: true}, "))
    with Http2(server.address) as client:
        answer = client.get("/x", authority="site.test:81")
        assert answer.status == 308
        assert answer.header("location") == f"https://site.test:{server.https_port}/x"


def test_other_codes_and_hsts(rr, authority):
    server = rr(ssl_section(authority.folder,
                            "redirect: true, redirect_code: 307, hsts: 'max-age=60', "))
    assert server.get("/").status == 307
    with Secure(server, authority) as client:
        for target in ("/pid", "/error?text=x", "/stream?n=2", "/early-hints"):
            client.send(request_bytes("GET", target, host="a"))
            while (answer := client.read_response()).status < 200:
                pass
            assert answer.all("strict-transport-security") == ["max-age=60"], target
        own = client.get("/headers?Strict-Transport-Security=own")
        assert own.all("strict-transport-security") == ["own"]


def test_a_configuration_of_1x(rr, authority):
    server = rr(f"""
        http:
          address: 127.0.0.1:0
          ssl: {{port: 0, redirect: true, cert: '{authority.folder}/server.pem',
                key: '{authority.folder}/server.key', rootCa: '{authority.ca}'}}
          workers: {{command: "php @WORKERS@/legacy.php", pool: {{numWorkers: 1}}}}
        rpc: {{enable: false}}
        """, verbatim=True)
    answer = server.get("/x")
    assert answer.status == 307
    assert answer.header("location") == f"https://127.0.0.1:{server.https_port}/x"
    with Secure(server, authority) as client:
        answer = client.get("/")
        assert answer.status == 200
        assert "max-age=31536000" in answer.header("strict-transport-security")


# -- http.proxy_protocol -------------------------------------------------------------------------

V1 = b"PROXY TCP4 203.0.113.7 10.0.0.1 40000 443\r\n"
V2 = (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + socket.inet_aton("203.0.113.7")
      + socket.inet_aton("10.0.0.1") + struct.pack(">HH", 40000, 443))
LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"
PROXY = "proxy_protocol: {listen: true}, "


@pytest.mark.parametrize("header, address", [
    (V1, "203.0.113.7"), (V2, "203.0.113.7"), (LOCAL, "127.0.0.1"),
    (b"PROXY TCP6 2001:db8::1 ::1 40000 443\r\n", "2001:db8::1"),
    (b"PROXY UNKNOWN\r\n", "127.0.0.1")])
def test_proxy_header(rr, authority, header, address):
    server = rr(ssl_section(authority.folder, http=PROXY))
    with server.open() as client:
        client.send(header + request_bytes("GET", "/show", host="a"))
        assert client.read_response().json()["remoteAddr"] == address
        client.send(request_bytes("GET", "/show", host="a"))
        assert client.read_response().json()["remoteAddr"] == address
    with server.open() as client:
        for byte in header:
            client.send(bytes([byte]))
        client.send(request_bytes("GET", "/show", host="a"))
        assert client.read_response().json()["remoteAddr"] == address
    with Secure(server, authority, before=header) as client:
        assert client.get("/show").json()["remoteAddr"] == address
    if address == "203.0.113.7":
        server.log.wait(r"http log.*203\.0\.113\.7:40000")


def test_proxy_header_and_tls_in_one_packet(rr, authority):
    server = rr(ssl_section(authority.folder, http=PROXY))
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context(authority).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with RawConnection(("127.0.0.1", server.https_port)) as raw:
        before = V2
        while True:
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                raw.send(before + outgoing.read())
                before = b""
                incoming.write(raw.receive())
        client.write(request_bytes("GET", "/show", host="a"))
        raw.send(outgoing.read())
        seen = b""
        while b"203.0.113.7" not in seen:
            incoming.write(raw.receive())
            try:
                seen += client.read(65536)
            except ssl.SSLWantReadError:
                pass


def test_h2c_behind_a_proxy_header(rr):
    server = rr("http: {address: '127.0.0.1:0', http2: {h2c: true}, " + PROXY
                + "pool: {num_workers: 1}}")

    def wrap(raw):
        raw.sendall(V1)
        return raw
    with Http2(server.address, wrap=wrap) as client:
        assert json.loads(client.get("/show").body)["remoteAddr"] == "203.0.113.7"


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"PROXY TCP9 a b\r\n",
                                  b"PROXY " + b"x" * 200, b"\r\n\r\n\0\r\nQUIT\n\xff\xff\0\0"])
def test_without_a_proxy_header_the_connection_is_closed(rr, data):
    server = rr("http: {address: '127.0.0.1:0', " + PROXY + "pool: {num_workers: 1}}")
    with server.open() as client:
        client.send(data)
        assert client.read_to_end() == b""
    server.log.wait("handshake failed")


def test_a_proxy_header_that_does_not_come(rr):
    server = rr("http: {address: '127.0.0.1:0', timeouts: {header: 300ms}, " + PROXY
                + "pool: {num_workers: 1}}")
    with server.open() as client:
        client.send(b"PROX")
        assert client.read_to_end() == b""
    server.log.wait("handshake failed.*PROXY header did not come in time")


def test_trusted_senders_only(rr):
    server = rr("http: {address: '127.0.0.1:0', proxy_protocol: {listen: true, "
                "trusted: [127.0.0.2/32, '::1']}, pool: {num_workers: 1}}")
    with server.open() as client:  # 127.0.0.1 speaks for itself
        client.send(request_bytes("GET", "/show", host="a"))
        assert client.read_response().json()["remoteAddr"] == "127.0.0.1"
    with server.open() as client:
        client.send(V1 + request_bytes("GET", "/show", host="a"))
        assert client.read_response().status == 400
    raw = socket.create_connection(server.address, 10, source_address=("127.0.0.2", 0))
    with raw:
        raw.sendall(V1 + request_bytes("GET", "/show", [("Connection", "close")], host="a"))
        seen = b""
        while data := raw.recv(65536):
            seen += data
    assert b'"remoteAddr":"203.0.113.7"' in seen


def test_proxy_header_on_a_unix_socket(rr, tmp_path):
    path = tmp_path / "rr.sock"
    server = rr(f"http: {{address: 'unix://{path}', proxy_protocol: {{listen: true, "
                "trusted: [10.0.0.0/8]}, pool: {num_workers: 1}}")
    with server.open(address=str(path)) as client:
        client.send(V1 + request_bytes("GET", "/show", host="a"))
        assert client.read_response().json()["remoteAddr"] == "203.0.113.7"


def test_handshakes_under_load_while_certificates_change(rr, authority, live):
    server = rr(ssl_section(live.place, "watch: 20ms, "))
    failed, stop = [], threading.Event()

    def run():
        while not stop.is_set():
            try:
                with Secure(server, authority) as client:
                    assert client.get("/pid").status == 200
            except (OSError, AssertionError) as error:
                failed.append(error)
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for name in ("next", "server") * 3:
            since = server.log.mark()
            live.put(name)
            if name == "next":
                server.signal(signal.SIGHUP)
            server.log.wait("certificates (were read anew|can't be used)|files are opened", since=since)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failed == []
    assert pathlib.Path(live.place, "server.pem").exists()
