"""What `make install` puts where, and that it works from there."""

import os
import pathlib
import subprocess

import pytest

from harness.server import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("install")
    subprocess.run([ROOT / "packaging" / "install"], check=True, timeout=60,
                   env={**os.environ, "DESTDIR": str(folder), "PREFIX": "/opt/rr"})
    return folder / "opt" / "rr"


def test_the_installed_program_runs(installed):
    done = subprocess.run([installed / "bin" / "rr", "--version"], capture_output=True, text=True,
                          check=True, timeout=20)
    assert "version 2025.1.14" in done.stdout


def test_the_unit_starts_the_installed_program(installed):
    unit = (installed / "lib/systemd/system/rr.service").read_text()
    assert "ExecStart=/opt/rr/bin/rr serve " in unit
    assert "Type=notify" in unit
    assert "@" not in unit


@pytest.mark.parametrize("path", ["share/bash-completion/completions/rr",
                                  "share/zsh/site-functions/_rr",
                                  "share/fish/vendor_completions.d/rr.fish"])
def test_every_shell_gets_its_completions(installed, path):
    assert "serve" in pathlib.Path(installed / path).read_text()


def test_the_manual_is_there(installed):
    assert (installed / "share/man/man1/rr.1.gz").stat().st_size > 500
