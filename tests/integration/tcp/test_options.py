"""What tcp.servers.<name> may say beyond the reference, UDP, and real clients: socat, openssl."""

import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import zlib

import pytest

from harness import process
from harness.control import Pages
from harness.load import Background
from harness.tcp import Connection, Udp


def main(options, addr="127.0.0.1:0"):
    return f"main: {{addr: '{addr}', {options}}}"


def closed_once(server, who):
    """The names of the events of a connection that ended; one CLOSE and it is the last."""
    server.events.wait_closed(who)
    names = server.events.names(who)
    assert names.count("CLOSE") == 1 and names[-1] == "CLOSE", names
    return names


# -- framing ------------------------------------------------------------------------------------


def test_raw_every_read_is_an_event(tcp):
    server = tcp(main("framing: raw"))
    with server.connect() as client:
        for data in (b"a", b"\r\n", b"no end", b"two\r\nlines\r\n", bytes(range(256))):
            client.send(data).expect(data)
        assert server.events.bodies(client) == [
            b"a", b"\r\n", b"no end", b"two\r\nlines\r\n", bytes(range(256))]
        client.finish_sending()
        assert client.rest() == b""
        assert closed_once(server, client) == ["CONNECTED"] + ["DATA"] * 5 + ["CLOSE"]


def test_raw_carries_much(tcp):
    server = tcp(main("framing: raw"), pool="num_workers: 2", env={"TCP_EVENTS": "/dev/null"})
    body = b"0123456789abcdef" * 200_000
    with server.connect() as client:
        sender = Background(client.send, body)
        client.expect(body)
        sender.result()


def packet(size, little, length_bytes, inclusive=False):
    """A header and a body of `size` bytes."""
    code = {1: "B", 2: "H", 4: "I", 8: "Q"}[length_bytes]
    stated = size + (length_bytes if inclusive else 0)
    return struct.pack(("<" if little else ">") + code, stated) + bytes(
        (number * 7) % 251 for number in range(size))


@pytest.mark.parametrize("inclusive", [False, True], ids=["body", "whole"])
@pytest.mark.parametrize("endian", ["big", "little"])
@pytest.mark.parametrize("length_bytes", [1, 2, 4, 8])
def test_length_prefixed_messages(tcp, length_bytes, endian, inclusive):
    """The header is part of the message; each message is an event of its own."""
    server = tcp(main(f"framing: length, length_bytes: {length_bytes}, endian: {endian}, "
                      f"length_includes_header: {str(inclusive).lower()}"))
    packets = [packet(size, endian == "little", length_bytes, inclusive)
               for size in (5, 0, 1, 200)]
    with server.connect() as client:
        client.send(packets[0]).expect(packets[0])
        for byte in packets[2]:
            client.send(bytes([byte]))
        client.expect(packets[2])
        client.send(b"".join(packets)).expect(b"".join(packets))
        assert server.events.bodies(client) == [packets[0], packets[2], *packets]


def test_length_defaults(tcp):
    """length_bytes 4, big endian, the header not counted: what most protocols do."""
    server = tcp(main("framing: length"))
    with server.connect() as client:
        client.send(b"\0\0\0\3abc\0\0\0\1x").expect(b"\0\0\0\3abc\0\0\0\1x")
        assert server.events.bodies(client) == [b"\0\0\0\3abc", b"\0\0\0\1x"]


def test_a_large_message_by_length(tcp):
    server = tcp(main("framing: length, length_bytes: 4"), on={"DATA": {"main": "sum"}})
    body = packet(3_000_000, False, 4)
    with server.connect() as client:
        Background(client.send, body).result()
        answer = f"{len(body)} {zlib.crc32(body):08x}".encode()
        client.expect(answer)


@pytest.mark.parametrize("header", [b"\xff" * 8, b"\0" * 7 + b"\1", b"\x7f" + b"\xff" * 7])
def test_a_length_that_cannot_be_is_the_end(tcp, header):
    """Beyond any limit, or shorter than the header that it includes."""
    server = tcp(main("framing: length, length_bytes: 8, length_includes_header: true"))
    with server.connect() as client:
        mark = server.log.mark()
        assert client.send(header + b"abc").rest() == b""
        assert closed_once(server, client) == ["CONNECTED", "CLOSE"]
        server.log.wait(r"\btcp\b", since=mark)


def test_half_a_message_and_fin_is_an_event_as_with_delimiters(tcp):
    """A tail is delivered, whatever the framing; the worker sees that it is short."""
    server = tcp(main("framing: length"))
    with server.connect() as client:
        client.send(b"\0\0\0\5ab")
        client.finish_sending()
        client.rest()
        assert closed_once(server, client) in (["CONNECTED", "DATA", "CLOSE"],
                                               ["CONNECTED", "CLOSE"])


def test_fixed_size_messages(tcp):
    server = tcp(main("framing: fixed, size: 5"))
    with server.connect() as client:
        client.send(b"12345").expect(b"12345")
        client.segment(b"ab").send(b"cdefghijkl").expect(b"abcdefghij")
        client.send(b"mno").expect(b"klmno")
        assert server.events.bodies(client) == [b"12345", b"abcde", b"fghij", b"klmno"]


# -- split --------------------------------------------------------------------------------------


def test_split_gives_each_message_its_event(tcp, plain):
    server = tcp(main("split: true"), plain=plain)
    with server.connect() as client:
        client.send(b"one\r\ntwo\r\n\r\nthr").expect(b"one\r\ntwo\r\n\r\n")
        client.send(b"ee\r").send(b"\n").expect(b"three\r\n")
        client.send(b"tail")
        client.finish_sending()
        assert client.rest() == b"tail"
        closed_once(server, client)
        assert server.events.bodies(client) == [
            b"one\r\n", b"two\r\n", b"\r\n", b"three\r\n", b"tail"]


def test_split_answers_one_message_after_the_other(tcp, gate):
    server = tcp(main("split: true"), pool="num_workers: 2", gate=gate)
    with server.connect() as client:
        client.send(b"hold a\r\nwrite b\r\nbye c\r\nnever seen\r\n")
        gate.begun("a")
        server.probe()
        assert server.events.bodies(client) == [b"hold a\r\n"]
        gate.open("a")
        assert client.rest() == b"held a\r\nb\r\nc\r\n"
        assert closed_once(server, client) == ["CONNECTED", "DATA", "DATA", "DATA", "CLOSE"]


def test_split_with_a_long_delimiter(tcp):
    server = tcp(main('split: true, delimiter: "\\r\\n.\\r\\n"'))
    message = b"line\r\n..\r\n.\r\n"
    with server.connect() as client:
        for at in range(len(message)):
            if at:
                client.segment(message[:at])
            client.send(message[at:] + message).expect(message * 2)
        assert set(server.events.bodies(client)) == {message}


def test_split_stands_beside_servers_that_do_not(tcp):
    server = tcp("one: {addr: '127.0.0.1:0', split: true}\ntwo: {addr: '127.0.0.1:0'}")
    with server.connect("one") as one, server.connect("two") as two:
        one.send(b"a\r\nb\r\n").expect(b"a\r\nb\r\n")
        two.send(b"a\r\nb\r\n").expect(b"a\r\nb\r\n")
        assert server.events.bodies(one) == [b"a\r\n", b"b\r\n"]
        assert server.events.bodies(two) == [b"a\r\nb\r\n"]


# -- limits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("framing, good, bad", [
    ("framing: delimiter", b"x" * 98 + b"\r\n", b"x" * 200),
    ("framing: delimiter", b"x" * 98 + b"\r\n", b"x" * 99 + b"\r\n"),
    ("framing: delimiter, split: true", b"x" * 98 + b"\r\n", b"x" * 200),
    ("framing: length, length_bytes: 2", b"\0\x62" + b"x" * 98, b"\0\x63" + b"x" * 99),
    ("framing: length, length_bytes: 2", b"\0\x62" + b"x" * 98, b"\xff\xff")])
def test_max_message_size(tcp, framing, good, bad):
    server = tcp(main(f"max_message_size: 100, {framing}"))
    with server.connect() as client:
        client.send(good).expect(good)
        mark = server.log.mark()
        assert client.send(bad).rest() == b""
        assert closed_once(server, client) == ["CONNECTED", "DATA", "CLOSE"]
        server.log.wait(r"(?i)max.message.size|too (large|long)", since=mark)
        assert good in server.events.bodies(client)
    with server.connect() as client:
        client.send(good).expect(good)


def test_max_message_size_takes_units(tcp):
    server = tcp(main("max_message_size: 64KB"), on={"DATA": {"main": "sum"}})
    with server.connect() as client:
        client.send(b"y" * 60_000 + b"\r\n")
        assert client.line().startswith(b"60002 ")
        assert client.send(b"y" * 70_000).rest() == b""


def test_max_connections(tcp):
    server = tcp("main: {addr: '127.0.0.1:0', max_connections: 3}\nother: {addr: '127.0.0.1:0'}")
    clients = [server.connect() for _ in range(3)]
    for client in clients:
        client.send(b"hello\r\n").expect(b"hello\r\n")
    mark = server.log.mark()
    with server.connect() as refused:
        assert refused.rest() == b""
        server.log.wait(r"(?i)max.connections|too many connections", since=mark)
        assert server.events.names(refused) == []
    server.probe("other")  # each server has its own limit
    gone = clients.pop()
    name = gone.name
    gone.close()
    closed_once(server, name)

    def is_served():
        with server.connect() as client:
            return client.send(b"write yes\r\n").receive() == b"yes\r\n"
    process.eventually(is_served, 5, "a free place")
    for client in clients:
        client.send(b"hello\r\n").expect(b"hello\r\n")
        client.close()


def test_idle_timeout(tcp):
    server = tcp(main("idle_timeout: 400ms"))
    with server.connect() as client, server.connect() as half:
        client.send(b"hello\r\n").expect(b"hello\r\n")
        half.segment(b"half a line")
        assert client.rest() == b"" and half.rest() == b""
        assert closed_once(server, client) == ["CONNECTED", "DATA", "CLOSE"]
        assert closed_once(server, half) == ["CONNECTED", "CLOSE"]
        server.log.wait("(?i)idle")


def test_idle_timeout_begins_anew_with_each_byte(tcp):
    server = tcp(main("idle_timeout: 900ms"))
    with server.connect() as client:
        for byte in b"abcdef":
            client.socket.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.socket.recv(1)
            client.send(bytes([byte]))
        client.socket.settimeout(10)
        client.send(b"\r\n").expect(b"abcdef\r\n")


def test_a_running_event_is_not_idle(tcp, gate):
    server = tcp(main("idle_timeout: 300ms"), pool="num_workers: 2", gate=gate)
    with server.connect() as client, server.connect() as other:
        client.send(b"hold a\r\n")
        gate.begun("a")
        assert other.rest() == b""  # the timeout has passed
        gate.open("a")
        client.expect(b"held a\r\n")


def test_write_timeout(tcp):
    server = tcp(main("write_timeout: 500ms"))
    client = server.connect(receive_buffer=4096)
    name = client.name
    client.send(b"big 30000000\r\n")
    events = server.events.wait_closed(name)
    assert [each["event"] for each in events] == ["CONNECTED", "DATA", "CLOSE"]
    server.log.wait(r"(?i)write")
    assert len(client.read_to_end()) < 30_000_000
    client.close()


def test_a_slow_reader_is_no_write_timeout(tcp):
    """What the client takes counts, not what the kernel's buffer lets the server write."""
    server = tcp(main("write_timeout: 700ms"))
    with server.connect(receive_buffer=4096) as client:
        client.send(b"big 12000000\r\n")
        got = 0
        waiting, silent = socket.socketpair()
        waiting.settimeout(0.1)
        for _ in range(20):  # two seconds
            got += len(client.socket.recv(4096))
            with pytest.raises(TimeoutError):
                waiting.recv(1)
        waiting.close()
        silent.close()
        client.hurry().read(12_000_000 - got)
        client.send(b"hello\r\n").expect(b"hello\r\n")


# -- affinity, addresses ------------------------------------------------------------------------


def test_affinity_keeps_a_connection_on_its_worker(tcp):
    server = tcp(main("affinity: connection"), pool="num_workers: 3")

    def client(_):
        with server.connect(timeout=30) as connection:
            return {connection.ask("pid") for _ in range(40)}
    pids = [each.result(60) for each in [Background(client, number) for number in range(12)]]
    assert all(len(each) == 1 for each in pids)
    assert len(set.union(*pids)) > 1
    by_uuid = {}
    for event in server.events.wait(lambda seen: sum(
            each["event"] == "CLOSE" for each in seen) == 12):
        by_uuid.setdefault(event["uuid"], set()).add(event["pid"])
    assert all(len(each) == 1 for each in by_uuid.values())  # CONNECTED and CLOSE as well


def test_affinity_waits_for_its_worker_and_outlives_it(tcp, gate):
    server = tcp(main("affinity: connection"), pool="num_workers: 2", gate=gate)
    with server.connect() as client:
        pid = int(client.ask("pid"))
        server.wait_idle()
        os.kill(pid, signal.SIGKILL)
        server.rr.wait_workers(lambda pids: len(pids) == 2 and pid not in pids)
        after = {client.ask("pid") for _ in range(20)}
        assert len(after) == 1 and str(pid) not in after


def test_remote_addr_host_has_no_port(tcp):
    server = tcp("four: {addr: '127.0.0.1:0', remote_addr: host}\n"
                 "six: {addr: '[::1]:0', remote_addr: host}\n"
                 "port: {addr: '127.0.0.1:0', remote_addr: host_port}\n"
                 "path: {addr: 'unix://s.sock', remote_addr: host}")
    shown = {}
    for name in ("four", "six", "port", "path"):
        with server.connect(name) as client:
            client.send(b"x\r\n").expect(b"x\r\n")
            shown[name] = server.events.all()[-1]["remote_addr"]
            if name == "port":
                assert shown[name] == client.name
    assert (shown["four"], shown["six"], shown["path"]) == ("127.0.0.1", "::1", "@")


def test_unix_sockets(tcp, tmp_path):
    path = tmp_path / "a.sock"
    server = tcp(f"main: {{addr: 'unix://{path}'}}")
    assert server.address() == str(path)
    with server.connect() as client:
        client.send(b"x" * 100_000 + b"\r\n").expect(b"x" * 100_000 + b"\r\n")
        client.send(b"tail")
        client.finish_sending()
        assert client.rest() == b"tail"


# -- the PROXY protocol -------------------------------------------------------------------------

V2 = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command, family, addresses, more=b""):
    rest = addresses + more
    return V2 + struct.pack(">BBH", 0x20 | command, family, len(rest)) + rest


V4 = socket.inet_aton("203.0.113.7") + socket.inet_aton("192.0.2.1") + struct.pack(">HH", 40000, 25)
V6 = (socket.inet_pton(socket.AF_INET6, "2001:db8::1")
      + socket.inet_pton(socket.AF_INET6, "2001:db8::2") + struct.pack(">HH", 40001, 25))


@pytest.mark.parametrize("header, shown", [
    (b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 25\r\n", "203.0.113.7:40000"),
    (b"PROXY TCP6 2001:db8::1 2001:db8::2 40001 25\r\n", "[2001:db8::1]:40001"),
    (b"PROXY UNKNOWN\r\n", None), (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
    (v2(1, 0x11, V4), "203.0.113.7:40000"), (v2(1, 0x21, V6), "[2001:db8::1]:40001"),
    (v2(1, 0x11, V4, b"\x04\0\3abc"), "203.0.113.7:40000"), (v2(0, 0, b""), None)])
def test_proxy_protocol_names_the_client(tcp, header, shown):
    server = tcp(main("proxy_protocol: true"))
    with server.connect() as client:
        client.send(header + b"hello\r\n").expect(b"hello\r\n")
        events = server.events.all()
        assert {each["remote_addr"] for each in events} == {shown or client.name}
        assert [each["body"] for each in events] == [b"", b"hello\r\n"]
        uuid = events[0]["uuid"]
    assert closed_once(server, uuid) == ["CONNECTED", "DATA", "CLOSE"]


@pytest.mark.parametrize("header", [b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 25\r\n",
                                    v2(1, 0x11, V4)])
def test_a_proxy_header_may_come_in_pieces(tcp, header):
    server = tcp(main("proxy_protocol: true"))
    with server.connect() as client:
        for byte in header[:-1]:
            client.segment(bytes([byte]))
        assert server.events.all() == []  # nobody is announced before it is known who it is
        client.send(header[-1:] + b"hello\r\n").expect(b"hello\r\n")
        assert server.events.all()[0]["remote_addr"] == "203.0.113.7:40000"


@pytest.mark.parametrize("header", [
    b"hello\r\n", b"PROXY TCP4 203.0.113.7 192.0.2.1 40000\r\n", b"PROXY TCP4 a b c d\r\n",
    b"PROXY " + b"x" * 200 + b"\r\n", V2 + b"\x31\x11\0\x0c" + V4, v2(1, 0x11, V4[:4])])
def test_without_a_proxy_header_nobody_comes_in(tcp, header):
    server = tcp(main("proxy_protocol: true"))
    with server.connect() as client:
        assert client.send(header).rest() == b""
    server.log.wait("(?i)proxy")
    assert server.events.all() == []


def test_proxy_protocol_and_a_host_alone(tcp):
    server = tcp(main("proxy_protocol: true, remote_addr: host"))
    with server.connect() as client:
        client.send(b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 25\r\nx\r\n").expect(b"x\r\n")
        assert server.events.all()[0]["remote_addr"] == "203.0.113.7"


def test_without_the_option_a_proxy_header_is_data(tcp):
    server = tcp()
    header = b"PROXY TCP4 203.0.113.7 192.0.2.1 40000 25\r\n"
    with server.connect() as client:
        client.send(header).expect(header)
        assert server.events.all()[0]["remote_addr"] == client.name


# -- TLS ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """An authority, a server's certificate, a client's, and one that nobody trusts."""
    place = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=place, check=True, capture_output=True,
                       timeout=60)
    (place / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("ca", "stranger"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj",
                f"/CN={name}")
    for name in ("server", "client"):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-out", f"{name}.pem", "-days", "2", "-extfile", "names")
    return place


def tls(place, more=""):
    return main(f"tls: {{cert: '{place}/server.pem', key: '{place}/server.key'{more}}}")


def client_context(place, name=None, version=None):
    context = ssl.create_default_context(cafile=str(place / "ca.pem"))
    if name:
        context.load_cert_chain(place / f"{name}.pem", place / f"{name}.key")
    if version:
        context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls(tcp, certificates, version):
    server = tcp(tls(certificates), on={"CONNECTED": {"main": "write hi\r\n"}})
    with server.connect(tls=client_context(certificates, version=version)) as client:
        client.expect(b"hi\r\n").send(b"hello\r\n").expect(b"hello\r\n")
        big = b"z" * 1_000_000 + b"\r\n"
        # One thread: a TLS socket of Python's may not be read and written at the same time.
        client.send(big).expect(big)
        assert client.send(b"bye end\r\n").rest() == b"end\r\n"
        assert server.events.wait_closed(client)[0]["remote_addr"] == client.name


def test_sighup_takes_new_certificates_and_keeps_connections(tcp, certificates, tmp_path):
    for kind in ("pem", "key"):
        shutil.copy(certificates / f"server.{kind}", tmp_path / f"live.{kind}")
    server = tcp(main(f"tls: {{cert: '{tmp_path}/live.pem', key: '{tmp_path}/live.key'}}"))

    def seen():
        with server.connect(tls=client_context(certificates)) as client:
            return client.socket.getpeercert(binary_form=True)
    with server.connect(tls=client_context(certificates)) as old:
        before = seen()
        (tmp_path / "live.pem").write_text("no certificate at all")
        since = server.log.mark()
        server.rr.signal(signal.SIGHUP)
        server.log.wait("live.pem", since=since)  # said, and nothing changes
        assert seen() == before
        for kind in ("pem", "key"):
            shutil.copy(certificates / f"client.{kind}", tmp_path / f"live.{kind}")
        server.rr.signal(signal.SIGHUP)
        process.eventually(lambda: seen() != before, what="the new certificate")
        old.send(b"write still\r\n").expect(b"still\r\n")


def test_tls_half_close_and_tail(tcp, certificates):
    server = tcp(tls(certificates))
    client = server.connect(tls=client_context(certificates))
    name = client.name
    client.send(b"tail")
    try:  # close_notify, and waits for the server's
        client.socket.unwrap()
    except (ssl.SSLError, OSError):
        pass  # data came first
    client.close()
    closed_once(server, name)
    assert server.events.bodies(name) == [b"tail"]


def test_plain_text_to_a_tls_server(tcp, certificates):
    server = tcp(tls(certificates))
    with server.connect() as client:
        client.send(b"hello, is anybody there?\r\n")
        client.rest()
    server.log.wait("(?i)tls|ssl|handshake")
    assert server.events.all() == []
    with server.connect(tls=client_context(certificates)) as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")


def test_a_client_that_never_shakes_hands_holds_nothing(tcp, certificates):
    server = tcp(tls(certificates))
    silent = [server.connect() for _ in range(5)]
    with server.connect(tls=client_context(certificates)) as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")
    for each in silent:
        each.abort()
    assert {each["uuid"] for each in server.events.all()} == {server.events.all()[0]["uuid"]}


@pytest.mark.parametrize("kind, none, stranger, known", [
    ("no_client_cert", True, True, True), ("request_client_cert", True, True, True),
    ("require_any_client_cert", False, True, True),
    ("verify_client_cert_if_given", True, False, True),
    ("require_and_verify_client_cert", False, False, True)])
def test_client_certificates(tcp, certificates, kind, none, stranger, known):
    server = tcp(tls(certificates, f", root_ca: '{certificates}/ca.pem', "
                                   f"client_auth_type: {kind}"))
    for name, welcome in ((None, none), ("stranger", stranger), ("client", known)):
        before = len(server.events.all())
        context = client_context(certificates, name)
        if welcome:
            with server.connect(tls=context) as client:
                client.send(b"hello\r\n").expect(b"hello\r\n")
                name = client.name
            closed_once(server, name)
            continue
        with pytest.raises((ssl.SSLError, OSError, AssertionError)):
            with server.connect(tls=context) as client:
                client.send(b"hello\r\n").expect(b"hello\r\n")
        assert len(server.events.all()) == before


def test_tls_files_are_checked_at_start(rr, certificates):
    for cert, key, named in (("nowhere.pem", f"{certificates}/server.key", "nowhere.pem"),
                             (f"{certificates}/server.pem", "nowhere.key", "nowhere.key"),
                             (f"{certificates}/server.pem", f"{certificates}/client.key",
                              "client.key")):
        server = rr(f"tcp: {{servers: {{main: {{addr: '127.0.0.1:0', tls: {{cert: '{cert}', "
                    f"key: '{key}'}}}}}}}}", expect_fail=True)
        assert server.code == 1
        assert named in server.log.text("err")


def test_openssl_s_client(tcp, certificates):
    server = tcp(tls(certificates, f", root_ca: '{certificates}/ca.pem', "
                                   "client_auth_type: require_and_verify_client_cert"))
    host, port = server.address()
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-quiet", "-verify_return_error",
         "-CAfile", "ca.pem", "-cert", "client.pem", "-key", "client.key"],
        cwd=certificates, input=b"bye from s_client\r\n", capture_output=True, timeout=30)
    assert done.stdout == b"from s_client\r\n", done.stderr
    server.events.wait_count(1, "CLOSE")
    assert server.events.names() == ["CONNECTED", "DATA", "CLOSE"]


# -- streams ------------------------------------------------------------------------------------


def test_each_part_of_a_stream_is_written_at_once(tcp, gate, plain):
    server = tcp(gate=gate, plain=plain)
    with server.connect() as client:
        client.send(b"stream WRITE:one hold:a WRITE:two hold:b WRITE:three\r\n")
        client.expect(b"one")
        gate.begun("a")
        gate.open("a")
        client.expect(b"two")
        gate.open("b")
        client.expect(b"three")
        client.send(b"hello\r\n").expect(b"hello\r\n")


@pytest.mark.parametrize("last, said, stays", [
    ("CONTINUE:x", b"", True), ("WRITE:x", b"x", True), ("WRITECLOSE:x", b"x", False),
    ("CLOSE:x", b"", False), ("OTHER:x", b"", False)])
def test_the_last_frame_of_a_stream_decides(tcp, last, said, stays, plain):
    server = tcp(plain=plain)
    words = " ".join(f"WRITE:{number}," for number in range(50))
    parts = "".join(f"{number}," for number in range(50)).encode()
    with server.connect() as client, server.connect() as other:
        client.send(f"stream {words} {last}\r\n".encode())
        if stays:
            client.expect(parts + said).send(b"hello\r\n").expect(b"hello\r\n")
            client.finish_sending()
        assert client.rest() == (b"" if stays else parts + said)
        closed_once(server, client)
        other.send(b"mine\r\n").expect(b"mine\r\n")


def test_a_stream_to_a_client_that_went_ends(tcp, gate):
    server = tcp(gate=gate)
    pid, = server.workers()
    client = server.connect()
    name = client.name
    client.send(b"stream WRITE:one hold:a WRITE:two WRITE:three WRITE:four\r\n").expect(b"one")
    client.abort()
    gate.open("a")
    assert closed_once(server, name) == ["CONNECTED", "DATA", "CLOSE"]
    server.probe()
    assert server.workers() == [pid]


# -- UDP ----------------------------------------------------------------------------------------

UDP = "main: {addr: 'udp://127.0.0.1:0'}"


def test_each_datagram_is_an_event(tcp, plain):
    server = tcp(UDP, plain=plain)
    with Udp(server.address()) as client:
        for data in (b"hello", b"two\r\nlines\r\n", b"no end", bytes(range(256))):
            assert client.send(data).receive() == data
        events = server.events.all()
        assert [each["event"] for each in events] == ["DATA"] * 4
        assert {each["remote_addr"] for each in events} == {client.name}
        assert {each["server"] for each in events} == {"main"}
        assert len({each["uuid"] for each in events}) == 4
    assert server.rr.stop() == 0
    assert server.events.names() == ["DATA"] * 4  # no CLOSE, at the end neither


def test_an_empty_datagram_is_an_event(tcp):
    server = tcp(UDP, on={"DATA": {"main": "write got it"}})
    with Udp(server.address()) as client:
        assert client.send(b"").receive() == b"got it"
        assert server.events.bodies() == [b""]


def test_only_write_sends_a_datagram(tcp, plain):
    server = tcp(UDP, plain=plain)
    with Udp(server.address()) as client:
        for command in ("bye x", "close", "read", "verb OTHER x", "empty", "none", "error no"):
            client.send(command.encode())
        assert client.send(b"write last").receive() == b"last\r\n"
        assert client.send(b"replies WRITE:one CONTINUE: WRITE:two").receive() == b"one"
        assert client.receive() == b"two"
        assert server.events.names() == ["DATA"] * 9


@pytest.mark.parametrize("size", [1, 1472, 9000, 65507])
def test_datagrams_up_to_the_largest(tcp, size):
    server = tcp(UDP, on={"DATA": {"main": f"big {size}"}})
    with Udp(server.address()) as client:
        assert client.send(b"y" * size).receive() == b"x" * size
        assert server.events.all()[0]["size"] == size


@pytest.mark.parametrize("size", [65508, 1_000_000])
def test_a_larger_answer_is_refused_and_said_so(tcp, size):
    server = tcp(UDP)
    with Udp(server.address()) as client:
        client.send(b"big %d" % size)
        assert client.send(b"write next").receive() == b"next\r\n"
    assert str(size) in server.log.wait(r"\btcp\b.*(?i:large|65.?507|datagram)").string


def test_udp_over_ipv6_and_beside_tcp(tcp):
    server = tcp("main: {addr: 'udp://[::1]:0'}\nother: {addr: '127.0.0.1:0'}")
    with Udp(server.address()) as client, server.connect("other") as other:
        assert client.send(b"hello").receive() == b"hello"
        assert server.events.all()[-1]["remote_addr"] == client.name
        other.send(b"hello\r\n").expect(b"hello\r\n")


def test_udp_remote_addr_host(tcp):
    server = tcp(main("remote_addr: host", "udp://127.0.0.1:0"))
    with Udp(server.address()) as client:
        assert client.send(b"hello").receive() == b"hello"
        assert server.events.all()[-1]["remote_addr"] == "127.0.0.1"


def test_a_worker_that_dies_of_a_datagram_costs_only_that(tcp):
    server = tcp(UDP)
    before = server.workers()
    with Udp(server.address()) as client:
        client.send(b"kill")
        server.rr.wait_workers(lambda pids: len(pids) == 1 and pids != before)
        assert client.send(b"hello").receive() == b"hello"
        assert server.events.names() == ["DATA", "DATA"]


def test_a_full_queue_drops_the_newest_datagrams_and_counts_them(tcp, gate):
    server = tcp(main("max_datagrams: 10", "udp://127.0.0.1:0"), gate=gate,
                 top="metrics: {address: '127.0.0.1:0'}")
    pages = Pages(server.rr, "metrics")

    def dropped():
        return sum(float(value) for value in re.findall(
            r"^rr_tcp_\w*drop\w*(?:\{[^}]*\})? (\S+)$", pages.get("/metrics").text, re.M))
    with Udp(server.address()) as client:
        client.send(b"hold a")
        gate.begun("a")
        for number in range(40):
            client.send(b"%02d" % number)
        process.eventually(lambda: dropped() >= 29, 10, "the count of dropped datagrams")
        gate.open("a")
        assert client.receive() == b"held a\r\n"
        kept = 40 - int(dropped())
        assert kept >= 1
        # The oldest ones were kept, in their order.
        assert [client.receive() for _ in range(kept)] == [b"%02d" % each for each in range(kept)]
        assert client.send(b"hello").receive() == b"hello"


def test_udp_servers_share_no_port(rr):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        server = rr(f"tcp: {{servers: {{main: {{addr: 'udp://127.0.0.1:{port}'}}}}}}",
                    expect_fail=True)
    assert server.code == 1
    assert str(port) in server.log.text("err")


# -- socat --------------------------------------------------------------------------------------


def socat(address, data, *options):
    """What socat prints when it has sent these bytes and half-closed."""
    assert shutil.which("socat"), "socat is in tools/packages.txt, group test"
    return subprocess.run(["socat", *options, "-", address], input=data, capture_output=True,
                          timeout=30, check=True).stdout


def test_socat_over_tcp(tcp):
    server = tcp(on={"CONNECTED": {"main": "write hi\r\n"}})
    host, port = server.address()
    assert socat(f"TCP:{host}:{port}", b"hello\r\ntail", "-t10") == b"hi\r\nhello\r\ntail"
    server.events.wait_count(1, "CLOSE")
    assert server.events.names() == ["CONNECTED", "DATA", "CLOSE"]


def test_socat_over_ipv6(tcp):
    server = tcp("main: {addr: '[::1]:0'}")
    assert socat(f"TCP6:[::1]:{server.address()[1]}", b"bye bye\r\n", "-t10") == b"bye\r\n"


def test_socat_over_a_unix_socket(tcp):
    server = tcp("main: {addr: 'unix://tcp.sock'}")
    assert socat(f"UNIX-CONNECT:{server.address()}", b"bye bye\r\n", "-t10") == b"bye\r\n"


def test_socat_over_tls(tcp, certificates):
    server = tcp(tls(certificates))
    assert socat(f"OPENSSL:127.0.0.1:{server.address()[1]},cafile={certificates}/ca.pem,"
                 "commonname=localhost", b"bye bye\r\n", "-t10") == b"bye\r\n"


def test_socat_over_udp(tcp):
    server = tcp(UDP)
    host, port = server.address()
    client = subprocess.Popen(["socat", "-t10", "-", f"UDP:{host}:{port}"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE)
    try:
        client.stdin.write(b"write hi")
        client.stdin.flush()
        assert client.stdout.read1(100) == b"hi\r\n"
    finally:
        client.kill()
        client.wait()
        client.stdin.close()
        client.stdout.close()


def test_many_socats(tcp):
    server = tcp(pool="num_workers: 2")
    host, port = server.address()
    bodies = [b"%d " % number * 5000 + b"\r\n" for number in range(8)]
    runs = [Background(socat, f"TCP:{host}:{port}", body, "-t10") for body in bodies]
    assert [run.result(40) for run in runs] == bodies


def test_the_banner_names_every_server(tcp):
    server = tcp("a: {addr: '127.0.0.1:0'}\nb: {addr: 'udp://127.0.0.1:0'}\n"
                 "c: {addr: 'unix://c.sock'}")
    assert server.address("a")[1] != server.address("b")[1]
    assert server.address("c").endswith("c.sock")
    with Connection(server.address("a")) as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")
