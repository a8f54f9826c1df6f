"""PHP's log: records of the channel app, and text for standard error."""

import pytest

from harness.proto import encode
from harness.rpc import PROTO, Client, address_of

RPC = """\
version: "3"
rpc: {listen: "tcp://127.0.0.1:0"}
"""


@pytest.fixture(scope="module")
def server(rr_module):
    return rr_module(RPC)


@pytest.fixture
def client(server):
    with Client(address_of(server)) as connection:
        yield connection


def entry(message, **attributes):
    return encode((1, message), *((2, encode((1, key), (2, value)))
                                  for key, value in attributes.items()))


@pytest.mark.parametrize("method, level", [("Error", "ERROR"), ("Warning", "WARN"),
                                           ("Info", "INFO"), ("Debug", "DEBUG")])
def test_a_record_of_each_level(server, client, method, level):
    reply = client.call(f"app.{method}", f'"plain {method}"'.encode())
    assert (reply.error, reply.body) == (None, b"false")
    server.log.wait(rf"\t{level}\tapp {{9}}\tplain {method}$")
    reply = client.call(f"app.{method}WithContext", entry(f"with {method}", a="1", b="x y"),
                        flags=PROTO)
    assert (reply.flags, reply.body) == (PROTO, b"")
    server.log.wait(rf'\t{level}\tapp {{9}}\twith {method}\t{{"a": "1", "b": "x y"}}$')


def test_log_writes_to_standard_error_as_it_is(server, client):
    assert client.call("app.Log", b'"one "').body == b"false"
    assert client.call("app.Log", b'"line\\n"').body == b"false"
    server.log.wait(r"^one line$")
    assert "one line" in server.log.text("err").splitlines()


def test_log_with_context_has_the_last_value_whole(server, client):
    reply = client.call("app.LogWithContext", entry("msg", k="v", k2="v2\n"), flags=PROTO)
    assert (reply.flags, reply.body) == (PROTO, b"")
    server.log.wait(r"^msg k:v,k2:v2$")


def test_json_works_with_context_too(server, client):
    body = b'{"message":"from json","log_attrs":[{"key":"k","value":"v"}]}'
    assert client.call("app.InfoWithContext", body).body == b"{}"
    server.log.wait(r'\tINFO\tapp {9}\tfrom json\t{"k": "v"}$')


def test_other_levels_do_not_exist(client):
    assert client.call("app.Emergency", b'"x"').error == "rpc: can't find method app.Emergency"


def test_the_channel_has_a_level_of_its_own(rr):
    server = rr(RPC + "logs: {channels: {app: {level: error}}}\n")
    with Client(address_of(server)) as client:
        assert client.call("app.Info", b'"quiet"').body == b"false"
        assert client.call("app.Error", b'"loud"').body == b"false"
        server.log.wait(r"\tloud$")
    assert not server.log.find("quiet")


def test_what_was_written_last_is_not_lost(rr):
    server = rr(RPC)
    with Client(address_of(server)) as client:
        for number in range(200):
            client.call("app.Log", f'"number {number}\\n"'.encode())
    assert server.stop() == 0
    lines = [line for line in server.log.text("err").splitlines() if line.startswith("number ")]
    assert lines == [f"number {number}" for number in range(200)]
