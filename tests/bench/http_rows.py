"""The rows of http beside one process of nginx: files, PHP, h2, TLS, and what middlewares cost.

All servers of a group run at the same time, and short turns alternate between them: what the
machine does meanwhile meets all of them.
"""

import contextlib
import subprocess

import measure
import peers
from harness.certificates import Authority
from harness.server import binary

TURN = 1  # seconds
SIZES = (("1 KiB", "1k.txt", 1 << 10), ("64 KiB", "64k.txt", 64 << 10),
         ("1 MiB", "1m.txt", 1 << 20))
WRK = 32               # connections
H2 = (8, 16)           # connections, requests of each at a time
TLS1 = (32, 1)         # the same with HTTP/1.1
CHAIN = ("http_metrics", "cache", "gzip", "sendfile", "static", "headers", "rate_limit",
         "proxy_ip_parser")
LOGS = 'logs: {level: error, output: ["log.txt"]}\n'


def config(middleware=(), more="", sections=""):
    return f"""
http:
  address: "127.0.0.1:0"
  http2: {{h2c: true}}
  pool: {{num_workers: 2}}
  middleware: [{", ".join(middleware)}]
  static: {{dir: public}}
  {more}
{sections}
{LOGS}"""


def chain_config(collector=None):
    """Every middleware, with something to do where that is possible."""
    otel = f"otel: {{endpoint: '127.0.0.1:{collector}', insecure: true}}" if collector else ""
    return config(CHAIN + (("otel",) if collector else ()), """cache: {}
  gzip: {level: 6}
  sendfile: {}
  headers: {request: {X-From: bench}, response: {X-Served: rr}}
  rate_limit: {rate: 1000000000}
  trusted_subnets: ["10.0.0.0/8"]
""", f"metrics: {{address: '127.0.0.1:0'}}\n{otel}")


def make_files(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for _, name, size in SIZES:
        (folder / name).write_bytes((b"0123456789abcde\n" * (size // 16 + 1))[:size])


def serves_tls(directory, cert, key):
    """What `rr check` says of http.ssl."""
    file = directory / "tls.yaml"
    file.write_text('version: "3"\nserver: {command: "php x.php"}\nhttp: {address: "127.0.0.1:0", '
                    f'ssl: {{address: "127.0.0.1:0", cert: "{cert}", key: "{key}"}}}}\n')
    run = subprocess.run([binary(), "check", "-c", str(file)], capture_output=True, text=True,
                         timeout=60, check=False)
    return run.returncode == 0 and "not served" not in run.stdout + run.stderr


class Side:
    """A server that is measured: where it listens, and whose processor time counts."""

    def __init__(self, plain, h2c, tls, pids, workers=()):
        self.plain, self.h2c, self.tls = plain, h2c, tls  # URLs without a path
        self.pids, self.workers = pids, workers

    def wrk(self, path, headers=None):
        return self._spent(lambda: measure.wrk(self.plain + path, WRK, TURN, headers=headers))

    def h2load(self, base, load, path, *more):
        return self._spent(lambda: measure.h2load(base + path, *load, TURN, *more))

    def handshakes(self):
        return self._spent(lambda: measure.handshakes(int(self.tls.rpartition(":")[2]), TURN))

    def _spent(self, call):
        def used():
            return [sum(map(measure.cpu_us, pids)) for pids in (self.pids, self.workers)]
        before = used()
        load = call()
        answers = max(load.per_second * (load.seconds or TURN), 1)
        load.server_cpu_us, load.worker_cpu_us = (
            (after - start) / answers for after, start in zip(used(), before))
        return load


def rr_side(server, tls_port=None):
    return Side(server.url.rstrip("/"), server.url.rstrip("/"),
                tls_port and f"https://127.0.0.1:{tls_port}", [server.pid], server.workers())


class Rows:
    """All of them; run() once, then goals()."""

    def __init__(self, bench):
        self.bench = bench
        self.turns = 2 * bench.chosen.rounds + 1
        self.notes = []

    def run(self):
        wanted = self.bench.wanted
        if not self.bench.chosen.skip_peers and wanted("beside nginx"):
            self.bench.attempt("beside nginx", self.beside_nginx)
        if wanted("chain"):
            self.bench.attempt("chain", self.chain)
        if wanted("static allocations"):
            self.bench.attempt("static allocations", self.allocations)

    def alternate(self, rows, turns):
        """`rows`: (name, call) that gives a Load. The first turn warms up and is not counted."""
        for turn in range(turns + 1):
            print(f"turn {turn} of {turns}" if turn else "warm-up", flush=True)
            for name, call in rows:
                def once(name=name, call=call):
                    load = call()
                    if turn:
                        self.bench.note(name, load)
                self.bench.attempt(name, once)

    def start(self, stack, yaml, worker, env=None):
        self.bench._count += 1
        place = self.bench.directory / f"rr{self.bench._count}"
        make_files(place / "public")
        server = self.bench.start(yaml, worker, env, place)
        stack.callback(self.bench.close, server)
        return server

    def nginx(self, stack, folder, *more, **options):
        nginx = peers.Nginx(folder, *more, **options)
        stack.callback(nginx.stop)
        return Side(nginx.plain, nginx.h2c, nginx.tls, nginx.worker_pids(), nginx.php_pids())

    def beside_nginx(self):
        with contextlib.ExitStack() as stack:
            folder = self.bench.directory / "nginx"
            make_files(folder / "public")
            cert, key = Authority(folder / "certificates").make("server")
            tls = serves_tls(folder, cert, key)
            if not tls:
                self.notes.append("TLS and HTTP/2 over TLS: http.ssl is not served by this build")
            port = peers.free_port() if tls else None
            ssl = (f'ssl: {{address: "127.0.0.1:{port}", cert: "{cert}", key: "{key}"}}'
                   if tls else "")
            static = rr_side(self.start(stack, config(["static"], ssl), self.bench.worker), port)
            php_port = peers.free_port() if tls else None
            plain = rr_side(self.start(stack, config(more=ssl.replace(str(port), str(php_port))),
                                       self.bench.worker), php_port)
            kept = self.nginx(stack, folder, cert, key)
            fresh = self.nginx(stack, self.bench.directory / "fresh", keep_alive=False)
            rows = []
            for name, side in (("rr, PHP", plain), ("nginx, PHP kept", kept),
                               ("nginx, PHP fresh", fresh)):
                rows.append((name, lambda s=side: s.wrk("/")))
                rows.append((f"{name}, h2c", lambda s=side: s.h2load(s.h2c, H2, "/")))
            for side, who in ((static, "rr"), (kept, "nginx")):
                for what, name, _ in SIZES:
                    rows.append((f"{who}, static {what}",
                                 lambda s=side, n=name: s.wrk("/" + n)))
                rows.append((f"{who}, static 1 KiB, h2c",
                             lambda s=side: s.h2load(s.h2c, H2, "/1k.txt")))
                if tls:
                    rows.append((f"{who}, static 1 KiB, TLS",
                                 lambda s=side: s.h2load(s.tls, TLS1, "/1k.txt", "--h1")))
                    rows.append((f"{who}, static 1 KiB, h2 over TLS",
                                 lambda s=side: s.h2load(s.tls, H2, "/1k.txt")))
                    rows.append((f"{who}, static 1 MiB, TLS",
                                 lambda s=side: s.h2load(s.tls, TLS1, "/1m.txt", "--h1")))
                    php = plain if who == "rr" else kept
                    rows.append((f"{who}, PHP, TLS",
                                 lambda s=php: s.h2load(s.tls, TLS1, "/", "--h1")))
                    rows.append((f"{who}, TLS handshakes", side.handshakes))
            # What is compared stands side by side.
            rows.sort(key=lambda row: row[0].partition(", ")[2].replace(" kept", "")
                      .replace(" fresh", ""))
            self.alternate(rows, self.turns)
            if tls:
                for side, who in ((static, "rr"), (kept, "nginx")):
                    self.bench.attempt(f"{who}, idle TLS", lambda s=side, w=who: self.idle(s, w))

    def idle(self, side, who):
        each, failures = measure.idle_tls_bytes(side.pids[0], int(side.tls.rpartition(":")[2]),
                                                "/1k.txt")
        self.bench.values[f"{who}, idle TLS connection"] = (each / 1000, "KB")
        self.bench.failures[f"{who}, idle TLS connection"] += failures

    def chain(self):
        with contextlib.ExitStack() as stack:
            collector = peers.Nginx(self.bench.directory / "collector", php=False)
            stack.callback(collector.stop)
            headers = {"Accept-Encoding": "gzip"}
            rows = []
            for name, yaml in (("12 bytes, no middleware", config()),
                               ("12 bytes, whole chain", chain_config()),
                               ("12 bytes, whole chain and otel", chain_config(collector.port))):
                side = rr_side(self.start(stack, yaml, self.bench.worker))
                rows.append((f"rr, {name}", lambda s=side: s.wrk("/", headers)))
            self.alternate(rows, 2 * self.turns)  # a difference of a few percent needs more of them

    def allocations(self):
        shim = self.bench.program("alloc_count.so")
        # Else each file is looked at anew once a second, and that allocates.
        kept = config(["static"]).replace("{dir: public}", "{dir: public, cache: {revalidate: 1h}}")
        for kind, yaml, paths in (
                ("static", kept,
                 [(f"static {what}", "/" + name) for what, name, _ in SIZES]),
                ("chain", chain_config(), [("12 bytes, whole chain", "/")])):
            file = self.bench.directory / f"allocations-{kind}"
            with contextlib.ExitStack() as stack:
                server = self.start(stack, yaml, self.bench.worker,
                                    {"LD_PRELOAD": shim, "ALLOC_COUNT": str(file)})
                counter = measure.Allocations(file)
                stack.callback(counter.close)
                for what, path in paths:
                    requests = 500 if "MiB" in what else 5000
                    name = f"allocations, {what}"
                    each, failures = measure.allocations_per_request(server, counter, 1, requests,
                                                                     path)
                    self.bench.values[name] = (each, "")
                    self.bench.failures[name] += failures

    # -- goals ----------------------------------------------------------------------------------

    def ratio(self, name, other, field="per_second"):
        """Of the medians: turns are short, and neighbours may meet different luck."""
        mine, base = self.bench.median(name, field), self.bench.median(other, field)
        return mine / base if mine and base else None

    def added(self, name, base, field):
        """Percent that a row costs more than another one: processor time, or requests/s lost."""
        ratio = self.ratio(name, base, field)
        if ratio is None:
            return None
        return 100 * (1 - ratio if field == "per_second" else ratio - 1)

    def goals(self, at_least, below):
        def ratio(what):
            return self.ratio(f"rr, {what}", f"nginx, {what}")

        for what, *_ in SIZES:
            yield at_least(f"static {what} / nginx", ratio(f"static {what}"), 1)
        for what in ("static 1 KiB, h2c", "static 1 KiB, TLS", "static 1 KiB, h2 over TLS",
                     "static 1 MiB, TLS", "TLS handshakes"):
            yield at_least(f"{what} / nginx", ratio(what), 0.8)
        for more in ("", ", h2c"):  # the faster of nginx's two ways counts
            ways = [self.ratio(f"rr, PHP{more}", f"nginx, PHP {way}{more}")
                    for way in ("kept", "fresh")]
            yield at_least(f"PHP{more} / one nginx + php-fpm",
                           min(ways) if all(ways) else None, 2.5)
        yield at_least("PHP, TLS / one nginx + php-fpm", ratio("PHP, TLS"), 2)
        base = "rr, 12 bytes, no middleware"
        for what in ("whole chain", "whole chain and otel"):
            for field, text in (("server_cpu_us", "server CPU added"),
                                ("per_second", "requests/s lost")):
                yield below(f"12 bytes, {what}: {text}",
                            self.added(f"rr, 12 bytes, {what}", base, field), 10, "%")
        value = {name: pair[0] for name, pair in self.bench.values.items()}.get
        for what in [f"static {size}" for size, *_ in SIZES] + ["12 bytes, whole chain"]:
            figure = value(f"allocations, {what}")
            yield (f"allocations, {what}", figure, "", "none",
                   lambda figure=figure: figure < 0.005)
