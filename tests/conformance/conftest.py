import pytest

from harness.scripted import configuration


@pytest.fixture(scope="module")
def server(rr_module):
    """A server whose worker answers with what it was sent, or with the test's bytes."""
    return rr_module(configuration())
