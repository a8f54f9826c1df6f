"""A terminal: a shell in tmux, keys into it, and the picture that it shows."""

import os
import re
import shutil
import subprocess
import time

import pytest

from harness.process import eventually

LINES_BEHIND = re.compile(r"\n+\Z")


class Screen:
    """One tmux server with one window; nothing of the user's own tmux is touched."""

    def __init__(self, directory, columns=80, rows=24):
        if shutil.which("tmux") is None:
            pytest.skip("there is no tmux")
        self._socket = str(directory / "tmux.sock")
        self.directory = directory
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("TMUX", "NO_COLOR")}
        environment |= {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color"}
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows),
                   "-c", str(directory), "env PS1='ready$ ' bash --norc --noprofile", env=environment)
        try:
            self.wait(r"ready\$")
        except AssertionError:
            self.close()
            raise

    def _tmux(self, *args, env=None):
        return subprocess.run(["tmux", "-u", "-S", self._socket, *args], env=env, check=True,
                              capture_output=True, text=True, timeout=20).stdout

    def type(self, line):
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def keys(self, *names):
        self._tmux("send-keys", *names)

    def resize(self, columns, rows=24):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def text(self):
        return LINES_BEHIND.sub("", self._tmux("capture-pane", "-p"))

    def lines(self):
        return self.text().split("\n")

    def cursor_shown(self):
        return self._tmux("display-message", "-p", "#{cursor_flag}").strip() == "1"

    def second_screen(self):
        return self._tmux("display-message", "-p", "#{alternate_on}").strip() == "1"

    def wait(self, pattern, timeout=10.0):
        """Waits until the picture matches; the match."""
        expression = re.compile(pattern, re.M)
        end = time.monotonic() + timeout
        try:
            return eventually(lambda: expression.search(self.text()), timeout, repr(pattern))
        except AssertionError as error:
            raise AssertionError(f"{error}; after {time.monotonic() - end + timeout:.1f} s the "
                                 f"screen is\n{self.text()}") from None

    def wait_gone(self, pattern, timeout=10.0):
        expression = re.compile(pattern, re.M)
        eventually(lambda: not expression.search(self.text()), timeout, f"the end of {pattern!r}")

    def close(self):
        try:
            self._tmux("kill-server")
        except subprocess.CalledProcessError:
            pass  # its shell has ended
