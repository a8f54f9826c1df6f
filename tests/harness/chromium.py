"""A headless Chromium that shows one page."""

import contextlib
import shutil
import subprocess

import pytest


@contextlib.contextmanager
def chromium(url, folder):
    """folder: for its profile."""
    program = shutil.which("chromium")
    if not program:
        pytest.fail("chromium is missing")
    browser = subprocess.Popen(
        [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--ignore-certificate-errors", f"--user-data-dir={folder}", "--remote-debugging-port=0",
         url], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        browser.terminate()
        browser.wait(30)
