"""redis and memcached servers of a test's own: on a free port of the loopback, in a folder that goes,
ended by their pid.

    with redis() as server:
        ... server.address ...
        server.kill()
        server.start()
"""

import contextlib
import signal
import socket
import subprocess
import tempfile

from harness.process import eventually, is_stopped


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Store:
    def __init__(self, command, folder):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.command = [word.replace("{port}", str(self.port)).replace("{folder}", folder)
                        for word in command]
        self.folder = folder
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, cwd=self.folder, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        eventually(self._accepts, what=f"{self.command[0]} on {self.address}")

    def _accepts(self):
        assert self.process.poll() is None, f"{self.command[0]} has ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)
        eventually(lambda: is_stopped(self.process.pid), what="its pause")

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def _store(*command):
    with tempfile.TemporaryDirectory() as folder:
        store = Store(command, folder)
        try:
            yield store
        finally:
            store.kill()


def redis():
    return _store("redis-server", "--port", "{port}", "--bind", "127.0.0.1", "--save", "", "--dir",
                  "{folder}")


def redis_tls(certificate, key, ca, *more, file=()):
    """A redis that speaks TLS only; clients need a certificate unless `more` says otherwise. A sentinel
    needs a file, which it writes to."""
    return _store("redis-server", *file, "--port", "0", "--tls-port", "{port}", "--bind", "127.0.0.1",
                  "--save", "", "--dir", "{folder}", "--tls-cert-file", certificate,
                  "--tls-key-file", key, "--tls-ca-cert-file", ca, *more)


def memcached():
    return _store("memcached", "-u", "nobody", "-l", "127.0.0.1", "-U", "0", "-p", "{port}")
