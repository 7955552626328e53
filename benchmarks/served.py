"""A Streamlit program as a process of its own, for the time of a measurement."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def serving(script: str, settings: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """Port and process id of the program, from its first answer on. Settings of a real AmoCRM do not reach it."""
    port = _free_port()
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("AMOCRM_", "STREAMLIT_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", script, "--server.port", str(port), "--server.headless", "true"],
        cwd=ROOT,
        env={**environ, "LOCAL_ACCESS": "open", **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"http://localhost:{port}/_stcore/health")
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address: str) -> None:
    while True:
        try:
            requests.get(address, timeout=1).raise_for_status()
        except requests.RequestException:
            time.sleep(0.01)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
