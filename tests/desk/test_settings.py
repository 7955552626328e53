"""Settings: all faults at once, no placeholder, no secret shown."""

import re
from pathlib import Path

import pytest

from desk.setting_values import PLACEHOLDER
from desk.settings import PROJECT, SETTINGS, Secret, SettingsError, is_loopback, load
from desk.words import words

REAL = {
    "AMOCRM_SUBDOMAIN": "fitzone",
    "AMOCRM_CLIENT_ID": "0c1b5b2e-1f65-4f0e-8b0e-6f3d1c9a7e55",
    "AMOCRM_CLIENT_SECRET": "q8sWb2LxV0nTqkYp",
}


def faults(tmp_path, **environ):
    with pytest.raises(SettingsError) as raised:
        load(environ, tmp_path)
    return {fault.name: fault.code for fault in raised.value.faults}


def test_nothing_set_is_the_demo(tmp_path):
    """With no account in the settings the desk is a demo with a database of its own."""
    settings = load({}, tmp_path)
    assert settings.demo
    assert settings.database_url == f"sqlite:///{tmp_path}/data/demo.db"


def test_a_real_account_needs_three_settings(tmp_path):
    """Subdomain, client id and secret are enough; the rest follows from them."""
    settings = load(REAL, tmp_path)
    assert not settings.demo
    assert settings.amocrm_api_url == "https://fitzone.amocrm.ru"
    assert settings.amocrm_oauth_url == "https://www.amocrm.ru/oauth"
    assert settings.amocrm_redirect_uri == "http://localhost:8501/api/amocrm/callback"
    assert settings.database_url == f"sqlite:///{tmp_path}/data/desk.db"


def test_every_fault_is_reported_at_once(tmp_path):
    """Ten wrong settings are ten lines, not ten starts."""
    found = faults(
        tmp_path,
        AMOCRM_SUBDOMAIN="https://fitzone.amocrm.ru",
        AMOCRM_CLIENT_ID="your_client_id",
        AMOCRM_DOMAIN="bitrix24.ru",
        AMOCRM_REDIRECT_URI="ftp://desk",
        AMOCRM_MAX_RPS="50",
        AMOCRM_FIELD_PHONE="phone",
        SECRET_KEY="short",
        TIMEZONE="Moscow",
        UI_LANGUAGE="de",
        DATABASE_URL="mysql://x",
    )
    assert found == {
        "AMOCRM_SUBDOMAIN": "subdomain",
        "AMOCRM_CLIENT_ID": "placeholder",
        "AMOCRM_CLIENT_SECRET": "missing",
        "AMOCRM_DOMAIN": "choice",
        "AMOCRM_REDIRECT_URI": "url",
        "AMOCRM_MAX_RPS": "range",
        "AMOCRM_FIELD_PHONE": "number",
        "SECRET_KEY": "too_short",
        "TIMEZONE": "timezone",
        "UI_LANGUAGE": "choice",
        "DATABASE_URL": "database",
    }


@pytest.mark.parametrize(
    "text",
    [
        "your_client_id", "YOUR-SECRET", "<client id>", "{secret}", "changeme", "change_me", "xxxxxxxx", "...", "TODO",
        "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "00000000-0000-0000-0000-000000000000", "insert-here", "example",
        "placeholder", "ваш_секрет", "вставьте сюда", "client_secret", "my-client-id", "replace_with_value", "***",
    ],
)  # fmt: skip
def test_placeholders_are_refused(tmp_path, text):
    """What people leave in from an example file is no value."""
    assert faults(tmp_path, **REAL | {"AMOCRM_CLIENT_SECRET": text})["AMOCRM_CLIENT_SECRET"] == "placeholder"


@pytest.mark.parametrize("text", ["fitzone", "my-gym", "test", "xfit", "addis", "enterprise", "s3cr3t"])
def test_real_values_are_no_placeholders(text):
    """Ordinary names are not mistaken for placeholders."""
    assert PLACEHOLDER.match(text) is None


@pytest.mark.parametrize("name", sorted(SETTINGS))
@pytest.mark.parametrize(
    "text", ["a\x00b", "x" * 5000, "your_value", "💥" * 3 + "\n", "💥\n💥", "<script>alert(1)</script>", "=1+1\t2"]
)
def test_bad_input_at_every_setting(tmp_path, name, text):
    """Control characters, far too long, placeholders, markup: each setting says so itself, and nothing crashes."""
    assert name in faults(tmp_path, **REAL | {name: text})


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_an_empty_setting_is_unset(tmp_path, name):
    """`NAME=` in a file is the same as no line at all."""
    assert load(dict.fromkeys(SETTINGS, "") | {name: "  "}, tmp_path).demo


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://desk.example.com", "https"), ("https://user:pw@desk.example.com", "url_extra"), ("desk", "url"),
        ("https://desk.example.com?x=1", "url_extra"), ("https://desk.example.com:99999", "url"), ("https://", "url"),
        ("javascript:alert(1)", "url"), ("https://a b", "url"),
    ],
)  # fmt: skip
def test_addresses(tmp_path, url, code):
    """An address is whole, https unless it is nearby, and carries nothing else."""
    assert faults(tmp_path, **REAL | {"BASE_URL": url}) == {"BASE_URL": code}


@pytest.mark.parametrize(
    "url", ["http://localhost:9000", "http://127.0.0.1:1", "http://sandbox:8900", "http://10.0.0.5"]
)
def test_nearby_addresses_may_be_plain(tmp_path, url):
    """This machine, a private address and a container's name need no certificate."""
    assert load({"AMOCRM_API_URL": url, **{k: v for k, v in REAL.items() if k != "AMOCRM_SUBDOMAIN"}}, tmp_path)


def test_later_files_win_and_the_environment_over_both(tmp_path):
    """.env, then .env.local, then the environment of the process."""
    (tmp_path / ".env").write_text("TIMEZONE=Europe/Samara\nUI_LANGUAGE=en\nAMOCRM_MAX_RPS=3\n")
    (tmp_path / ".env.local").write_text("UI_LANGUAGE=ru\nAMOCRM_MAX_RPS=4\n")
    settings = load({"AMOCRM_MAX_RPS": "5"}, tmp_path)
    assert (settings.timezone, settings.ui_language, settings.amocrm_max_rps) == ("Europe/Samara", "ru", 5.0)


@pytest.mark.parametrize(
    "public",
    [{"BASE_URL": "https://desk.example.com"}, {"TRUSTED_PROXIES": "10.0.0.1"}, {"PUBLIC_LISTEN": "0.0.0.0:8502"}],
)
def test_a_desk_with_a_proxy_is_not_open(tmp_path, public):
    """ "open" and a sign of a proxy do not start together; each alone does."""
    assert faults(tmp_path, **REAL, **public, LOCAL_ACCESS="open")["LOCAL_ACCESS"] == "open_in_public"
    assert load({**REAL, **public}, tmp_path).asks_for_proof
    assert [note.code for note in load({**REAL, "LOCAL_ACCESS": "open"}, tmp_path).notes] == ["open_noted"]


def test_a_public_desk_is_told_what_is_better(tmp_path):
    """A listener of its own, and whose proxy it is; nothing where both are set."""
    public = {**REAL, "BASE_URL": "https://desk.example.com"}
    assert [note.code for note in load(public, tmp_path).notes] == ["listener_advised", "proxies_advised"]
    assert load({**public, "PUBLIC_LISTEN": "8502", "TRUSTED_PROXIES": "127.0.0.1"}, tmp_path).notes == ()


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("8502", ("127.0.0.1", 8502)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:8502", ("::1", 8502)),
        (":8502", ("127.0.0.1", 8502)),
    ],
)
def test_where_the_public_listener_is(tmp_path, text, address):
    """An address and a port, or a port alone on loopback."""
    assert load({"PUBLIC_LISTEN": text}, tmp_path).public_listen == address


@pytest.mark.parametrize(
    "text", ["x", "0", "70000", "host:80", "127.0.0.1", "127.0.0.1:", "::1", "8502/", "\u0662:\u0662"]
)
def test_where_no_listener_can_be(tmp_path, text):
    """Names, missing ports and what is no number are said at the start."""
    assert faults(tmp_path, PUBLIC_LISTEN=text) == {"PUBLIC_LISTEN": "listen"}


def test_a_slip_of_the_pen_is_noticed(tmp_path):
    """A name that is nearly one of ours is noted with the one that was meant."""
    notes = load({**REAL, "AMOCRM_CLIENTID": "x"}, tmp_path).notes
    assert [(note.name, note.hint) for note in notes] == [("AMOCRM_CLIENTID", "AMOCRM_CLIENT_ID")]


def test_secrets_do_not_show(tmp_path):
    """No secret is in a repr of the settings, nor in the text of their faults."""
    secret = "q8sWb2LxV0nTqkYp"
    assert secret not in repr(load(REAL, tmp_path))
    assert secret not in f"{Secret(secret)} {Secret(secret)!r}"
    with pytest.raises(SettingsError) as raised:
        load(REAL | {"ADMIN_API_KEY": "tooshort12", "TIMEZONE": "x"}, tmp_path)
    assert "tooshort12" not in f"{raised.value} {raised.value!r} {raised.value.faults}"


def test_every_fault_has_words(tmp_path):
    """Each code a setting can fail with has a sentence in both languages."""
    source = "".join(Path(PROJECT, "desk", name).read_text() for name in ("settings.py", "setting_values.py"))
    codes = set(re.findall(r'UnfitText\("(\w+)"|Fault\("?\w+"?, "(\w+)"', source))
    codes = {code for pair in codes for code in pair if code}
    assert len(codes) > 20
    for language in ("ru", "en"):
        assert not [code for code in codes if not words(language).has(f"setting-{code}")]


def test_every_setting_is_in_the_example_and_the_readmes():
    """.env.example, README.md and README.ru.md name every setting, and .env.example no other."""
    example = Path(PROJECT, ".env.example").read_text()
    assert set(re.findall(r"^#?\s?([A-Z][A-Z_]+)=", example, re.MULTILINE)) == set(SETTINGS)
    for readme in ("README.md", "README.ru.md"):
        text = Path(PROJECT, readme).read_text()
        assert not [name for name in SETTINGS if f"`{name}`" not in text]


def test_the_example_as_it_is_starts_the_demo(tmp_path):
    """Copying .env.example and changing nothing gives a working demo, not a wall of faults."""
    (tmp_path / ".env").write_text(Path(PROJECT, ".env.example").read_text())
    assert load({}, tmp_path).demo


@pytest.mark.parametrize(("host", "local"), [
    ("localhost", True), ("127.0.0.1", True), ("127.5.5.5", True), ("::1", True), ("[::1]", True), ("LOCALHOST.", True),
    ("localhost.evil.com", False), ("127.0.0.1.evil.com", False), ("0.0.0.0", False), ("10.0.0.1", False), ("", False),
])  # fmt: skip
def test_loopback(host, local):
    """Only names that can mean nothing but this machine are this machine."""
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("AMOCRM_API_URL", "https://amo.example.com/api/v4", "url_path"), ("AMOCRM_API_URL", "http://127.0.0.1:0", "url"),
        ("AMOCRM_MAX_RPS", "0.000000001", "range"), ("AMOCRM_MAX_RPS", "7.01", "range"),
        ("DATABASE_URL", "postgresql://desk@host:port/desk", "database"), ("DATABASE_URL", "sqlite:///x.db?mode=rwc", "database"),
        ("DATABASE_URL", "postgresql://[::1/desk", "database"),
    ],
)  # fmt: skip
def test_more_that_cannot_be(tmp_path, name, text, code):
    """Addresses with too much or too little, paces nobody wants, databases that are none: named, not a traceback."""
    assert faults(tmp_path, **REAL | {name: text})[name] == code


def test_a_slip_of_the_pen_is_told_beside_what_is_missing(tmp_path):
    """A misspelt name in .env is named together with what it was probably meant for, also when the start fails for it."""
    (tmp_path / ".env").write_text(
        "AMOCRM_SUBDOMAIN=fitzone\nAMOCRM_CLIENTID=x\nAMOCRM_CLIENT_SECRET=abc\nTIMEZON=UTC\n"
    )
    with pytest.raises(SettingsError) as raised:
        load({}, tmp_path)
    found = {fault.name: (fault.code, fault.hint) for fault in raised.value.faults}
    assert found["AMOCRM_CLIENT_ID"][0] == "missing"
    assert found["AMOCRM_CLIENTID"] == ("unknown", "AMOCRM_CLIENT_ID")
    assert found["TIMEZON"] == ("unknown", "TIMEZONE")


def test_what_else_is_in_the_environment_is_nobodys_business(tmp_path):
    """The environment is everybody's: only names that begin like ours are looked at there."""
    assert load({"PATH": "/bin", "BASEURL": "x", "LANG": "C"}, tmp_path).notes == ()


def test_a_file_in_another_encoding_is_named(tmp_path):
    """A .env that is no UTF-8 is a fault with the file's name."""
    (tmp_path / ".env").write_bytes("AMOCRM_SUBDOMAIN=фитнес".encode("cp1251"))
    assert faults(tmp_path)[".env"] == "file_unreadable"


def test_the_language_of_the_faults_is_the_one_set(tmp_path):
    """UI_LANGUAGE from a file counts for what the console says, too."""
    (tmp_path / ".env").write_text("UI_LANGUAGE=en\nTIMEZONE=Moscow\n")
    with pytest.raises(SettingsError) as raised:
        load({}, tmp_path)
    assert raised.value.language == "en"


def test_a_repr_of_the_settings_shows_no_password(tmp_path):
    """The database's address holds one."""
    settings = load({"DATABASE_URL": "postgresql://desk:hunter2@db/desk"}, tmp_path)
    assert "hunter2" not in repr(settings)
