"""Forms and keys, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from crm.errors import Declined
from desk.intake.form_draft import FormDraft
from desk.intake.forms import API, NOTICED_WITHIN_S, Forms
from desk.settings import load
from store.tables import form_keys
from tests.desk.intake.conftest import SITE
from tests.desk.web.conftest import INTAKE, NOWHERE


def works(forms, key):
    holder = forms.keyholder(key)
    return holder is not None and holder.works


def test_the_built_in_form_is_there(intake):
    """INTAKE_API_KEY names the form "api", which takes the sites of the settings along with its own."""
    forms = intake.forms
    assert [form.id for form in forms.all()] == [API]
    assert forms.keyholder(INTAKE).form.id == API
    forms.change(API, FormDraft("API", "Программа", (SITE, "https://old.example")))
    assert forms.of(API).origins == (SITE, "https://old.example")
    assert forms.of(API).source == "Программа"


def test_a_form_is_made_changed_paused_and_resumed(intake, form):
    """What a draft says is what the form is, and comes back after a change."""
    forms = intake.forms
    assert (form.name, form.source, form.origins, form.is_active) == ("Главная", "Сайт", (SITE,), True)
    forms.change(form.id, FormDraft("Акция", "VK", ("https://sale.example",), "https://sale.example/ok", 0, 0.0))
    changed = forms.of(form.id)
    assert (changed.name, changed.origins, changed.duplicate_s) == ("Акция", ("https://sale.example",), 0)
    forms.pause(form.id)
    assert not forms.of(form.id).is_active
    assert not forms.allows("https://sale.example")
    forms.resume(form.id)
    assert forms.allows("https://SALE.example")
    assert not forms.allows(SITE)
    assert [one.id for one in forms.all()] == [form.id, API]


def test_a_key_is_shown_once_and_kept_as_a_hash(desk, intake, form):
    """The key opens its form; the database holds neither it nor anything to make it of."""
    key = intake.forms.new_key(form.id)
    assert intake.forms.keyholder(key).form.id == form.id
    assert intake.forms.keyholder(key[:-1]) is None
    assert intake.forms.keys(form.id)[0].hint == key[-4:]
    with desk.store.read() as db:
        stored = str(db.execute(sa.select(form_keys)).mappings().all())
    assert key not in stored
    assert len(key) > 32


@pytest.mark.parametrize("key", ["", "x", "x" * 10_000, "ключ", "\ud800", "\x00"])
def test_what_is_no_key_names_nobody(intake, key):
    """Empty, endless and odd texts are simply no key."""
    assert intake.forms.keyholder(key) is None


def test_two_keys_overlap_while_the_site_is_changed(desk, intake, form):
    """A new key takes over; the old one works until its time is up, then it is still known whose it was."""
    old = intake.forms.new_key(form.id)
    new = intake.forms.new_key(form.id, overlap=timedelta(days=7))
    assert works(intake.forms, old)
    assert works(intake.forms, new)
    ends = [key.ends_at for key in intake.forms.keys(form.id)]
    assert ends[0] is None
    assert timedelta(days=6, hours=23) < ends[1] - datetime.now(UTC) <= timedelta(days=7)
    with desk.store.write() as db:
        db.execute(form_keys.update().where(form_keys.c.ends_at.is_not(None)).values(ends_at=datetime.now(UTC)))
    fresh = Forms(desk.store, desk.settings)
    assert not works(fresh, old)
    assert fresh.keyholder(old).form.id == form.id


def test_rotating_twice_does_not_lengthen_a_life(intake, form):
    """A key that ends tomorrow still ends tomorrow when another one takes over with a week's overlap."""
    intake.forms.new_key(form.id)
    intake.forms.new_key(form.id, overlap=timedelta(days=1))
    intake.forms.new_key(form.id, overlap=timedelta(days=7))
    ends = [key.ends_at for key in intake.forms.keys(form.id)]
    assert ends[0] is None
    assert ends[2] < ends[1]


def test_without_overlap_the_old_key_ends_at_once(intake, form):
    """The default is none: making a key anew because the old one leaked shuts the old one out."""
    old = intake.forms.new_key(form.id)
    intake.forms.new_key(form.id)
    assert not works(intake.forms, old)


def test_a_revoked_key_is_out(intake, form):
    """Revoking ends one key now and leaves the others."""
    first, second = intake.forms.new_key(form.id), intake.forms.new_key(form.id, overlap=timedelta(days=1))
    intake.forms.revoke(intake.forms.keys(form.id)[1].id)
    assert not works(intake.forms, first)
    assert works(intake.forms, second)


def test_no_key_at_all_is_shut(desk, tmp_path, form):
    """Without INTAKE_API_KEY and without any form's key nobody from elsewhere can have one."""
    forms = Forms(desk.store, load(NOWHERE, tmp_path))
    assert forms.is_shut()
    forms.new_key(form.id)
    assert not forms.is_shut()


def test_another_process_change_is_noticed_soon(desk, form):
    """What is done on one process holds on the other after two seconds, and is not read at each request."""
    moment = [0.0]
    here, there = Forms(desk.store, desk.settings, lambda: moment[0]), Forms(desk.store, desk.settings)
    key = here.new_key(form.id)
    assert works(here, key)
    there.revoke(there.keys(form.id)[0].id)
    assert works(here, key)
    moment[0] = NOTICED_WITHIN_S + 0.1
    assert not works(here, key)


def test_a_form_that_is_none(intake):
    """Asking for a form that is not there is an error with words."""
    for ask in (intake.forms.of, intake.forms.new_key):
        with pytest.raises(Declined) as raised:
            ask("none")
        assert raised.value.code == "form_unknown"
