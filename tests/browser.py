"""A browser without a window, where there is one."""

import re
import shutil
import subprocess
import tempfile

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


def dom(address):
    """What a page is after its scripts ran; skips the test where no browser exists."""
    return _run(address, "--dump-dom")


def printed_pages(address, folder):
    """On how many pages of paper a page prints."""
    target = folder / "printed.pdf"
    _run(address, "--no-pdf-header-footer", f"--print-to-pdf={target}")
    return len(re.findall(rb"/Type\s*/Page\b", target.read_bytes()))


def _run(address, *what):
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser among {', '.join(NAMES)} on the PATH")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        ran = subprocess.run(
            [
                found, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                "--no-first-run", f"--user-data-dir={profile}", "--virtual-time-budget=5000", *what, address,
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )  # fmt: skip
    return ran.stdout
