"""A page in Chromium: uploads, server-sent events, many requests at once."""

import json
import zlib

from harness.certificates import Authority
from harness.chromium import chromium


def visit(server, url, folder):
    """What the page of page.php reports about its visit."""
    with chromium(url, folder):
        return json.loads(server.log.wait(r"report (\{.*\})", timeout=60).group(1).replace('\\"', '"'))


def check(seen, protocol):
    assert seen == {
        "protocol": protocol,
        "upload": {"name": "värde", "file": "data.bin", "size": 300000,
                   "sum": f"{zlib.crc32(bytes([7]) * 300000):08x}"},
        "events": ["event 1", "event 2", "event 3"],
        "pictures": True,
        "long": 3000000,
    }


def test_a_page_over_http_1(rr, tmp_path):
    server = rr("http: {address: '127.0.0.1:0', pool: {num_workers: 2}}", worker="page.php")
    check(visit(server, server.url + "/", tmp_path / "profile"), "http/1.1")


def test_a_page_over_http_2(rr, tmp_path):
    place = Authority(tmp_path / "trust")
    certificate, key = place.make("server")
    server = rr("http: {pool: {num_workers: 3}, middleware: [gzip], "
                f"ssl: {{address: '127.0.0.1:0', cert: '{certificate}', key: '{key}'}}}}",
                worker="page.php")
    check(visit(server, f"https://127.0.0.1:{server.https_port}/", tmp_path / "profile"), "h2")
