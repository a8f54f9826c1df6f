"""A bounded load of keep-alive clients that counts every answer and every failure."""

import collections
import threading
import time

from harness.client import RawConnection, request_bytes


class Load:
    """Clients in threads, each sending the next request when it has the answer to the last.

    Use as a context manager; leaving it stops the clients. `wait(n)` returns when n more answers
    have come, so that a test can act in the middle of the load without sleeping.
    """

    def __init__(self, server, target="/", clients=8, seconds=20.0, method="GET", headers=(),
                 body=b"", check=None):
        self.statuses = collections.Counter()
        self.failures = []
        self.latencies = []
        self.bodies = collections.Counter()
        self._server = server
        self._request = request_bytes(method, target, headers, body)
        self._head = method == "HEAD"
        self._check = check
        self._changed = threading.Condition()
        self._stop = threading.Event()
        self._end = time.monotonic() + seconds
        self._rounds = [0] * clients  # answers and failures of each client
        self._threads = [threading.Thread(target=self._client, args=(number,), daemon=True)
                         for number in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(60)

    @property
    def answers(self):
        return sum(self.statuses.values())

    def wait(self, count, timeout=20.0):
        """Waits for `count` answers or failures from now on."""
        with self._changed:
            goal = self.answers + len(self.failures) + count
            done = self._changed.wait_for(
                lambda: self.answers + len(self.failures) >= goal, timeout)
        assert done, f"only {self.answers} answers: {dict(self.statuses)}, {self.failures[:3]}"
        return self

    def wait_round(self, timeout=20.0):
        """Waits until no request that is on its way now is so any more."""
        with self._changed:
            before = list(self._rounds)
            done = self._changed.wait_for(
                lambda: all(now > then for now, then in zip(self._rounds, before)), timeout)
        assert done, f"a request hangs: {before}, {self._rounds}"
        return self

    def assert_all(self, status=200):
        assert not self.failures, f"{len(self.failures)} failed: {self.failures[:3]}"
        assert set(self.statuses) == {status}, dict(self.statuses)

    def _client(self, number):
        connection = None
        while not self._stop.is_set() and time.monotonic() < self._end:
            begin = time.monotonic()
            try:
                if connection is None:
                    connection = RawConnection(self._server.address, timeout=30)
                response = connection.send(self._request).read_response(head=self._head)
                if self._check is not None:
                    self._check(response)
                if response.header("Connection", "").lower() == "close":
                    connection.close()
                    connection = None
                with self._changed:
                    self.statuses[response.status] += 1
                    self._rounds[number] += 1
                    self.bodies[response.body[:64]] += 1
                    self.latencies.append(time.monotonic() - begin)
                    self._changed.notify_all()
            except (OSError, AssertionError, ValueError) as error:
                if connection is not None:
                    connection.close()
                connection = None
                with self._changed:
                    self.failures.append(repr(error))
                    self._rounds[number] += 1
                    self._changed.notify_all()
                if len(self.failures) > 50:
                    return
        if connection is not None:
            connection.close()


class Background:
    """One call in a thread: started at once, `.result(timeout)` gives what it returned."""

    def __init__(self, call, *args, **named):
        self._value = None
        self._error = None

        def run():
            try:
                self._value = call(*args, **named)
            except BaseException as error:  # handed to the test
                self._error = error
        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    @property
    def done(self):
        return not self._thread.is_alive()

    def result(self, timeout=30.0):
        self._thread.join(timeout)
        assert not self._thread.is_alive(), f"no result within {timeout} s"
        if self._error is not None:
            raise self._error
        return self._value
