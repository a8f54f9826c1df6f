"""config/examples/service-plugin: a plugin of a user's own, built in with PLUGINS=..., and called
by curl and by PHP."""

import json
import os
import subprocess

import pytest

from harness.server import ROOT, binary

FOLDER = ROOT / "config" / "examples" / "service-plugin"


@pytest.fixture(autouse=True)
def _built_in():
    with open(binary(), "rb") as file:
        if b"maintenance_open" not in file.read():
            pytest.skip("this binary was built without config/examples/service-plugin")


class Site:
    def __init__(self, rr, place, **named):
        self.rpc = f"unix://{place}/rpc.sock"
        self.server = rr("", config_path=FOLDER / ".rr.yaml", **named,
                         env={"RR_HTTP_ADDRESS": "127.0.0.1:0", "RR_RPC_LISTEN": self.rpc})

    def curl(self, *options):
        done = subprocess.run(["curl", "-sS", "--max-time", "30", *options, self.server.url + "/"],
                              capture_output=True, check=True)
        return done.stdout.decode()

    def switch(self, word):
        """switch.php: PHP's RPC client in a process of its own."""
        done = subprocess.run(["php", FOLDER / "switch.php", word], capture_output=True, text=True,
                              timeout=60, env={**os.environ, "RR_RPC": self.rpc})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def site(rr, tmp_path):
    return Site(rr, tmp_path)


@pytest.mark.parametrize("codec", ["json", "protobuf"])
def test_php_sees_the_attribute_and_calls_the_method(rr, tmp_path, codec):
    site = Site(rr, tmp_path, overrides=[f"http.context_codec={codec}"])
    for visit in ("1", "2"):
        page = json.loads(site.curl())
        assert page["visit"] == visit
        assert page["maintenance"] == {"closed": False, "visits": int(visit), "refused": 0,
                                       "failures": 0, "workers": 2}


def test_the_middleware_adds_a_header_to_answers(site):
    assert "X-Site: open\r\n" in site.curl("-i")


def test_closed_it_answers_without_php(site):
    assert site.switch("close") is True
    answer = site.curl("-i")
    assert answer.startswith("HTTP/1.1 503 Service Unavailable\r\n")
    assert "Retry-After: 10\r\n" in answer
    assert answer.endswith("\r\n\r\nA new version is being installed, try again in ten seconds.\n")
    assert site.switch("status")["refused"] == 1
    site.server.log.wait(r'"status": 503, "method": "GET"')


def test_its_answers_are_framed_like_others(site):
    site.switch("close")
    url = site.server.url + "/"
    done = subprocess.run(["curl", "-sSi", "--max-time", "30", "-d", "a=b", url, "--next", "-sSI", url,
                           "--next", "-sS", "-w", "%{num_connects} %{http_code}", url],
                          capture_output=True, check=True)
    assert done.stdout.count(b"HTTP/1.1 503") == 2
    assert done.stdout.count(b"Content-Length: 60\r\n") == 2
    assert done.stdout.endswith(b"0 503")  # the connection went on


def test_open_returns_when_new_workers_serve(site):
    old = json.loads(site.curl())["pid"]
    site.switch("close")
    site.curl()
    assert site.switch("open") is True
    page = json.loads(site.curl())
    assert page["pid"] != old
    # The listener heard of the one failure.
    assert page["maintenance"]["failures"] == 1


def test_a_wrong_option_is_named_with_its_line(rr):
    server = rr("http: {address: 127.0.0.1:0}\nmaintenance: {text: ''}\n", command="check",
                expect_fail=True)
    assert server.code == 1
    assert ".rr.yaml:5: maintenance.text: must not be empty" in str(server.log)


def test_without_its_section_it_is_off_and_the_name_unknown(rr):
    server = rr("http: {address: 127.0.0.1:0, middleware: [maintenance], pool: {num_workers: 1}}\n")
    server.log.wait("http.middleware: requested middleware does not exist: maintenance")
    assert server.get("/").status == 200


def test_a_mistyped_middleware_is_told_with_the_right_name(rr):
    server = rr("http: {address: 127.0.0.1:0, middleware: [maintenence]}\nmaintenance: {}\n",
                command="check", args=["--strict"], expect_fail=True)
    assert server.code != 0
    assert "did you mean maintenance?" in str(server.log)
