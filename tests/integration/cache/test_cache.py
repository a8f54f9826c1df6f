"""The middleware cache in front of real PHP: X-Served counts what the worker was asked."""

import json
import subprocess
import zlib
from urllib.parse import urlencode

import brotli
import pytest

from harness.client import request_bytes
from harness.control import Pages
from harness.process import eventually
from harness.rpc import Client, address_of


def config(cache="{}", middleware="[cache]", more="", http="", pool="num_workers: 1"):
    return (f"http: {{address: '127.0.0.1:0', http2: {{h2c: true}}, "
            f"middleware: {middleware}, cache: {cache}, "
            f"pool: {{{pool}}}, {http}}}\n{more}")


def page(path="/page", keep=60, size=0, body=None, status=200, **headers):
    pairs = [("size", size)] if body is None else [("body", body)]
    pairs += [("status", status)] if status != 200 else []
    pairs += [("h[X-Cache-For]", keep)] if keep is not None else []
    pairs += [(f"h[{name.replace('_', '-')}]", value) for name, value in headers.items()]
    return f"{path}?{urlencode(pairs)}"


def get(server, target, method="GET", **headers):
    return server.request(method, target,
                          headers={name.replace("_", "-"): v for name, v in headers.items()})


def kept(server, target, **headers):
    """What was answered the second time, if that was not the worker's answer."""
    first = get(server, target, **headers)
    second = get(server, target, **headers)
    return second if second.header("X-Served") == first.header("X-Served") else None


@pytest.fixture
def server(rr):
    return rr(config(), worker="pages.php")


def test_a_page_is_answered_again_without_the_worker(server):
    first = get(server, page(size=5000))
    second = get(server, page(size=5000))
    assert second.body == first.body
    assert second.header("X-Served") == first.header("X-Served") == "1"
    assert second.header("Content-Type") == first.header("Content-Type")
    assert second.header("Content-Length") == "5000"
    assert first.header("Age") is None and int(second.header("Age")) <= 5
    assert first.header("X-Cache-For") is None and second.header("X-Cache-For") is None
    assert len(second.all("Date")) == 1


def test_http_1_and_2_share_what_is_kept(server):
    target = page(size=5000, ETag='"v1"')
    first = get(server, target)

    def curl(*more):
        return subprocess.run(
            ["curl", "-sSi", "--http2-prior-knowledge", "--max-time", "20", *more,
             f"{server.url}{target}"], capture_output=True, check=True).stdout
    head, _, body = curl().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/2 200") and b"\r\nage: " in head
    assert b"\r\nx-served: 1\r\n" in head and body == first.body
    assert curl("-H", 'If-None-Match: "v1"').startswith(b"HTTP/2 304")


def test_head_is_answered_from_a_kept_get(server):
    get(server, page(size=5000))
    head = get(server, page(size=5000), "HEAD")
    assert head.header("X-Served") == "1"
    assert head.header("Content-Length") == "5000"
    assert head.body == b""


def test_without_the_header_every_request_reaches_the_worker(server):
    assert kept(server, page(keep=None, Cache_Control="s-maxage=60")) is None
    assert kept(server, page(keep=0)) is None
    assert kept(server, page(Set_Cookie="a=1")) is None
    assert kept(server, page("/page", Vary="*")) is None
    assert kept(server, page(), Authorization="Basic eA==") is None


def test_path_query_and_host_tell_pages_apart(server):
    assert get(server, page("/a")).header("X-Served") == "1"
    assert get(server, page("/b")).header("X-Served") == "2"
    assert get(server, page("/a") + "&x=1").header("X-Served") == "3"
    assert get(server, page("/a"), Host="other").header("X-Served") == "4"
    assert get(server, page("/a")).header("X-Served") == "1"


def test_what_is_stale_is_never_served(server):
    target = page(keep=1)
    assert get(server, target).header("X-Served") == "1"
    # The second ends by itself; until then the kept page is right.
    assert eventually(lambda: get(server, target).header("X-Served") != "1", 10,
                      "the end of a second")


def test_a_client_that_has_the_page_gets_304(server):
    target = page(size=3000, ETag='"v1"', Cache_Control="max-age=5")
    get(server, target)
    answer = get(server, target, If_None_Match='"x", W/"v1"')
    assert answer.status == 304
    assert answer.header("ETag") == '"v1"'
    assert answer.header("Cache-Control") == "max-age=5"
    assert answer.header("Age") is not None
    assert answer.body == b""
    assert get(server, target, If_None_Match='"v2"').status == 200
    with server.open() as connection:  # and the connection goes on
        for _ in range(2):
            connection.send(request_bytes("GET", target, {"If-None-Match": '"v1"'},
                                          host=f"127.0.0.1:{server.port}"))
            assert connection.read_response().status == 304


def test_pages_that_vary_are_kept_for_each_wish(server):
    target = page(Vary="Accept-Language")
    assert get(server, target, Accept_Language="de").header("X-Served") == "1"
    assert get(server, target, Accept_Language="en").header("X-Served") == "2"
    assert get(server, target, Accept_Language="de").header("X-Served") == "1"
    assert get(server, target, Accept_Language="en").header("X-Served") == "2"


def test_a_large_page_and_a_stream_are_kept_whole(server):
    large = page(size=900_000)
    assert kept(server, large).body == get(server, page("/other", size=900_000)).body
    stream = "/lines?" + urlencode({"n": 50, "h[X-Cache-For]": 60})
    first = get(server, stream)
    second = get(server, stream)
    assert second.body == first.body and second.header("Age") is not None
    assert second.header("Content-Length") == str(len(first.body))


def test_a_page_beyond_max_entry_only_passes(rr):
    server = rr(config("{max_entry: 10KB}"), worker="pages.php")
    assert kept(server, page(size=10240)) is not None
    assert kept(server, page(size=10241)) is None
    assert get(server, page(size=2_000_000)).body == get(server, page(size=2_000_000)).body


def test_beyond_max_memory_old_pages_go(rr):
    server = rr(config("{max_memory: 100KB, max_entry: 50KB}",
                       more="metrics: {address: '127.0.0.1:0'}\n"), worker="pages.php")
    for number in range(10):
        get(server, page(f"/{number}", size=20_000))
    assert get(server, page("/9", size=20_000)).header("X-Served") == "10"
    assert get(server, page("/0", size=20_000)).header("X-Served") == "11"
    text = Pages(server, "metrics").get("/metrics").text
    values = dict(line.rsplit(" ", 1) for line in text.splitlines()
                  if line.startswith("rr_http_cache"))
    assert values["rr_http_cache_hits_total"] == "1"
    assert values["rr_http_cache_misses_total"] == "11"
    assert 20_000 < float(values["rr_http_cache_bytes"]) <= 100 << 10
    assert int(values["rr_http_cache_evicted_total"]) == 11 - int(values["rr_http_cache_entries"])


def test_a_client_that_goes_leaves_nothing_half(rr, gate):
    server = rr(config(), worker="pages.php", env=gate.env)
    target = "/events?" + urlencode({"n": 2, "gate": "h", "h[X-Cache-For]": 60})
    with server.open() as connection:
        connection.send(request_bytes("GET", target, host=f"127.0.0.1:{server.port}"))
        connection.read_head()
        connection.read_chunk()
        gate.begun("h2")
        connection.abort()
    gate.open("h2")
    answer = get(server, target)
    assert answer.header("Age") is None
    assert b"event number 2" in answer.body


def test_honour_cache_control_and_authorization_are_keys(rr):
    server = rr(config("{honour_cache_control: true, authorization: true}"), worker="pages.php")
    target = page(keep=None, Cache_Control="public, s-maxage=60")
    assert kept(server, target, Authorization="Basic eA==") is not None
    assert kept(server, page(keep=None, Cache_Control="private, s-maxage=60")) is None


def test_a_reset_forgets_what_the_old_workers_said(rr, gate):
    server = rr(config(more="rpc: {listen: 'tcp://127.0.0.1:0'}\n", pool="num_workers: 2"),
                worker="pages.php", env=gate.env)
    assert kept(server, page(size=100)) is not None
    late = "/wait?" + urlencode({"gate": "l", "size": 10, "h[X-Cache-For]": 60})
    with server.open() as slow, Client(address_of(server)) as client:
        slow.send(request_bytes("GET", late, host=f"127.0.0.1:{server.port}"))
        gate.begun("l")
        assert client.call("resetter.Reset", b'"http"').error is None
        assert get(server, page(size=100)).header("Age") is None
        # An old worker's answer that comes after the reset is served, not kept.
        gate.open("l")
        assert slow.read_response().status == 200
    assert get(server, late).header("Age") is None


def test_clear_over_rpc_drops_all_or_a_part(rr):
    server = rr(config(more="rpc: {listen: 'tcp://127.0.0.1:0'}\n"), worker="pages.php")
    for path in ("/news/1", "/news/2", "/shop"):
        get(server, page(path))
    with Client(address_of(server)) as client:
        assert json.loads(client.call("cache.Clear", b'"/news"').body) == 2
        assert get(server, page("/shop")).header("Age") is not None
        assert get(server, page("/news/1")).header("Age") is None
        assert json.loads(client.call("cache.Clear", b'""').body) == 2
        assert get(server, page("/shop")).header("Age") is None


def test_clear_over_rpc_finds_absolute_targets(rr):
    server = rr(config(more="rpc: {listen: 'tcp://127.0.0.1:0'}\n"), worker="pages.php")
    target = "http://host" + page("/news/1")
    get(server, target)
    assert get(server, target).header("Age") is not None
    with Client(address_of(server)) as client:
        assert json.loads(client.call("cache.Clear", b'"/news"').body) == 1
    assert get(server, target).header("Age") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_page_is_asked_for_anew_when_its_target_was_posted_to(server, method):
    target, other = page(size=100, Vary="Accept-Language"), page("/other", size=100)
    for language in ("de", "en"):
        assert kept(server, target, Accept_Language=language) is not None
    assert kept(server, other) is not None
    assert get(server, other, method).status == 200
    assert get(server, target, Accept_Language="de").header("Age") is not None
    assert get(server, target, method).status == 200
    for language in ("de", "en"):
        assert get(server, target, Accept_Language=language).header("Age") is None
    refused = page(status=422)
    assert get(server, target, Accept_Language="de").header("Age") is not None
    assert get(server, refused, method).status == 422


def test_an_answer_from_before_a_post_is_not_kept(rr, gate):
    server = rr(config(pool="num_workers: 2"), worker="pages.php", env=gate.env)
    target = "/events?" + urlencode({"n": 2, "gate": "p", "h[X-Cache-For]": 60})
    host = f"127.0.0.1:{server.port}"
    with server.open() as slow, server.open() as other:
        slow.send(request_bytes("GET", target, host=host))
        gate.begun("p2")
        other.send(request_bytes("POST", target, host=host))
        assert other.read_head().status == 200  # from here on the page is another one
        gate.open("p2")
        assert slow.read_response().status == 200
    assert get(server, target).header("Age") is None


def test_the_limits_of_one_client_are_not_told_to_the_next(rr):
    server = rr(config(middleware="[rate_limit, cache]",
                       http="rate_limit: {rate: 1, per: 60s, burst: 9}"), worker="pages.php")
    first = get(server, page(Retry_After="7"))
    second = get(server, page(Retry_After="7"))
    assert first.header("RateLimit-Remaining") == "8" and second.header("Age") is not None
    for name in ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Retry-After"):
        assert first.header(name) is not None and second.header(name) is None, name


def test_several_loops_share_what_is_kept(rr):
    server = rr(config(http="loops: 3", pool="num_workers: 3"), worker="pages.php")
    get(server, page(size=2000))
    assert all(get(server, page(size=2000)).header("Age") is not None for _ in range(30))


@pytest.mark.parametrize("middleware", ["[cache, gzip]", "[gzip, cache]"])
def test_it_works_inside_and_outside_of_gzip(rr, middleware):
    server = rr(config(middleware=middleware), worker="pages.php")
    target = page(size=20_000, ETag='"v1"')
    plain = get(server, target).body
    decoders = {"gzip": lambda data: zlib.decompress(data, 31), "br": brotli.decompress}
    for _ in range(2):
        for name, decode in decoders.items():
            answer = get(server, target, Accept_Encoding=name)
            assert answer.header("Content-Encoding") == name
            assert answer.header("ETag") == 'W/"v1"'
            assert answer.all("Vary") == ["Accept-Encoding"]
            assert answer.header("Content-Length") == str(len(answer.body))
            assert decode(answer.body) == plain
            unchanged = get(server, target, Accept_Encoding=name, If_None_Match='W/"v1"')
            assert unchanged.status == 304
            assert unchanged.header("ETag") == 'W/"v1"'
        assert get(server, target).body == plain
    # Outside it keeps one page for each encoding, inside the page alone.
    served = {get(server, target, Accept_Encoding=name).header("X-Served")
              for name in ("gzip", "br", "")}
    assert len(served) == (1 if middleware == "[cache, gzip]" else 3)


def test_it_does_nothing_where_it_is_not_listed(rr):
    server = rr(config(middleware="[]"), worker="pages.php")
    assert kept(server, page()) is None
    assert get(server, page()).header("X-Cache-For") == "60"
