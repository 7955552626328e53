"""What a run has drawn reaches the browser, also where the next run begins at once and the server is busy."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from desk.settings import PROJECT
from tests.support.programs import until

PAGE = """
import time

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

from ui.streamlit_gaps import sent


def busy():
    '''Who sends has something else to do for a while; and the next run of this part is asked for already.'''
    context = get_script_run_ctx()
    session = runtime.get_instance()._session_mgr.get_active_session_info(context.session_id).session
    session._event_loop.call_soon_threadsafe(time.sleep, 0.5)
    again = RerunData(page_script_hash=context.page_script_hash, fragment_id_queue=list(context.fragment_ids_this_run))
    context.script_requests.request_rerun(again)


@st.fragment()
def part():
    number = st.session_state["run"] = st.session_state.get("run", -1) + 1
    if number == 1:
        busy()
    st.text(f"run {number}")


sent.keep_all()
part()
"""


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """That page, served."""
    script = tmp_path / "page.py"
    script.write_text(PAGE, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true", f"--server.port={free}"]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: _is_up(free), "the page", 60)
        yield free
    finally:
        process.terminate()
        process.wait(120)


def _is_up(port: int) -> bool:
    try:
        return requests.get(f"http://localhost:{port}/_stcore/health", timeout=60).ok
    except requests.RequestException:
        return False


def test_nothing_a_run_has_drawn_is_dropped(port):
    """The part runs twice in a row, before a busy server has sent what it drew first: the browser hears of both."""
    heard: list[str] = []
    with connect(f"ws://localhost:{port}/_stcore/stream", subprotocols=["streamlit"], max_size=None) as browser:
        part = ""
        _ask(browser, part)
        ends: list[int] = []
        while len(ends) < 3:
            told = ForwardMsg()
            told.ParseFromString(browser.recv(60))
            if told.WhichOneof("type") == "delta" and told.delta.new_element.WhichOneof("type") == "text":
                heard.append(told.delta.new_element.text.body)
                part = told.delta.fragment_id
            elif told.WhichOneof("type") == "script_finished":
                ends.append(told.script_finished)
                if len(ends) == 1:
                    _ask(browser, part)
    assert heard == ["run 0", "run 1", "run 2"]
    full, part_ = ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
    assert ends == [full, part_, part_], "only then the browser takes away what was not drawn again"


def _ask(browser, part: str) -> None:
    message = BackMsg()
    message.rerun_script.fragment_id = part
    browser.send(message.SerializeToString())
