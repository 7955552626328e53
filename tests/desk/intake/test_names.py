"""What names mean: ours, the builders', those a form was taught, and the values nobody has named."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk import phones
from desk.intake import bodies, names
from desk.intake.known_names import IGNORED, NOTED
from desk.intake.meanings import GUESSED
from desk.intake.names import LONGEST_NOTE, understood

PHONE = "+7 916 100-30-01"


def read(content, taught=None):
    """What is understood of a JSON body, or of a form's pairs."""
    is_form = isinstance(content, list) and isinstance(content[0], tuple)
    body = urlencode(content) if is_form else json.dumps(content)
    return understood(bodies.read("", body.encode()), taught)


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("phone", "phone"), ("Phone", "phone"), ("PHONE", "phone"), ("tel", "phone"), ("tel-463", "phone"), ("your-phone", "phone"), ("phoneNumber", "phone"),
        ("phone_number", "phone"), ("Телефон", "phone"), ("Ваш телефон*", "phone"), ("Номер телефона:", "phone"), ("Телефон для связи (обязательно)", "phone"),
        ("contact[phone]", "phone"), ("form_fields[phone]", "phone"), ("client_phone", "phone"), ("user-tel", "phone"), ("order_phone", "phone"),
        ("callerphone", "phone"), ("caller", "phone"), ("Укажите ваш номер телефона", "phone"), ("MobilePhone", "phone"), ("fields[PHONE][0]", "phone"),
        ("name", "name"), ("Name", "name"), ("your-name", "name"), ("Имя", "name"), ("ИМЯ", "name"), ("ФИО", "name"), ("Ваше имя", "name"), ("fio", "name"),
        ("Как вас зовут?", "name"), ("full_name", "name"), ("fullName", "name"), ("client[name]", "name"), ("Фамилия и имя", "name"), ("username", "name"),
        ("first_name", "first_name"), ("firstName", "first_name"), ("last-name", "last_name"), ("Фамилия", "last_name"), ("Отчество", "middle_name"),
        ("Comments", "message"), ("comment", "message"), ("your-message", "message"), ("Сообщение", "message"), ("textarea-12", "message"),
        ("direction", "direction"), ("Направление", "direction"), ("Услуга", "direction"), ("email", "email"), ("your-email", "email"), ("E-mail", "email"),
        ("Согласие на обработку персональных данных", "consent"), ("Я согласен на обработку персональных данных", "consent"), ("consent", "consent"),
        ("UTM_SOURCE", "utm_source"), ("utmCampaign", "utm_campaign"), ("utm[medium]", "utm_medium"), ("extra[utm][source]", "utm_source"),
        ("Page URL", "page"), ("extra[href]", "page"), ("referer", "referrer"), ("lead_264920", "lead_264920"), ("contact_1", "contact_1"),
        ("text-463", ""), ("Город", ""), ("form_name", ""), ("form[name]", ""), ("product_name", ""), ("company", ""), ("Имя ребёнка", ""),
        ("manager[phone]", ""), ("products[0][name]", ""), ("quiz[name]", ""), ("Марка и модель телефона", ""), ("Название компании", ""), ("event", ""),
        ("wpforms[fields][1]", ""), ("menu-5", ""), ("", ""), ("_wpcf7", ""), ("😀", ""),
    ],
)  # fmt: skip
def test_what_a_name_means(name, meaning):
    """Capitals, prefixes, labels, brackets and Russian words are understood; a product's name and a manager's phone are not the person's."""
    assert names.meaning_of(name) == meaning


def test_a_form_is_taught():
    """What its owner says comes before everything: another field, the note, or nowhere; also of a name we know."""
    taught = {
        "text-463": "phone",
        "menu-5": "direction",
        "Имя": IGNORED,
        "Phone": NOTED,
        "x": "lead_7",
        "wpforms[fields][0]": "name",
    }
    said = {
        "text-463": PHONE,
        "menu-5": ["Йога"],
        "Имя": "Не то",
        "Phone": "офис",
        "x": "5",
        "wpforms[fields][0]": "Ира",
    }
    found = read(said, taught)
    assert found.fields == {"phone": PHONE, "direction": ["Йога"], "lead_7": "5", "name": "Ира"}
    assert found.others == {"Phone": "офис"}
    assert {one.tier for one in found.seen} == {0}


def test_our_own_name_comes_first():
    """`phone` counts before `Телефон`; the other one is said as another phone, and what is none under its own label."""
    found = read({"Телефон": "8 916 100-30-02", "phone": PHONE, "tel": "позже"})
    assert found.fields == {"phone": PHONE}
    assert found.others == {"phone": "8 916 100-30-02", "tel": "позже"}


def test_the_phone_is_the_one_that_is_one():
    """Of several that are called a phone the first that can be one counts, whatever stands in the others."""
    assert read({"phone": "", "Phone": "нет", "tel": PHONE}).fields["phone"] == PHONE
    assert read({"phone": ["перезвоните", PHONE]}).fields["phone"] == PHONE
    assert read({"phone": "нет"}).fields["phone"] == "нет"


@pytest.mark.parametrize(
    "anothers",
    [
        {"Телефон друга": "8 916 100-30-02"}, {"friendPhone": "8 916 100-30-02"}, {"manager_phone": "8 916 100-30-02"}, {"Телефон клуба": "8 916 100-30-02"},
        {"fields": [{"title": "Телефон подруги", "type": "tel", "value": "8 916 100-30-02"}]},
    ],
    ids=str,
)  # fmt: skip
def test_somebody_elses_phone_is_not_the_senders(anothers):
    """It comes neither instead of the sender's slip nor as one more of their numbers, by which they would be taken for that person;
    only where there is no other is it who left it."""
    for phone in (PHONE, "8 916 100-30-0"):
        found = read({**anothers, "phone": phone})
        assert found.fields["phone"] == phone
        assert "phone" not in found.others
        assert "8 916 100-30-02" in found.others.values()
    assert read({**anothers, "message": f"Звоните {PHONE}"}).fields["phone"] == PHONE
    assert read({**anothers, "phone": ""}).fields["phone"] == "8 916 100-30-02"
    assert names.meaning_of("Другой телефон") == "phone"


@pytest.mark.parametrize(
    ("said", "phone"),
    [
        ({"text-1": PHONE, "x": "y"}, PHONE), ({"a": "8 (916) 100-30-01"}, "8 (916) 100-30-01"), ({"a": "79161003001"}, "79161003001"),
        ({"a": PHONE, "b": "+7 (916) 100-30-01"}, PHONE), ({"a": PHONE, "b": "+7 916 100-30-02"}, PHONE), ({"order_id": "79161003001"}, None),
        ({"a": "9161003001"}, None), ({"a": "1700000000"}, None), ({"time": "+79161003001"}, None), ({"manager": {"x": PHONE}}, None),
        ({"a": "Иван, +7 916 100-30-01, после шести вечера и не раньше"}, None), ({"phone": "", "a": PHONE}, PHONE),
    ],
    ids=str,
)  # fmt: skip
def test_a_phone_nobody_has_named(said, phone):
    """The last resort is a value that looks like a phone beyond doubt, the first of several; an id and a time are none."""
    found = read(said)
    assert (found.fields.get("phone") or None) == phone
    assert any(one.tier == GUESSED and one.meaning == "phone" for one in found.seen) is (phone is not None)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"first_name": "Анна", "last_name": "Белова"}, "Анна Белова"), ({"Имя": "Анна", "Фамилия": "Белова"}, "Анна Белова"),
        ({"Имя": "Анна Белова", "Фамилия": "Белова"}, "Анна Белова"), ({"Фамилия": "Белова", "Имя": "Анна", "Отчество": "Ильинична"}, "Анна Ильинична Белова"),
        ({"name": {"first": "Анна", "last": "Белова"}}, "Анна Белова"), ({"wpforms[fields][0][first]": "Анна", "wpforms[fields][0][last]": "Белова"}, "Анна Белова"),
        ({"name": ["Анна", "Белова"]}, "Анна Белова"), ({"name": ["Анна", ""]}, "Анна"), ({"name": "Форма", "data": {"Name": "Анна", "Phone": PHONE}}, "Анна"),
        ({"names": {"first_name": "Анна", "last_name": "Белова"}, "phone": PHONE}, "Анна Белова"), ({"unheard": {"of": {"name": "Анна", "tel": PHONE}}}, "Анна"),
        ({"rawRequest": {"q3_name": {"first": "Анна", "last": "Белова"}}}, "Анна Белова"), ({"vashe_imya": "Анна"}, "Анна"), ({"name": f"Анна, {PHONE}"}, "Анна"),
        ({"name": "Анна", "direction": {"id": 5, "name": "Йога"}}, "Анна"), ({"name": "", "Имя": "Анна"}, "Анна"), ({"last_name": "Белова"}, "Белова"), ({"name": ["Анна"]}, "Анна"),
    ],
    ids=str,
)  # fmt: skip
def test_a_name_of_parts(said, name):
    """First, middle and last names become one, and none is said twice."""
    assert read(said).fields["name"] == name


@pytest.mark.parametrize(
    ("said", "phone"),
    [
        ({"message": f"Перезвоните на {PHONE} после шести"}, PHONE), ({"text": "Иван, 89161003001."}, "89161003001"), ({"name": "Иван 8(916)100-30-01"}, "8(916)100-30-01"),
        ({"email": PHONE}, PHONE), ({"telegram": PHONE}, PHONE), ({"phone": "", "message": PHONE}, PHONE), ({"phone": "в сообщении", "message": PHONE}, PHONE),
        ({"phone": "8 916 100-30-0", "message": PHONE}, "8 916 100-30-0"), ({"phone": PHONE, "message": "или 8 903 100-30-01"}, PHONE),
        ({"message": f"Заказ 81234567890, телефон {PHONE}"}, PHONE), ({"message": "Здравствуйте! " * 50 + PHONE}, PHONE),
        ({"message": "Заказ 79161003001234 от 12.03"}, None), ({"message": "ИНН 7916100300"}, None), ({"message": "Абонемент за 8 000 000"}, None),
    ],
    ids=str,
)  # fmt: skip
def test_a_phone_among_words(said, phone):
    """Where no phone stands in its place, the one a person wrote into a field of their own is theirs; another number is none."""
    assert (read(said).fields.get("phone") or None) == phone


@pytest.mark.parametrize(
    ("way", "text"),
    [("email", "79161003001@mail.ru"), ("whatsapp", "https://wa.me/79161003001"), ("telegram", "t.me/+79161003001")],
)
def test_an_address_that_holds_a_number_stays_whole(way, text):
    """The number in it is the phone if nobody has left another; the address itself is no worse for it."""
    found = read({"name": "Иван", way: text})
    assert phones.normalise(found.fields["phone"]) == "+79161003001"
    assert found.channels == {way: text}


@pytest.mark.parametrize(
    ("said", "phone"),
    [
        ({"phone": {"country_code": "375", "number": "291001404"}}, "+375291001404"), ({"country_code": "+998", "phone": "901001402"}, "+998901001402"),
        ({"phone_code": "1", "phone": "4155552671"}, "+14155552671"), ({"q4_phone": {"area": "916", "phone": "1003001"}}, "9161003001"),
        ({"phone1": "8", "phone2": "916", "phone3": "1003001"}, "89161003001"), ({"phone": ["+7", "916", "100", "30", "01"]}, "79161003001"),
        ({"phone": {"code": "7", "number": "9161003001"}}, "9161003001"), ({"phone": {"country": "RU", "value": PHONE}}, PHONE),
        ({"phone_code": "4312", "phone": "8 812 123-45-67"}, "8 812 123-45-67"), ({"phone_code": "4312", "phone": "8 812 123-45-6"}, "8 812 123-45-6"),
        ({"country_code": "43", "phone": "8 812 123-45-67"}, "8 812 123-45-67"), ({"country_code": "49", "phone": "+43 1 2345678"}, "+43 1 2345678"),
        ({"phone": "8 916 100-30-0", "phone2": "1"}, "8 916 100-30-0"), ({"phone": "8 916 100-30", "tel": "8 903 100"}, "8 916 100-30"),
    ],
    ids=str,
)  # fmt: skip
def test_a_phone_in_pieces(said, phone):
    """A country's code beside the number, boxes for its parts, an object: put together if that is a phone; two slips are not."""
    assert read(said).fields["phone"] == phone


def test_values_told_with_their_names():
    """A question and its answer beside each other are one value: by its key, its title or its type, as JSON and as a form."""
    answers = [
        {"key": "first_name", "question": "Имя", "answer": "Анна"}, {"key": "phone_number", "question": "Телефон", "answer": PHONE},
        {"key": "custom_0", "question": "Когда удобно?", "answer": ["Утро", "Вечер"]},
    ]  # fmt: skip
    found = read({"object": {"form_name": "Йога", "answers": answers}})
    assert found.fields == {"phone": PHONE, "name": "Анна"}
    assert found.others == {"Когда удобно?": "Утро, Вечер"}
    pairs = {
        f"fields[f1][{key}]": value
        for key, value in {"id": "f1", "type": "tel", "title": "Связь", "value": PHONE, "raw_value": PHONE}.items()
    }
    assert read(pairs).fields == {"phone": PHONE}
    assert read([{"id": "m9", "name": "Ваш телефон", "value": PHONE, "type": "phone"}]).fields == {"phone": PHONE}
    column = {"column_id": "PHONE_NUMBER", "column_name": "User Phone", "string_value": PHONE}
    assert read({"user_column_data": [column], "google_key": "k"}).fields == {"phone": PHONE}
    assert read({"fields": {"PHONE": [{"VALUE": PHONE, "VALUE_TYPE": "WORK"}]}}).fields == {"phone": PHONE}


def test_what_nobody_knows_is_said_under_its_label():
    """Answers of a quiz keep their questions; what only machines talk of is left out, and keys are never said."""
    said = {
        "phone": PHONE, "answers": [{"q": "Цель?", "a": ["Похудеть", "Тонус"]}, {"q": "Вес", "a": "80"}], "key": "desk_secret", "tranid": "1:2",
        "token": "secret", "extra": {"cookies": {"_ga": "GA1"}}, "_wpcf7": "5", "g-recaptcha-response": "03A", "products": [{"name": "Коврик"}], "empty": "",
    }  # fmt: skip
    found = read(said)
    assert found.others == {"Цель?": "Похудеть, Тонус", "Вес": "80", "products name": "Коврик"}
    assert not [
        one.name for one in found.seen if one.name in ("key", "token", "tranid", "_wpcf7", "g-recaptcha-response")
    ]
    assert "secret" not in repr(found)
    assert "Похудеть" not in repr(found)


def test_other_ways_to_reach_somebody():
    """E-mail and messengers go into the note in any case; what else nobody knows, if the form says so."""
    found = read({"phone": PHONE, "E-mail": "a@b.example", "Телеграм": "@anna", "Город": "Тверь"})
    assert found.for_note(with_others=False) == {"E-mail": "a@b.example", "Telegram": "@anna"}
    assert found.for_note(with_others=True) == {"E-mail": "a@b.example", "Telegram": "@anna", "Город": "Тверь"}
    assert read({"whatsapp": PHONE}).fields["phone"] == PHONE


def test_a_note_has_an_end():
    """Two hundred answers, endless ones and line breaks: as many as a person reads, each in one line."""
    noted = read({"phone": PHONE} | {f"Как часто, {number}?": "Ответ\n" * 400 for number in range(200)}).for_note(
        with_others=True
    )
    assert 5 < len(noted) < 60
    assert sum(len(label) + len(text) for label, text in noted.items()) <= LONGEST_NOTE
    assert not [text for text in noted.values() if "\n" in text]


def test_choices_of_several():
    """A list, brackets and a name that comes again are a choice of several; of a check box with its hidden twin the tick counts."""
    assert read([("phone", PHONE), ("direction[]", "Йога"), ("direction[]", "Бассейн")]).fields["direction"] == [
        "Йога",
        "Бассейн",
    ]
    assert read({"Направление": ["Йога"], "phone": PHONE}).fields["direction"] == ["Йога"]
    assert read([("lead_5", "a"), ("lead_5", "b")]).fields["lead_5"] == ["a", "b"]
    assert read([("consent", "0"), ("consent", "on")]).fields["consent"] == "on"
    assert read([("Comments", "Раз"), ("message", "Два")]).fields["message"] == "Два\nРаз"


def test_the_cookies_tilda_passes_on():
    """Marks of the advertisement stand in `TILDAUTM`, encoded twice; what the form itself says counts before them."""
    jar = "_ym_uid=17; previousUrl=x; TILDAUTM=utm_source%253Dvk%257C%257C%257Cutm_campaign%253Dspring"
    found = read([("Phone", PHONE), ("COOKIES", jar), ("utm_campaign", "own")])
    assert {name: found.fields[name] for name in ("utm_source", "utm_campaign", "_ym_uid")} == {
        "utm_source": "vk", "utm_campaign": "own", "_ym_uid": "17",
    }  # fmt: skip


NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=15,
)


@given(
    st.dictionaries(
        st.one_of(
            st.text(max_size=20), st.sampled_from(["name", "Phone", "answers", "value", "key", "fields", "cookies"])
        ),
        NESTED,
        max_size=8,
    )
)
def test_whatever_else_is_said_the_phone_is_found(said):
    """A phone under our own name is the lead's, whatever stands around it, and nothing makes the reader fail."""
    said = {name: value for name, value in said.items() if not name.casefold().startswith(("phone", "тел"))}
    found = understood(bodies.expanded({**said, "phone": PHONE}))
    assert phones.normalise(str(found.fields["phone"])) == "+79161003001"
