"""`custom_fields_values`: written and read back by type, refused by place."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.club.structure import PHONE_KINDS
from sandbox.process import Sandbox
from tests.sandbox.conftest import Api, errors

NEW_FIELDS = (
    {"name": "Адрес", "type": "smart_address"},
    {"name": "Юрлицо", "type": "legal_entity"},
    {"name": "Файл", "type": "file"},
    {"name": "Цепочка", "type": "chained_list"},
)


def roundtrip(api: Api, field_id: int, values: Any, kind: str = "leads") -> Any:
    """What a field reads after these values were written; None when the property is null."""
    card = api.made(kind, {"name": "x", "custom_fields_values": [{"field_id": field_id, "values": values}]})[0]
    shown = api.get(f"{kind}/{card}").json()["custom_fields_values"]
    return shown and next(item["values"] for item in shown if item["field_id"] == field_id)


@pytest.mark.parametrize(
    ("field_id", "written", "read"),
    [
        (264911, [{"value": "+7 (900) 1"}], [{"value": "+7 (900) 1"}]),
        (264939, [{"value": "много\nстрок"}], [{"value": "много\nстрок"}]),
        (264931, [{"value": 12.5}], [{"value": "12.5"}]),
        (264931, [{"value": "12.50"}], [{"value": "12.50"}]),
        (264931, [{"value": 42}], [{"value": "42"}]),
        (264941, [{"value": 200}], [{"value": "200"}]),
        (264933, [{"value": True}], [{"value": True}]),
        (264933, [{"value": 0}], [{"value": False}]),
        (264923, [{"value": "Год"}], [{"value": "Год", "enum_id": 566549, "enum_code": None}]),
        (264923, [{"enum_id": 566541}], [{"value": "Разовое", "enum_id": 566541, "enum_code": None}]),
        (264923, [{"value": None, "enum_id": 566541, "enum_code": None}],
         [{"value": "Разовое", "enum_id": 566541, "enum_code": None}]),
        (264935, [{"value": "Группа"}], [{"value": "Группа", "enum_id": 566561, "enum_code": None}]),
        (264925, [{"value": "Утро"}, {"enum_id": 566555}],
         [{"value": "Утро", "enum_id": 566551, "enum_code": None}, {"value": "Вечер", "enum_id": 566555, "enum_code": None}]),
        (264927, [{"value": 1634601600}], [{"value": 1634590800}]),
        (264927, [{"value": "2021-10-19T03:00:00+03:00"}], [{"value": 1634590800}]),
        (264929, [{"value": 1634601600}], [{"value": 1634601600}]),
        (264929, [{"value": "2021-10-19T00:00:00+00:00"}], [{"value": 1634601600}]),
        (264951, [{"value": "yandex"}], [{"value": "yandex"}]),
        (264937, [{"value": "https://x.example/?a=b"}], [{"value": "https://x.example/?a=b"}]),
        (264911, [{"value": "a"}, {"value": "b"}], [{"value": "a"}]),
    ],
)  # fmt: skip
def test_values_read_back_as_the_sheet_tables_them(api: Api, field_id: int, written: Any, read: Any) -> None:
    """Numbers come back as strings, dates as the account's midnight, options with id and text."""
    assert roundtrip(api, field_id, written) == read


def test_phone_kinds(api: Api) -> None:
    """By code, by id, or the first kind when none is named; several values in order."""
    ids = {kind: 566501 + 2 * at for at, kind in enumerate(PHONE_KINDS)}
    written = [
        {"value": "1", "enum_code": "MOB"},
        {"value": "2", "enum_id": ids["FAX"]},
        {"value": "3", "enum_id": None},
    ]
    assert roundtrip(api, 264911, written, "contacts") == [
        {"value": "1", "enum_id": ids["MOB"], "enum_code": "MOB"},
        {"value": "2", "enum_id": ids["FAX"], "enum_code": "FAX"},
        {"value": "3", "enum_id": ids["WORK"], "enum_code": "WORK"},
    ]


def test_field_may_be_named_by_code_with_the_id_null(api: Api) -> None:
    """The official library sends both, one of them null."""
    fields = [{"field_id": None, "field_code": "PHONE", "values": [{"value": "1"}]}]
    card = api.made("contacts", {"name": "x", "custom_fields_values": fields})[0]
    (shown,) = api.get(f"contacts/{card}").json()["custom_fields_values"]
    assert list(shown) == ["field_id", "field_name", "field_code", "field_type", "is_computed", "values"]
    assert (shown["field_id"], shown["field_code"], shown["field_type"]) == (264911, "PHONE", "multitext")


@pytest.mark.parametrize("empty", [None, []])
def test_emptied_field_is_gone_and_the_property_null_again(api: Api, empty: Any) -> None:
    """`values: null` clears; with nothing filled in the whole property is null."""
    lead = api.lead(name="x", custom_fields_values=[{"field_id": 264913, "values": [{"value": "Йога"}]}])
    api.patch(f"leads/{lead}", {"custom_fields_values": [{"field_id": 264913, "values": empty}]})
    assert api.get(f"leads/{lead}").json()["custom_fields_values"] is None


def test_multitext_is_replaced_whole(api: Api) -> None:
    """Sending one phone leaves one phone."""
    both = [{"field_code": "PHONE", "values": [{"value": "1"}, {"value": "2"}]}]
    card = api.made("contacts", {"name": "x", "custom_fields_values": both})[0]
    api.patch(f"contacts/{card}", {"custom_fields_values": [{"field_code": "PHONE", "values": [{"value": "3"}]}]})
    (shown,) = api.get(f"contacts/{card}").json()["custom_fields_values"]
    assert [value["value"] for value in shown["values"]] == ["3"]


@pytest.mark.parametrize(
    ("field", "code", "path"),
    [
        ({"field_id": 1, "values": [{"value": "x"}]}, "NotSupportedChoice", "field_id"),
        ({"field_code": "NOPE", "values": [{"value": "x"}]}, "NotSupportedChoice", "field_code"),
        ({"field_id": None, "field_code": None, "values": []}, "FieldMissing", "field_id"),
        ({"field_id": "264911", "values": []}, "InvalidType", "field_id"),
        ({"field_id": 264911}, "FieldMissing", "values"),
        ({"field_id": 264911, "values": "x"}, "InvalidType", "values"),
        ({"field_id": 264911, "values": ["x"]}, "InvalidType", "values.0"),
        ({"field_id": 264911, "values": [{"value": 79001112233}]}, "InvalidType", "values.0.value"),
        ({"field_id": 264911, "values": [{}]}, "FieldMissing", "values.0.value"),
        ({"field_id": 264923, "values": [{"value": "Век"}]}, "NotSupportedChoice", "values.0.value"),
        ({"field_id": 264923, "values": [{"enum_id": 1}]}, "NotSupportedChoice", "values.0.enum_id"),
        ({"field_id": 264923, "values": [{}]}, "FieldMissing", "values.0.value"),
        ({"field_id": 264931, "values": [{"value": "много"}]}, "InvalidType", "values.0.value"),
        ({"field_id": 264933, "values": [{"value": "да"}]}, "InvalidType", "values.0.value"),
        ({"field_id": 264927, "values": [{"value": "завтра"}]}, "InvalidType", "values.0.value"),
    ],
)
def test_bad_value_is_named_by_its_place(api: Api, field: dict[str, Any], code: str, path: str) -> None:
    """The path counts positions, not field ids."""
    good = {"field_id": 264913, "values": [{"value": "Йога"}]}
    answer = api.post("leads", [{"custom_fields_values": [good, field]}])
    assert errors(answer) == [("0", code, f"custom_fields_values.1.{path}")]


def test_unknown_kind_of_phone_is_refused(api: Api) -> None:
    """WORK, MOB and their like, nothing else."""
    fields = [{"field_code": "PHONE", "values": [{"value": "1", "enum_code": "PRIV"}]}]
    answer = api.post("contacts", [{"custom_fields_values": fields}])
    assert errors(answer) == [("0", "NotSupportedChoice", "custom_fields_values.0.values.0.enum_code")]


def test_numbers_in_text_fields_pass_by_switch(box: Sandbox, api: Api) -> None:
    """No source says what AmoCRM does; strict by default."""
    box.config(strict_text_values=False)
    assert roundtrip(api, 264911, [{"value": 79001112233}]) == [{"value": "79001112233"}]


def test_rarer_types(api: Api) -> None:
    """Addresses in parts, legal entities and files as objects, chains of at most five levels."""
    address, entity, file_, chain = api.made("leads/custom_fields", *NEW_FIELDS)
    written = [{"value": "ул. Ленина, 1", "enum_id": 1}, {"value": "Москва", "enum_code": "city"}]
    assert roundtrip(api, address, written) == [
        {"value": "ул. Ленина, 1", "enum_id": 1, "enum_code": "address_line_1"},
        {"value": "Москва", "enum_id": 3, "enum_code": "city"},
    ]
    company = [{"value": {"name": "ООО", "vat_id": "7700000000"}}]
    assert roundtrip(api, entity, company) == company
    upload = [{"value": {"file_uuid": "a", "version_uuid": "b", "file_name": "c", "file_size": 1}}]
    assert roundtrip(api, file_, upload) == upload
    levels = [{"catalog_id": 1, "catalog_element_id": level} for level in range(6)]
    assert roundtrip(api, chain, levels[:5]) == levels[:5]
    answer = api.post("leads", [{"custom_fields_values": [{"field_id": chain, "values": levels}]}])
    assert errors(answer) == [("0", "NotSupportedChoice", "custom_fields_values.0.values")]
    answer = api.post("leads", [{"custom_fields_values": [{"field_id": entity, "values": [{"value": {}}]}]}])
    assert errors(answer) == [("0", "FieldMissing", "custom_fields_values.0.values.0.value.name")]


def test_birthday_is_a_contacts_midnight(api: Api) -> None:
    """An int, as a date."""
    assert roundtrip(api, 264919, [{"value": 316_000_000}], "contacts") == [{"value": 315_954_000}]
