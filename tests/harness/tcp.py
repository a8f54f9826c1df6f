"""Servers of the tcp plugin: where they listen, clients for them, and what their workers saw.

    place = Place(tmp_path)                      # the fixture `tcp` does this
    events = place.events
    with connect(server, "main") as client:
        client.send(b"hello\r\n").expect(b"hello\r\n")
    events.wait(lambda seen: seen[-1]["event"] == "CLOSE")
"""

import base64
import json
import re
import socket
import ssl
import struct

from harness import process
from harness.client import RawConnection
from harness.rpc import Client, address_of as rpc_address

URL = re.compile(r"^(tcp|tls|udp|unix)://(.+)$")


def banner(server, name):
    """Scheme and address of the server `name` of the tcp section, from the start banner."""
    name = name.lower()

    def line():
        for _, text in list(server.log.lines):
            words = text.split()
            if text.startswith("  tcp ") and name in words:
                for word in words:
                    if found := URL.match(word):
                        return found.groups()
        return None
    return process.eventually(line, 10, f"the line of tcp server {name} in the banner")


def address_of(server, name):
    """What socket.connect takes: (host, port), or the path of a Unix socket."""
    scheme, where = banner(server, name)
    if scheme == "unix":
        return str(server.directory / where)
    host, _, port = where.rpartition(":")
    host = host.strip("[]")
    return ({"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host), int(port))


def shown(address):
    """A client's address as a worker sees it."""
    if not isinstance(address, tuple):
        return "@"
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


class Connection(RawConnection):
    """A client of a tcp server; `name` is its address as a worker sees it."""

    def __init__(self, address, timeout=15.0, tls=None, receive_buffer=0):
        inet6 = not isinstance(address, str) and ":" in address[0]
        family = (socket.AF_UNIX if isinstance(address, str)
                  else socket.AF_INET6 if inet6 else socket.AF_INET)
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.buffer = b""
        self.ended = False
        try:
            self.socket.connect(address)
            if family != socket.AF_UNIX:
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        except BaseException:
            self.socket.close()
            raise
        self.name = shown(self.socket.getsockname())

    @property
    def unread(self):
        """Bytes that lie in the kernel and that the server has not read yet (IPv4)."""
        mine, peer = self.socket.getsockname(), self.socket.getpeername()

        def hexadecimal(address):
            packed, = struct.unpack("=I", socket.inet_aton(address[0]))
            return f"{packed:08X}:{address[1]:04X}"
        with open("/proc/net/tcp", encoding="ascii") as file:
            for line in file:
                fields = line.split()
                if fields[1:3] == [hexadecimal(peer), hexadecimal(mine)]:
                    return int(fields[4].partition(":")[2], 16)
        return 0

    def segment(self, data):
        """Sends bytes and waits until the server has read them: the next ones come in a later
        read."""
        self.send(data)
        process.eventually(lambda: self.unread == 0, 10, f"the server's read of {data[:40]!r}")
        return self

    def read(self, size):
        return self._exactly(size)

    def hurry(self):
        """Ends the slowness of a small receive_buffer."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        return self

    def line(self):
        """The next line, without its CR LF."""
        return self._until(b"\r\n")

    def ask(self, command):
        """A command of workers/events.php, and the line that answers it."""
        return self.send(command.encode() + b"\r\n").line().decode()

    def expect(self, data):
        got = self._exactly(len(data))
        assert got == data, (got[:200], data[:200])
        return self

    def rest(self):
        """Everything up to the end of the stream, which must come."""
        try:
            return self.read_to_end()
        except ssl.SSLError as error:
            raise AssertionError(f"the end is an error of TLS: {error}") from None


def connect(server, name="main", **named):
    return Connection(address_of(server, name), **named)


class Udp:
    """A client of a udp server; nothing but its datagrams is received."""

    def __init__(self, address, timeout=10.0):
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET,
                                    socket.SOCK_DGRAM)
        self.socket.settimeout(timeout)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.connect(address)
        self.name = shown(self.socket.getsockname())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.send(data)
        return self

    def receive(self):
        return self.socket.recv(1 << 17)


class Events:
    """What workers/events.php wrote: dictionaries with pid, event, server, uuid, body ..."""

    def __init__(self, path):
        self.path = path

    def all(self):
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        events = [json.loads(line) for line in data[:data.rfind(b"\n") + 1].splitlines()]
        for event in events:
            event["body"] = base64.b64decode(event["body"])
        return events

    def of(self, who, all_events=None):
        """Those of one connection, named by its client's address or its uuid."""
        name = getattr(who, "name", who)
        events = self.all() if all_events is None else all_events
        return [event for event in events if name in (event["remote_addr"], event["uuid"])]

    def names(self, who=None):
        return [event["event"] for event in (self.all() if who is None else self.of(who))]

    def bodies(self, who=None):
        return [event["body"] for event in (self.all() if who is None else self.of(who))
                if event["event"] == "DATA"]

    def wait(self, predicate, timeout=15.0, what="the events"):
        """Waits until the predicate holds for the list of events; that list."""
        try:
            return process.eventually(lambda: (seen := self.all()) and predicate(seen) and seen,
                                      timeout, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; events: " + " ".join(
                f"{event['event']}({event['body'][:30]!r})"
                for event in self.all()[-40:])) from None

    def wait_count(self, count, event=None, who=None, timeout=15.0):
        """Waits for `count` events (of one kind, of one connection); those."""
        def chosen(seen):
            seen = seen if who is None else self.of(who, seen)
            return [each for each in seen if event in (None, each["event"])]
        return chosen(self.wait(lambda seen: len(chosen(seen)) >= count, timeout,
                                f"{count} x {event or 'event'}"))

    def wait_closed(self, who, timeout=15.0):
        """Waits for the CLOSE of one connection; its events. There must be one CLOSE, the last."""
        name = getattr(who, "name", who)
        self.wait_count(1, "CLOSE", name, timeout)
        return self.of(name)


class Push:
    """The plugin's RPC methods."""

    def __init__(self, server):
        self.address = rpc_address(server)
        self.client = Client(self.address)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()

    def reply(self, method, argument):
        return self.client.call(method, json.dumps(argument).encode())

    def call(self, method, argument):
        reply = self.reply(method, argument)
        assert reply.error is None, f"{method}: {reply.error}"
        return json.loads(reply.body)

    def error(self, method, argument):
        reply = self.reply(method, argument)
        assert reply.error is not None, f"{method} answered {reply.body!r}"
        return reply.error

    def write(self, uuid, data):
        return self.call("tcp.Write", {"uuid": uuid, "data_b64": encoded(data)})

    def broadcast(self, name, data):
        return self.call("tcp.Broadcast", {"server": name, "data_b64": encoded(data)})

    def list(self, name):
        return self.call("tcp.List", {"server": name})

    def close_connection(self, uuid):
        return self.call("tcp.Close", uuid)

    def reset(self):
        assert self.call("resetter.Reset", "tcp") is True


def encoded(data):
    return base64.b64encode(data).decode()
