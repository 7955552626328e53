"""What the names in a submission mean: ours, those of the common builders and plug-ins, and those a form was taught.

Pure. `bodies` has spelled every name in one way (`contact[phone]`); here each value finds its field:

    taught to the form ─► our own name ─► a known name of builders ─► a word in a label ─► a value that is a phone

and what finds none is said under its own label. Nothing is dropped but what only machines talk of (`SERVICE`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import unquote

from desk import phones
from desk.intake import tracking
from desk.intake.bodies import FILE, LONGEST_NAME, parts_of, spelled
from desk.intake.signs import CONSENT, CONSENT_VERSION, FILL_MS, TRAP
from desk.lead import OWN_FIELDS
from desk.reading import texts

ADDED = re.compile(r"(lead|contact)_\d+")
"""The keys of added fields, as `desk.fields` makes them."""

NOTED, IGNORED = "noted", "ignored"
"""Meanings a form can be taught besides a field: into the note in any case, and nowhere."""

FIRST, MIDDLE, LAST = "first_name", "middle_name", "last_name"
"""Parts of a name, put together in this order."""

PARTS = {"first": FIRST, "middle": MIDDLE, "last": LAST}

WAYS = {
    "email": "E-mail",
    "telegram": "Telegram",
    "whatsapp": "WhatsApp",
    "viber": "Viber",
    "vk": "VK",
    "instagram": "Instagram",
}
"""Other ways to reach a person, and what they are called in every language. No field of a lead, and too dear to be lost: they go into
the note in any case."""

SECRETS = frozenset({"key", "secret", "google_key", "token", "api_key", "apikey", "access_token", "password", "handshakekey"})  # fmt: skip
"""Names (in small letters, at the first level) under which senders show a key. Never kept, never shown."""

GUESSED = 4
"""How sure the last resort is, a value that looks like a phone; 0 is taught, 1 our own name, 2 a known one, 3 a word."""

CHOICES = ("direction", "source")
"""Fields in which several things may be chosen; so they may in added fields."""

MOST_NOTED = 60
"""Lines of a note made of names nobody knows. A quiz has ten answers, a cart some forty names."""

LONGEST_NOTED = 400
"""Characters of one such line."""

LONGEST_NOTE = 2500
"""Characters of them together: the message has its own, and AmoCRM's notes are read on a phone's screen."""

MOST_TAUGHT, LONGEST_TAUGHT = 200, 200
"""Names a form can be taught, and their characters."""

OF_A_COUNTRY, OF_A_TOWN, OF_A_PERSON = range(3)

PIECES = {
    **dict.fromkeys(("country_code", "countrycode", "code", "prefix", "dial_code", "dialcode", "country", "cc"), OF_A_COUNTRY),
    **dict.fromkeys(("area", "area_code", "areacode", "city_code"), OF_A_TOWN),
}  # fmt: skip
"""What a part of a phone is that an object holds in pieces; any other is the number itself."""

COUNTRY_CODES = frozenset(
    ["country code", "phone code", "phone country code", "dial code", "phone prefix", "phone country", "calling code", "код страны", "код телефона"]
)  # fmt: skip
"""Names (as `token_of` spells them) of a country's code that stands beside a phone."""

MOST_PHONES, MOST_LOOKED_AT = 20, 300
"""Values called a phone that are read, and values without a name among which one is looked for: reading one costs."""

LONGEST_COUNTRY_CODE = 3
"""Digits of a country's code. More are another code: the one that was sent to this phone."""

LONGEST_PIECE = 9
"""Digits of a piece of a phone. More may be a whole number with a slip, and two of these are two people."""

LONGEST_GUESS = 40
"""Characters of a value that may be a phone nobody has named."""

PLAIN_NAMES = frozenset({*OWN_FIELDS, *tracking.NAMES, tracking.PAGE, CONSENT, CONSENT_VERSION, TRAP, FILL_MS})
"""Our own names, understood exactly and at the first level."""

KNOWN: Mapping[str, Sequence[str]] = {
    "phone": (
        "phone", "phone number", "telephone", "tel", "mobile", "mobile phone", "cell", "cellphone", "cell phone", "msisdn", "phone mobile",
        "caller", "caller phone", "callerphone", "call phone", "callphone", "phone1", "contact number", "contact phone", "work phone",
        "телефон", "номер телефона", "тел", "номер", "моб", "мобильный", "мобильный телефон", "сотовый", "контактный телефон",
        "телефон для связи", "номер для связи", "phonenumber", "telefon", "telefone", "nomer", "nomer telefona", "user phone", "ma phone",
        "callback phone", "order phone", "client phone", "phones", "телефоны", "телефон клиента",
    ),
    "name": (
        "name", "full name", "fullname", "fio", "user name", "username", "client name", "customer name", "contact name", "person name",
        "ma name", "imya", "imja", "имя", "фио", "ф и о", "имя клиента", "имя и фамилия", "фамилия имя", "фамилия и имя", "фамилия имя отчество",
        "как вас зовут", "как к вам обращаться", "как к вам можно обращаться", "представьтесь", "контактное лицо", "display name", "nick name",
    ),
    FIRST: ("first name", "firstname", "given name", "first", "fname", "f name"),
    MIDDLE: ("middle name", "middlename", "patronymic", "patronymic name", "second name", "отчество", "middle"),
    LAST: ("last name", "lastname", "surname", "family name", "last", "lname", "l name", "фамилия"),
    "message": (
        "message", "messages", "comment", "comments", "text", "textarea", "question", "note", "notes", "wish", "wishes", "msg", "body text",
        "сообщение", "комментарий", "комментарии", "комментарий к заявке", "вопрос", "ваш вопрос", "текст", "текст сообщения", "пожелание",
        "пожелания", "примечание", "additional info", "comment text", "order comment", "komment", "kommentariy",
    ),
    "direction": (
        "direction", "service", "services", "program", "activity", "workout", "training", "направление", "направления", "услуга", "услуги",
        "программа", "тренировка", "вид тренировки", "вид занятий", "занятие", "секция", "интересующая услуга", "интересующее направление",
        "направление тренировки", "napravlenie", "usluga",
    ),
    "source": ("source", "lead source", "источник", "откуда вы о нас узнали", "откуда узнали о нас", "откуда узнали"),
    "email": (
        "email", "e mail", "mail", "email address", "почта", "эл почта", "электронная почта", "адрес электронной почты", "мейл", "имейл",
    ),
    "telegram": ("telegram", "tg", "телеграм", "телеграмм", "telegram username", "ник в телеграм"),
    "whatsapp": ("whatsapp", "whats app", "wa", "ватсап", "вотсап"),
    "viber": ("viber", "вайбер"),
    "vk": ("vk", "vkontakte", "вконтакте", "вк", "vk profile"),
    "instagram": ("instagram", "insta", "инстаграм"),
    CONSENT: (
        "consent", "agree", "agreement", "personal data", "privacy agree", "согласие", "согласен", "согласие на обработку персональных данных",
        "согласие на обработку данных", "я согласен на обработку персональных данных", "я даю согласие на обработку персональных данных",
        "обработка персональных данных", "personal data agreement", "pd consent",
    ),
    tracking.PAGE: (
        "page", "page url", "url", "href", "landing", "landing page", "landing url", "form url", "page link", "site page", "страница",
        "адрес страницы", "ссылка на страницу", "in url", "current url", "source url",
    ),
    "referrer": ("referrer", "referer", "http referer", "ref url"),
    "_ym_uid": ("ym uid", "ymuid", "ym client id", "yandex client id", "metrika client id", "ym clientid"),
    "gclientid": ("gclientid", "ga client id", "google client id", "ga cid"),
    "roistat": ("roistat", "roistat visit", "visit id", "visit", "roistat id"),
    **{name: (name.replace("_", " ").strip(), name.replace("_", "")) for name in tracking.NAMES if name.startswith("utm_")},
    "gclid": ("gclid", "gcl id"),
    "yclid": ("yclid",),
    "fbclid": ("fbclid",),
}  # fmt: skip
"""Names as builders, plug-ins and people spell them: in small letters, every mark a space (`token_of`)."""

BY_TOKEN = {token: meaning for meaning, tokens in KNOWN.items() for token in tokens}

LEADING = re.compile(
    r"^(?:no label|your|my|user|client|customer|contact|input|visitor|person|buyer|f|fld|txt|ваше?|ваша|ваши|введите|укажите|напишите|"
    r"оставьте|контактный|контактное|мой|мое|vash|vasha|vashe|vashi|moy|data|answer|q\d{1,3})\s+(?=\S)"
)
"""What builders and labels put before a name."""

OF_THE_FORM = re.compile(r"^(?:form|field|lead|order|callback|feedback|modal|popup)\s+(?=\S)")
"""And what they put before a phone; `form name` is the form's, and no person's."""

UNNAMED = re.compile(
    r"(?:text|field|input|select|menu|radio|checkbox|acceptance|question|answer|form text|input text)(?: \d+)+"
)
"""A field of a plug-in that nobody has named: `text-463` may be anything."""

TRAILING = re.compile(r"\s*(?:field|input|поле|\d{1,6}|required|обязательно)$")
"""And after it."""

IN_LABELS = (
    ("phone", re.compile(r"\b(?:телефон\w*|phone|мобильн\w+ номер|номер\w* телефон\w*)\b"), re.compile(r"модел|марк|brand|model")),
    (CONSENT, re.compile(r"согла(?:сие|сен|сна|шаюсь)\b.*(?:персональн|обработк|данн)|personal data|privacy policy"), None),
    ("name", re.compile(r"\b(?:имя|фио|зовут|обращаться|your name)\b"), re.compile(r"реб[её]нк|дет|сына|доч|компани|организац|тренер|питом|child|compan|файл")),
    ("email", re.compile(r"\b(?:e-?mail|почт\w*|email)\b"), re.compile(r"индекс|рассылк")),
    ("message", re.compile(r"\b(?:сообщение|комментарий|пожелани\w+)\b"), None),
)  # fmt: skip
"""A word by which a longer label is known, and one by which it is something else after all."""

NEUTRAL = frozenset(
    [
        "fields",
        "form_fields",
        "field",
        "data",
        "payload",
        "params",
        "values",
        "value",
        "answers",
        "answer",
        "object",
        "wpforms",
        "lead",
        "leads",
        "contact",
        "contacts",
        "client",
        "clients",
        "customer",
        "user",
        "visitor",
        "person",
        "buyer",
        "sender",
        "applicant",
        "form_data",
        "formdata",
        "body",
        "result",
        "submission",
        "entry",
        "response",
        "order",
        "event",
        "request",
        "content",
        "meta",
        "main_contact",
        "user_column_data",
        "form_response",
        "custom_fields",
        "properties",
        "extra",
        "utm",
        "contact_data",
        "clientdata",
        "client_data",
        "items",
        "attributes",
        "field_data",
        "formparams",
        "submitted",
        "names",
        "cf",
        "property",
        "jform",
        "item_meta",
        "rawrequest",
        "registration",
        "webform",
        "feedback",
        "callback",
        "_embedded",
        "custom_fields_values",
        "add",
    ]
)
"""Names of lists and objects inside which a person's name and phone are still the sender's, and not a manager's or a product's."""

NOT_PERSONS = frozenset(
    ["form", "quiz", "product", "products", "meta", "utm", "extra", "site", "page", "company", "manager"]
)
"""Directly inside these a `name` is not a person's."""

SOMEBODY_ELSES = frozenset(
    ["manager", "company", "operator", "callee", "agent", "site", "seller", "shop", "product", "products", "trainer", "support"]
)  # fmt: skip
"""Names of lists and objects whose phone is not the sender's."""

OF_ANOTHER = re.compile(
    r"\b(?:друг[ау]?|подруг[аиеу]|знаком\w+|экстренн\w+|доверенн\w+|рекоменд\w+|менеджер\w*|тренер\w*|клуб\w*|компани\w+|организаци\w+|"
    r"friends?|emergency|referr\w+|manager|trainer|operator|agent|company|club|shop|site)\b"
)
"""Words by which a longer name is somebody else's phone: "Телефон друга", `manager_phone`. It is the sender's if there is no other."""

RECORD_VALUES = ("value", "answer", "a", "string_value", "raw_value", "values", "val", "response", "text_value")
RECORD_TITLES = ("title", "label", "question", "q", "column_name", "caption", "name")
RECORD_KEYS = ("key", "column_id", "code", "slug", "field", "field_id", "id", "type")
RECORD_MORE = (
    "required",
    "value_type",
    "t",
    "options",
    "first",
    "middle",
    "last",
    "display",
    "position",
    "order",
    "ref",
    "hidden",
    "multiple",
)
"""Parts of a value that is told with its name beside it: `{"key": "phone_number", "question": "Телефон", "answer": "+7…"}`."""

HINTS = {
    "tel": "phone",
    "phone": "phone",
    "phone_number": "phone",
    "email": "email",
    "textarea": "message",
    "name": "name",
}
"""What the type of a builder's field says of it, where its name says nothing."""

SERVICE = re.compile(
    r"_(?!ym_)\w*|tranid|formid|formname|cookies|tildaspec\S*|form_?id|form_?name|post_?id|queried_?id|referer_title|action|nonce|submit|submitted|"
    r"g-recaptcha-\S*|smart-token|h-captcha-\S*|cf-turnstile-\S*|captcha\S*|recaptcha\S*|user_?agent|remote_?ip|ip|powered_?by|credit|page_?id|site_?id|test|"
    r"type|event_?id|group_?id|object_?id|jsonrpc|method|id|lead_?id|ad_?id|user_?id|v|api_version|campaign_?id|adgroup_?id|creative_?id|is_test|"
    r"created(_?at|_?date)?|timestamp|sent_?at|lang|language|locale|browser|device|os|session_?id|request_?id|requestnumber|roistat_param_\d|"
    r"csrf\S*|wpcf7\S*|option|itemid|task|view|return|send|button|agree_?btn|b|tildaid|pageid|projectid|server_protocol|hash|sign\w*|"
    r"is_pinned|is_amp|attempt\w*|quiz_?id|form_response|landing_?id|account_?id|phone_mask|country_?code|fill_ms|homepage",
    re.IGNORECASE,
)
"""Names only machines talk of: they mean nothing to whoever reads the note."""

SERVICE_PARENTS = frozenset(["meta", "form", "cookies", "extra[cookies]", "utm", "quiz"])
"""Objects that hold nothing but such names, unless one of `HOLDERS` stands in them."""

HOLDERS = frozenset(["fields", "data", "values", "answers", "contacts", "contact"])
"""Objects inside which stands what a person has filled in."""

ID_LIKE = re.compile(r"(?:^|[_\W])(?:id|ids|uid|inn|ogrn|time|timestamp|date|ip|hash|sum|price|amount|total|token|cookie|cookies|num|zip|index)(?:$|[_\W])|id$")  # fmt: skip
"""Names whose values may look like phones and are none."""

A_PHONE = re.compile(
    r"\+[\d\s().\u2010-\u2015-]{9,}|[78][\s(.-]*\d{3}[\d\s().\u2010-\u2015-]{7,}|\(\d{3,5}\)[\d\s-]{5,}"
)
"""How a value looks that is a phone although nobody says so: with its plus, or with the Russian beginning and ten digits."""

A_PHONE_AMONG = re.compile(
    r"(?<![\w.+])(?:\+\d[\d\s().\u2010-\u2015-]{9,20}\d|[78]([\s().\u2010-\u2015-]{0,3}\d){10})(?![\w])"
)
"""The same inside of what a person writes."""

CAMEL = re.compile(r"(?<=[a-zа-яё\d])(?=[A-ZА-ЯЁ])")


@dataclass(frozen=True, slots=True)
class Seen:
    """A name that came, what it was taken for ("" for nothing), and how sure that is, see `GUESSED`."""

    name: str
    meaning: str
    tier: int


@dataclass(frozen=True, slots=True)
class Understood:
    """A submission in our words: `fields` by our names, `others` by the labels they came with."""

    fields: Mapping[str, Any] = field(repr=False)
    others: Mapping[str, str] = field(repr=False)
    ways: Mapping[str, str] = field(repr=False)
    seen: tuple[Seen, ...]

    def named_ways(self) -> dict[str, str]:
        """The other ways to reach the person, by what they are called."""
        return {WAYS[way]: text for way, text in self.ways.items()}

    def for_note(self, *, with_others: bool) -> dict[str, str]:
        """What has no field and belongs into the note, by its label: the other ways to reach the person, in any case.

        `with_others`: also what nobody knows. What is too much for a note is left out; the log keeps it.
        """
        return _fitting({**self.named_ways(), **(self.others if with_others else {})})


@dataclass(frozen=True, slots=True)
class _Value:
    """A value, and by which names it may be known: as it came, and as its title, key or type say."""

    name: str
    label: str
    candidates: tuple[str, ...]
    hint: str
    path: tuple[str, ...]
    value: Any


def understood(said: Mapping[str, Any], taught: Mapping[str, str] | None = None) -> Understood:
    """What a submission says. `said`: names and values as `bodies` spells them; `taught`: meanings by name, of the form."""
    taught = taught or {}
    found: dict[str, list[tuple[int, _Value]]] = {}
    unknown: list[_Value] = []
    seen: dict[str, Seen] = {}
    values = [one for one in _values(said) if not _is_secret(one)]
    for one in values:
        meaning, tier = _meaning(one, taught)
        if not _is_service(one) or tier == 0:
            seen.setdefault(one.name, Seen(one.name, meaning, tier))
        if meaning:
            found.setdefault(meaning, []).append((tier, one))
        elif not _is_service(one):
            unknown.append(one)
    if not any(_text(one.value) for _, one in found.get("phone", [])):
        _guess_phone(found, unknown, seen, anothers=False)
        _belonging(found, unknown, seen)
    if all(_verdict(one.value) == phones.NONE for _, one in found.get("phone", [])[:MOST_PHONES]):
        _phone_in_words(found, seen)
    if not any(_text(one.value) for _, one in found.get("phone", [])):
        _guess_phone(found, unknown, seen, anothers=True)
    _join_pieces(found, unknown, values)
    return _put_together(found, unknown, seen, said)


def meaning_of(name: str, taught: Mapping[str, str] | None = None) -> str:
    """What a name alone is taken for; "" for nothing. For the page that shows the names of a form."""
    one = next(iter(_values({name: "x"})), None)
    return _meaning(one, taught or {})[0] if one else ""


def token_of(name: str) -> str:
    """A name as `KNOWN` spells it: small letters, one space for whatever stands between words."""
    text = CAMEL.sub(" ", texts.normalised(name, "NFKC", LONGEST_NAME)[:LONGEST_NAME])
    return re.sub(r"[\s_\-.,:;*?!\"'«»()\[\]/|№#]+", " ", text.casefold().replace("ё", "е")).strip()


def cookies_of(text: str) -> dict[str, str]:
    """Marks in the cookies that Tilda passes on: `TILDAUTM` holds a campaign's, `_ym_uid` Metrika's visitor."""
    pairs = (part.strip().partition("=") for part in text[: tracking.LONGEST_ADDRESS].split(";"))
    jar = {name: value for name, _, value in pairs}
    marks = re.split(r"\|\|\||&", unquote(unquote(jar.get("TILDAUTM", ""))))
    found = {
        name: value for name, _, value in (mark.partition("=") for mark in marks) if name in tracking.NAMES and value
    }
    if "_ym_uid" in jar:
        found.setdefault("_ym_uid", jar["_ym_uid"])
    return found


def _values(said: Mapping[str, Any]) -> Iterable[_Value]:
    """Every value once. One that is told with its name beside it (`RECORD_VALUES`) is one value, not four."""
    groups: dict[tuple[str, ...], dict[str, Any]] = {}
    paths = {name: parts_of(name) for name in said}
    for name, path in paths.items():
        if len(path) > 1:
            groups.setdefault(path[:-1], {})[path[-1].casefold()] = said[name]
    records = {path: group for path, group in groups.items() if _is_record(path, group)}
    told: set[tuple[str, ...]] = set()
    for name, path in paths.items():
        if path[:-1] in records:
            if path[:-1] not in told:
                told.add(path[:-1])
                yield _record(path[:-1], records[path[:-1]])
            continue
        if len(path) > 2 and path[:-2] in records and path[-2].casefold() in RECORD_VALUES:
            continue
        last = next((part for part in reversed(path) if not part.isdigit()), path[0])
        yield _Value(name, _label(path) or name, (last,), "", path, said[name])


def _label(path: tuple[str, ...]) -> str:
    """How a value is called in a note: without the numbers and without the objects everything stands in."""
    if len(path) > 1 and path[-1].isdigit():
        return spelled(path)
    return " ".join(
        part for part in path if not part.isdigit() and (part == path[-1] or part.casefold() not in NEUTRAL)
    )


def _is_record(path: tuple[str, ...], group: Mapping[str, Any]) -> bool:
    if not any(key in group for key in RECORD_VALUES):
        return False
    if set(group) - {*RECORD_VALUES, *RECORD_TITLES, *RECORD_KEYS, *RECORD_MORE}:
        return False
    has_label = any(_text(group.get(key)) for key in (*RECORD_TITLES, *RECORD_KEYS[:-1]))
    return has_label or any(part.casefold() not in NEUTRAL and not part.isdigit() for part in path)


def _record(path: tuple[str, ...], group: Mapping[str, Any]) -> _Value:
    value = next((group[key] for key in RECORD_VALUES if key in group and _text(group[key])), "")
    titles = [text for key in RECORD_TITLES if (text := _text(group.get(key)))]
    keys = [text for key in RECORD_KEYS[:-1] if (text := _text(group.get(key))) and not text.isdigit()]
    own = [part for part in path[-1:] if not part.isdigit() and part.casefold() not in NEUTRAL]
    own = own or [part for part in path[-2:-1] if not part.isdigit() and part.casefold() not in NEUTRAL]
    told = (text[:LONGEST_NAME] for text in [*titles, *keys, *own])
    candidates = tuple(dict.fromkeys(told)) or path[-1:]
    return _Value(candidates[0], candidates[0], candidates, _text(group.get("type")).casefold(), path, value)


def _meaning(one: _Value, taught: Mapping[str, str]) -> tuple[str, int]:
    """What a value is taken for, and how sure that is."""
    for name in (one.name, *one.candidates):
        if name in taught:
            return taught[name], 0
    if len(one.path) == 1 and (one.name in PLAIN_NAMES or ADDED.fullmatch(one.name)):
        return one.name, 1
    parents = [part.casefold() for part in one.path[:-1] if not part.isdigit()]
    holders = [part for part in one.path[:-1] if not part.isdigit()]
    is_ours = all(part.casefold() in NEUTRAL or _known(part)[1] == 2 for part in holders)
    above = _known(holders[-1])[0] if holders and is_ours else ""
    if above in ("direction", "source") and one.path[-1].casefold() in (*RECORD_VALUES, *RECORD_TITLES):
        return above, 2  # {"direction": {"id": 5, "name": "Йога"}}: a service has a name, and is nobody
    is_anothers = _is_anothers(one)
    for candidate in one.candidates:
        if ADDED.fullmatch(candidate) and is_ours:
            return candidate, 1
        meaning, tier = _known(candidate)
        if tier == 3 and (_is_service(one) or (meaning == "phone" and is_anothers)):
            continue  # `phone_mask` is no phone
        if meaning and _belongs(meaning, parents, is_ours=is_ours):
            return meaning, tier
    if parents and _known(parents[-1])[0] == "name" and (part := PARTS.get(one.path[-1].casefold())):
        return part, 2
    if above in ("phone", "name", "message", "direction") and not (
        _is_of_machines(one) or ID_LIKE.search(one.path[-1].casefold())
    ):
        return above, 3
    if parents[-1:] == ["utm"] and f"utm_{one.path[-1].casefold()}" in tracking.NAMES:
        return f"utm_{one.path[-1].casefold()}", 2
    hint = HINTS.get(one.hint, "phone" if "phone" in one.hint else "") if is_ours else ""
    return (hint, 3) if hint and not (hint == "phone" and is_anothers) else ("", GUESSED)


def _belongs(meaning: str, parents: Sequence[str], *, is_ours: bool) -> bool:
    """Whether a meaning can stand there: a manager's phone and a product's name are not the person's."""
    if meaning in tracking.NAMES or meaning == tracking.PAGE:
        return True
    if meaning in ("name", "message", "source", "direction") and parents and parents[-1] in NOT_PERSONS:
        return False
    return is_ours


@lru_cache(maxsize=4096)
def _known(name: str) -> tuple[str, int]:
    """The meaning of one name by itself, and how sure it is; ("", GUESSED) for none."""
    token = token_of(name)
    if UNNAMED.fullmatch(token):
        return "", GUESSED
    for _ in range(4):
        if token in BY_TOKEN:
            return BY_TOKEN[token], 2
        shorter = TRAILING.sub("", LEADING.sub("", token)).strip()
        if shorter == token or not shorter:
            break
        token = shorter
    bare = BY_TOKEN.get(OF_THE_FORM.sub("", token), "")
    if bare in ("phone", "email", "message", FIRST, LAST):
        return bare, 2
    label = token_of(name)
    for meaning, word, other in IN_LABELS:
        if word.search(label) and not (other and other.search(label)):
            return meaning, 3
    return "", GUESSED


def _guess_phone(
    found: dict[str, list[tuple[int, _Value]]], unknown: list[_Value], seen: dict[str, Seen], *, anothers: bool
) -> None:
    """Take the first value that looks like a phone for it, where nothing is called one. Others are said as more of them.

    So does one that is called a phone inside an object nobody knows, whatever it looks like. `anothers`: of those that are
    called somebody else's.
    """
    looked_at = [one for one in unknown[:MOST_LOOKED_AT] if _is_anothers(one) == anothers]
    guesses = [one for one in looked_at if _looks_like_a_phone(one)]
    guesses = guesses or [one for one in looked_at if _is_called_a_phone(one) and _verdict(one.value) != phones.NONE]
    for one in guesses:
        found.setdefault("phone", []).append((GUESSED, one))
        seen[one.name] = Seen(one.name, "phone", GUESSED)
        unknown.remove(one)


def _belonging(found: dict[str, list[tuple[int, _Value]]], unknown: list[_Value], seen: dict[str, Seen]) -> None:
    """What stands beside a phone in an object nobody knows is of the same person: `{"data": {"x": {"name": …, "phone": …}}}`."""
    homes = {one.path[:-1] for tier, one in found.get("phone", []) if tier == GUESSED and len(one.path) > 1}
    for one in [one for one in unknown if one.path[:-1] in homes]:
        meaning = next((meaning for candidate in one.candidates if (meaning := _known(candidate)[0])), "")
        if meaning and meaning != "phone":
            found.setdefault(meaning, []).append((GUESSED, one))
            seen[one.name] = Seen(one.name, meaning, GUESSED)
            unknown.remove(one)


def _phone_in_words(found: dict[str, list[tuple[int, _Value]]], seen: dict[str, Seen]) -> None:
    """The phone a person has written into another field of their own, where none stands in its place.

    "Перезвоните на 8 916 …" in the message, "Иван 8 916 …" for the name, a number for the e-mail. A message keeps its words, and
    `79161234567@mail.ru` and `wa.me/79161234567` stay what they are.
    """
    tried = (
        (meaning, one, place)
        for meaning in ("message", "name", FIRST, LAST, *WAYS)
        for _, one in found.get(meaning, [])
        for place in A_PHONE_AMONG.finditer(_text(one.value))
    )
    for meaning, one, place in islice(tried, MOST_LOOKED_AT):
        if phones.read(place.group()).verdict != phones.VALID:
            continue
        text, number = _text(one.value), place.group()
        found.setdefault("phone", []).insert(0, (GUESSED, replace(one, value=number.strip(), label="phone")))
        if meaning != "message":
            rest = text.replace(number, " ").strip(" ,;:/-")
            if rest and meaning in WAYS:  # an address that holds a number is an address all the same
                rest = text
            found[meaning] = [
                (tier, replace(pair, value=rest) if pair is one else pair) for tier, pair in found[meaning]
            ]
            seen[one.name] = Seen(one.name, meaning if rest else "phone", GUESSED)
        return


def _join_pieces(found: dict[str, list[tuple[int, _Value]]], unknown: list[_Value], values: Sequence[_Value]) -> None:
    """Put a phone together that is told in pieces: a country's code beside a number, three boxes, the parts of an object.

    Only if no piece is a phone by itself, and all of them together are one that exists.
    """
    told = [one for _, one in found.get("phone", []) if _text(one.value)][:MOST_PHONES]
    mine = {id(one) for one in told}
    pieces = [one for one in values if id(one) in mine or token_of(one.candidates[0]) in COUNTRY_CODES][:MOST_PHONES]
    if not told or (any(_verdict(one.value) == phones.VALID for one in told) and not _is_abroad(pieces)):
        return
    of_each = sorted(
        ((_piece(one), re.sub(r"\D", "", text)) for one in pieces for text in _texts(one.value)), key=lambda one: one[0]
    )
    of_each = [
        (piece, digits) for piece, digits in of_each if digits and (piece or len(digits) <= LONGEST_COUNTRY_CODE)
    ]
    has_code = bool(of_each) and of_each[0][0] == OF_A_COUNTRY
    longest = phones.HOME_DIGITS if has_code else LONGEST_PIECE
    if len(of_each) < 2 or any(len(digits) > longest for _, digits in of_each):
        return
    whole = ("+" if has_code else "") + "".join(digits for _, digits in of_each)
    if phones.read(whole).verdict == phones.VALID:
        found["phone"] = [(found["phone"][0][0], replace(told[0], value=whole))]
        used = {id(one) for one in pieces}
        unknown[:] = [one for one in unknown if id(one) not in used]


def _is_abroad(pieces: Sequence[_Value]) -> bool:
    """Whether a code stands there that is not Russia's, beside a number that is not whole by itself: with its plus, or as Russia's
    are told."""
    said = [(_piece(one), _text(one.value)) for one in pieces]
    codes = {re.sub(r"\D", "", text) for piece, text in said if piece == OF_A_COUNTRY} - {"", "7", "8"}
    numbers = [text for piece, text in said if piece == OF_A_PERSON]
    return bool(codes) and not any(
        text.startswith("+") or re.fullmatch(r"[78]\d{10}|9\d{9}", re.sub(r"\D", "", text)) for text in numbers
    )


def _piece(one: _Value) -> int:
    is_code = token_of(one.candidates[0]) in COUNTRY_CODES
    return OF_A_COUNTRY if is_code else PIECES.get(one.path[-1].casefold(), OF_A_PERSON)


def _texts(value: Any) -> list[str]:
    return [_text(one) for one in (value[:MOST_PHONES] if isinstance(value, list) else [value])]


def _looks_like_a_phone(one: _Value) -> bool:
    text = _text(one.value)
    if not 10 <= len(text) <= LONGEST_GUESS or not A_PHONE.fullmatch(text) or ID_LIKE.search(one.path[-1].casefold()):
        return False
    return not _is_somebody_elses(one) and phones.read(text).verdict == phones.VALID


def _is_called_a_phone(one: _Value) -> bool:
    is_called = any(_known(candidate)[0] == "phone" for candidate in one.candidates)
    return is_called and not ID_LIKE.search(one.path[-1].casefold()) and not _is_somebody_elses(one)


def _is_somebody_elses(one: _Value) -> bool:
    return any(part.casefold() in SOMEBODY_ELSES for part in one.path)


def _is_anothers(one: _Value) -> bool:
    """Whether its name says that it is somebody else's phone."""
    return any(map(_is_of_another, one.candidates))


@lru_cache(maxsize=4096)
def _is_of_another(name: str) -> bool:
    return bool(OF_ANOTHER.search(token_of(name)))


def _verdict(value: Any) -> str:
    """What the best of one or several values is as a phone."""
    verdicts = {phones.read(text).verdict for text in _texts(value) if text}
    return next((one for one in (phones.VALID, phones.POSSIBLE, phones.IMPOSSIBLE) if one in verdicts), phones.NONE)


def _put_together(
    found: Mapping[str, list[tuple[int, _Value]]],
    unknown: list[_Value],
    seen: Mapping[str, Seen],
    said: Mapping[str, Any],
) -> Understood:
    fields: dict[str, Any] = {}
    spare: list[_Value] = list(unknown)
    home = next((one.path[:-1] for _, one in found.get("phone", []) if _text(one.value)), ())
    for meaning, values in found.items():
        if meaning in (IGNORED, FIRST, MIDDLE, LAST, *WAYS):
            continue
        if meaning == NOTED:
            spare += [one for _, one in values]
            continue
        value, left = _chosen(meaning, sorted(values, key=lambda pair: pair[0]), home)
        fields[meaning] = value
        spare += left
    if parts := [
        text for part in (FIRST, MIDDLE, LAST) for _, one in found.get(part, [])[:1] if (text := _text(one.value))
    ]:
        whole = _text(fields.get("name"))
        missing = [part for part in parts if part.casefold() not in whole.casefold()]
        fields["name"] = " ".join(filter(None, [whole, *missing])) if whole else " ".join(parts)
    for mark, text in cookies_of(
        _text(next((value for name, value in said.items() if name.casefold() == "cookies"), ""))
    ).items():
        if not _text(fields.get(mark)):
            fields[mark] = text
    ways = {way: text for way in WAYS if way in found and (text := _text(found[way][0][1].value))}
    if not _text(fields.get("phone")) and "whatsapp" in ways:
        fields["phone"] = ways["whatsapp"]
    others: dict[str, str] = {}
    for one in spare:
        if text := _text(one.value):
            label = one.label.strip() or one.name
            others[label] = f"{others[label]}, {text}" if label in others and text != others[label] else text
    return Understood(fields, others, ways, tuple(seen.values()))


def _chosen(meaning: str, values: Sequence[tuple[int, _Value]], home: tuple[str, ...]) -> tuple[Any, list[_Value]]:
    """The value of a field that one or more names are taken for, the surest first; and what is left over.

    Of several names the one counts that stands where the phone does (`home`): a form has a name as well.
    """
    told = [one for _, one in values if _text(one.value)]
    if not told:
        return values[0][1].value, []
    if meaning == "phone":
        return _phone_among(told)
    if meaning == "message":
        return "\n".join(dict.fromkeys(_text(one.value) for one in told)), []
    best = min(tier for tier, one in values if _text(one.value))
    alike = [one for tier, one in values if tier == best and _text(one.value)]
    taken = {id(one) for one in alike}
    left = [one for one in told if id(one) not in taken]
    if meaning == "name":
        at_home = [one for one in told if one.path[:-1] == home] if best else []
        first = next(iter(at_home), alike[0])
        return _whole_name(first.value), [one for one in told if _text(one.value) != _text(first.value)]
    if meaning not in CHOICES and not ADDED.fullmatch(meaning):
        return _last(alike[0].value), left
    if len(alike) == 1:
        return alike[0].value, left
    each = [value for one in alike for value in (one.value if isinstance(one.value, list) else [one.value])]
    return list(dict.fromkeys(text for value in each if (text := _text(value)))), left


def _phone_among(told: Sequence[_Value]) -> tuple[Any, list[_Value]]:
    """The first that can be read as a phone, else the first. Others that are phones are said as more of them, the rest by its label."""
    each = [
        (one, value)
        for one in told[:MOST_PHONES]
        for value in (one.value[:MOST_PHONES] if isinstance(one.value, list) else [one.value])
        if _text(value)
    ][:MOST_PHONES]
    verdicts = [phones.read(value).verdict for _, value in each]
    place = next(
        (verdicts.index(one) for one in (phones.VALID, phones.POSSIBLE, phones.IMPOSSIBLE) if one in verdicts), 0
    )
    chosen, spare = each[place][1], [pair for at, pair in enumerate(each) if at != place]
    left = [
        _Value(one.name, "phone" if verdict == phones.VALID else one.label, (), "", one.path, value)
        for one, value in spare
        if _text(value) != _text(chosen) and (verdict := phones.read(value).verdict)
    ]
    return chosen, left


def _last(value: Any) -> Any:
    """Of a name that came several times the last value that says anything: a check box comes after its hidden field."""
    if not isinstance(value, list) or not value:
        return value
    return next((one for one in reversed(value) if _text(one)), value[-1])


def _whole_name(value: Any) -> Any:
    """A person's name that came in several values: `["Иван", "Петров"]`."""
    return " ".join(dict.fromkeys(filter(None, map(_text, value)))) if isinstance(value, list) else value


def _text(value: Any) -> str:
    """A value as people read it; "" for nothing."""
    if isinstance(value, list):
        return ", ".join(dict.fromkeys(text for one in value if (text := _text(one))))
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    if isinstance(value, float):
        return f"{value:.15g}"
    text = str(value).strip()
    return text.removeprefix(FILE) if text.startswith(FILE) else text


def _is_secret(one: _Value) -> bool:
    return len(one.path) == 1 and one.name.casefold() in SECRETS


def _is_service(one: _Value) -> bool:
    parents = one.path[:-1]
    holder = max((place for place, part in enumerate(parents) if part.casefold() in HOLDERS), default=0)
    return _is_of_machines(one) or any(
        (part.casefold() in SERVICE_PARENTS and place >= holder) or part.startswith("_wp")
        for place, part in enumerate(parents)
    )


def _is_of_machines(one: _Value) -> bool:
    return any(
        SERVICE.fullmatch(part) or SERVICE.fullmatch(token_of(part).replace(" ", "_"))
        for part in (one.path[-1], one.candidates[0])
    )


def _fitting(others: Mapping[str, str]) -> dict[str, str]:
    """As many as there is room for, each in one line."""
    kept: dict[str, str] = {}
    room = LONGEST_NOTE
    for label, text in list(others.items())[:MOST_NOTED]:
        line = _cut(" ".join(text.split()))
        room -= len(label) + len(line) + 3
        if room < 0:
            break
        kept[label] = line
    return kept


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_NOTED else text[: LONGEST_NOTED - 1] + "…"
