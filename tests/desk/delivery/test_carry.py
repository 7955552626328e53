"""From accepted to in AmoCRM: once, with everything that was said, whoever is on the other end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
import requests

from desk import lead as lead_rules
from desk.delivery import DELIVERED, QUEUED, REFUSED
from desk.fields import MARKER_CODE
from desk.lead import NewLead
from store.tables import known_phones
from tests.desk.delivery.conftest import LEAD, added, make_due


def desk_marker(box):
    return next(field["id"] for field in box.entities("custom_fields") if field["code"] == MARKER_CODE)


def put_contact(box, name, phone, **more):
    """A contact that is in AmoCRM already."""
    token = box.grant()["access_token"]
    body = [{"name": name, "custom_fields_values": [{"field_code": "PHONE", "values": [{"value": phone}]}], **more}]
    answer = requests.post(
        f"{box.url}/api/v4/contacts", json=body, headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
    return answer.json()["_embedded"]["contacts"][0]["id"]


def test_a_lead_arrives_with_everything(box, connected):
    """Three requests; lead, contact, the three fields and the note, each once."""
    since = box.last_seq()
    lead_id = connected.outbox.accept(LEAD, "api")
    assert connected.outbox.progress(lead_id).state == QUEUED
    connected.outbox.deliver_due()
    progress = connected.outbox.progress(lead_id)
    assert progress.state == DELIVERED
    assert [entry["path"] for entry in box.ledger("request", since=since)] == [
        "/api/v4/contacts", "/api/v4/leads/complex", f"/api/v4/leads/{progress.amo_lead_id}/notes",
    ]  # fmt: skip
    lead = box.entities("leads", progress.amo_lead_id)[0]
    values = {int(field): value[0]["value"] for field, value in lead["custom_fields"].items()}
    marker = desk_marker(box)
    assert values == {264911: LEAD.phone, 264913: "Йога", 264915: "Сайт", marker: lead_id}
    assert lead["name"] == "Йога: Вера Доставкина"
    contact = box.entities("contacts", progress.contact_id)[0]
    assert (contact["name"], contact["custom_fields"]["264911"][0]["value"]) == (LEAD.name, LEAD.phone)
    assert [note["params"]["text"] for note in box.entities("notes") if note["entity_id"] == lead["id"]] == [
        LEAD.message
    ]
    assert progress.took_s > 0


def test_without_a_message_there_is_no_note(box, connected):
    """Two requests are enough then."""
    since = box.last_seq()
    connected.outbox.accept(NewLead("Без Записки", "+79615550012"), "api")
    connected.outbox.deliver_due()
    assert len(box.ledger("request", since=since)) == 2


@pytest.mark.parametrize(
    "spelling",
    [
        "8 (961) 555-00-11", "+7 961 555 00 11", "79615550011", "9615550011", "8 (961) 555-00-11 Мария", "тел. 8-961-555-00-11",
        "+7 903 100-16-02, 8 961 555-00-11", "89615550011;89031001605", "8961 555-00-11 доб. 12", "+7 961 555-00-11 (WhatsApp)",
    ],
)  # fmt: skip
def test_a_known_contact_is_used_again(box, connected, spelling):
    """However AmoCRM spells the phone, the person is found by it and no second contact is made."""
    known = put_contact(box, "Вера Старая", spelling)
    since = box.last_seq()
    lead_id = connected.outbox.accept(LEAD, "api")
    connected.outbox.deliver_due()
    assert connected.outbox.progress(lead_id).contact_id == known
    assert [entry for entry in box.ledger("change", since=since, entity="contacts") if entry["change"] == "added"] == []
    assert box.entities("contacts", known)[0]["name"] == "Вера Старая"


def test_a_near_hit_is_not_the_person(box, connected):
    """A contact in whose name or other fields the digits stand, or with a longer number, is left alone."""
    strangers = [
        put_contact(box, "Оператор 9615550011", "+79990000001"),
        put_contact(box, "Дальний", "+4479615550011"),
    ]
    lead_id = connected.outbox.accept(LEAD, "api")
    connected.outbox.deliver_due()
    assert connected.outbox.progress(lead_id).contact_id not in strangers
    assert connected.outbox.progress(lead_id).state == DELIVERED


def test_another_extension_is_another_person(box, connected):
    """Behind an office number each extension is somebody else, and so is the office itself; the same extension is the same."""
    others = [put_contact(box, "Приёмная", "8 495 100-17-00"), put_contact(box, "Сосед", "8 495 100-17-00 доб. 5")]
    ours = NewLead("Офис", "+74951001700;ext=12", "Йога", "Сайт")
    first = connected.outbox.accept(ours, "api")
    connected.outbox.deliver_due()
    made = connected.outbox.progress(first).contact_id
    assert made not in others
    assert box.entities("contacts", made)[0]["custom_fields"]["264911"][0]["value"] == "+74951001700 доб. 12"
    with connected.store.write() as db:
        db.execute(known_phones.delete())  # AmoCRM's word, not ours
    second = connected.outbox.accept(ours, "api")
    connected.outbox.deliver_due()
    assert connected.outbox.progress(second).contact_id == made


def test_a_number_that_cannot_exist_is_nobodys(box, connected):
    """Nobody is looked up by it, it arrives as it was said, and the note asks to check it."""
    put_contact(box, "Чужая", "+7 916 123-45-6")
    lead, _ = lead_rules.read({"phone": "+7 916 123-45-6 WhatsApp", "name": "-"})
    since = box.last_seq()
    lead_id = connected.outbox.accept(lead, "api")
    connected.outbox.deliver_due()
    progress = connected.outbox.progress(lead_id)
    assert next(entry["path"] for entry in box.ledger("request", since=since)) == "/api/v4/leads/complex"
    contact = box.entities("contacts", progress.contact_id)[0]
    assert (contact["name"], contact["custom_fields"]["264911"][0]["value"]) == ("Без имени", "+7 916 123-45-6")
    note = next(note["params"]["text"] for note in box.entities("notes") if note["entity_id"] == progress.amo_lead_id)
    assert note.splitlines() == [
        "Проверьте номер. Не хватает цифр: в номере 10 цифр, а нужно 11 вместе с 8 или +7.",
        "Телефон: +7 916 123-45-6 WhatsApp",
    ]


def test_the_second_number_is_known(box, connected):
    """Of somebody who leaves two numbers either is enough to be known by."""
    known = put_contact(box, "Вера Старая", "8 903 100-16-02")
    told = box.session().get(f"{box.url}/api/v4/contacts/{known}", timeout=60).json()
    connected.phonebook.learn([told], 0)
    lead, _ = lead_rules.read({"phone": "8 961 555-00-88, 8 903 100-16-02"})
    lead_id = connected.outbox.accept(lead, "api")
    connected.outbox.deliver_due()
    assert connected.outbox.progress(lead_id).contact_id == known


def test_amocrm_is_asked_for_every_number(box, connected):
    """Somebody AmoCRM knows by the second of two numbers, and the desk not at all, is the person who is there."""
    known = put_contact(box, "Вера Давняя", "8 903 100-16-22")
    lead, _ = lead_rules.read({"phone": "8 961 555-00-77, 8 903 100-16-22"})
    lead_id = connected.outbox.accept(lead, "api")
    connected.outbox.deliver_due()
    assert connected.outbox.progress(lead_id).contact_id == known


def test_what_found_no_place_is_told_as_it_was_said(box, connected):
    """Other numbers go into the phone's field, what could not be read into the note under its label."""
    lead, _ = lead_rules.read(
        {"phone": "8 961 555-00-11, 8 903 100-16-02", "name": "Bdfy", "direction": "=Йога", "message": "Утром"}
    )
    lead_id = connected.outbox.accept(lead, "api")
    connected.outbox.deliver_due()
    progress = connected.outbox.progress(lead_id)
    contact = box.entities("contacts", progress.contact_id)[0]
    assert [one["value"] for one in contact["custom_fields"]["264911"]] == ["+79615550011", "+79031001602"]
    note = next(note["params"]["text"] for note in box.entities("notes") if note["entity_id"] == progress.amo_lead_id)
    assert note.splitlines() == [
        "Утром",
        "Имя, похоже, набрано в другой раскладке: Иван",
        "Телефон: 8 961 555-00-11, 8 903 100-16-02",
        "Направление: =Йога",
    ]


def test_of_several_the_contact_changed_last(box, connected):
    """Two contacts with the same phone: the newer one is used."""
    put_contact(box, "Старая", LEAD.phone, updated_at=1_600_000_000)
    newer = put_contact(box, "Новая", LEAD.phone, updated_at=1_700_000_000)
    lead_id = connected.outbox.accept(LEAD, "api")
    connected.outbox.deliver_due()
    assert connected.outbox.progress(lead_id).contact_id == newer


def test_a_failed_note_makes_no_second_lead(box, connected):
    """The note fails, is tried later, and the lead stays one."""
    box.fault("status", path="/api/v4/leads/*/notes", status=500, times=1)
    lead_id = connected.outbox.accept(LEAD, "api")
    connected.outbox.deliver_due()
    progress = connected.outbox.progress(lead_id)
    assert (progress.state, progress.reason) == (QUEUED, "server_error")
    assert progress.amo_lead_id is not None
    make_due(connected)
    connected.outbox.deliver_due()
    assert connected.outbox.progress(lead_id).state == DELIVERED
    assert len(added(box)) == 1
    assert len(added(box, "notes")) == 1


def test_one_bad_lead_does_not_hold_up_the_others(box, connected):
    """A lead that AmoCRM refuses is set aside; the next one arrives."""
    box.fault("status", path="/api/v4/leads/complex", status=422, body_contains="79615550013")
    bad = connected.outbox.accept(NewLead("Отказная", "+79615550013"), "api")
    good = connected.outbox.accept(LEAD, "api")
    connected.outbox.deliver_due()
    assert connected.outbox.progress(bad).state == REFUSED
    assert connected.outbox.progress(good).state == DELIVERED


def test_a_missing_field_loses_nothing(box, connected):
    """Where the account has no field for it, the source goes into the note instead."""
    token = box.grant()["access_token"]
    requests.delete(
        f"{box.url}/api/v4/leads/custom_fields/264915", headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
    connected.fields.refresh(connected.client)
    lead_id = connected.outbox.accept(LEAD, "api")
    connected.outbox.deliver_due()
    progress = connected.outbox.progress(lead_id)
    assert progress.state == DELIVERED
    note = next(note for note in box.entities("notes") if note["entity_id"] == progress.amo_lead_id)
    assert note["params"]["text"] == f"{LEAD.message}\nИсточник: Сайт"


def test_more_values_than_amocrm_takes(box, connected):
    """AmoCRM refuses a lead with over forty fields: marks that find no room stand in the note, and the lead arrives."""
    admin, url = box.session(), f"{box.url}/api/v4/leads/custom_fields"
    made = admin.post(url, json=[{"name": f"Поле {number}", "type": "text"} for number in range(20)], timeout=60)
    connected.fields.refresh(connected.client)
    fields = made.json()["_embedded"]["custom_fields"]
    extra = {connected.fields.add("leads", field["id"], field["name"]): "да" for field in fields}
    tracking = {code: f"метка {code}" for code in sorted(connected.fields.layout().tracking)}
    lead_id = connected.outbox.accept(replace(LEAD, extra=extra, tracking=tracking), "api")
    connected.outbox.deliver_due()
    progress = connected.outbox.progress(lead_id)
    assert progress.state == DELIVERED
    filled = box.entities("leads", progress.amo_lead_id)[0]["custom_fields"]
    note = next(note for note in box.entities("notes") if note["entity_id"] == progress.amo_lead_id)
    told = [value for value in tracking.values() if value in f"{filled}{note['params']['text']}"]
    assert (len(filled), told) == (40, list(tracking.values()))


def test_added_fields_arrive_as_their_types_take_them(box, connected):
    """What people and builders write is read for the account's types; what is none of it is told as it was said."""
    fields = {
        264923: "БЕЗЛИМИТ", 264925: ["утро", "Вечер"], 264927: "5 марта 2026", 264931: "1 030,50", 264933: "on",
        264935: "как-нибудь", 264937: "fit.ru/yoga", 264939: "раз\nдва", 264929: "05.03.2026 18:30", 264941: "2 500 ₽",
    }  # fmt: skip
    url = f"{box.url}/api/v4/leads/custom_fields"
    made = box.session().post(url, json=[{"name": "День рождения", "type": "birthday"}], timeout=60).json()
    birthday = made["_embedded"]["custom_fields"][0]["id"]
    connected.fields.refresh(connected.client)
    fields[birthday] = "15 июля 1985"  # of a summer in which Moscow's clocks were an hour ahead
    keys = {connected.fields.add("leads", one, f"Поле {one}"): said for one, said in fields.items()}
    choice = next(field.choices[0] for field in connected.fields.known("leads") if field.id == 264923)
    keys["lead_264923"] = f" {choice.upper()} "
    lead, _ = lead_rules.read({"phone": "+79615550099", **keys}, connected.fields.added())
    lead_id = connected.outbox.accept(lead, "api")
    connected.outbox.deliver_due()
    progress = connected.outbox.progress(lead_id)
    assert progress.state == DELIVERED
    filled = box.session().get(f"{box.url}/api/v4/leads/{progress.amo_lead_id}", timeout=60).json()
    told = {
        item["field_id"]: [value["value"] for value in item["values"]]
        for item in filled["custom_fields_values"]
        if item["field_id"] in fields
    }
    midnight = int(datetime(2026, 3, 5, tzinfo=connected.settings.zone).timestamp())
    evening = int(datetime(2026, 3, 5, 18, 30, tzinfo=connected.settings.zone).timestamp())
    born = int(datetime(1985, 7, 15, tzinfo=timezone(timedelta(hours=3))).timestamp())
    assert told == {
        264929: [evening], 264941: ["2500"], birthday: [born],
        264923: [choice], 264925: ["Утро", "Вечер"], 264927: [midnight], 264931: ["1030.5"], 264933: [True], 264937: ["https://fit.ru/yoga"],
        264939: ["раз\nдва"],
    }  # fmt: skip
    note = next(note for note in box.entities("notes") if note["entity_id"] == progress.amo_lead_id)
    assert note["params"]["text"] == "Поле 264935: как-нибудь"


def test_a_field_of_another_type_than_it_was(box, connected):
    """A text that was right when the lead was accepted and fits no more goes into the note, and the lead arrives."""
    for one in (264931, 264923, 264927, 264937):
        connected.fields.add("leads", one, f"Поле {one}")
    extra = {f"lead_{one}": "похудеть" for one in (264931, 264923, 264927, 264937)}
    lead_id = connected.outbox.accept(replace(LEAD, message="", extra=extra), "api")
    connected.outbox.deliver_due()
    progress = connected.outbox.progress(lead_id)
    assert progress.state == DELIVERED
    note = next(note for note in box.entities("notes") if note["entity_id"] == progress.amo_lead_id)
    assert note["params"]["text"].splitlines() == [f"Поле {key.removeprefix('lead_')}: похудеть" for key in extra]


def test_a_lead_waits_for_the_connection(box, unconnected):
    """Accepted before anybody connected, delivered as soon as somebody did."""
    lead_id = unconnected.outbox.accept(LEAD, "api")
    unconnected.outbox.deliver_due()
    assert unconnected.outbox.progress(lead_id).reason == "not_connected"
    unconnected.connection.adopt(box.grant()["refresh_token"])
    unconnected.fields.refresh(unconnected.client)
    make_due(unconnected)
    unconnected.outbox.deliver_due()
    assert unconnected.outbox.progress(lead_id).state == DELIVERED


def test_the_worker_delivers_by_itself(box, connected):
    """Started, it takes up a lead right after it was accepted, and stops when told."""
    from tests.support.programs import until

    connected.outbox.start()
    lead_id = connected.outbox.accept(LEAD, "api")
    until(lambda: connected.outbox.progress(lead_id).state == DELIVERED, "the lead to arrive")
    connected.outbox.stop()
    assert not connected.outbox.is_running


def test_what_is_accepted_survives_a_restart(box, connected, tmp_path):
    """Closed before delivering, a new process on the same database carries the lead over."""
    from tests.support.desks import desk_for

    lead_id = connected.outbox.accept(LEAD, "api")
    with desk_for(box, tmp_path, connected=False) as again:
        again.outbox.deliver_due()
        assert again.outbox.progress(lead_id).state == DELIVERED
