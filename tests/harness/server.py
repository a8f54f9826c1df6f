"""Server: a running `rr serve`, its output and its processes."""

import ctypes
import http.client
import os
import pathlib
import re
import socket
import subprocess
import textwrap
import threading
import time
import uuid
from signal import SIGKILL, SIGTERM

from harness import process
from harness.client import RawConnection, Response, request_bytes

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORKERS = ROOT / "tests" / "integration" / "workers"
POOL_WORKERS = ROOT / "tests" / "integration" / "pool" / "workers"
MARK = "RR_TEST_MARK"

SANITIZER = re.compile(
    r"ERROR: (Address|Leak|Thread|Memory)Sanitizer|WARNING: ThreadSanitizer|: runtime error: ")
READY = re.compile(r"server started")


def binary():
    return os.environ.get("RR_BINARY") or str(ROOT / "build" / "rr")


def is_sanitized(path=None):
    with open(path or binary(), "rb") as file:
        content = file.read()
    return b"__asan_init" in content or b"__tsan_init" in content


def expand(text):
    """@WORKERS@ is the folder of the test workers, @ROOT@ the repository."""
    text = textwrap.dedent(text).lstrip("\n")
    return text.replace("@WORKERS@", str(WORKERS)).replace("@ROOT@", str(ROOT))


def full_config(yaml, worker):
    """Adds `version` and `server.command` unless the text brings its own."""
    text = expand(yaml)
    if re.search(r"^(version|server|include)\s*:", text, re.M):
        return text
    path = worker if os.path.isabs(str(worker)) else WORKERS / worker
    return f'version: "3"\nserver:\n  command: ["php", "{path}"]\n{text}'


class Log:
    """Lines of stdout and stderr as they come, with a way to wait for one."""

    def __init__(self):
        self.lines = []  # (stream, text)
        self._changed = threading.Condition()
        self._open = 0

    def follow(self, stream, name):
        self._open += 1

        def run():
            for raw in iter(stream.readline, b""):
                with self._changed:
                    self.lines.append((name, raw.decode("utf-8", "replace").rstrip("\n")))
                    self._changed.notify_all()
            with self._changed:
                self._open -= 1
                self._changed.notify_all()
            stream.close()
        threading.Thread(target=run, daemon=True).start()

    def text(self, stream=None):
        with self._changed:
            return "\n".join(line for name, line in self.lines if stream in (None, name))

    def __str__(self):
        return self.text()

    def mark(self):
        """A position for `since`: only lines after it are looked at."""
        with self._changed:
            return len(self.lines)

    def find(self, pattern, since=0):
        expression = re.compile(pattern)
        with self._changed:
            return next((m for _, line in self.lines[since:] if (m := expression.search(line))),
                        None)

    def count(self, pattern, since=0):
        expression = re.compile(pattern)
        with self._changed:
            return sum(1 for _, line in self.lines[since:] if expression.search(line))

    def wait(self, pattern, timeout=10.0, since=0):
        """The first matching line's match. Fails when the output ends or time is up."""
        expression = re.compile(pattern)
        seen = since
        end = time.monotonic() + timeout
        with self._changed:
            while True:
                for _, line in self.lines[seen:]:
                    if match := expression.search(line):
                        return match
                seen = len(self.lines)
                left = end - time.monotonic()
                if left <= 0 or (self._open == 0 and seen == len(self.lines)):
                    raise AssertionError(f"no line matches {pattern!r}")
                self._changed.wait(left)

    def wait_end(self, timeout=10.0):
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, timeout)


def _die_with_parent():
    ctypes.CDLL(None, use_errno=True).prctl(1, SIGKILL)


class Server:
    """One `rr serve` process. Everything it started is gone after close()."""

    def __init__(self, directory, yaml, *, worker="echo.php", env=None, files=None, args=(),
                 overrides=(), name=".rr.yaml", verbatim=False, command="serve", cwd=None, config_path=None):
        self.directory = pathlib.Path(directory)
        self.config = expand(yaml) if verbatim else full_config(yaml, worker)
        self.log = Log()
        self.code = None
        self.problems = []  # found while closing
        self._port = None
        self._mark = uuid.uuid4().hex
        self._expected_signals = set()
        for path, content in (files or {}).items():
            target = self.directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                target.write_bytes(content)
            else:
                target.write_text(expand(content))
        if config_path is None:
            (self.directory / name).write_text(self.config)
            argv = [binary(), command, "-c", name, "-w", str(self.directory)]
        else:
            self.config = pathlib.Path(config_path).read_text()
            argv = [binary(), command, "-c", str(config_path)]
        for override in overrides:
            argv += ["-o", override]
        argv += list(args)
        self._process = subprocess.Popen(
            argv, cwd=cwd or self.directory, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True, preexec_fn=_die_with_parent,
            env={**os.environ, "NO_COLOR": "1", **(env or {}), MARK: self._mark})
        self.log.follow(self._process.stdout, "out")
        self.log.follow(self._process.stderr, "err")

    # -- life ---------------------------------------------------------------------------------

    @property
    def pid(self):
        return self._process.pid

    def wait_ready(self, timeout=30.0):
        try:
            self.log.wait(READY.pattern, timeout)
        except AssertionError as error:
            raise AssertionError(f"rr did not start: {error}\n{self.log}") from None
        return self

    def wait(self, timeout=30.0):
        """Waits for the end; the exit code, negative for a signal."""
        try:
            self.code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"rr still runs after {timeout} s") from None
        self.log.wait_end()
        return self.code

    @property
    def running(self):
        return self._process.poll() is None

    def signal(self, number):
        self._expected_signals.add(int(number))
        self._process.send_signal(number)

    def stop(self, timeout=30.0, number=SIGTERM):
        """A graceful stop; the exit code."""
        if self.running:
            self.signal(number)
        return self.wait(timeout)

    def kill(self):
        """SIGKILL, to see what it leaves behind."""
        self.signal(SIGKILL)
        return self.wait()

    def family(self):
        """Every living process that descends from this server, whatever its parent is now."""
        return [pid for pid in process.marked(MARK, self._mark) if pid != self.pid]

    def close(self):
        if self.running:
            self.signal(SIGTERM)
            try:
                self.wait(15)
            except AssertionError:
                self.problems.append("rr did not obey SIGTERM within 15 s")
                self.kill()
        else:
            self.wait()
        for pid in self.family():
            if not process.wait_gone(pid, 5):
                self.problems.append(f"process {pid} outlived rr")
                try:
                    os.kill(pid, SIGKILL)
                except ProcessLookupError:
                    pass
        if match := SANITIZER.search(self.log.text()):
            self.problems.append(f"sanitizer report: {match.group(0)}")
        if self.code < 0 and -self.code not in self._expected_signals:
            self.problems.append(f"rr ended by signal {-self.code}")

    # -- processes ----------------------------------------------------------------------------

    def workers(self):
        """Pids of the worker processes."""
        return process.children(self.pid)

    def wait_workers(self, predicate, timeout=10.0, what="the set of workers"):
        return process.eventually(lambda: predicate(self.workers()) and self.workers(), timeout,
                                  what)

    # -- HTTP ---------------------------------------------------------------------------------

    @property
    def port(self):
        if self._port is None and (http := self.log.find(r"^  http   http://\S*:(\d+)\b")):
            self._port = int(http.group(1))
        if self._port is None:
            fixed = {int(port) for port in re.findall(r":(\d+)\b", self.config)}
            found = process.listening_ports(self.pid)
            free = sorted(found - fixed) or sorted(found)
            assert free, f"rr listens nowhere:\n{self.log}"
            self._port = free[0]
        return self._port

    @property
    def https_port(self):
        return int(self.log.find(r"^  https  https://\S*:(\d+)\b").group(1))

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def connect(self, timeout=10.0):
        """A keep-alive connection of http.client."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def open(self, timeout=10.0, address=None):
        """A raw connection."""
        return RawConnection(address or self.address, timeout)

    def request(self, method, target="/", body=b"", headers=(), timeout=30.0):
        """One request on its own connection."""
        with self.open(timeout) as connection:
            data = request_bytes(method, target, headers, body,
                                 host=f"127.0.0.1:{self.port}")
            return connection.send(data).read_response(head=method == "HEAD")

    def get(self, target="/", **named) -> Response:
        return self.request("GET", target, **named)

    def post(self, target="/", body=b"", **named) -> Response:
        return self.request("POST", target, body, **named)

    def ping(self):
        """An answer without PHP. When it has come, the loop has read what was sent before."""
        assert self.request("OPTIONS", "*").status == 200

    def raw(self, data, timeout=10.0):
        """Sends bytes on a new connection, closes our side, returns everything that came back."""
        with self.open(timeout) as connection:
            connection.send(data)
            try:
                connection.finish_sending()
            except OSError:
                pass
            return connection.read_to_end()

    def describe(self):
        return (f"--- {self.config}\n--- output of rr (pid {self.pid}, exit {self.code}) ---\n"
                + "\n".join(f"{name}: {line}" for name, line in self.log.lines))


class NotifySocket:
    """The receiving end of sd_notify."""

    def __init__(self, directory):
        self.path = str(pathlib.Path(directory) / "notify.sock")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)

    def receive(self, timeout=10.0):
        self._socket.settimeout(timeout)
        return self._socket.recv(4096).decode()

    def close(self):
        self._socket.close()
