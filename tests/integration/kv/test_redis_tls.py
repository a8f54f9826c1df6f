"""redis over TLS: one server, with and without client certificates, sentinel, cluster, and what is wrong."""

import contextlib
import re
import subprocess
import time

import pytest

from harness import stores
from harness.certificates import Authority
from harness.kv import Kv, KvError, after
from harness.process import eventually

ANYONE = ("--tls-auth-clients", "no")


@pytest.fixture(scope="module")
def trust(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("trust"))
    authority.server = authority.make("server")
    authority.client = authority.make("client", "DNS:client")
    authority.elsewhere = authority.make("elsewhere", "DNS:redis.example.com")
    return authority


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("strangers"))
    authority.client = authority.make("client", "DNS:client")
    return authority


def config(*addresses, ca, client=None, more="", limit="10s"):
    tls = f'root_ca: "{ca}"' + (f', cert: "{client[0]}", key: "{client[1]}"' if client else "")
    return (f'version: "3"\nrpc: {{listen: "tcp://127.0.0.1:0"}}\nkv:\n  secret:\n    driver: redis\n'
            f"    config:\n      addrs: {list(addresses)}\n      read_timeout: {limit}\n"
            f"      tls: {{{tls}}}\n{more}")


def works(kv):
    kv.set({"a": b"1", "large": b"x" * 700_000, "all": bytes(range(256))})
    assert kv.get("a", "all", "none") == {"a": b"1", "all": bytes(range(256))}
    assert kv.get("large") == {"large": b"x" * 700_000}
    kv.set({"ends": b"1"}, after(3600))
    assert kv.timeouts("ends")["ends"]
    kv.expire(after(7200), "ends")
    kv.delete("a")
    assert kv.has("a", "all") == {"all"}
    kv.clear()
    assert kv.has("all", "large", "ends") == set()


def test_one_server(rr, trust):
    with stores.redis_tls(*trust.server, trust.ca, *ANYONE) as redis:
        with Kv(rr(config(redis.address, ca=trust.ca)), "secret") as kv:
            works(kv)


def test_by_name_with_a_password_and_another_database(rr, trust):
    with stores.redis_tls(*trust.server, trust.ca, *ANYONE, "--requirepass", "geheim") as redis:
        more = "      password: geheim\n      db: 3\n"
        server = rr(config(f"localhost:{redis.port}", ca=trust.ca, more=more))
        with Kv(server, "secret") as kv:
            works(kv)


def test_a_certificate_of_ours_where_the_server_wants_one(rr, trust):
    with stores.redis_tls(*trust.server, trust.ca) as redis:
        with Kv(rr(config(redis.address, ca=trust.ca, client=trust.client)), "secret") as kv:
            works(kv)


def refused(rr, text, *, expect):
    server = rr(text)
    with Kv(server, "secret") as kv:
        began = time.monotonic()
        with pytest.raises(KvError) as error:
            kv.set({"a": b"1"})
        assert time.monotonic() - began < 15
        assert re.search(expect, str(error.value)), str(error.value)


def test_no_certificate_where_one_is_wanted(rr, trust):
    with stores.redis_tls(*trust.server, trust.ca) as redis:
        refused(rr, config(redis.address, ca=trust.ca, limit="2s"),
                expect="the server wants a certificate of ours")


def test_an_unknown_authority_is_refused(rr, trust, strangers):
    with stores.redis_tls(*trust.server, trust.ca, *ANYONE) as redis:
        refused(rr, config(redis.address, ca=strangers.ca, limit="2s"),
                expect="the server's certificate: ")


def test_the_certificate_of_another_host_is_refused(rr, trust):
    with stores.redis_tls(*trust.elsewhere, trust.ca, *ANYONE) as redis:
        refused(rr, config(redis.address, ca=trust.ca, limit="2s"), expect="the server.s certificate: it is for redis.example.com")
        refused(rr, config(f"localhost:{redis.port}", ca=trust.ca, limit="2s"),
                expect="the server.s certificate: it is for redis.example.com")


def test_a_server_without_tls_is_named_and_nothing_hangs(rr, trust):
    with stores.redis() as redis:
        refused(rr, config(redis.address, ca=trust.ca, limit="1s"), expect="no TLS handshake in time|the server does not speak TLS")


def test_tls_where_the_configuration_says_none(rr, trust):
    with stores.redis_tls(*trust.server, trust.ca, *ANYONE) as redis:
        plain = (f'version: "3"\nrpc: {{listen: "tcp://127.0.0.1:0"}}\nkv:\n  secret: {{driver: redis, '
                 f'config: {{addrs: ["{redis.address}"], read_timeout: 2s}}}}\n')
        refused(rr, plain, expect=redis.address)


def test_a_server_that_comes_back(rr, trust):
    with stores.redis_tls(*trust.server, trust.ca, *ANYONE) as redis:
        with Kv(rr(config(redis.address, ca=trust.ca, limit="500ms")), "secret") as kv:
            kv.set({"a": b"1"})
            redis.kill()
            with pytest.raises(KvError):
                kv.set({"a": b"2"})
            redis.start()

            def again():
                with contextlib.suppress(KvError):
                    kv.set({"a": b"3"})
                    return True
            eventually(again, what="the storage to serve again")
            assert kv.get("a") == {"a": b"3"}


@pytest.mark.parametrize("tls, expected", [
    ("{}", "tls: needs root_ca"),
    ('{cert: "c.pem", key: "k.pem"}', "tls: needs root_ca"),
    ('{root_ca: "none.pem"}', "tls.root_ca: none.pem: no such file or directory"),
    ('{root_ca: "%(ca)s", cert: "%(cert)s"}', "tls.cert: needs key"),
    ('{root_ca: "%(ca)s", cert: "%(cert)s", key: "%(other)s"}', "the key of another certificate"),
    ('{root_ca: "%(other)s"}', "no certificate in PEM form"),
    ('{roots_ca: "x", root_ca: "%(ca)s"}', "did you mean root_ca"),
])
def test_mistakes_in_the_file_are_named(rr, trust, tls, expected):
    names = {"ca": trust.ca, "cert": trust.client[0], "other": trust.server[1]}
    found = rr('version: "3"\nrpc: {listen: "tcp://127.0.0.1:0"}\nkv: {s: {driver: redis, config: '
               f'{{addrs: ["127.0.0.1:1"], tls: {tls % names}}}}}}}\n', command="check", expect_fail=True)
    found.wait()
    assert expected in str(found.log)


def say(trust, port, *words):
    return subprocess.run(["redis-cli", "--tls", "--cacert", trust.ca, "-p", str(port), *words],
                          capture_output=True, text=True, timeout=60, check=True).stdout


def test_a_cluster(rr, trust):
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(stores.redis_tls(
            *trust.server, trust.ca, *ANYONE, "--cluster-enabled", "yes", "--tls-cluster", "yes",
            "--cluster-port", str(stores.free_port()))) for _ in range(3)]
        addresses = [node.address for node in nodes]
        ranges = [("0", "5460"), ("5461", "10922"), ("10923", "16383")]
        for node, span in zip(nodes, ranges):
            say(trust, node.port, "CLUSTER", "ADDSLOTSRANGE", *span)
        for node in nodes[1:]:
            bus = node.command[node.command.index("--cluster-port") + 1]
            say(trust, nodes[0].port, "CLUSTER", "MEET", "127.0.0.1", str(node.port), bus)
        for node in nodes:
            eventually(lambda: "cluster_state:ok" in say(trust, node.port, "CLUSTER", "INFO"),
                       timeout=30, what="the cluster")
        with Kv(rr(config(*addresses, ca=trust.ca)), "secret") as kv:
            kv.set({f"k{n}": str(n).encode() for n in range(50)})
            assert kv.get(*[f"k{n}" for n in range(50)]) == {
                f"k{n}": str(n).encode() for n in range(50)}
            kv.clear()


def test_a_sentinel(rr, trust, tmp_path):
    (tmp_path / "sentinel.conf").touch()
    with contextlib.ExitStack() as stack:
        master = stack.enter_context(stores.redis_tls(*trust.server, trust.ca, *ANYONE,
                                                      "--tls-replication", "yes"))
        sentinel = stack.enter_context(stores.redis_tls(
            *trust.server, trust.ca, *ANYONE, "--tls-replication", "yes", "--sentinel",
            file=[str(tmp_path / "sentinel.conf")]))
        say(trust, sentinel.port, "SENTINEL", "MONITOR", "mymaster", "127.0.0.1", str(master.port), "1")
        with Kv(rr(config(sentinel.address, ca=trust.ca, more="      master_name: mymaster\n")),
                "secret") as kv:
            works(kv)
