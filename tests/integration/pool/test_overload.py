"""More requests than workers: the queue, its bounds, and who leaves it."""

import time

from harness.load import Background, Load


def start(rr, gate, pool, more="", **named):
    return rr(f"http: {{address: '127.0.0.1:0', {more} pool: {{{pool}}}}}", worker=gate.worker,
              env={**gate.env, **named.pop("env", {})}, **named)


def test_waiting_requests_are_answered_in_order_of_arrival(rr, gate):
    server = start(rr, gate, "num_workers: 1")
    order = []
    held = Background(server.get, "/hold?name=first")
    gate.begun("first")

    def waiter(number):
        answer = server.get(f"/hold?name=w{number}")
        order.append(number)
        return answer.status
    waiting = []
    for number in range(4):
        gate.open(f"w{number}")
        connection = server.open(timeout=30)
        connection.send(f"GET /hold?name=w{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        waiting.append(connection)
        server.ping()
    gate.open("first")
    assert held.result().status == 200
    for connection in waiting:
        assert connection.read_response().status == 200
        connection.close()
    begun = [(gate.directory / f"w{number}.begun").stat().st_mtime_ns for number in range(4)]
    assert begun == sorted(begun)


def test_a_full_queue_is_503_with_retry_after_at_once(rr, gate):
    server = start(rr, gate, "num_workers: 1, max_queue_size: 1")
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    begin = time.monotonic()
    refused = server.get("/")
    assert time.monotonic() - begin < 1
    assert refused.status == 503
    assert refused.header("Retry-After") == "1"
    assert refused.header("No-Workers") is None
    gate.open("a")
    assert held.result().status == 200
    assert server.get("/").status == 200


def test_max_queue_size_counts_running_requests_too(rr, gate):
    server = start(rr, gate, "num_workers: 2, max_queue_size: 2")
    held = [Background(server.get, f"/hold?name={name}") for name in "ab"]
    gate.begun("a"), gate.begun("b")
    assert server.get("/").status == 503
    gate.open("a"), gate.open("b")
    assert [each.result().status for each in held] == [200, 200]


def test_the_queue_is_bounded_by_default(rr, gate):
    server = start(rr, gate, "num_workers: 1")
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    connections = [server.open(timeout=30) for _ in range(1100)]
    for connection in connections:
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    refused = server.get("/")
    assert refused.status == 503
    gate.open("a")
    assert held.result().status == 200
    statuses = [connection.read_response().status for connection in connections]
    for connection in connections:
        connection.close()
    assert statuses.count(200) == 1024
    assert statuses.count(503) == 1100 - 1024


def test_waiting_ends_after_allocate_timeout_with_503(rr, gate):
    server = start(rr, gate, "num_workers: 1, allocate_timeout: 1s")
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    begin = time.monotonic()
    late = server.get("/")
    assert 0.9 < time.monotonic() - begin < 3
    assert late.status == 503
    assert late.header("Retry-After") == "1"
    gate.open("a")
    assert held.result().status == 200


def test_internal_error_code_replaces_503(rr, gate):
    server = start(rr, gate, "num_workers: 1, max_queue_size: 1", "internal_error_code: 599,")
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    assert server.get("/").status == 599
    gate.open("a")
    held.result()


def test_a_request_whose_client_has_gone_leaves_the_queue(rr, gate):
    server = start(rr, gate, "num_workers: 1, prefetch: off")
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    gone = {"fin": server.open(), "reset": server.open()}
    for name, connection in gone.items():
        connection.send(f"GET /hold?name={name} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    server.ping()
    gone["fin"].close()
    gone["reset"].abort()
    server.ping()
    gate.open("a")
    assert held.result().status == 200
    assert server.get("/").status == 200  # stood behind them
    assert not gate.has_begun("fin")
    assert not gate.has_begun("reset")


def test_a_half_closed_client_that_announced_close_is_answered(rr, gate):
    server = start(rr, gate, "num_workers: 1")
    held = Background(server.get, "/hold?name=a")
    gate.begun("a")
    gate.open("half")
    half = Background(server.raw, b"GET /hold?name=half HTTP/1.1\r\nHost: a\r\n"
                                  b"Connection: close\r\n\r\n", 30)
    server.ping()
    gate.open("a")
    assert held.result().status == 200
    assert half.result().startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_slow_upload_holds_no_worker(rr):
    server = rr("http: {address: '127.0.0.1:0', pool: {num_workers: 1}}")
    with server.open() as slow:
        slow.send(b"POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n")
        slow.send(b"x" * 150_000)
        for _ in range(5):
            assert server.get("/pid").status == 200
        slow.send(b"x" * 50_000)
        assert slow.read_response().text.startswith("200000 ")


def test_twice_as_many_clients_as_workers_all_get_their_answer(rr):
    server = rr("http: {address: '127.0.0.1:0', pool: {num_workers: 2}}")
    with Load(server, "/sleep?ms=5", clients=32) as load:
        load.wait(600)
    load.assert_all()
