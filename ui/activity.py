"""The parts of the activity page: the filter, the lines, the advice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from crm.journal import OK, Line
from desk.desk import the_desk
from desk.exports import Export
from desk.journal import KINDS
from desk.listing import to_query
from store import clock
from ui.frame.frame import fragment
from ui.frame.parts import zone
from ui.frame.words import error_words, say

PROBLEMS = "problems"
SHOWN = 200
COUNT = "activity.count"
LIVE_EVERY_S = 3.0
MOST_ROWS, ROW_PX = 16, 35

FRESH = timedelta(minutes=30)
"""Age of probably mended trouble; the advice stays, folded up."""


def choose_kind() -> str | None:
    """Choose a kind of operation, "problems", or None for everything."""
    return st.pills(
        say("activity-kind"),
        [*KINDS, PROBLEMS],
        format_func=lambda kind: say(f"activity-kind-{kind}"),
        key="activity.kind",
        bind="query-params",
    )


@fragment(run_every=LIVE_EVERY_S)
def live(kind: str | None) -> None:
    """The newest lines; new lines appear by themselves."""
    shown = st.session_state.get(COUNT, SHOWN)
    lines = the_desk().journal.recent(kind=None if kind == PROBLEMS else kind, problems=kind == PROBLEMS, limit=shown)
    _advice(lines)
    if lines:
        _table(lines)
        if len(lines) == shown:
            st.button(say("activity-more"), icon=":material/expand_more:", key="activity.more", on_click=_more)
    else:
        st.info(say("activity-none"), icon=":material/inbox:")


def _more() -> None:
    st.session_state[COUNT] = st.session_state.get(COUNT, SHOWN) + SHOWN


def _advice(lines: Sequence[Line]) -> None:
    """Advice for each kind of trouble among the lines: its meaning and the checks."""
    codes = dict.fromkeys(line.result for line in lines if line.result != OK)
    if not codes:
        return
    newest = max(line.at for line in lines if line.result != OK and line.at)
    fresh = clock.now() - newest < FRESH
    with st.expander(say("activity-advice", count=len(codes)), icon=":material/build:", expanded=fresh):
        for code in list(codes)[:8]:
            what, remedy = error_words(code)
            st.markdown(f"**{what}** {remedy}")


def _table(lines: Sequence[Line]) -> None:
    frame = pd.DataFrame(
        {
            "at": [line.at.astimezone(zone()).replace(tzinfo=None) for line in lines if line.at],
            "kind": [say(f"activity-kind-{line.kind}") for line in lines],
            "operation": [say(f"operation-{line.operation.replace('.', '-')}") for line in lines],
            "result": [_result(line) for line in lines],
            "status": [line.status for line in lines],
            "duration_ms": [line.duration_ms for line in lines],
            "request_id": [line.request_id or "" for line in lines],
            "subject": _subjects(lines),
        }
    )
    frame["status"] = frame["status"].astype("Int64")
    frame["duration_ms"] = frame["duration_ms"].astype("Int64")
    st.dataframe(
        frame,
        hide_index=True,
        placeholder="—",
        height=min(len(frame) + 1, MOST_ROWS) * ROW_PX + 3,
        alt=say("activity-title"),
        column_config={
            "at": st.column_config.DatetimeColumn(say("activity-at"), format="DD.MM HH:mm:ss", width=120),
            "kind": st.column_config.TextColumn(say("activity-kind-column")),
            "operation": st.column_config.TextColumn(say("activity-operation")),
            "result": st.column_config.TextColumn(say("activity-result"), width=280),
            "status": st.column_config.NumberColumn("HTTP", format="%d", width="small"),
            "duration_ms": st.column_config.NumberColumn(say("activity-duration"), format="%d", width="small"),
            "request_id": st.column_config.TextColumn(say("activity-request")),
            "subject": st.column_config.TextColumn(say("activity-subject")),
        },
    )


def _subjects(lines: Sequence[Line]) -> list[str]:
    """The subject of each line; for an export the person, the number of leads, and the filter."""
    ids = [line.subject for line in lines if line.operation == "leads.export" and line.subject]
    told = the_desk().exports.by_ids(ids) if ids else {}
    return [_export(told[line.subject]) if line.subject in told else line.subject or "" for line in lines]


def _export(export: Export) -> str:
    """A filter in the words of its address; without the searched text."""
    wanted = export.wanted
    query = urlencode(to_query(wanted.filter), doseq=True)
    return say(
        "export-told",
        who=export.asked_by or say("export-nobody"),
        kind=export.kind.upper(),
        count=export.done,
        filter=f"/?{query}" if query else say("export-all"),
        search=say("export-searched") if wanted.filter.search else "",
    ).strip()


def _result(line: Line) -> str:
    return f"✓ {say('ok')}" if line.result == OK else f"✗ {error_words(line.result)[0]}"
