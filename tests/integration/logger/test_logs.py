"""The log of a running server: formats, files, channels, and that its end loses nothing."""

import json
import re
import signal

from harness import process

HTTP = "http: {address: '127.0.0.1:0', pool: {num_workers: 1}}\n"


def records(path):
    return path.read_text().splitlines()


def wait_for(server, path, text):
    process.eventually(lambda: path.exists() and text in path.read_text(), 10, f"{text} in {path}")


def test_the_console_line(rr):
    server = rr(HTTP)
    server.get("/pid")
    server.log.wait(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000\tDEBUG\tserver      \t"
                    r'worker is allocated\t{"pid": \d+, "pool": "http", ')
    server.log.wait(r'\+0000\tINFO\thttp        \thttp log\t{"status": 200, "method": "GET", ')


def test_no_colours_without_a_terminal(rr):
    server = rr(HTTP, env={"NO_COLOR": "", "TERM": "xterm"})
    server.get("/pid")
    server.stop()
    assert "\x1b" not in server.log.text()


def test_production_is_json_line_by_line_with_nothing_lost_at_the_end(rr, tmp_path):
    server = rr(HTTP + "logs: {mode: production, output: [rr.log]}\n", directory=tmp_path)
    for number in range(50):
        server.get(f"/pid?n={number}")
    assert server.stop() == 0
    logged = [json.loads(line) for line in records(tmp_path / "rr.log")]
    assert all(set(record) >= {"level", "ts", "logger", "msg"} for record in logged)
    assert all(isinstance(record["ts"], int) and record["ts"] > 10**18 for record in logged)
    assert sum(record["msg"] == "http log" for record in logged) == 50


def test_hostile_bytes_in_a_target_stay_on_one_line(rr, tmp_path):
    server = rr(HTTP + "logs: {mode: production, output: [rr.log]}\n", directory=tmp_path)
    server.get('/pid?a="\\%0a')
    server.stop()
    lines = records(tmp_path / "rr.log")
    assert any("pid" in json.loads(line).get("URI", "") for line in lines)


def test_levels_and_channels(rr, tmp_path):
    server = rr(HTTP + """
logs:
  level: error
  channels:
    http: {mode: raw, output: [access.log]}
""", directory=tmp_path)
    server.get("/pid")
    server.stop()
    assert server.log.text("err") == ""
    [line] = [line for line in records(tmp_path / "access.log") if line.startswith("http log")]
    assert re.match(r'http log\t{"status": 200, "method": "GET", ', line)


def test_a_moved_file_is_opened_anew_on_hup(rr, tmp_path):
    server = rr(HTTP + "logs: {output: [rr.log]}\n", directory=tmp_path)
    server.get("/pid?one")
    wait_for(server, tmp_path / "rr.log", "pid?one")
    (tmp_path / "rr.log").rename(tmp_path / "rr.log.1")
    server.signal(signal.SIGHUP)
    wait_for(server, tmp_path / "rr.log", "")
    server.get("/pid?two")
    wait_for(server, tmp_path / "rr.log", "pid?two")
    assert "pid?two" not in (tmp_path / "rr.log.1").read_text()


def test_a_rotated_file_is_json(rr, tmp_path):
    server = rr(HTTP + "logs: {file_logger_options: {log_output: made/rr.log, max_size: 1}}\n",
                directory=tmp_path)
    server.get("/pid")
    server.stop()
    logged = [json.loads(line) for line in records(tmp_path / "made" / "rr.log")]
    assert any(record["msg"] == "http log" for record in logged)


def test_a_log_file_that_cannot_be_opened_stops_the_start(rr):
    server = rr(HTTP + "logs: {output: [no/such/folder/rr.log]}\n", expect_fail=True)
    assert server.code == 1
    assert "no/such/folder/rr.log: No such file or directory" in server.log.text("err")


def test_what_a_worker_writes_to_stderr_is_logged_by_lines(rr):
    server = rr(HTTP, env={"BOOT_STDERR": "first line\nsecond line\n"})
    server.log.wait(r"INFO\tserver      \tfirst line$")
    server.log.wait(r"INFO\tserver      \tsecond line$")
