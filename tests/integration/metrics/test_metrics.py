"""The Prometheus endpoint: built-in metrics, the application's own over RPC, overload, drain."""

import json
import re
import shutil
import signal
import struct
import subprocess
import time

import pytest

from harness.client import RawConnection
from harness.control import Pages, http_port, taken_port
from harness.load import Background, Load
from harness.process import eventually
from harness.rpc import MSGPACK, Client, address_of

CONFIG = """
rpc: {{listen: 'tcp://127.0.0.1:0'}}
http: {{address: '127.0.0.1:0', pool: {{{pool}}}}}
metrics: {{address: '127.0.0.1:0'{more}}}
"""
SOON = 5.0  # a bound for answers that should take milliseconds, on a machine that is busy
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
LINE = re.compile(r'([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$')


def start(rr, pool="num_workers: 1", more="", **named):
    server = rr(CONFIG.format(pool=pool, more=more), **named)
    server._port = http_port(server)
    return server, Pages(server, "metrics")


def check(text):
    """What `promtool check metrics` holds against a text, and promtool itself where there is one."""
    families = {}
    for line in text.splitlines():
        if line.startswith("# "):
            _, word, name, *rest = line.split(" ", 3)
            assert word in ("HELP", "TYPE")
            assert word not in families.setdefault(name, {}), f"{word} of {name} twice"
            families[name][word] = rest[0] if rest else ""
    series = set()
    current = None
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            current = line.split()[2]
            continue
        if line.startswith("#"):
            continue
        match = LINE.match(line)
        assert match, line
        assert match.group(1).startswith(current), f"{line} in {current}"
        float(match.group(3))
        key = (match.group(1), match.group(2))
        assert key not in series, f"{key} twice"
        series.add(key)
    assert list(families) == sorted(families)
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                              capture_output=True, timeout=20)
        assert "error" not in done.stderr, done.stderr
    return families


def read(text):
    """`name{labels}` -> value."""
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
            for line in text.splitlines() if line and not line.startswith("#")}


def scrape(pages):
    answer = pages.get("/metrics")
    assert answer.status == 200
    check(answer.text)
    return read(answer.text)


class Rpc:
    """Calls with PHP's defaults: JSON, `metrics.` in front."""

    def __init__(self, server):
        self.address = address_of(server)

    def __call__(self, method, argument):
        with Client(self.address) as client:
            reply = client.call(f"metrics.{method}", json.dumps(argument).encode())
            return reply.error or json.loads(reply.body)


# -- the endpoint ---------------------------------------------------------------------------------


def test_every_path_and_method_gives_the_exposition(rr):
    _, pages = start(rr)
    for method, target in (("GET", "/metrics"), ("GET", "/"), ("POST", "/any?x=y")):
        answer = pages.request(method, target)
        assert answer.status == 200
        assert answer.header("Content-Type") == CONTENT_TYPE
        check(answer.text)
    head = pages.request("HEAD", "/metrics")
    assert int(head.header("Content-Length")) > 0


def test_curl_reads_it(rr):
    _, pages = start(rr)
    done = subprocess.run(["curl", "-sS", "-H", "Accept: application/openmetrics-text,*/*",
                           f"http://127.0.0.1:{pages.port}/metrics"], capture_output=True,
                          timeout=20, text=True)
    check(done.stdout)
    assert "rr_http_total_workers 1" in done.stdout


def test_the_process_and_the_pool_are_there_from_the_start(rr):
    server, pages = start(rr, "num_workers: 2")
    values = scrape(pages)
    assert values["rr_http_total_workers"] == 2
    assert values["rr_http_workers_ready"] == 2
    assert values["rr_http_workers_working"] == 0
    assert values["rr_http_workers_invalid"] == 0
    workers = server.workers()
    each = [values[f'rr_http_worker_memory_bytes{{pid="{pid}"}}'] for pid in workers]
    assert all(memory > 1 << 20 for memory in each)
    assert values["rr_http_workers_memory_bytes"] == sum(each)
    for pid in workers:
        assert values[f'rr_http_worker_state{{pid="{pid}",state="ready"}}'] == 0
    assert values["rr_http_requests_queue"] == 0
    assert values["rr_http_uptime_seconds"] >= 0
    assert values["process_open_fds"] > 3
    assert values["process_max_fds"] >= values["process_open_fds"]
    assert values["process_resident_memory_bytes"] > 1 << 20
    assert values["process_cpu_seconds_total"] >= 0
    assert abs(values["process_start_time_seconds"] - time.time()) < 120
    assert not any(name.startswith("go_") for name in values)


def test_requests_are_counted_by_status(rr, gate):
    server, pages = start(rr, worker=gate.worker, env=gate.env)
    for _ in range(3):
        assert server.get("/").status == 200
    assert server.raw(b"GET / HTTP/1.1\r\n\r\n")  # no Host: refused before it is a request
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    values = scrape(pages)
    assert values['rr_http_request_total{status="200"}'] == 3
    assert values['rr_http_request_duration_seconds_count{status="200"}'] == 3
    assert values['rr_http_request_duration_seconds_bucket{status="200",le="+Inf"}'] == 3
    assert values['rr_http_request_duration_seconds_bucket{status="200",le="60"}'] == 3
    assert values['rr_http_request_duration_seconds_sum{status="200"}'] > 0
    assert values["rr_http_requests_queue"] == 1
    assert values["rr_http_workers_working"] == 1
    gate.open("a")
    assert held.result().status == 200
    eventually(lambda: scrape(pages)["rr_http_requests_queue"] == 0, what="an empty queue")


# RoadRunner's table: what dashboards are made for.
TABLE = {
    "rr_http_request_total": ("counter", {"status"},
                              "Total number of handled http requests after server restart."),
    "rr_http_request_duration_seconds": ("histogram", {"status", "le"}, "HTTP request duration."),
    "rr_http_requests_queue": ("gauge", set(), "Total number of queued requests."),
    "rr_http_no_free_workers_total": ("counter", set(),
                                      "Total number of NoFreeWorkers occurrences."),
    "rr_http_uptime_seconds": ("counter", set(), "Uptime in seconds"),
    "rr_http_total_workers": ("gauge", set(), "Total number of workers used by the HTTP plugin"),
    "rr_http_workers_memory_bytes": ("gauge", set(), None),
    "rr_http_workers_ready": ("gauge", set(), None),
    "rr_http_workers_working": ("gauge", set(), None),
    "rr_http_workers_invalid": ("gauge", set(), None),
    "rr_http_worker_state": ("gauge", {"state", "pid"}, None),
    "rr_http_worker_memory_bytes": ("gauge", {"pid"}, None),
}


def test_the_http_metrics_are_roadrunner_s_by_name_type_label_and_help(rr):
    server, pages = start(rr)
    server.get("/")
    text = pages.get("/").text
    families = check(text)
    assert {name for name in families if name.startswith("rr_http_")} == set(TABLE)
    for name, (kind, labels, help_text) in TABLE.items():
        assert families[name]["TYPE"] == kind, name
        assert help_text in (None, families[name]["HELP"])
        suffix = "_bucket" if kind == "histogram" else ""
        lines = re.findall(rf"^{name}{suffix}(?:{{(.*)}})? ", text, re.M)
        assert lines, name
        for line in lines:
            assert set(re.findall(r'(\w+)="', line)) == labels, name
    bounds = re.findall(r'duration_seconds_bucket{status="200",le="(.*?)"}', text)
    assert bounds == ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10",
                      "20", "30", "60", "+Inf"]


@pytest.mark.parametrize("listed", ["[static]", "[static, http_metrics]", "[http_metrics, static]"])
def test_what_a_middleware_answers_is_counted_wherever_http_metrics_stands(rr, listed):
    server = rr(f"http: {{address: '127.0.0.1:0', middleware: {listed}, static: {{dir: .}}, "
                "pool: {num_workers: 1}}\nmetrics: {address: '127.0.0.1:0'}",
                files={"page.txt": "text"})
    server._port = http_port(server)
    pages = Pages(server, "metrics")
    assert server.get("/page.txt").body == b"text"
    assert server.get("/").status == 200
    assert server.get("/status?code=404&body=x").status == 404
    values = scrape(pages)
    assert values['rr_http_request_total{status="200"}'] == 2
    assert values['rr_http_request_total{status="404"}'] == 1
    assert values["rr_http_requests_queue"] == 0


def test_early_hints_are_not_the_status_that_counts(rr):
    server, pages = start(rr)
    with server.open() as connection:
        connection.send(b"GET /early-hints HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.read_head().status == 103
        assert connection.read_response().status == 200
    values = scrape(pages)
    assert values['rr_http_request_total{status="200"}'] == 1
    assert not any('status="1' in name for name in values)


def test_refused_requests_are_counted(rr, gate):
    server, pages = start(rr, "num_workers: 1, max_queue_size: 1", worker=gate.worker,
                          env=gate.env)
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    assert server.get("/").status == 503
    values = scrape(pages)
    assert values["rr_http_no_free_workers_total"] == 1
    assert values['rr_http_request_total{status="503"}'] == 1
    gate.open("a")
    assert held.result().status == 200


# -- the application's own ------------------------------------------------------------------------


COLLECT = """, collect: {
  app_metric: {type: histogram, help: "my help", namespace: ns, buckets: [0.1, 1, 10]},
  hits: {type: counter, labels: [path]}, level: {type: gauge}, took: {type: summary},
  quantiles: {type: summary, objectives: {0.5: 0.05, 0.99: 0.001}}}"""


def test_collectors_of_the_configuration(rr):
    server, pages = start(rr, more=COLLECT)
    call = Rpc(server)
    values = scrape(pages)
    assert values["ns_app_metric_count"] == 0
    assert values["level"] == 0
    assert not any(name.startswith("hits") for name in values)
    assert call("Observe", {"name": "app_metric", "value": 0.5}) is True
    assert call("Add", {"name": "hits", "value": 2, "labels": ["/a"]}) is True
    assert call("Set", {"name": "level", "value": -1.5, "labels": None}) is True
    assert call("Observe", {"name": "took", "value": 3}) is True
    assert call("Observe", {"name": "quantiles", "value": 3, "labels": []}) is True
    text = pages.get("/").text
    families = check(text)
    values = read(text)
    assert families["ns_app_metric"] == {"HELP": "my help", "TYPE": "histogram"}
    assert values['ns_app_metric_bucket{le="0.1"}'] == 0
    assert values['ns_app_metric_bucket{le="1"}'] == 1
    assert values['hits{path="/a"}'] == 2
    assert values["level"] == -1.5
    assert (values["took_sum"], values["took_count"]) == (3, 1)
    assert sorted(name for name in values if name.startswith("took")) == ["took_count", "took_sum"]
    assert values['quantiles{quantile="0.5"}'] == 3


def test_declare_use_and_unregister(rr):
    server, pages = start(rr)
    call = Rpc(server)
    declared = {"name": "temperature",
                "collector": {"namespace": "app", "subsystem": "room", "type": "gauge",
                              "help": "Warmth", "labels": ["where"], "buckets": []}}
    assert call("Declare", declared) is True
    assert call("Add", {"name": "temperature", "value": 20, "labels": ["a\"b\n"]}) is True
    assert call("Sub", {"name": "temperature", "value": 0.5, "labels": ["a\"b\n"]}) is True
    assert scrape(pages)[r'app_room_temperature{where="a\"b\n"}'] == 19.5
    declared["collector"]["type"] = "counter"
    assert call("Declare", declared) is True  # as it was
    assert call("Sub", {"name": "temperature", "value": 1, "labels": ["x"]}) is True
    assert call("Unregister", "temperature") is True
    assert not any("temperature" in name for name in scrape(pages))
    assert call("Unregister", "temperature") == \
        "metrics_plugin_unregister: undefined collector temperature"


@pytest.fixture(scope="module")
def collecting(rr_module):
    server, pages = start(rr_module, more=COLLECT)
    return Rpc(server), pages


@pytest.mark.parametrize("method, argument, error", [
    ("Add", {"name": "x", "value": 1},
     "metrics_plugin_add: undefined collector x, try first Declare the desired collector"),
    ("Sub", {"name": "x", "value": 1}, "metrics_plugin_sub: undefined collector x"),
    ("Add", {"name": "hits", "value": 1, "labels": []},
     "metrics_plugin_add: required labels for collector `hits`"),
    ("Add", {"name": "hits", "value": 1, "labels": ["a", "b"]},
     'metrics_plugin_add: inconsistent label cardinality: expected 1 label values but got 2 in '
     '[]string{"a", "b"}'),
    ("Add", {"name": "took", "value": 1},
     "metrics_plugin_add: collector took does not support method `Add`"),
    ("Sub", {"name": "hits", "value": 1, "labels": ["a"]},
     "metrics_plugin_sub: collector `hits` does not support method `Sub`"),
    ("Set", {"name": "took", "value": 1},
     "metrics_plugin_set: collector `took` does not support method Set"),
    ("Add", {"name": "hits", "value": -1, "labels": ["a"]},
     "metrics_plugin_add: counter cannot decrease in value"),
    ("Declare", {"name": "n", "collector": {"type": "meter"}},
     "metrics_plugin_declare: unknown collector type meter"),
    ("Declare", {"name": "n", "collector": {"type": "histogram", "buckets": [2, 1]}},
     "metrics_plugin_declare: histogram buckets must be in increasing order"),
])
def test_what_is_wrong_is_an_error_reply_and_no_more(collecting, method, argument, error):
    call, pages = collecting
    assert call(method, argument) == error
    assert not any(name.startswith("hits") for name in scrape(pages))


@pytest.mark.parametrize("argument", [
    {"name": "hits", "value": "1", "labels": ["a"]},
    {"name": "hits", "value": 1, "labels": {"path": "a"}},
    {"name": "hits", "value": 1, "labels": [1]},
    {"name": 5, "value": 1}, ["hits"], "hits",
])
def test_wrong_types_are_refused_and_change_nothing(collecting, argument):
    call, pages = collecting
    reply = call("Add", argument)
    assert isinstance(reply, str)
    assert not any(name.startswith("hits") for name in scrape(pages))


def test_a_name_of_ours_cannot_be_taken(rr):
    server, pages = start(rr)
    reply = Rpc(server)("Declare", {"name": "total_workers", "collector": {
        "namespace": "rr_http", "type": "gauge", "help": "mine"}})
    assert "a previously registered descriptor with the same fully-qualified name" in reply
    assert scrape(pages)["rr_http_total_workers"] == 1


def packed(value):
    """MessagePack, as PHP's extension writes it for these calls."""
    if isinstance(value, dict):
        return bytes([0x80 | len(value)]) + b"".join(packed(k) + packed(v)
                                                      for k, v in value.items())
    if isinstance(value, list):
        return bytes([0x90 | len(value)]) + b"".join(map(packed, value))
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    return bytes([0xa0 | len(value)]) + value.encode()


def test_message_pack_carries_the_same_calls(rr):
    server, pages = start(rr, more=COLLECT)
    with Client(address_of(server)) as client:
        for keys in (("name", "value", "labels"), ("Name", "Value", "Labels")):
            argument = dict(zip(keys, ("hits", 1.5, ["/m"])))
            reply = client.call("metrics.Add", packed(argument), flags=MSGPACK)
            assert reply.error is None and reply.body == b"\xc3"
    assert scrape(pages)['hits{path="/m"}'] == 3


def test_label_combinations_are_bounded(rr):
    server, pages = start(
        rr, more=", max_series: 2, collect: {hits: {type: counter, labels: [path]}}")
    call = Rpc(server)
    for path in ("a", "b"):
        assert call("Add", {"name": "hits", "value": 1, "labels": [path]}) is True
    assert call("Add", {"name": "hits", "value": 1, "labels": ["c"]}) == (
        "metrics_plugin_add: too many combinations of label values: metrics.max_series is 2")
    assert call("Add", {"name": "hits", "value": 1, "labels": ["b"]}) is True
    assert scrape(pages)['hits{path="b"}'] == 2


def test_thousands_of_series_are_written_aside(rr):
    server, pages = start(rr, more=COLLECT)
    with Client(address_of(server)) as client:
        for number in range(3000):
            argument = {"name": "hits", "value": 1, "labels": [f"/{number}"]}
            assert client.call("metrics.Add", json.dumps(argument).encode()).body == b"true"
    values = scrape(pages)
    assert sum(value for name, value in values.items() if name.startswith("hits{")) == 3000


# -- overload, drain, trouble ---------------------------------------------------------------------


def test_a_scrape_waits_for_no_worker(rr, gate):
    server, pages = start(rr, "num_workers: 1, max_queue_size: 3", worker=gate.worker,
                          env=gate.env)
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    waiting = [server.open(timeout=30) for _ in range(2)]
    for connection in waiting:
        connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
    server.ping()
    assert server.get("/").status == 503
    begin = time.monotonic()
    values = scrape(pages)
    assert time.monotonic() - begin < SOON
    assert values["rr_http_workers_working"] == 1
    assert values["rr_http_requests_queue"] == 3
    gate.open("a")
    assert held.result().status == 200
    for connection in waiting:
        connection.read_response()
        connection.close()


def test_a_flood_delays_no_scrape(rr):
    server, pages = start(rr, "num_workers: 2, max_queue_size: 8")
    with Load(server, "/sleep?ms=200", clients=80) as load:
        load.wait(50)
        for _ in range(10):
            begin = time.monotonic()
            values = scrape(pages)
            assert time.monotonic() - begin < SOON
            assert values["rr_http_total_workers"] == 2
    assert not load.failures

    def all_counted():
        values = scrape(pages)
        return all(values[f'rr_http_request_total{{status="{status}"}}'] == count
                   for status, count in load.statuses.items())
    eventually(all_counted, what="every request being counted")


def test_metrics_are_served_while_draining(rr, gate):
    server, pages = start(rr, worker=gate.worker, env=gate.env)
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    mark = server.log.mark()
    server.signal(signal.SIGTERM)
    server.log.wait("server is stopping", since=mark)
    assert scrape(pages)["rr_http_requests_queue"] == 1
    gate.open("a")
    assert held.result().status == 200
    assert server.wait() == 0


def test_a_worker_that_goes_takes_its_series_with_it(rr):
    server, pages = start(rr)
    [before] = server.workers()
    assert f'rr_http_worker_memory_bytes{{pid="{before}"}}' in scrape(pages)
    server.signal(signal.SIGUSR1)
    server.wait_workers(lambda pids: pids and before not in pids)

    def replaced():
        pids = [name for name in scrape(pages) if name.startswith("rr_http_worker_memory_bytes")]
        return len(pids) == 1 and str(before) not in pids[0]
    eventually(replaced, what="the series of the new worker alone")


def test_a_taken_port_names_key_and_address(rr):
    holder, port = taken_port()
    with holder:
        server = rr("http: {address: '127.0.0.1:0'}\n"
                    f"metrics: {{address: '127.0.0.1:{port}'}}\n", expect_fail=True)
    assert server.code == 1
    assert (f"metrics.address: tcp://127.0.0.1:{port}: bind: address already in use"
            in server.log.text("err"))
    assert server.family() == []


def test_two_collectors_of_one_name_stop_the_start(rr):
    server = rr("http: {address: '127.0.0.1:0'}\nmetrics: {address: '127.0.0.1:0', collect: {"
                "b_c: {type: gauge, namespace: a}, c: {type: gauge, namespace: a_b}}}\n",
                expect_fail=True)
    assert server.code == 1
    assert ("metrics.collect.c: metrics_plugin_declare: duplicate metrics collector registration"
            in server.log.text("err"))


def test_without_the_section_there_is_no_service(rr):
    server = rr("rpc: {listen: 'tcp://127.0.0.1:0'}\nhttp: {address: '127.0.0.1:0'}\n")
    assert Rpc(server)("Add", {"name": "x", "value": 1}) == "rpc: can't find service metrics.Add"


def test_http_metrics_as_a_middleware_is_accepted_and_needs_a_section(rr):
    http = "http: {address: '127.0.0.1:0', middleware: [http_metrics]}\n"
    server = rr(http + "metrics: {address: '127.0.0.1:0'}\n", command="check", expect_fail=True)
    assert server.code == 0 and not server.log.find("http_metrics")
    server = rr(http, command="check", expect_fail=True)
    assert server.log.find("http_metrics: does nothing, it needs the section metrics")


def test_without_http_there_are_no_http_metrics(rr, tmp_path):
    server = rr("metrics: {address: 'unix://m.sock'}\n", directory=tmp_path)
    with RawConnection(str(tmp_path / "m.sock")) as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        text = connection.read_response().text
    check(text)
    assert "process_cpu_seconds_total" in text and "rr_http" not in text
    assert server.stop() == 0
