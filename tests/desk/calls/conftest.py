"""A connected desk on both databases, calls, and a mirror filled by hand."""

from __future__ import annotations

import pytest

from desk.calls import Entry
from desk.calls.choice import Choice
from desk.calls.entry import ANYONE, CALL_BACK, HEARD, OUTCOMES
from desk.lead import NewLead
from store.tables import contacts, known_phones, lead_contacts, leads, stages
from tests.support.desks import KEY, desk_for

PHONE = "+79615550011"
LEAD = NewLead("Вера Звонкова", PHONE, "Йога", "Звонок", "Хочу утром")


@pytest.fixture
def desk(box, store_url, tmp_path):
    """A connected desk, once on SQLite and once on PostgreSQL; nobody takes anything back."""
    with desk_for(box, tmp_path, DATABASE_URL=store_url, SECRET_KEY=KEY, AMOCRM_MAX_RPS="7") as opened:
        opened.calls.undo_s = 0.0
        yield opened


def call(now, lead=LEAD, **more):
    """A call as the form hands it over."""
    usual = {
        "choice": Choice(), "outcome": OUTCOMES[0], "heard": HEARD[0], "step": CALL_BACK, "step_at": now,
        "mine": False, "reason": "", "consented": False,
    }  # fmt: skip
    return Entry(lead=lead, **usual | more)


def contact_row(contact_id, phone, name="Вера Звонкова", updated_at=100):
    return {
        "id": contact_id, "name": name, "phones": f'["{phone}"]', "responsible_user_id": 0, "updated_at": updated_at,
        "is_deleted": False,
    }  # fmt: skip


def lead_row(lead_id, contact_id=None, own_phone="", status_id=1, updated_at=100, **more):
    texts = ("contact_search", "phone", "phones", "source", "utm_source", "utm_medium", "utm_campaign", "search")
    return {
        "id": lead_id, "name": "Йога", "price_kop": 0, "pipeline_id": 1, "status_id": status_id, "responsible_user_id": 0,
        "created_at": 1, "updated_at": updated_at, "contact_id": contact_id, "contact_name": "Вера Звонкова",
        "own_phone": own_phone, "direction": "Йога", "custom": "{}", "is_deleted": False, **dict.fromkeys(texts, ""), **more,
    }  # fmt: skip


def put(store, *, of_contacts=(), of_leads=()):
    """People and leads straight into the mirror. `of_contacts`: rows of `contact_row` and their phone."""
    with store.write() as db:
        for row, phone in of_contacts:
            db.execute(contacts.insert().values(**row))
            db.execute(known_phones.insert().values(phone=phone, contact_id=row["id"], updated_at=row["updated_at"]))
        for row in of_leads:
            db.execute(leads.insert().values(**row))
            if row["contact_id"]:
                link = {"lead_id": row["id"], "contact_id": row["contact_id"], "is_main": True}
                db.execute(lead_contacts.insert().values(**link))


def put_stages(store, *names):
    with store.write() as db:
        for number, name in enumerate(names, 1):
            row = {"pipeline_id": 1, "status_id": number, "position": number, "pipeline": "Продажи", "name": name}
            db.execute(stages.insert().values(**row, color="", type=0, is_main=True, is_archive=False))


__all__ = ["ANYONE", "LEAD", "PHONE", "call", "contact_row", "lead_row", "put", "put_stages"]
