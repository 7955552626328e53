"""Debian's Chromium, for tests and benchmarks in a real browser."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""Switches of Chromium in a container, as root, without calls to its makers."""


def program() -> str | None:
    """The path of Chromium; None if it is not installed."""
    return shutil.which("chromium")


def launch(playwright: Playwright) -> Browser:
    """Start Chromium without a window."""
    return playwright.chromium.launch(executable_path=program(), args=FLAGS)
