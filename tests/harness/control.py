"""Control pages (status, metrics) of a running server, whose ports the kernel chose."""

import re

from harness.client import RawConnection, request_bytes


class Pages:
    """`Pages(server, "status").get("/health")`; finds the port in the start banner."""

    def __init__(self, server, name):
        self.port = int(server.log.wait(rf"^  {name} +http://127\.0\.0\.1:(\d+)").group(1))

    def open(self, timeout=10.0):
        return RawConnection(("127.0.0.1", self.port), timeout)

    def request(self, method, target, timeout=10.0, body=b"", headers=()):
        with self.open(timeout) as connection:
            connection.send(request_bytes(method, target, headers, body))
            return connection.read_response(head=method == "HEAD")

    def get(self, target, timeout=10.0):
        return self.request("GET", target, timeout)


def http_port(server):
    """The port of the http plugin, where others listen too."""
    return int(server.log.wait(r"^  http +http://127\.0\.0\.1:(\d+)").group(1))


def taken_port():
    """A listening socket of ours, and its port."""
    import socket
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    holder.listen()
    return holder, holder.getsockname()[1]
