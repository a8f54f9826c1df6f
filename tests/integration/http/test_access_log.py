"""The record of a request: RoadRunner's fields, in its order, in both forms."""

import json
import re
import time

# The numbers of `access_log_usage`.
USAGE = ["cpu_ms", "peak_memory"]
SHORT = ["status", "method", "URI", "URL", "remote_address", "read_bytes", "write_bytes", "start",
         "elapsed"]
FULL = ["read_bytes", "write_bytes", "status", "method", "URI", "URL", "remote_address", "query",
        "content_len", "host", "user_agent", "referer", "time_local", "request_time", "start",
        "elapsed"]
JSON = "logs: {mode: production, level: info}\n"
OWN = ["level", "ts", "logger", "msg"]  # of every record


def started(rr, more):
    return rr(f"{JSON}http: {{address: '127.0.0.1:0', pool: {{num_workers: 1}}{more}}}")


def record(server, message):
    line = server.log.wait(rf'^{{.*"msg":"{message}"').string
    return json.loads(line)


def test_the_short_record(rr):
    server = started(rr, "")
    before = time.time_ns()
    server.request("POST", "/raw?a=1", body=b"hello")
    seen = record(server, "http log")
    assert [key for key in seen if key not in OWN] == SHORT
    assert seen["level"] == "info" and seen["logger"] == "http"
    assert (seen["status"], seen["method"]) == (200, "POST")
    assert seen["URI"] == seen["URL"] == "/raw?a=1"
    assert re.fullmatch(r"127\.0\.0\.1:\d+", seen["remote_address"])
    assert (seen["read_bytes"], seen["write_bytes"]) == (5, 5)
    assert before <= seen["start"] <= time.time_ns()
    assert 0 <= seen["elapsed"] < 60000


def test_the_full_record(rr):
    server = started(rr, ", access_logs: true")
    before = time.time_ns()
    server.request("POST", "/raw?a=1&b=2", body=b"hello",
                   headers={"Host": "shop.example:81", "User-Agent": "me/1",
                            "Referer": "http://other/"})
    seen = record(server, "http access log")
    assert [key for key in seen if key not in OWN] == FULL
    assert seen["query"] == "a=1&b=2"
    assert seen["content_len"] == 5
    assert (seen["host"], seen["user_agent"], seen["referer"]) == \
        ("shop.example:81", "me/1", "http://other/")
    local = time.localtime(seen["start"] // 10**9)
    assert seen["time_local"] == time.strftime("%d/%b/%y:%H:%M:%S %z", local)
    assert before <= seen["start"] <= seen["request_time"] <= time.time_ns()


def test_what_is_not_there_is_empty_and_a_chunked_body_has_no_length(rr):
    server = started(rr, ", access_logs: true")
    server.raw(b"POST /length HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
               b"Connection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    seen = record(server, "http access log")
    assert seen["content_len"] == -1
    assert seen["read_bytes"] == 3
    assert (seen["query"], seen["user_agent"], seen["referer"]) == ("", "", "")


def test_nothing_of_a_client_begins_a_line(rr):
    server = started(rr, ", access_logs: true")
    answer = server.raw(b"GET /pid?a=%0d%0ab HTTP/1.1\r\nHost: a\r\nUser-Agent: a\tb\x85c\r\n"
                        b"Connection: close\r\n\r\n")
    assert answer
    seen = record(server, "http access log")
    assert seen["query"] == "a=%0d%0ab"
    assert "\n" not in seen["user_agent"]


def used(rr, more):
    return rr(f"{JSON}http: {{address: '127.0.0.1:0', pool: {{num_workers: 1}}, {more}}}",
              worker="slow.php")


def record_of(server, method, target, status=200, message="http log"):
    since = server.log.mark()
    assert server.request(method, target).status == status
    return json.loads(server.log.wait(rf'^{{.*"msg":"{message}"', since=since).string)


def test_usage_of_processor_and_memory(rr):
    server = used(rr, "access_log_usage: all")
    before = record_of(server, "GET", "/")
    large = record_of(server, "GET", "/memory?mb=64")
    after = record_of(server, "GET", "/")
    for seen in before, large, after:
        assert [key for key in seen if key not in OWN] == SHORT + USAGE
        assert 0 < seen["cpu_ms"]
    assert large["peak_memory"] > before["peak_memory"] + (60 << 20)
    assert after["peak_memory"] < large["peak_memory"] - (30 << 20)  # each has its own peak
    assert large["cpu_ms"] > after["cpu_ms"]


def test_usage_of_the_processor_only(rr):
    server = used(rr, "access_log_usage: cpu, access_logs: true")
    seen = record_of(server, "GET", "/", message="http access log")
    assert [key for key in seen if key not in OWN] == FULL + ["cpu_ms"]


def test_usage_of_a_worker_that_died(rr):
    server = used(rr, "access_log_usage: all")
    # The kernel's figure of a dead child is known above rr's own peak only; sanitizers make that high.
    seen = record_of(server, "POST", "/exit?mb=384", 502)
    assert seen["cpu_ms"] > 0
    assert seen["peak_memory"] > 384 << 20


def test_no_worker_no_usage(rr):
    server = used(rr, "access_log_usage: all, max_request_size: 1")
    since = server.log.mark()
    assert server.post("/", b"x" * 1048577).status == 413
    seen = json.loads(server.log.wait(r'^{.*"msg":"http log"', since=since).string)
    assert [key for key in seen if key not in OWN] == SHORT
