"""The tables of names that builders, plug-ins and people give their fields.

Pure. `meanings` looks names up here; whoever meets a form whose names are not understood adds them here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from desk.intake import tracking
from desk.intake.signs import CONSENT, CONSENT_VERSION, FILL_MS, TRAP
from desk.lead import OWN_FIELDS

ADDED = re.compile(r"(lead|contact)_\d+")
"""The keys of added fields, as made by `desk.fields`."""

NOTED, IGNORED = "noted", "ignored"
"""Meanings a form can be taught besides a field: into the note in any case, and nowhere."""

FIRST, MIDDLE, LAST = "first_name", "middle_name", "last_name"
"""Parts of a name, put together in this order."""

PARTS = {"first": FIRST, "middle": MIDDLE, "last": LAST}
"""Parts of a name by their key in an object: `{"name": {"first": …, "last": …}}`."""

CHANNELS = {
    "email": "E-mail",
    "telegram": "Telegram",
    "whatsapp": "WhatsApp",
    "viber": "Viber",
    "vk": "VK",
    "instagram": "Instagram",
}
"""Other channels to reach a person, with their names in every language.

No field of a lead, and too dear to be lost: they go into the note in any case.
"""

SECRETS = frozenset({"key", "secret", "google_key", "token", "api_key", "apikey", "access_token", "password", "handshakekey"})  # fmt: skip
"""Names (in small letters, at the first level) under which senders show a key. Never kept, never shown."""

CHOICES = ("direction", "source")
"""Fields with several choices, as added fields may have too."""

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
"""Names as spelled by builders, plug-ins and people: in small letters, every mark a space (`token_of`)."""

BY_TOKEN = {token: meaning for meaning, tokens in KNOWN.items() for token in tokens}
"""`KNOWN` the other way round: a meaning by its spelling."""

LEADING = re.compile(
    r"^(?:no label|your|my|user|client|customer|contact|input|visitor|person|buyer|f|fld|txt|ваше?|ваша|ваши|введите|укажите|напишите|"
    r"оставьте|контактный|контактное|мой|мое|vash|vasha|vashe|vashi|moy|data|answer|q\d{1,3})\s+(?=\S)"
)
"""Words of builders and labels before a name."""

OF_THE_FORM = re.compile(r"^(?:form|field|lead|order|callback|feedback|modal|popup)\s+(?=\S)")
"""Words before a phone, an e-mail or a message alone; `form name` is the form's, and no person's."""

UNNAMED = re.compile(
    r"(?:text|field|input|select|menu|radio|checkbox|acceptance|question|answer|form text|input text)(?: \d+)+"
)
"""A field of a plug-in without a name of its own: `text-463` may be anything."""

TRAILING = re.compile(r"\s*(?:field|input|поле|\d{1,6}|required|обязательно)$")
"""Words and numbers of builders and labels behind a name."""

IN_LABELS = (
    ("phone", re.compile(r"\b(?:телефон\w*|phone|мобильн\w+ номер|номер\w* телефон\w*)\b"), re.compile(r"модел|марк|brand|model")),
    (CONSENT, re.compile(r"согла(?:сие|сен|сна|шаюсь)\b.*(?:персональн|обработк|данн)|personal data|privacy policy"), None),
    ("name", re.compile(r"\b(?:имя|фио|зовут|обращаться|your name)\b"), re.compile(r"реб[её]нк|дет|сына|доч|компани|организац|тренер|питом|child|compan|файл")),
    ("email", re.compile(r"\b(?:e-?mail|почт\w*|email)\b"), re.compile(r"индекс|рассылк")),
    ("message", re.compile(r"\b(?:сообщение|комментарий|пожелани\w+)\b"), None),
)  # fmt: skip
"""Meanings of longer labels: a word for the meaning, and a word against it."""

NEUTRAL = frozenset([
    "fields", "form_fields", "field", "data", "payload", "params", "values", "value", "answers", "answer", "object",
    "wpforms", "lead", "leads", "contact", "contacts", "client", "clients", "customer", "user", "visitor", "person",
    "buyer", "sender", "applicant", "form_data", "formdata", "body", "result", "submission", "entry", "response",
    "order", "event", "request", "content", "meta", "main_contact", "user_column_data", "form_response",
    "custom_fields", "properties", "extra", "utm", "contact_data", "clientdata", "client_data", "items", "attributes",
    "field_data", "formparams", "submitted", "names", "cf", "property", "jform", "item_meta", "rawrequest",
    "registration", "webform", "feedback", "callback", "_embedded", "custom_fields_values", "add",
])  # fmt: skip
"""Lists and objects inside which a name and a phone are still the sender's, and not a manager's or a product's."""

NOT_PERSONS = frozenset(
    ["form", "quiz", "product", "products", "meta", "utm", "extra", "site", "page", "company", "manager"]
)
"""Objects whose `name` is not a person's."""

SOMEBODY_ELSES = frozenset(
    ["manager", "company", "operator", "callee", "agent", "site", "seller", "shop", "product", "products", "trainer", "support"]
)  # fmt: skip
"""Names of lists and objects whose phone is not the sender's."""

OF_ANOTHER = re.compile(
    r"\b(?:друг[ау]?|подруг[аиеу]|знаком\w+|экстренн\w+|доверенн\w+|рекоменд\w+|менеджер\w*|тренер\w*|клуб\w*|компани\w+|организаци\w+|"
    r"friends?|emergency|referr\w+|manager|trainer|operator|agent|company|club|shop|site)\b"
)
"""Words for another person's phone: "Телефон друга", `manager_phone`. Without another phone the sender's."""

HINTS = {
    "tel": "phone",
    "phone": "phone",
    "phone_number": "phone",
    "email": "email",
    "textarea": "message",
    "name": "name",
}
"""Meanings by the type of a builder's field, for a field whose name says nothing."""

SERVICE = re.compile(
    r"_(?!ym_)\w*|tranid|formid|formname|cookies|tildaspec\S*|form_?id|form_?name|post_?id|queried_?id|referer_title|action|nonce|submit|submitted|"
    r"g-recaptcha-\S*|smart-token|h-captcha-\S*|cf-turnstile-\S*|captcha\S*|recaptcha\S*|user_?agent|remote_?ip|ip|powered_?by|credit|page_?id|site_?id|test|"
    r"type|event_?id|group_?id|object_?id|jsonrpc|method|id|lead_?id|ad_?id|user_?id|v|api_version|campaign_?id|adgroup_?id|creative_?id|is_test|"
    r"created(_?at|_?date)?|timestamp|sent_?at|lang|language|locale|browser|device|os|session_?id|request_?id|requestnumber|roistat_param_\d|"
    r"csrf\S*|wpcf7\S*|option|itemid|task|view|return|send|button|agree_?btn|b|tildaid|pageid|projectid|server_protocol|hash|sign\w*|"
    r"is_pinned|is_amp|attempt\w*|quiz_?id|form_response|landing_?id|account_?id|phone_mask|country_?code|fill_ms|homepage",
    re.IGNORECASE,
)
"""Names for machines only: nothing to read for people."""

SERVICE_PARENTS = frozenset(["meta", "form", "cookies", "extra[cookies]", "utm", "quiz"])
"""Objects of machines' names only, unless a name of `HOLDERS` stands inside."""

HOLDERS = frozenset(["fields", "data", "values", "answers", "contacts", "contact"])
"""Objects of the values a person has filled in."""

ID_LIKE = re.compile(r"(?:^|[_\W])(?:id|ids|uid|inn|ogrn|time|timestamp|date|ip|hash|sum|price|amount|total|token|cookie|cookies|num|zip|index)(?:$|[_\W])|id$")  # fmt: skip
"""Names whose values may look like phones and are none."""
