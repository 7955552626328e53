"""A browser's part towards the server, without a browser: open a page, change a widget, wait for the drawing.

It speaks Streamlit's own protocol over the socket, so what is timed is the server's whole answer, and what is counted is
every byte that goes to the browser besides Streamlit's own files.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

PATIENCE_S = 60.0


class Visitor:
    """A session. `bytes`: received since its opening. `tables`: rows of each table as drawn last."""

    def __init__(self, port: int, query: str = "", cookies: Mapping[str, str] | None = None) -> None:
        self._query = query
        shown = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else None
        self._socket = connect(
            f"ws://localhost:{port}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            origin=Origin(f"http://localhost:{port}"),
            additional_headers=shown,
            max_size=None,
        )
        self.bytes = 0
        self.widgets: dict[str, tuple[str, str]] = {}  # key or label: (id, fragment)
        self.choices: dict[str, list[str]] = {}
        self.texts: list[str] = []
        self.tables: list[bytes] = []
        self._states: dict[str, WidgetState] = {}

    def __enter__(self) -> Visitor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def open(self) -> float:
        """Run the page the first time. Seconds until the drawing is complete."""
        return self._run("")

    def choose(self, widget: str, values: list[str]) -> float:
        """Choose in a multiselect, by labels. Seconds until the drawing is complete."""
        widget_id, fragment = self._widget(widget)
        state = WidgetState(id=widget_id)
        state.string_array_value.data.extend(values)
        self._states[widget_id] = state
        return self._run(fragment)

    def type(self, widget: str, text: str) -> float:
        """Type into an input. Seconds until the drawing is complete."""
        widget_id, fragment = self._widget(widget)
        self._states[widget_id] = WidgetState(id=widget_id, string_value=text)
        return self._run(fragment)

    def _widget(self, name: str) -> tuple[str, str]:
        return next(value for key, value in self.widgets.items() if name in key)

    def _run(self, fragment: str) -> float:
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.fragment_id = fragment
        message.rerun_script.widget_states.widgets.extend(self._states.values())
        self.texts, self.tables = [], []
        started = time.perf_counter()
        self._socket.send(message.SerializeToString())
        while True:
            data = self._socket.recv(PATIENCE_S)
            assert isinstance(data, bytes)
            self.bytes += len(data)
            told = ForwardMsg()
            told.ParseFromString(data)
            if told.WhichOneof("type") == "delta" and told.delta.WhichOneof("type") == "new_element":
                self._learn(told.delta.new_element, told.delta.fragment_id)
            elif told.WhichOneof("type") == "script_finished":
                took = time.perf_counter() - started
                if told.script_finished in (
                    ForwardMsg.FINISHED_SUCCESSFULLY,
                    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
                ):
                    return took

    def _learn(self, element: Any, fragment: str) -> None:
        kind = element.WhichOneof("type")
        if kind == "markdown":
            self.texts.append(element.markdown.body)
        elif kind == "arrow_data_frame":
            self.tables.append(bytes(element.arrow_data_frame.data))
        elif kind in ("multiselect", "text_input"):
            widget = getattr(element, kind)
            self.widgets[widget.id] = (widget.id, fragment)
            if kind == "multiselect":
                self.choices[widget.id] = list(widget.options)
