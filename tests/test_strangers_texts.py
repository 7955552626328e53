"""Nobody's text is markup: what Streamlit reads as Markdown is made of our own words, of numbers, and of `formats.plain`.

An expression is followed as far as names, branches, joins and our own functions go. What cannot be followed stands in
`REVIEWED` with the reason why it is nobody's text; a new one fails the test until somebody has looked.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from desk.settings import PROJECT

READ_AS_MARKDOWN = {
    # what is drawn: positions of the arguments that Streamlit reads as Markdown, and their names
    "markdown": (0, "body", "help"), "caption": (0, "body", "help"), "write": (0,), "title": (0, "body", "help"),
    "header": (0, "body", "help"), "subheader": (0, "body", "help"), "badge": (0, "label", "help"),
    "button": (0, "label", "help"), "link_button": (0, "label", "help"), "page_link": ("label", "help"),
    "download_button": (0, "label", "help"), "form_submit_button": (0, "label", "help"), "checkbox": (0, "label", "help"),
    "toggle": (0, "label", "help"), "radio": (0, "label", "help", "options", "format_func", "captions"),
    "selectbox": (0, "label", "help"), "multiselect": (0, "label", "help"), "slider": (0, "label", "help"),
    "select_slider": (0, "label", "help"), "text_input": (0, "label", "help"), "text_area": (0, "label", "help"),
    "number_input": (0, "label", "help"), "date_input": (0, "label", "help"), "time_input": (0, "label", "help"),
    "pills": (0, "label", "help", "format_func"), "segmented_control": (0, "label", "help", "format_func"),
    "tabs": (0, "tabs"), "expander": (0, "label"), "popover": (0, "label", "help"), "dialog": (0, "title"),
    "metric": (0, 1, 2, "label", "value", "delta", "help"), "success": (0, "body"), "info": (0, "body"),
    "warning": (0, "body"), "error": (0, "body"), "toast": (0, "body"), "status": (0, "label"), "spinner": (0, "text"),
    "progress": (1, "text"), "table": (0,), "Page": ("title", "help"), "latex": (0,), "chat_message": (0,), "html": (0,),
}  # fmt: skip

PLACES = {"st", "above", "here", "left", "right", "middle", "about", "state", "action", "which", "label", "column", "tab", "last", "late",
          "lost", "numbers", "again", "rotate", "opens", "closes", "search", "place", "day", "look", "drop", "exists"}  # fmt: skip
"""What a drawing method is called on: Streamlit itself, and the names that columns and containers have here."""

OURS = {
    "plain", "say", "error_words", "setting", "moment", "time_of_day", "ago", "lasting", "countdown", "number", "rubles", "seconds",
    "as_plain", "int", "len", "round", "abs", "sum", "lead_address", "bool",
}  # fmt: skip
"""Functions whose answer is our own words, a number or a time, or shown letter by letter. The values of `say` are looked at, too."""

NUMBERS = {"int", "float", "bool", "date", "datetime", "timedelta", "Moment"}

REVIEWED: dict[tuple[str, str], str] = {
    ("ui/new/caller.py", "f'{label} · {formats.plain(offer.person.name)}' if several and offer.person else label"): "label: an id of AmoCRM's in a sentence of ours",
    ("ui/new/caller.py", "str(lead.id)"): "a lead's number",
    ("ui/new/panels.py", "lambda code: say(f'panel-{code}', late=late)"): "how many",
    ("ui/new/panels.py", "'\\n'.join((f\"| {' | '.join(line)} |\" for line in lines))"): "each cell is made plain where it is put in",
    ("ui/connection/state.py", "f'{word}\\n\\n{_why(status)}\\n\\n{_next(status)}'"): "the print of a token, twelve hex digits",
    ("ui/deliveries/decisions.py", "label"): "callers give sentences of ours",
    ("ui/deliveries/queue.py", "how"): "how many",
    ("ui/leads/export.py", "say('export-waiting') if waits else say('export-running', count=export.done)"): "how many rows",
    ("ui/leads/export.py", "say('export-download', count=export.done)"): "how many rows",
    ("ui/fields.py", "f'`{mapped.key}`'"): "a key that the desk makes of letters, digits and _",
    ("ui/forms/drawers.py", "f'`…{key.hint}`'"): "the end of a key that the desk makes of letters, digits, - and _",
    ("ui/forms/drawers.py", "title"): "callers give sentences of ours and a name made plain",
    ("ui/forms/cards.py", "tally.counts.get(outcome, 0)"): "how many",
    ("ui/frame/frame.py", "page.title"): "of SCREENS",
    ("ui/frame/frame.py", "say('connection-long-lived-ends', days=days)"): "a number",
    ("ui/frame/health.py", "sentence(check)"): "how many, and words of ours for checks of ours",
    ("ui/frame/health.py", "f':green[:material/check_circle:] {_name(check.name)}'"): "a check of ours",
    ("ui/frame/health.py", "f':red[:material/error:] {_name(check.name)}: {sentence(check)}'"): "a check of ours",
    ("ui/leads/table.py", "label"): "how many have come",
    ("ui/leads/table.py", "say('mirror-filling', count=status.read) + reason"): "how many, and words of an error of ours",
    ("ui/connection/mirror.py", "say('mirror-smaller', count=min(status.shrunk.values()))"): "how many",
    ("ui/new/form.py", "say('new-draft', who=_label(draft))"): "made plain in _label",
    ("ui/overview/state.py", "say('overview-filling', count=status.read, time=moment(status.began_at))"): "how many",
    ("ui/overview/figures.py", "say('overview-compared', since=day_name(period.since), until=day_name(period.until), before_since=day_name(period.before_since), before_until=day_name(period.before_until))"): "days",
    ("ui/overview/funnels.py", "say('overview-funnel-of', count=funnel.leads)"): "how many",
    ("ui/overview/speed.py", "' · '.join([*notes, say('overview-hours-are', hours=hours_in_words(figures.question.hours))])"): "hours and weekdays",
    ("ui/overview/speed.py", "say('overview-off-duty', share=share_of(off_duty, figures.leads))"): "a share",
    ("ui/overview/attention.py", "say('overview-attention-count', count=told.leads, open=told.open)"): "how many",
    ("ui/overview/club_hours.py", "label"): "callers give sentences of ours",
    ("ui/overview/parts.py", "label"): "callers give keys of ours",
    ("ui/overview/parts.py", "value"): "callers give numbers",
    ("ui/overview/parts.py", "beside"): "callers give numbers in sentences of ours",
    ("ui/overview/parts.py", "how"): "callers give sentences of ours",
    ("ui/overview/parts.py", "say(words, day=day, count=unknown)"): "a day and how many",
    ("ui/overview/attention.py", "say('overview-attention-none', count=told.open)"): "how many",
    ("ui/overview/club_hours.py", "say('overview-club-hours-intro', zone=str(zone()))"): "a name of the time zone database",
    ("ui/frame/parts.py", "label"): "callers give sentences of ours, or names made plain; the values beside are drawn by st.text",
    ("ui/leads/saved_views.py", "formats.plain(view.name) or view.id"): "an id of hex digits",
    ("ui/streamlit_gaps/handover.py", "label"): "the caller gives a word of ours",
    ("ui/streamlit_gaps/scripts.py", "f'<script{data}>{script}</script>'"): "a script of ours, its data escaped",
}  # fmt: skip
"""(file, expression): why it is nobody's text."""


def ui_files() -> list[Path]:
    return sorted([*PROJECT.glob("ui/**/*.py"), *PROJECT.glob("pages/*.py")])


@cache
def functions() -> dict[str, list[ast.FunctionDef]]:
    """Every function of the screens, by name."""
    found: dict[str, list[ast.FunctionDef]] = {}
    for path in ui_files():
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, []).append(node)
    return found


@cache
def kinds_of_attributes() -> dict[str, set[bool]]:
    """For each attribute of a class of `crm` and `desk`, whether it is a number or a time, wherever it is one."""
    found: dict[str, set[bool]] = {}
    for path in (path for room in ("crm", "desk", "store") for path in PROJECT.glob(f"{room}/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                for one in node.body:
                    if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
                        found.setdefault(one.target.id, set()).add(_is_number(one.annotation))
                    elif isinstance(one, ast.FunctionDef) and one.returns is not None:
                        found.setdefault(one.name, set()).add(_is_number(one.returns))
    return found


def _is_number(annotation: ast.expr | None) -> bool:
    return annotation is not None and ast.unparse(annotation).removesuffix(" | None") in NUMBERS


@cache
def _tree(path: Path) -> ast.Module:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            child.parent = node  # type: ignore[attr-defined]
    return tree


def drawn(path: Path) -> Iterator[tuple[ast.Call, ast.expr]]:
    """Every argument of a drawing call that Streamlit reads as Markdown."""
    for node in ast.walk(_tree(path)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        wanted = READ_AS_MARKDOWN.get(node.func.attr)
        if wanted is None or not isinstance(node.func.value, ast.Name) or node.func.value.id not in PLACES:
            continue
        for position, argument in enumerate(node.args):
            if position in wanted or isinstance(argument, ast.Starred):
                yield node, argument
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg in wanted:
                yield node, keyword.value


def is_ours(node: ast.expr, seen: frozenset[str] = frozenset()) -> bool:
    """Whether an expression can only be our own words, numbers, times, or a text shown letter by letter."""

    def all_ours(*parts: ast.expr) -> bool:
        return all(is_ours(part, seen) for part in parts)

    match node:
        case ast.Constant() | ast.Compare() | ast.UnaryOp():
            return True
        case ast.JoinedStr(values):
            return all_ours(*values)
        case ast.FormattedValue(value, _, spec):
            return spec is not None or is_ours(value, seen)  # a format for numbers takes no text
        case ast.BinOp(left, ast.Add() | ast.Mult(), right):
            return all_ours(left, right)
        case ast.BinOp():
            return True
        case ast.BoolOp(_, values):
            return all_ours(*values)
        case ast.IfExp(_, body, orelse):
            return all_ours(body, orelse)
        case ast.List(elts) | ast.Tuple(elts):
            return all_ours(*elts)
        case ast.Starred(value):
            return is_ours(value, seen)
        case ast.ListComp(elt) | ast.GeneratorExp(elt):
            return is_ours(elt, seen)
        case ast.Lambda(_, body):
            return is_ours(body, seen)
        case ast.Subscript(value):
            return is_ours(value, seen)
        case ast.Name(name):
            return name.isupper() or _name_is_ours(node, name, seen)
        case ast.Attribute(_, "__getitem__"):
            return is_ours(node.value, seen)
        case ast.Attribute(_, attr):
            return attr.isupper() or kinds_of_attributes().get(attr) == {True}
        case ast.Call(func, args, keywords):
            return _call_is_ours(func, args, keywords, seen)
    return False


def _call_is_ours(func: ast.expr, args: list[ast.expr], keywords: list[ast.keyword], seen: frozenset[str]) -> bool:
    called = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    if called == "say":
        return all(is_ours(keyword.value, seen) for keyword in keywords)
    if called in OURS:
        return True
    if called in ("join", "filter", "strip", "removeprefix", "capitalize", "upper", "str"):
        more = [func.value] if isinstance(func, ast.Attribute) else []
        return all(is_ours(part, seen) for part in [*more, *args])
    known = _functions_named(func, called)
    if not known or called in seen:
        return bool(known)
    returned = [
        one.value for made in known for one in ast.walk(made) if isinstance(one, ast.Return) and one.value is not None
    ]
    return bool(returned) and all(is_ours(value, seen | {called}) for value in returned)


def _functions_named(node: ast.AST, name: str) -> list[ast.FunctionDef]:
    """Our functions of this name: the file's own, else any screen's."""
    known = functions().get(name, [])
    own = [one for one in known if _root(one) is _root(node)]
    return own or known


def _root(node: ast.AST) -> ast.AST:
    while hasattr(node, "parent"):
        node = node.parent
    return node


def _name_is_ours(node: ast.AST, name: str, seen: frozenset[str]) -> bool:
    """A name is what it is given in the functions around it, everywhere."""
    place: ast.AST | None = node
    while place is not None:
        if isinstance(place, ast.ListComp | ast.GeneratorExp | ast.Lambda) and _is_bound_by(place, name):
            return isinstance(place, ast.ListComp | ast.GeneratorExp) and any(
                name in _names(made.target) and is_ours(made.iter, seen) for made in place.generators
            )
        if isinstance(place, ast.FunctionDef | ast.Module):
            given = list(_given(place, name))
            if given:
                return all(is_ours(value, seen | {name}) for value in given) if name not in seen else True
            if isinstance(place, ast.FunctionDef):
                for one in [*place.args.args, *place.args.kwonlyargs]:
                    if one.arg == name:
                        return _is_number(one.annotation)
        place = getattr(place, "parent", None)
    return False


def _is_bound_by(place: ast.AST, name: str) -> bool:
    if isinstance(place, ast.Lambda):
        return name in {one.arg for one in place.args.args}
    return any(name in _names(made.target) for made in place.generators)  # type: ignore[attr-defined]


def _names(target: ast.expr) -> set[str]:
    return {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}


def _given(place: ast.AST, name: str) -> Iterator[ast.expr]:
    """What a name is assigned in a function, but not in those inside it."""
    for node in ast.iter_child_nodes(place):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple) and name in _names(target):
                    yield node.value.elts[[ast.unparse(one) for one in target.elts].index(name)]
                elif name in _names(target):
                    yield node.value
        elif isinstance(node, ast.AugAssign | ast.NamedExpr | ast.AnnAssign) and name in _names(node.target):
            if node.value is not None:
                yield node.value
        elif isinstance(node, ast.For) and name in _names(node.target):
            yield node.iter
        yield from _given(node, name)


@pytest.mark.parametrize("path", ui_files(), ids=lambda path: path.name)
def test_what_is_drawn_is_ours_or_plain(path: Path):
    """Every Markdown that a screen draws is made of our words, numbers and `formats.plain`, or somebody has looked at it."""
    file = path.relative_to(PROJECT).as_posix()
    unknown = [
        f"{file}:{call.lineno}: st.{call.func.attr}: {ast.unparse(argument)}"
        for call, argument in drawn(path)
        if not is_ours(argument) and (file, ast.unparse(argument)) not in REVIEWED
    ]
    assert unknown == []


def test_what_was_looked_at_is_still_there():
    """A line of `REVIEWED` that no screen draws any more goes."""
    there = {
        (path.relative_to(PROJECT).as_posix(), ast.unparse(argument))
        for path in ui_files()
        for _, argument in drawn(path)
    }
    assert [one for one in REVIEWED if one not in there] == []


@pytest.mark.parametrize(
    "source",
    [
        "st.markdown(lead.name)", "st.tabs([funnel.name for funnel in found])", "st.button(view.name.replace('[', ''))",
        "st.caption(f'{lead.name} · 5')", "st.success(say('x', name=lead.name))", "name = lead.name\nst.error(name)",
        "def draw(label):\n    st.badge(label)", "st.table(table)", "st.metric('a', 5, help=lead.name)",
        "st.caption(' · '.join([plain(a.name), a.stage]))", "st.markdown('**' + lead.name + '**')",
        "st.pills('x', [1], format_func=lambda one: names[one])", "st.info(lead.name if lead else 'none')",
        "left.caption(lead.name)", "st.toast(str(error))", "def name_of(one):\n    return one.name\nst.title(name_of(x))",
    ],
)  # fmt: skip
def test_texts_drawn_past_it_are_found(source, monkeypatch):
    """The rule finds what has been wrong once, and its like."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            child.parent = node  # type: ignore[attr-defined]
    found = {node.name: [node] for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    monkeypatch.setattr(f"{__name__}.functions", lambda: found)
    monkeypatch.setattr(f"{__name__}._tree", lambda _: tree)
    assert [argument for _, argument in drawn(Path()) if not is_ours(argument)]
