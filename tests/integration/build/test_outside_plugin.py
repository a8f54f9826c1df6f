"""A plugin folder from outside the repository, built in with PLUGINS=... (tests/outside_plugin)."""

import pytest

from harness.server import binary

HTTP = "http: {address: 127.0.0.1:0, pool: {num_workers: 1}}\n"


@pytest.fixture(autouse=True)
def _built_in():
    with open(binary(), "rb") as file:
        if b"greeter: " not in file.read():
            pytest.skip("this binary was built without tests/outside_plugin")


def test_it_is_served_where_its_section_is_present(rr):
    server = rr(HTTP + "greeter: {text: good morning}\n")
    assert "greeter: good morning" in str(server.log)


def test_it_is_off_without_its_section(rr):
    server = rr(HTTP)
    assert "greeter: " not in str(server.log)
