"""The RPC port: dialects, codecs, errors, limits. Only the rpc plugin's own methods are called."""

import base64
import json

import pytest

from harness.rpc import (GOB, JSON, MSGPACK, PROTO, RAW, Client, address_of, frame, frame_v2,
                         message)

TCP = """
    version: "3"
    rpc: {listen: "tcp://127.0.0.1:0"}
    """


@pytest.fixture(scope="module")
def server(rr_module):
    return rr_module(TCP)


@pytest.fixture
def client(server):
    with Client(address_of(server)) as connection:
        yield connection


def test_version(client):
    reply = client.call("rpc.Version", b"true")
    assert (reply.flags, reply.body) == (JSON, b'"2025.1.14"')
    for argument in (b"", b"null", b"false", b" true\n"):
        assert client.call("rpc.Version", argument).body == b'"2025.1.14"'
