"""Real proxies of Debian, started in front of a port for as long as a test needs them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.programs import free_port, until

PACKAGES = {"nginx": "nginx-light", "haproxy": "haproxy", "caddy": "caddy", "socat": "socat"}
"""The program, and the package it comes from."""

NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {servers}
}}
"""

SERVER = "server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{desk}; {more} }} }}"

UPGRADE = 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'
"""What every guide to Streamlit behind nginx says."""

KEPT = 'proxy_http_version 1.1; proxy_set_header Connection "";'
"""nginx's default since 1.29.7, spelled out for the older one."""

HAPROXY = """
global
    pidfile {folder}/haproxy.pid
defaults
    mode {mode}
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend in
    bind 127.0.0.1:{port}
    default_backend desk
backend desk
    server desk 127.0.0.1:{desk}
"""

CADDY = (
    "{{\n\tadmin off\n\tauto_https off\n}}\nhttp://:{port} {{\n\tbind 127.0.0.1\n\treverse_proxy 127.0.0.1:{desk}\n}}\n"
)

KINDS = {
    "nginx 1.0": ("nginx", ""),
    "nginx 1.0, Host": ("nginx", "proxy_set_header Host $host;"),
    "nginx 1.0, Host and port": ("nginx", "proxy_set_header Host $http_host;"),
    "nginx 1.1": ("nginx", KEPT),
    "nginx 1.1, Host": ("nginx", f"{KEPT} proxy_set_header Host $host;"),
    "nginx 1.1, Host and port": ("nginx", f"{KEPT} proxy_set_header Host $http_host;"),
    "nginx 1.1, upgrade": ("nginx", f"proxy_http_version 1.1; {UPGRADE}"),
    "nginx 1.1, upgrade, Host": ("nginx", f"proxy_http_version 1.1; {UPGRADE} proxy_set_header Host $http_host;"),
    "haproxy http": ("haproxy", "http"),
    "haproxy tcp": ("haproxy", "tcp"),
    "caddy": ("caddy", ""),
    "socat": ("socat", ""),
}
"""Proxies and forwarders as people set them up without another thought: what runs, and what sets it apart."""


@contextmanager
def standing(kind: str, desk: int, folder: Path) -> Iterator[int]:
    """The port of a proxy of this kind in front of the desk's."""
    program, more = KINDS[kind]
    port = free_port()
    match program:
        case "nginx":
            servers = SERVER.format(port=port, desk=desk, more=more)
            text = NGINX.format(folder=folder, servers=servers)
        case "haproxy":
            text = HAPROXY.format(folder=folder, mode=more, port=port, desk=desk)
        case "caddy":
            text = CADDY.format(port=port, desk=desk)
        case _:
            text = ""
    with started(program, text, folder, port, desk):
        yield port


@contextmanager
def started(program: str, text: str, folder: Path, port: int, desk: int = 0) -> Iterator[None]:
    """A program with this configuration, from the moment its port answers; a skip that says what is missing."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        pytest.skip(f"{program} is not installed (Debian: apt-get install {PACKAGES[program]})")
    file = folder / f"{program}.conf"
    file.write_text(text)
    command = {
        "nginx": [found, "-p", str(folder), "-c", str(file), "-e", "stderr"],
        "haproxy": [found, "-db", "-f", str(file)],
        "caddy": [found, "run", "--adapter", "caddyfile", "--config", str(file)],
        "socat": [found, f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr", f"TCP:127.0.0.1:{desk}"],
    }[program]
    log = folder / f"{program}.log"
    environ = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=environ, cwd=folder)
    try:
        until(lambda: _answers(port, process, log), f"{program} to listen")
        yield
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int, process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        raise AssertionError(f"ended with {process.returncode}:\n{log.read_text(errors='replace')}")
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
