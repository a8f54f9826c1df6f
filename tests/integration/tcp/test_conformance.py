"""RoadRunner's tcp plugin to the byte: frames, events, verbs, reading, delimiters."""

import base64
import json
import os
import re
import struct
import zlib

import pytest

from harness import process
from harness.load import Background
from harness.scripted import reply

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

# -- traces -------------------------------------------------------------------------------------


def test_a_connection_is_three_events(tcp, plain):
    server = tcp(plain=plain)
    with server.connect() as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")
        name = client.name
    events = server.events.wait_closed(name)
    assert [(each["event"], each["body"]) for each in events] == [
        ("CONNECTED", b""), ("DATA", b"hello\r\n"), ("CLOSE", b"")]
    assert {each["remote_addr"] for each in events} == {name}
    assert {each["server"] for each in events} == {"main"}
    uuid, = {each["uuid"] for each in events}
    assert UUID4.fullmatch(uuid)


def test_connections_have_uuids_of_their_own(tcp):
    server = tcp()
    clients = [server.connect() for _ in range(20)]
    events = server.events.wait_count(20, "CONNECTED")
    assert len({each["uuid"] for each in events}) == 20
    assert {each["remote_addr"] for each in events} == {client.name for client in clients}
    for client in clients:
        client.close()


def test_two_lines_in_one_segment_are_one_event(tcp):
    server = tcp()
    with server.connect() as client:
        client.send(b"one\r\ntwo\r\n").expect(b"one\r\ntwo\r\n")
        assert server.events.bodies(client) == [b"one\r\ntwo\r\n"]


def test_a_line_in_two_segments_is_one_event(tcp):
    server = tcp()
    with server.connect() as client:
        client.segment(b"abc").send(b"def\r\n").expect(b"abcdef\r\n")
        assert server.events.bodies(client) == [b"abcdef\r\n"]


def test_a_banner_comes_before_the_client_has_said_anything(tcp, plain):
    server = tcp(on={"CONNECTED": {"main": "write hi\r\n"}}, plain=plain)
    with server.connect() as client:
        client.expect(b"hi\r\n").send(b"hello\r\n").expect(b"hello\r\n")


def test_writeclose_writes_and_closes(tcp, plain):
    server = tcp(plain=plain)
    with server.connect() as client:
        assert client.send(b"bye the last word\r\n").rest() == b"the last word\r\n"
        assert [each["event"] for each in server.events.wait_closed(client)] == [
            "CONNECTED", "DATA", "CLOSE"]


@pytest.mark.parametrize("command", ["close never written", "verb write never", "verb WRITEX x",
                                     "verb continue x", "verb WRIT E", "verb ~ x", "empty"])
def test_close_and_every_unknown_verb_close_without_writing(tcp, command):
    server = tcp()
    with server.connect() as client:
        assert client.send(command.encode() + b"\r\n").rest() == b""
        assert [each["event"] for each in server.events.wait_closed(client)] == [
            "CONNECTED", "DATA", "CLOSE"]


@pytest.mark.parametrize("verb, said", [
    ("write hi\r\n", b"hi\r\n"), ("bye hi\r\n", b"hi\r\n"), ("close hi", b""), ("verb NO x", b""),
    ("empty", b"")])
def test_verbs_answer_connected_too(tcp, verb, said):
    server = tcp(on={"CONNECTED": {"main": verb}})
    with server.connect() as client:
        if verb.startswith("write"):
            client.expect(said).finish_sending()
            assert client.rest() == b""
        else:
            assert client.rest() == said
        events = server.events.wait_closed(client)
    assert [each["event"] for each in events] == ["CONNECTED", "CLOSE"]


def test_continue_ignores_its_body(tcp):
    server = tcp()
    with server.connect() as client:
        client.send(b"read\r\n")
        server.events.wait_count(1, "DATA")
        client.send(b"write next\r\n").expect(b"next\r\n")


def test_write_adds_nothing(tcp):
    server = tcp(on={"DATA": {"main": "write raw"}})
    with server.connect() as client:
        client.send(b"x\r\n").expect(b"raw")
        client.finish_sending()
        assert client.rest() == b""


def test_the_second_message_waits_for_the_first_reply(tcp, gate):
    server = tcp(pool="num_workers: 2", gate=gate)
    with server.connect() as client:
        client.send(b"hold slow\r\n")
        gate.begun("slow")
        client.send(b"fast\r\n")
        server.probe()  # the other worker is free: only the rule keeps `fast` back
        assert server.events.bodies(client) == [b"hold slow\r\n"]
        gate.open("slow")
        client.expect(b"held slow\r\nfast\r\n")
        assert server.events.bodies(client) == [b"hold slow\r\n", b"fast\r\n"]


def test_nothing_is_read_while_an_event_runs(tcp, gate):
    server = tcp(gate=gate)
    with server.connect() as client:
        client.send(b"hold slow\r\n")
        gate.begun("slow")
        client.send(b"q1\r\n").send(b"q2\r\n")
        gate.open("slow")
        client.expect(b"held slow\r\nq1\r\nq2\r\n")
        assert server.events.bodies(client) == [b"hold slow\r\n", b"q1\r\nq2\r\n"]


def test_unread_bytes_stay_in_the_kernel(tcp, gate):
    """The only backpressure: a client that floods is stopped by TCP, not by the server's memory."""
    server = tcp(gate=gate)
    with server.connect() as client:
        client.send(b"hold slow\r\n")
        gate.begun("slow")
        flood = b"y" * (1 << 20) + b"\r\n"
        client.socket.setblocking(False)
        sent = 0
        try:
            while sent < 64 * len(flood):
                sent += client.socket.send(flood[sent % len(flood):])
        except BlockingIOError:
            pass
        assert sent < 64 * len(flood)
        client.socket.settimeout(20)
        gate.open("slow")
        client.expect(b"held slow\r\n")


def test_nothing_is_read_before_connected_is_answered(tcp, gate):
    server = tcp(on={"CONNECTED": {"main": "hold first"}}, gate=gate)
    with server.connect() as client:
        gate.begun("first")
        client.send(b"hello\r\n")
        gate.open("first")
        client.expect(b"held first\r\nhello\r\n")
        assert server.events.names(client) == ["CONNECTED", "DATA"]


def test_a_reset_keeps_connections(tcp):
    server = tcp()
    with server.connect() as client, server.push() as push:
        before = int(client.ask("pid"))
        push.reset()
        after = int(client.ask("pid"))
        assert before != after and after in server.workers()
        name = client.name
    assert [each["event"] for each in server.events.wait_closed(name)] == [
        "CONNECTED", "DATA", "DATA", "CLOSE"]


def test_close_by_rpc_twice_is_one_event(tcp):
    server = tcp()
    with server.connect() as client, server.push() as push:
        uuid = server.events.wait_count(1, "CONNECTED")[0]["uuid"]
        assert push.close_connection(uuid) is True
        assert push.close_connection(uuid) is True
        assert client.rest() == b""
        server.events.wait_closed(uuid)
        server.probe()
        assert server.events.names(uuid) == ["CONNECTED", "CLOSE"]


# -- several replies, and none ------------------------------------------------------------------


def test_read_and_then_respond_is_a_banner(tcp, plain):
    server = tcp(on={"CONNECTED": {"main": "replies CONTINUE: WRITE:220\r\n"}}, plain=plain)
    for _ in range(3):
        with server.connect() as client:
            client.expect(b"220\r\n").send(b"hello\r\n").expect(b"hello\r\n")


@pytest.mark.parametrize("words, said, stays", [
    ("WRITE:a WRITE:b", b"ab", True), ("WRITE:a CONTINUE: WRITE:b", b"ab", True),
    ("WRITE:a WRITECLOSE:b", b"ab", False), ("WRITE:a CLOSE:b", b"a", False),
    ("WRITECLOSE:a WRITE:b", b"a", False), ("CONTINUE:", b"", True)])
def test_several_replies_are_applied_in_order(tcp, plain, words, said, stays):
    server = tcp(plain=plain)
    with server.connect() as client, server.connect() as other:
        client.send(f"replies {words}\r\n".encode())
        if stays:
            server.events.wait_count(1, "DATA")
            client.expect(said).send(b"more\r\n").expect(b"more\r\n")
            client.finish_sending()
            assert client.rest() == b""
        else:
            assert client.rest() == said
        other.send(b"mine\r\n").expect(b"mine\r\n")  # nobody's replies are shifted
        server.events.wait_closed(client)
        assert server.events.names(client).count("CLOSE") == 1


def test_no_reply_means_continue(tcp, plain):
    server = tcp(on={"CONNECTED": {"main": "none"}, "CLOSE": {"main": "none"}}, plain=plain)
    pid, = server.workers()
    for number in range(5):
        with server.connect() as client:
            client.send(b"none\r\n")
            server.events.wait_count(number * 2 + 1, "DATA")
            client.send(b"write yes\r\n").expect(b"yes\r\n")
            name = client.name
        server.events.wait_closed(name)
    assert server.workers() == [pid]
    assert {each["pid"] for each in server.events.all()} == {pid}


def test_a_worker_that_never_replies_serves_everybody(tcp, plain):
    server = tcp(on={event: {"*": "none"} for event in ("CONNECTED", "DATA", "CLOSE")},
                 plain=plain)
    pid, = server.workers()
    clients = [server.connect() for _ in range(10)]
    for number, client in enumerate(clients):
        client.send(f"{number}\r\n".encode())
    server.events.wait_count(10, "DATA")
    for client in clients:
        client.close()
    server.events.wait_count(10, "CLOSE")
    assert server.workers() == [pid]
    assert server.rr.stop(timeout=10) == 0


@pytest.mark.parametrize("command", ["none", "read", "write x", "bye x", "close", "replies WRITE:a "
                                     "WRITE:b", "error not now", "empty"])
def test_whatever_answers_close_is_ignored(tcp, plain, command):
    server = tcp(on={"CLOSE": {"main": command}}, plain=plain)
    for _ in range(3):
        with server.connect() as client, server.connect() as other:
            client.send(b"hello\r\n").expect(b"hello\r\n")
            client.finish_sending()
            assert client.rest() == b""
            server.events.wait_closed(client)
            other.send(b"mine\r\n").expect(b"mine\r\n")
            assert server.events.names(client).count("CLOSE") == 1
    assert len({each["pid"] for each in server.events.all()}) == 1


def test_the_sample_of_the_documentation(tcp, plain):
    """Servers smtp and server2: a banner on connect, strangers closed, WRITE and WRITECLOSE."""
    servers = """
        smtp: {addr: "127.0.0.1:0", delimiter: "\\r\\n", remote_addr: host}
        server2: {addr: "127.0.0.1:0", remote_addr: host}
        """
    server = tcp(servers, worker="smtp.php", plain=plain, env={"TCP_FRIEND": "127.0.0.1"})
    for _ in range(3):
        with server.connect("smtp") as client:
            client.expect(b"220 mail.example ready\r\n")
            for _ in range(2):
                client.send(b"EHLO me\r\n").expect(b"250 got it\r\n")
        with server.connect("server2") as client:
            answer = json.loads(client.send(b"hi\r\n").rest())
            assert answer == {"remote_addr": "127.0.0.1", "server": "server2", "body": "hi\r\n"}
    assert len(server.workers()) == 1

    server = tcp(servers, worker="smtp.php", plain=plain, env={"TCP_FRIEND": "192.0.2.1"})
    with server.connect("smtp") as client:
        assert client.rest() == b""


# -- reading and the delimiter ------------------------------------------------------------------


def test_a_segment_that_does_not_end_a_message_waits(tcp):
    server = tcp()
    with server.connect() as client:
        client.segment(b"one\r\ntw")
        server.probe()
        assert server.events.bodies(client) == []
        client.send(b"o\r\n").expect(b"one\r\ntwo\r\n")
        assert server.events.bodies(client) == [b"one\r\ntwo\r\n"]


def test_messages_that_are_answered_one_by_one_stay_apart(tcp):
    server = tcp()
    with server.connect() as client:
        for number in range(5):
            client.send(b"m%d\r\n" % number).expect(b"m%d\r\n" % number)
        assert server.events.bodies(client) == [b"m%d\r\n" % number for number in range(5)]


def test_a_delimiter_alone_is_a_message(tcp):
    server = tcp()
    with server.connect() as client:
        client.send(b"\r\n").expect(b"\r\n")
        assert server.events.bodies(client) == [b"\r\n"]


@pytest.mark.parametrize("segments", [
    (b"a", b"bc\r\n"), (b"abc\r", b"\n"), (b"abc\r", b"\nxyz\r\n"), (b"\r", b"\n"),
    (b"a", b"b", b"\r", b"\n"), (b"abc\r\r", b"\n"), (b"abc\r", b"x\r\n")])
def test_a_short_read_and_a_split_delimiter_lose_nothing(tcp, segments):
    server = tcp()
    whole = b"".join(segments)
    with server.connect() as client:
        for segment in segments:
            client.segment(segment)
        client.expect(whole)
        assert server.events.bodies(client) == [whole]


@pytest.mark.parametrize("delimiter, bytes_", [
    ("\\n", b"\n"), ("END", b"END"), ("\\r\\n.\\r\\n", b"\r\n.\r\n"), ("aab", b"aab"),
    ("\\x01", b"\x01"), ("\\u00e9", "é".encode()), ("=" * 100, b"=" * 100)])
def test_a_delimiter_of_any_length_at_any_split(tcp, delimiter, bytes_):
    server = tcp(f'main: {{addr: "127.0.0.1:0", delimiter: "{delimiter}"}}')
    with server.connect() as client:
        expected = []
        for at in sorted({0, 1, len(bytes_) // 2, len(bytes_) - 1}):
            for lead in (b"", b"text", bytes_[:1]):
                first = lead + bytes_[:at]
                if bytes_ in first:
                    continue  # a message already
                if first:
                    client.segment(first)
                client.send(bytes_[at:]).expect(lead + bytes_)
                expected.append(lead + bytes_)
        assert server.events.bodies(client) == expected


def test_a_delimiter_that_overlaps_itself_is_found(tcp):
    server = tcp('main: {addr: "127.0.0.1:0", delimiter: "aab"}')
    with server.connect() as client:
        client.segment(b"aa").segment(b"aa").send(b"b").expect(b"aaaab")


def test_single_quotes_of_yaml_keep_the_backslash(tcp):
    server = tcp("main: {addr: '127.0.0.1:0', delimiter: '\\n'}")
    with server.connect() as client:
        client.segment(b"a line\n").send(b"and\\n").expect(b"a line\nand\\n")


def test_an_empty_delimiter_is_crlf(tcp):
    server = tcp("main: {addr: '127.0.0.1:0', delimiter: ''}")
    with server.connect() as client:
        client.segment(b"a\n").send(b"b\r\n").expect(b"a\nb\r\n")


def test_a_message_may_come_byte_by_byte(tcp):
    server = tcp()
    with server.connect() as client:
        for byte in b"slowly\r\n":
            client.send(bytes([byte]))
        client.expect(b"slowly\r\n")
        assert server.events.bodies(client) == [b"slowly\r\n"]


@pytest.mark.parametrize("size", [3145735, 65536, 65535, 1048576])
def test_a_large_message_is_one_event(tcp, size):
    server = tcp(on={"DATA": {"main": "sum"}})
    body = os.urandom(1 << 20).translate(bytes(range(256)), b"\r\n") * 4
    body = body[:size - 2] + b"\r\n"
    with server.connect() as client:
        Background(client.send, body).result()
        answer = client._exactly(len(f"{size} ") + 8).decode()
        assert answer == f"{size} {zlib.crc32(body):08x}"
    assert [each["size"] for each in server.events.all() if each["event"] == "DATA"] == [size]


def test_the_read_buffer_is_for_all_servers_and_no_limit(tcp):
    server = tcp(more="read_buf_size: 2", on={"DATA": {"main": "sum"}})
    body = b"z" * (5 << 20) + b"\r\n"
    with server.connect() as client:
        Background(client.send, body).result()
        assert client.read(8 + 8) == f"{len(body)} {zlib.crc32(body):08x}".encode()


def test_a_tail_without_delimiter_comes_before_the_one_close(tcp):
    server = tcp()
    with server.connect() as client:
        client.send(b"tail")
        client.finish_sending()
        assert client.rest() == b"tail"  # answered to the half-open client, then our end too
        events = server.events.wait_closed(client)
        assert [(each["event"], each["body"]) for each in events] == [
            ("CONNECTED", b""), ("DATA", b"tail"), ("CLOSE", b"")]
        server.probe()
        assert server.events.names(client).count("CLOSE") == 1


def test_a_message_and_a_tail_and_fin(tcp):
    server = tcp()
    with server.connect() as client:
        client.send(b"line\r\n").expect(b"line\r\n")
        client.send(b"tail")
        client.finish_sending()
        assert client.rest() == b"tail"
        server.events.wait_closed(client)
        assert server.events.names(client) == ["CONNECTED", "DATA", "DATA", "CLOSE"]


def test_fin_with_nothing_pending_is_one_close(tcp):
    server = tcp()
    with server.connect() as client:
        server.events.wait_count(1, "CONNECTED")
        client.finish_sending()
        assert client.rest() == b""
        server.events.wait_closed(client)
        server.probe()
        assert server.events.names(client) == ["CONNECTED", "CLOSE"]


def test_a_reset_by_the_client_drops_what_was_unfinished(tcp):
    server = tcp()
    client = server.connect()
    name = client.name
    server.events.wait_count(1, "CONNECTED")
    client.segment(b"abc")
    client.abort()
    server.events.wait_closed(name)
    server.probe()
    assert server.events.names(name) == ["CONNECTED", "CLOSE"]


def test_no_socket_stays_behind(tcp):
    """Half-closed, closed, reset: none is left in CLOSE_WAIT."""
    server = tcp()
    host, port = server.address()
    descriptors = len(os.listdir(f"/proc/{server.rr.pid}/fd"))
    for number in range(9):
        client = server.connect()
        name = client.name
        client.send(b"hello\r\n").expect(b"hello\r\n")
        if number % 3 == 0:
            client.finish_sending()
            assert client.rest() == b""
        elif number % 3 == 1:
            client.abort()
        client.close()
        server.events.wait_closed(name)
    process.eventually(
        lambda: len(os.listdir(f"/proc/{server.rr.pid}/fd")) <= descriptors, 5,
        "the end of the server's sockets")


@pytest.mark.parametrize("words, said", [("WRITECLOSE:end", b"end"), ("CLOSE:", b"")])
def test_unread_input_does_not_cost_the_last_word(tcp, gate, words, said):
    """Closing a socket with bytes unread would be a reset, which may overtake the answer."""
    server = tcp(gate=gate)
    with server.connect() as client:
        client.send(f"replies hold:a {words}\r\n".encode())
        gate.begun("a")
        client.send(b"x" * 100_000)
        gate.open("a")
        got = b""
        while data := client.socket.recv(65536):  # a reset would raise
            got += data
        assert got == said


# -- frames and contexts, to the byte -----------------------------------------------------------


def event_frames(server, count):
    """The first `count` frames that are events, as (head and options, context, body)."""
    def events():
        found = []
        for line in server.frames():
            head = bytes.fromhex(line["frame"])
            payload = base64.b64decode(line["payload"])
            if head[1] & 1 == 0:
                cut, = struct.unpack("<I", head[12:16])
                found.append((head, payload[:cut], payload[cut:]))
        return found if len(found) >= count else None
    return process.eventually(events, 15, f"{count} frames")


def context(client, event, uuid, server="main"):
    return (f'{{"remote_addr":"{client}","server":"{server}","uuid":"{uuid}",'
            f'"event":"{event}"}}').encode()


def test_the_frame_of_an_event(tcp):
    server = tcp(worker="raw.py")
    with server.connect() as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")
        name = client.name
    frames = event_frames(server, 3)
    uuid = json.loads(frames[0][1])["uuid"]
    for (head, raw, body), event, sent in zip(
            frames, ["CONNECTED", "DATA", "CLOSE"], [b"", b"hello\r\n", b""]):
        assert raw == context(name, event, uuid)
        assert body == sent
        start = struct.pack("<BBI", 0x14, 0, len(raw) + len(sent))
        assert head == (start + struct.pack("<I", zlib.crc32(start)) + b"\0\0"
                        + struct.pack("<I", len(raw)))


def test_the_frame_of_an_event_for_a_numbered_worker(tcp):
    server = tcp(worker="raw.py", env={"TCP_NUMBERED": "1"})
    with server.connect() as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")
    for number, (head, raw, body) in enumerate(event_frames(server, 3), 1):
        start = struct.pack("<BBI", 0x15, 0, len(raw) + len(body))
        assert head == (start + struct.pack("<I", zlib.crc32(start)) + b"\0\0"
                        + struct.pack("<II", len(raw), number))


def test_the_frames_of_the_reference(tcp):
    """The worker's frame of the capture is understood; its codec bits are not looked at."""
    server = tcp(worker="raw.py")
    capture = bytes.fromhex("140007000000 97d952b4 0000 05000000") + b"WRITEok"
    assert reply("WRITE", b"ok", flags=0) == capture
    with server.connect() as client:
        for flags in (0, 0x04, 0x08, 0x10, 0x20, 0x80):
            data = reply("WRITE", b"ok", flags=flags)
            client.send(b"X " + base64.b64encode(data) + b"\r\n").expect(b"ok")


def test_every_byte_goes_both_ways(tcp):
    server = tcp('main: {addr: "127.0.0.1:0", delimiter: "\\r\\n.\\r\\n"}', worker="raw.py")
    body = bytes(range(256)) * 2 + b"\r\n.\r\n"
    with server.connect() as client:
        client.send(body).expect(body)


@pytest.mark.parametrize("key, name, shown", [
    ("Main", "main", "main"), ("UPPER-Case_9", "upper-case_9", "upper-case_9"),
    ('"größe"', "größe", "größe"), ('"日本"', "日本", "日本"),
    ('"a&b<c>d"', "a&b<c>d", "a\\u0026b\\u003cc\\u003ed")])
def test_the_name_of_a_server_in_the_context(tcp, key, name, shown):
    server = tcp(f"{key}: {{addr: '127.0.0.1:0'}}", worker="raw.py")
    with server.connect(name) as client:
        client.send(b"x\r\n").expect(b"x\r\n")
        raw = event_frames(server, 2)[1][1]
        uuid = json.loads(raw)["uuid"]
        assert raw == context(client.name, "DATA", uuid, shown)


def test_workers_tell_servers_apart_by_name(tcp):
    server = tcp("""
        one: {addr: "127.0.0.1:0"}
        two: {addr: "tcp://127.0.0.1:0"}
        three: {addr: ":0", delimiter: "|"}
        """, on={"DATA": {"one": "write 1", "two": "write 2", "three": "write 3"}})
    for name, mark in (("one", b"\r\n"), ("two", b"\r\n"), ("three", b"|")):
        with server.connect(name) as client:
            client.send(b"x" + mark).expect({"one": b"1", "two": b"2", "three": b"3"}[name])
            assert server.events.of(client)[-1]["server"] == name


def test_an_ipv6_client_has_brackets(tcp):
    server = tcp("main: {addr: '[::1]:0'}", worker="raw.py")
    with server.connect() as client:
        client.send(b"x\r\n").expect(b"x\r\n")
        raw = event_frames(server, 2)[1][1]
        assert client.name.startswith("[::1]:")
        assert raw == context(client.name, "DATA", json.loads(raw)["uuid"])


def test_a_client_of_a_unix_socket_is_an_at_sign(tcp):
    server = tcp("main: {addr: 'unix://tcp.sock'}", worker="raw.py")
    with server.connect() as client:
        client.send(b"x\r\n").expect(b"x\r\n")
        raw = event_frames(server, 2)[1][1]
        assert raw == context("@", "DATA", json.loads(raw)["uuid"])


def test_the_mode_of_the_workers_is_tcp(tcp):
    server = tcp()
    environment = process.environment(server.workers()[0])
    assert environment[b"RR_MODE"] == b"tcp"
    assert environment[b"RR_RELAY"] == b"pipes"


def test_the_pool_may_have_its_own_command(tcp):
    server = tcp(worker="never-started.php", pool="num_workers: 1, command: "
                 "[php, '@ROOT@/tests/integration/tcp/workers/events.php']")
    with server.connect() as client:
        client.send(b"write yes\r\n").expect(b"yes\r\n")


def test_without_a_section_server_the_plugin_is_silently_off(rr):
    server = rr('version: "3"\ntcp: {servers: {main: {addr: "127.0.0.1:0"}}}\n'
                'rpc: {listen: "tcp://127.0.0.1:0"}\n')
    assert len(process.listening_ports(server.pid)) == 1


# -- the pool behind it -------------------------------------------------------------------------


def test_every_event_counts_as_a_job(tcp):
    server = tcp(pool="num_workers: 1, max_jobs: 3")
    pids = []
    for _ in range(3):
        with server.connect() as client:
            pids.append(int(client.ask("pid")))
            name = client.name
        assert {each["pid"] for each in server.events.wait_closed(name)} == {pids[-1]}
    assert len(set(pids)) == 3


def test_debug_starts_a_process_for_each_event(tcp):
    server = tcp(pool="debug: true")
    with server.connect() as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")
        name = client.name
    assert len({each["pid"] for each in server.events.wait_closed(name)}) == 3


def test_the_informer_and_the_resetter_know_the_pool(tcp):
    server = tcp(pool="num_workers: 2")
    with server.push() as push:
        assert "tcp" in push.call("informer.List", True)
        assert "tcp" in push.call("resetter.List", True)
        workers = push.call("informer.Workers", "tcp")["workers"]
        assert {worker["pid"] for worker in workers} == set(server.workers())
        push.call("informer.AddWorker", "tcp")
        server.rr.wait_workers(lambda pids: len(pids) == 3)
        push.call("informer.RemoveWorker", "tcp")
        server.rr.wait_workers(lambda pids: len(pids) == 2)


def test_http_and_tcp_serve_beside_each_other(tcp):
    """Two pools of one server; each has its own workers."""
    server = tcp(top="http: {address: '127.0.0.1:0', pool: {num_workers: 1, command: "
                 "[php, '@WORKERS@/echo.php']}}")
    assert server.rr.get("/status?body=web").text == "web"
    with server.connect() as client:
        client.send(b"write yes\r\n").expect(b"yes\r\n")
