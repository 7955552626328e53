"""Debian's Chromium, for tests and benchmarks that need a real browser."""

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
"""A browser in a container, as root, that asks nobody but the desk."""


def program() -> str | None:
    """Where Chromium is; None if it is not installed."""
    return shutil.which("chromium")


def launch(playwright: Playwright) -> Browser:
    """Start Chromium without a window."""
    return playwright.chromium.launch(executable_path=program(), args=FLAGS)
