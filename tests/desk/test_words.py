"""Words: the same keys in both languages, every key in use, every code explained."""

import ast as python_ast
import re
from pathlib import Path

import pytest
from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor

from desk.settings import PROJECT
from desk.words import FOLDER, LANGUAGES, words

CODE = [
    path for room in ("crm", "desk", "store", "wire", "ui", "pages") for path in Path(PROJECT, room).rglob("*.py")
] + [Path(PROJECT, "dashboard.py")]
BELOW = "\n".join(path.read_text() for path in CODE if path.relative_to(PROJECT).parts[0] in ("crm", "desk", "store"))
SOURCE = "\n".join(path.read_text() for path in CODE)


def keys(language):
    return set(re.findall(r"^([a-z][\w-]*) =", (FOLDER / f"{language}.ftl").read_text(), re.MULTILINE))


def test_both_languages_have_the_same_keys():
    """A sentence in one language only would show as its key in the other."""
    assert keys("ru") == keys("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_in_code_has_words(language):
    """Each `say("key")` finds its sentence."""
    used = set(re.findall(r"""\bsay\(\s*["']([a-z][\w-]*)["']""", SOURCE))
    assert len(used) > 80
    assert used <= keys(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_error_code_has_words_and_a_remedy(language):
    """Whatever code an error in `crm/` can carry, a person reads what happened and what to do."""
    raised = r'(?:SetupError|Declined|say_declined|OwnFault|NetworkError|NotSent|NoAnswer|Unsent|Unanswered|NotLetIn|BrokenWord|SaidNo|Refused|Unreadable)\(\s*(?:\d+,\s*)?"(\w+)"'
    hints = r'"\w[\w ]*", (?:SetupError|NotLetIn), "(\w+)"'
    codes = (
        set(re.findall(raised, SOURCE))
        | set(re.findall(hints, SOURCE))
        | {"rights_missing", "blocked", "too_large", "worker_died", "hooks_no_address"}
    )
    assert len(codes) > 50
    have = keys(language)
    assert not [code for code in codes if f"error-{code}" not in have or f"error-{code}-remedy" not in have]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_operation_of_the_journal_has_words(language):
    """What a request is called in `crm/` stands in words on the activity page."""
    rooms = {
        name
        for room in ("crm", "desk", "store", "ui")
        for name in (f"{room}.{path.stem}" for path in Path(PROJECT, room).glob("*"))
    }
    named = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', BELOW)) - rooms
    others = re.compile(
        r"(websocket\..*|.*\.(id|ru|com|key|activity|close))$"
    )  # columns, domains, a file, a logger, the server's own
    made = {
        "leads.bin",
        "contacts.bin",
        "leads.get",
        "contacts.get",
        "fields.leads",
        "fields.contacts",
    }  # of two words each
    operations = {name for name in named if not others.match(name)} | made
    assert len(operations) > 30
    assert [name for name in sorted(operations) if f"operation-{name.replace('.', '-')}" not in keys(language)] == []


def test_no_words_lie_unused():
    """Sentences nobody can ever read are removed."""
    families = ("error-", "setting-", "field-", "period-", "activity-kind-", "fields-verdict-", "fields-entity-",
                "fields-column-", "connection-state-", "connection-cause-", "operation-",
                "delivery-", "deliveries-group-", "deliveries-origin-", "fields-type-", "fields-marker-", "forms-count-",
                "forms-outcome-", "forms-sign-", "forms-preset-", "forms-answer-", "forms-name-", "preset-", "forms-key-overlap-", "hooks-state-", "hooks-means-", "hooks-bad-",
                "leads-column-", "leads-attention-", "leads-parameter-", "export-kind-",
                "overview-rule-", "overview-unit-", "overview-by-", "overview-week",
                "call-heard-", "call-outcome-", "call-step-", "call-when-", "call-who-", "call-save-", "call-task-",
                "call-blank-", "caller-offer-", "call-script", "call-consent", "panel-", "figures-", "health-")  # fmt: skip
    pages = {f"{path.stem}-{part}" for path in Path(PROJECT, "pages").glob("*.py") for part in ("title", "help")}
    used = set(re.findall(r"""["']([a-z][\w-]*)["']""", SOURCE)) | pages
    assert not [key for key in keys("ru") if key not in used and not key.startswith(families)]


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "лид"), (2, "лида"), (5, "лидов"), (11, "лидов"), (21, "лид"), (22, "лида"), (0, "лидов"), (111, "лидов")],
)
def test_russian_plurals(count, text):
    """1 лид, 2 лида, 5 лидов, 11 лидов, 21 лид."""
    assert words("ru")("leads-count", count=count).endswith(f" {text}")


def test_a_missing_key_shows_as_itself():
    """A forgotten sentence is visible and harmless."""
    assert words("ru")("no-such-key") == "no-such-key"


def test_an_unknown_code_gets_the_general_words():
    """An error nobody foresaw is still explained."""
    what, remedy = words("en").error("never_heard_of")
    assert "never_heard_of" in what
    assert remedy


def test_no_page_holds_a_sentence():
    """Pages and ui hold no Russian letter: every word lives in locales/."""
    screens = [path for path in CODE if path.relative_to(PROJECT).parts[0] in ("ui", "pages")]
    lines = [line for path in screens for line in path.read_text().splitlines()]
    assert not [line for line in lines if re.search(r'"[^"]*[А-Яа-яЁё]', line.split("#")[0]) and '"""' not in line]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_operation_has_words(language):
    """Each operation the journal can hold is named for people."""
    operations = set(
        re.findall(r'"((?:token|account|users|pipelines|leads|contacts|notes|tasks|fields|webhooks)\.[a-z]+)"', BELOW)
    )
    assert len(operations) > 12
    assert not [name for name in operations if f"operation-{name.replace('.', '-')}" not in keys(language)]


def messages(language):
    """Each message of a locale with the names of the variables its sentences take, in the order of the file."""
    for entry in FluentParser().parse((FOLDER / f"{language}.ftl").read_text()).body:
        if isinstance(entry, ast.Message):
            seen = Variables()
            seen.visit(entry)
            yield entry.id.name, seen.names


class Variables(Visitor):
    """Collects the variables of a message."""

    def __init__(self):
        self.names = set()

    def visit_VariableReference(self, node):  # noqa: N802 - the name fluent.syntax looks for
        self.names.add(node.id.name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_stands_twice(language):
    """Of two sentences under one key the last would win in silence, and be given the other's numbers."""
    names = [name for name, _ in messages(language)]
    assert not [name for name in set(names) if names.count(name) > 1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_given_what_it_names(language):
    """A sentence with `{ $day }` is called with `day=`, or people read the braces."""
    wanted = dict(messages(language))
    lacking = []
    for path in CODE:
        for node in python_ast.walk(python_ast.parse(path.read_text())):
            is_say = (
                isinstance(node, python_ast.Call) and isinstance(node.func, python_ast.Name) and node.func.id == "say"
            )
            if not is_say or not node.args or not isinstance(node.args[0], python_ast.Constant):
                continue
            given = {keyword.arg for keyword in node.keywords}
            if None not in given and not wanted.get(node.args[0].value, set()) <= given:
                lacking.append((path.name, node.lineno, node.args[0].value))
    assert not lacking
