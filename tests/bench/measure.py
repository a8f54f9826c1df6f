"""Single measurements. Every one is bounded, and failures are counted, never dropped."""

import contextlib
import json
import mmap
import os
import re
import socket
import ssl
import statistics
import struct
import subprocess
import time
from dataclasses import dataclass

from harness import process, tcp
from harness.client import RawConnection, request_bytes

UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6}


@dataclass
class Load:
    per_second: float
    failures: int
    p50_us: float = 0.0
    p99_us: float = 0.0
    server_cpu_us: float = 0.0  # processor time of the server for one request ...
    worker_cpu_us: float = 0.0  # ... and of its workers: steadier than requests/s on a busy machine
    seconds: float = 0.0  # that it ran, if not those asked for


def _time_us(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * UNITS[unit]


def wrk(url, connections, seconds, threads=1, headers=None):
    """One run of wrk. Failures: answers other than 2xx and 3xx, and errors of the sockets."""
    more = [word for name, value in (headers or {}).items() for word in ("-H", f"{name}: {value}")]
    output = subprocess.run(
        ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
         "--latency", *more, url],
        capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
    failures = sum(int(number) for number in re.findall(
        r"Non-2xx or 3xx responses: (\d+)", output))
    if errors := re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)",
                           output):
        failures += sum(map(int, errors.groups()))
    latency = {name: _time_us(value) for name, value in
               re.findall(r"^\s+(\d+)%\s+(\S+)", output, re.M)}
    return Load(float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1)), failures,
                latency.get("50", 0.0), latency.get("99", 0.0))


def h2load(url, connections, streams, seconds, *more):
    """One run of h2load: `streams` requests of each connection at a time. `--h1`: not HTTP/2."""
    output = subprocess.run(
        ["h2load", "-t1", f"-c{connections}", f"-m{streams}", "-D", str(seconds), *more, url],
        capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
    rate = re.search(r"finished in [\d.]+\w+, ([\d.]+) req/s", output)
    failed = re.search(r"(\d+) failed", output)  # statuses that are no success are among them
    if rate is None or failed is None:
        raise RuntimeError(f"h2load: {output[-500:]}")
    return Load(float(rate.group(1)), int(failed.group(1)))


def cpu_us(pid):
    """Processor time that a process has used."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e6 / os.sysconf("SC_CLK_TCK")


def loaded(server, connections, seconds, headers=None):
    """wrk against a server, with what it cost the server and its workers."""
    workers = server.workers()

    def used():
        return cpu_us(server.pid), sum(cpu_us(pid) for pid in workers)
    before = used()
    load = wrk(server.url, connections, seconds, headers=headers)
    after = used()
    answers = max(load.per_second * seconds, 1)
    load.server_cpu_us = (after[0] - before[0]) / answers
    load.worker_cpu_us = (after[1] - before[1]) / answers
    return load


def pipe_limit(program, command, in_flight, seconds, workers, env, tcp=False):
    run = subprocess.run(
        [program, "--workers", str(workers), "--in-flight", str(in_flight), "--seconds",
         str(seconds), "--tcp", str(int(tcp)), "--", *command],
        capture_output=True, text=True, timeout=3 * seconds + 60, env=env)
    values = dict(pair.split("=") for pair in run.stdout.split())
    if "per_second" not in values:
        raise RuntimeError(f"pipe_limit: {run.stderr.strip()}")
    return Load(float(values["per_second"]), int(values["failures"]))


def rpc_load(program, port, connections, in_flight, seconds, pid, *more):
    """Calls of rpc.Version, or of what `more` says, with the processor time that process `pid` spent
    on each."""
    before = cpu_us(pid)
    run = subprocess.run(
        [program, "--port", str(port), "--connections", str(connections), "--in-flight",
         str(in_flight), "--seconds", str(seconds), *more],
        capture_output=True, text=True, timeout=3 * seconds + 60, check=False)
    values = dict(pair.split("=") for pair in run.stdout.split())
    if "per_second" not in values:
        raise RuntimeError(f"rpc_load: {run.stderr.strip()}")
    # The first tenth warms up and is not among the calls, but among the time.
    calls = max(float(values["calls"]) * 1.1, 1)
    return Load(float(values["per_second"]), int(values["failures"]), float(values["p50_us"]),
                float(values["p99_us"]), (cpu_us(pid) - before) / calls)


def redis_benchmark(port, command, connections, in_flight, seconds, pid):
    """redis-benchmark with the keys and values of rpc_load. It counts calls, not time: a short run
    says how many."""
    def run(calls):
        output = subprocess.run(
            ["redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "-t", command, "-c",
             str(connections), "-P", str(in_flight), "-n", str(calls), "-r", "10000", "-d", "16",
             "--csv"],
            capture_output=True, text=True, timeout=10 * seconds + 60, check=True).stdout
        names, figures = [line.strip('"').split('","') for line in output.split("\n")[:2]]
        return dict(zip(names, figures))

    some = 50_000
    calls = int(float(run(some)["rps"]) * seconds)
    before = cpu_us(pid)
    values = run(calls)
    return Load(float(values["rps"]), 0, float(values["p50_latency_ms"]) * 1000,
                float(values["p99_latency_ms"]) * 1000, (cpu_us(pid) - before) / calls)


def tcp_load(program, port, connections, seconds, pids=()):
    """Lines that come back, with the processor time that the first process spent on each, and the
    others together."""
    before = [cpu_us(pid) for pid in pids]
    run = subprocess.run(
        [program, "--port", str(port), "--connections", str(connections), "--seconds",
         str(seconds)],
        capture_output=True, text=True, timeout=3 * seconds + 60, check=False)
    values = dict(pair.split("=") for pair in run.stdout.split())
    if "per_second" not in values:
        raise RuntimeError(f"tcp_load: {run.stderr.strip()}")
    # The first tenth warms up and is not among the lines, but among the time.
    lines = max(float(values["lines"]) * 1.1, 1)
    spent = [(cpu_us(pid) - start) / lines for pid, start in zip(pids, before)]
    return Load(float(values["per_second"]), int(values["failures"]), float(values["p50_us"]),
                float(values["p99_us"]), sum(spent[:1]), sum(spent[1:]))


def resident_kib(server):
    return process.memory_kib(server.pid)


def idle_connection_bytes(server, count=1000):
    """Growth of the server by `count` kept connections that have had one answer each."""
    request = request_bytes("GET", "/")
    with RawConnection(server.address) as warm:
        for _ in range(100):
            warm.send(request).read_response()
    before = process.memory_kib(server.pid)
    connections = []
    failures = 0
    try:
        for _ in range(count):
            connection = RawConnection(server.address)
            connections.append(connection)
            failures += connection.send(request).read_response().status != 200
        return (process.memory_kib(server.pid) - before) * 1024 / count, failures
    finally:
        for connection in connections:
            connection.close()


def idle_tls_bytes(pid, port, path, count=800):
    """The same for connections with TLS, of any server."""
    request = request_bytes("GET", path)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connections = []

    def answered():
        connection = RawConnection(("127.0.0.1", port))
        connections.append(connection)
        connection.socket = context.wrap_socket(connection.socket)
        return connection.send(request).read_response().status == 200
    try:
        failures = sum(not answered() for _ in range(50))
        before = process.memory_kib(pid)
        failures += sum(not answered() for _ in range(count))
        return (process.memory_kib(pid) - before) * 1024 / count, failures
    finally:
        for connection in connections:
            connection.close()


def handshakes(port, seconds):
    """One client that connects again and again with a new TLS session, and no request."""
    start = time.monotonic()
    output = subprocess.run(
        ["openssl", "s_time", "-connect", f"127.0.0.1:{port}", "-new", "-time", str(seconds)],
        capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
    taken = time.monotonic() - start  # its own clock has whole seconds
    found = re.search(r"^(\d+) connections in \d+ real seconds", output, re.M)
    if found is None:
        raise RuntimeError(f"s_time: {output[-500:]}")
    return Load(int(found.group(1)) / taken, 0, seconds=taken)


def idle_tcp_bytes(server, name, count=10_000):
    """Growth of the server by connections whose CONNECTED was answered and that say nothing."""
    address = tcp.address_of(server, name)
    for _ in range(100):
        with tcp.Connection(address) as warm:
            warm.send(b"x\r\n").expect(b"x\r\n")
    before = process.memory_kib(server.pid)
    crowd = []
    failures = 0
    try:
        while len(crowd) < count:
            crowd += [socket.create_connection(address, 30) for _ in range(200)]
            with tcp.Connection(address, 60) as last:  # announced after all the others
                last.send(b"x\r\n").expect(b"x\r\n")
        grown = process.memory_kib(server.pid) - before
        for client in crowd[::100]:
            client.sendall(b"x\r\n")
            failures += client.recv(10) != b"x\r\n"
        return grown * 1024 / count, failures
    finally:
        for client in crowd:  # a reset leaves nothing behind
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()


def large_post(server, megabytes=100):
    """Seconds, and growth of the server's peak in MiB, for one raw body."""
    piece = bytes(range(256)) * 4096
    process.reset_peak(server.pid)
    before = process.memory_kib(server.pid)
    begin = time.monotonic()
    with RawConnection(server.address, timeout=120) as connection:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n"
                        b"Content-Length: %d\r\n\r\n" % (megabytes << 20))
        for _ in range(megabytes):
            connection.send(piece)
        status = connection.read_response().status
    seconds = time.monotonic() - begin
    peak = process.memory_kib(server.pid, "VmHWM")
    return seconds, (peak - before) / 1024, int(status != 200)


class Allocations:
    """Reads and steers the counter that alloc_count.so keeps in a file."""

    def __init__(self, path):
        self._file = open(path, "r+b")
        self._map = mmap.mmap(self._file.fileno(), 24)

    def close(self):
        self._map.close()
        self._file.close()

    @property
    def calls(self):
        return struct.unpack("<Q", self._map[:8])[0]

    def trace(self, count):
        self._map[16:24] = struct.pack("<Q", count)


def allocations_per_request(server, counter, connections=1, requests=5000, path="/"):
    """Warm keep-alive connections; all of them ask at the same time, again and again."""
    request = request_bytes("GET", path)
    opened = [RawConnection(server.address) for _ in range(connections)]
    rounds = requests // connections
    failures = 0
    before = 0
    for number in range(rounds + 1000 // connections):
        if number == 1000 // connections:
            before = counter.calls
        for connection in opened:
            connection.send(request)
        for connection in opened:
            failures += connection.read_response().status != 200
    each = (counter.calls - before) / (rounds * connections)
    for connection in opened:
        connection.close()
    return each, failures


def reset_overhead_ms(binary, port, rounds=9):
    """How much longer `rr reset` takes than the reset that it waits for; the median."""
    over = []
    for _ in range(rounds):
        begin = time.monotonic()
        done = subprocess.run([binary, "reset", "--json", "--rpc", f"tcp://127.0.0.1:{port}"],
                              capture_output=True, text=True, timeout=60, check=True)
        over.append((time.monotonic() - begin) * 1000 - json.loads(done.stdout)["elapsedMs"])
    return statistics.median(over)


def page_ms(port, rounds=200):
    """Median time of one page on an open connection."""
    times = []
    with RawConnection(("127.0.0.1", port), 30) as connection:
        for _ in range(rounds):
            begin = time.monotonic()
            connection.send(request_bytes("GET", "/health"))
            connection.read_response()
            times.append((time.monotonic() - begin) * 1000)
    return statistics.median(times)


@contextlib.contextmanager
def overload(url, connections, seconds):
    """wrk with far more connections than there are workers; ends by itself."""
    load = subprocess.Popen(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url],
                            stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        load.wait(seconds + 60)
