import pytest

from harness.gate import Gate


@pytest.fixture
def gate(tmp_path):
    directory = tmp_path / "gate"
    directory.mkdir()
    gate = Gate(directory)
    yield gate
    for file in directory.glob("*.begun"):
        gate.open(file.stem)
