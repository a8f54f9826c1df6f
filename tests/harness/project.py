"""A server with its code in files that tests edit, and what its log tells about resets."""

import contextlib
import os
import signal

from harness import process

WORKER = """<?php
require '@ROOT@/php-worker/autoload.php';
require __DIR__ . '/src/app.php';
(new Rr\\Worker\\HttpWorker())->serve(fn ($request) => app($request));
"""
TCP = """<?php
require '@ROOT@/php-worker/autoload.php';
require __DIR__ . '/src/app.php';
(new Rr\\Worker\\TcpWorker())->onData(fn ($event) => app($event))->serve();
"""
DONE = r'reset done.*"pool": "{}"'
CHANGE = r"file was (?:created|updated|removed from watcher)"


def app(text):
    """Code that answers with `text`."""
    return f"<?php function app($request) {{ return '{text}'; }}"


class Project:
    """A server with its code in src, and what its log tells about resets."""

    def __init__(self, rr, config, files=None, **named):
        files = {"worker.php": WORKER, "src/app.php": app("one"), **(files or {})}
        self.server = rr(config, files=files, **named)
        self.log = self.server.log
        self.src = self.server.directory / "src"

    def get(self, target="/"):
        return self.server.get(target).text

    @contextlib.contextmanager
    def held(self):
        """The server sees what happens in here at once afterwards: one burst, however slow we are."""
        os.kill(self.server.pid, signal.SIGSTOP)
        process.eventually(lambda: process.is_stopped(self.server.pid), what="the pause of rr")
        try:
            yield
        finally:
            os.kill(self.server.pid, signal.SIGCONT)

    def edit(self, text, name="app.php"):
        """Writes the file and waits for the reset that follows."""
        with self.reset():
            (self.src / name).write_text(app(text))

    @contextlib.contextmanager
    def reset(self, pool="http"):
        """What happens in here leads to one reset; returns when the new workers serve."""
        mark = self.log.mark()
        with self.held():
            yield mark
        self.log.wait(DONE.format(pool), since=mark, timeout=20)

    def resets(self, since=0, pool="http"):
        return self.log.count(DONE.format(pool), since)

    def no_change(self):
        """What was done so far has been seen by now and was nothing to the watcher."""
        mark = self.log.mark()
        self.edit("sentinel")
        assert self.log.count(CHANGE) == self.log.count(CHANGE + r".*/src/app\.php")
        assert self.resets() == self.resets(since=mark) == 1
