"""Senders whose ways are known: what they send is understood, their checks and repetitions are recognised."""

from __future__ import annotations

import json

import pytest

from desk.intake import bodies, presets
from desk.intake.names import understood
from desk.intake.presets import AS_JSON, AS_PAGE, AS_PLAIN, PRESETS, Sample
from desk.words import words

SAMPLE = Sample("Проверка Формы", "+73000000000", "Это проверка")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id or "own")
def test_what_each_sends_is_understood(preset):
    """A submission as this sender makes it has the name and the phone, and what it says is not lost."""
    found = understood(bodies.read(*preset.sent(SAMPLE)), preset.taught)
    assert (found.fields["name"], found.fields["phone"]) == (SAMPLE.name, SAMPLE.phone)
    assert SAMPLE.message in [found.fields.get("message"), *found.others.values()]
    assert SAMPLE.name not in repr(SAMPLE)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_each_has_words(language):
    """Every preset has a name, and every service says how it is connected."""
    say = words(language)
    assert [preset.id for preset in PRESETS if not say.has(f"forms-preset-{preset.id or 'code'}")] == []
    assert [preset.id for preset in PRESETS if preset.id and not say.has(f"preset-{preset.id}-steps")] == []


@pytest.mark.parametrize(
    ("answer", "is_form", "accept", "said", "expected"),
    [
        (AS_JSON, False, "*/*", {}, AS_JSON), (AS_JSON, False, "text/html", {}, AS_JSON), (AS_JSON, True, "", {}, AS_PAGE),
        (AS_JSON, True, "application/json", {}, AS_JSON), (AS_JSON, True, "text/html,*/*", {}, AS_PAGE), (AS_PLAIN, True, "*/*", {}, AS_PLAIN),
        (AS_PLAIN, False, "application/json", {}, AS_PLAIN), (AS_PLAIN, True, "text/html,*/*", {}, AS_PAGE), (AS_JSON, True, "*/*", {"tranid": "1"}, AS_PLAIN),
        (AS_JSON, False, "", {"tranid": "1"}, AS_PLAIN), (AS_JSON, True, "text/html", {"tranid": "1"}, AS_PAGE),
    ],
)  # fmt: skip
def test_how_it_is_answered(answer, is_form, accept, said, expected):
    """A browser gets a page, a builder its word, a program JSON; Tilda is known by what it says, also where nobody told the form."""
    assert presets.manner(answer=answer, is_form=is_form, accept=accept, said=said) == expected


@pytest.mark.parametrize(
    ("said", "by_address", "expected"),
    [
        ({"test": "test"}, False, True), ({"test": "test", "key": "desk_x"}, False, True), ({"TEST": "Test"}, False, True), ({"test": True}, False, True),
        ({}, True, True), ({}, False, False), ({"page": "https://fit.example"}, True, True), ({"test": "test", "phone": "1"}, False, False), ({"phone": ""}, True, False),
    ],
)  # fmt: skip
def test_checks(said, by_address, expected):
    """A check says `test=test` and nothing else; where the address shows the key, nothing at all is one too."""
    assert presets.is_check(said, by_address=by_address) is expected


def test_vk_asks_before_it_sends():
    """VK is told its word, and of what else happens in a community nothing is made; of other senders nothing is taken for that."""
    assert presets.own_answer("vk", {"type": "confirmation", "group_id": 1}, "a1b2c3d4") == "a1b2c3d4"
    assert presets.own_answer("vk", {"type": "message_new"}, "x") == "ok"
    assert presets.own_answer("vk", {"type": "lead_forms_new"}, "x") is None
    assert presets.own_answer("vk", {"phone": "1"}, "x") is None
    assert presets.own_answer("tilda", {"type": "confirmation"}, "x") is None


@pytest.mark.parametrize(
    "name", ["tranid", "TRANID", "event_id", "object[lead_id]", "requestId", "created", "submission_id"]
)
def test_a_repetition_is_known_by_what_is_its_own(name):
    """The same content with a number or a time of its own is the same submission, whatever the order of its names; other content is another."""
    said = {name: "7", "phone": "1", "x": "y"}
    key = presets.repetition_key(said)
    assert key == presets.repetition_key({"x": "y", "phone": "1", name: "7", "key": "another"})
    assert key != presets.repetition_key(said | {"phone": "2"})
    assert key != presets.repetition_key(said | {name: "8"})
    assert len(key) < 256


@pytest.mark.parametrize("said", [{"phone": "1"}, {}, {"phone": "1", "created": ""}, {"phone": "1", "form_id": "7"}])
def test_without_it_nobody_knows(said):
    """A phone alone may come again tomorrow and mean it."""
    assert presets.repetition_key(said) == ""


def test_what_the_sender_looks_for_in_the_answer():
    """One word, JSON-RPC's result, or the id of a deal."""
    assert presets.reply("vk", {}, "5") == ("text/plain", "ok")
    assert json.loads(presets.reply("yandex", {"jsonrpc": "2.0", "id": 7}, "5")[1]) == {
        "jsonrpc": "2.0",
        "id": 7,
        "result": {"id": "5"},
    }
    assert json.loads(presets.reply("roistat", {}, "5")[1]) == {"status": "ok", "order_id": "5"}
    assert presets.of("no such").id == presets.OWN
