"""Requests that a test holds back in the worker."""

from harness.process import eventually
from harness.server import POOL_WORKERS


class Gate:
    """Requests that wait in the worker until the test lets them go (workers/gate.php)."""

    worker = POOL_WORKERS / "gate.php"

    def __init__(self, directory):
        self.directory = directory
        self.env = {"GATE_DIR": str(directory)}

    def begun(self, name, timeout=10.0):
        """Waits until a worker has taken the request; its pid."""
        file = self.directory / f"{name}.begun"
        return int(eventually(lambda: file.exists() and file.read_text(), timeout,
                              f"the begin of {name}").split()[0])

    def has_begun(self, name):
        return (self.directory / f"{name}.begun").exists()

    def times_begun(self, name):
        return len((self.directory / f"{name}.begun").read_text().split())

    def open(self, name):
        (self.directory / f"{name}.open").touch()
