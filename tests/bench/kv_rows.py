"""The rows of the kv plugin: its calls beside the echo loop and redis-server, and writes to its file."""

import subprocess

import measure
from harness import stores
from harness.rpc import address_of

CONFIG = """
version: "3"
rpc: {listen: "tcp://127.0.0.1:0"}
kv:
  memory: {driver: memory, config: {}}
  boltdb: {driver: boltdb, config: {file: kv.db, sync: interval}}
logs: {level: error, output: ["log.txt"]}
"""
LOADS = (("1 in flight", 1, 1), ("8 x 16 in flight", 8, 16))  # connections x calls of each
METHODS = ("Set", "MGet")
MANY = LOADS[1][0]
BATCH = 16  # items of a call: what setMultiple() sends


def echo(bench, name, method, connections, in_flight):
    def call():
        program = bench.program("rpc_load")
        with subprocess.Popen([program, "--echo"], stdout=subprocess.PIPE, text=True) as loop:
            try:
                port = int(loop.stdout.readline().partition("=")[2])
                bench.note(name, measure.rpc_load(program, port, connections, in_flight,
                                                  bench.chosen.seconds, loop.pid, "--call",
                                                  f"kv.{method}", "--storage", "memory"))
            finally:
                loop.kill()
    return name, call


def served(bench, name, method, storage, connections, in_flight, items=1):
    def call():
        server = bench.start(CONFIG, bench.worker)
        try:
            load = measure.rpc_load(
                bench.program("rpc_load"), address_of(server)[1], connections, in_flight,
                bench.chosen.seconds, server.pid, "--call", f"kv.{method}", "--storage", storage,
                "--items", str(items))
            load.per_second *= items
            load.server_cpu_us /= items
            bench.note(name, load)
        finally:
            bench.close(server)
    return name, call


def redis(bench, name, command, connections, in_flight):
    def call():
        with stores.redis() as store:
            bench.note(name, measure.redis_benchmark(store.port, command, connections, in_flight,
                                                     bench.chosen.seconds, store.process.pid))
    return name, call


def rows(bench):
    for what, *load in LOADS:
        for method in METHODS:
            yield echo(bench, f"echo loop, kv.{method}, {what}", method, *load)
            yield served(bench, f"rr, kv.{method}, memory, {what}", method, "memory", *load)
    if not bench.chosen.skip_peers:
        for command in ("SET", "GET"):
            yield redis(bench, f"redis-server, {command}, {MANY}", command, *LOADS[1][1:])
    yield served(bench, f"rr, kv.Set, boltdb, {MANY}", "Set", "boltdb", *LOADS[1][1:])
    yield served(bench, f"rr, kv.Set of {BATCH}, boltdb, items", "Set", "boltdb", *LOADS[1][1:],
                 items=BATCH)


def goals(bench, at_least):
    """As Bench.goals."""
    def percent(mine, other):
        ratio = bench.ratio(mine, other)
        return None if ratio is None else 100 * ratio

    for what, *_ in LOADS:
        for method in METHODS:
            yield at_least(f"kv.{method}, memory, {what} / echo loop", percent(
                f"rr, kv.{method}, memory, {what}", f"echo loop, kv.{method}, {what}"), 60, "%")
    for method, command in zip(METHODS, ("SET", "GET")):
        yield at_least(f"kv.{method}, memory, {MANY} / redis-server", bench.ratio(
            f"rr, kv.{method}, memory, {MANY}", f"redis-server, {command}, {MANY}"), 1)
    yield at_least("kv.Set, boltdb, sync interval", bench.median(f"rr, kv.Set, boltdb, {MANY}"), 50_000, "/s")
    yield at_least(f"kv.Set of {BATCH}, boltdb, sync interval, items", bench.median(
        f"rr, kv.Set of {BATCH}, boltdb, items"), 50_000, "/s")
