"""The duplicate window, as a property: whatever is sent when, it is kept, and a lead of its own where the form's window says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from desk.intake.form_draft import FormDraft
from desk.intake.log import ACCEPTED, DUPLICATE
from store import clock
from store.tables import accepted_leads
from tests.desk.web.conftest import open_desk

PHONES = ("+79161004001", "+79161004002")
SPELLINGS = {
    PHONES[0]: ("8 916 100-40-01", "+7 (916) 100-40-01", "79161004001 (WhatsApp)"),
    PHONES[1]: ("8 916 100-40-02", "tel:+79161004002", "89161004002"),
}
SOURCES = ("", "Партнёр")

SENT = st.tuples(
    st.integers(0, 1200),  # seconds since the one before
    st.sampled_from(PHONES),
    st.integers(0, 2),  # spelling
    st.sampled_from(SOURCES),
    st.integers(0, 1),  # form
    st.booleans(),  # the clock is set back before it, by a minute
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    opened = open_desk(tmp_path_factory.mktemp("windows"))
    yield opened
    opened.close()


class Model:
    """What the window means, in so many words: a lead of the same form, phone and source younger than the window is the same lead."""

    def __init__(self, windows: tuple[int, int]) -> None:
        self.windows = windows
        self.leads: list[tuple[float, int, str, str, str]] = []

    def expected(self, at: float, form: int, phone: str, source: str) -> list[str]:
        window = self.windows[form]
        alike = [lead for lead in self.leads if lead[1:4] == (form, phone, source) and lead[0] > at - window]
        return [lead[4] for lead in sorted(alike)] if window else []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(SENT, min_size=1, max_size=8),
    st.tuples(st.sampled_from([0, 60, 600, 3600]), st.sampled_from([0, 60, 600, 3600])),
)
def test_the_window(desk, sent, windows):
    """Same form, phone in any spelling and source within the window: the first lead, and what was said is kept; else a lead of its own. Nothing is
    ever lost, also when the clock is set back."""
    forms = [
        desk.intake.forms.add(FormDraft(f"Окно {number} {clock.unix()}", f"Источник {number}", duplicate_s=window))
        for number, window in enumerate(windows)
    ]
    model, passed = Model(windows), 0.0
    for seconds, phone, spelling, source, form, is_back in sent:
        passed += seconds - (60 if is_back else 0)
        with clock.moved(timedelta(seconds=passed)):
            at = clock.unix()
            raw = {"phone": SPELLINGS[phone][spelling], "source": source, "message": f"в {at}"}
            taken = desk.intake.take(forms[form], raw)
        earlier = model.expected(at, form, phone, source)
        if earlier:
            assert (taken.outcome, taken.lead_id) == (DUPLICATE, earlier[0])
            assert desk.intake.log.page(form_id=forms[form].id, outcome=DUPLICATE, limit=100)
        else:
            assert taken.outcome == ACCEPTED
            model.leads.append((at, form, phone, source, taken.told_id))
    ids = [form.id for form in forms]
    with desk.store.read() as db:
        made = set(db.scalars(sa.select(accepted_leads.c.id).where(accepted_leads.c.form_id.in_(ids))))
    assert made == {lead[4] for lead in model.leads}
    kept = [line for form in forms for line in desk.intake.log.page(form_id=form.id, limit=100)]
    assert len(kept) == len(sent)
    assert [line for line in kept if line.outcome == DUPLICATE and not line.is_open] == []
