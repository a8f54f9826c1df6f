import pytest

from harness.tmux import Screen


@pytest.fixture
def screen(tmp_path):
    directory = tmp_path / "screen"
    directory.mkdir()
    screen = Screen(directory)
    yield screen
    screen.close()
