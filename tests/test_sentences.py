"""How docstrings begin: the first line names its object, and does not point at it with a pronoun."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from desk.settings import PROJECT

SOONER = 0.25
"""The share of first lines with a bare pronoun that a package stays below."""

BARE = (
    "it", "they", "them", "ones", "others", "what", "whatever", "who", "whoever", "whom", "everything", "something", "anything", "nothing",
    "everybody", "somebody", "anybody", "nobody", "everyone", "someone", "anyone",
)  # fmt: skip
"""Words that stand for a noun wherever they stand."""


NO_NOUN = (
    "is|are|was|were|has|have|had|does|do|did|can|may|must|will|would|should|could|be|been|"
    "of|in|on|at|by|to|for|from|with|without|under|over|after|before|until|as|than|if|where|when|and|or|but|not|never|"
    "that|which|who|whose|there|here|again|already"
)
"""Words that follow a pronoun and no determiner."""

POINTING = re.compile(
    rf"\b(?:{'|'.join(BARE)})\b"
    rf"|\b(?:this|these|those|one|another|each|both)(?=\s*(?:[.,;:!?)]|$)|\s+(?:{NO_NOUN})\b)"
    # After a noun or a verb "that" begins a clause, and "all of" and "the same phone" have their noun.
    rf"|\ball(?=\s*(?:[.,;:!?)]|$)|\s+(?:of (?:it|this|that|them)|that|is|are)\b)"
    rf"|\bthat(?=\s*(?:[.,;:!?)]|$))|^that(?=\s+(?:{NO_NOUN})\b)"
    rf"|\bthe same(?=\s*(?:[.,;:!?)]|$)|\s+(?:{NO_NOUN})\b)",
    re.IGNORECASE,
)

QUOTED = re.compile(r'`[^`]*`|"[^"]*"|“[^”]*”')


def packages() -> dict[str, list[Path]]:
    """Each storey's files; the desk's by room, with the loose ones beside them as `desk`."""
    found = {
        name: sorted((PROJECT / name).rglob("*.py")) for name in ("crm", "wire", "store", "ui", "pages", "sandbox")
    }
    found["desk"] = sorted((PROJECT / "desk").glob("*.py"))
    for folder in sorted((PROJECT / "desk").iterdir()):
        if (folder / "__init__.py").exists():
            found[f"desk/{folder.name}"] = sorted(folder.rglob("*.py"))
    return found


def first_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Line number and first line of each docstring in a file: of modules, classes, functions, and under constants."""
    for node in ast.walk(ast.parse(path.read_text())):
        inside = getattr(node, "body", None)
        if not isinstance(inside, list):
            continue
        is_documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for place, step in enumerate(inside):
            if not (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant)):
                continue
            before = inside[place - 1] if place else None
            is_opening = place == 0 and is_documented
            if isinstance(step.value.value, str) and (is_opening or isinstance(before, ast.Assign | ast.AnnAssign)):
                yield step.lineno, step.value.value.strip().splitlines()[0]


def pointing(line: str) -> list[str]:
    """The bare pronouns of a line; what is quoted is somebody else's sentence."""
    return POINTING.findall(QUOTED.sub("…", line))


@pytest.mark.parametrize("package", packages())
def test_first_lines_name_their_object(package):
    """Fewer than a quarter of a package's first lines hold a bare pronoun. The failure shows those with the most."""
    lines = [
        (len(pointing(line)), f"{path.relative_to(PROJECT)}:{number} {line}")
        for path in packages()[package]
        if "migrations/versions" not in path.as_posix()
        for number, line in first_lines(path)
    ]
    worst = sorted(((count, line) for count, line in lines if count), key=lambda one: -one[0])
    share = len(worst) / max(1, len(lines))
    assert share < SOONER, f"{share:.0%} of {len(lines)}:\n" + "\n".join(line for _, line in worst)


@pytest.mark.parametrize(("line", "found"), [
    ("Extend the given leases. Return those this process still holds.", 0),
    ("Renew leases; those that still are ours.", 1),
    ("It never arrived: it may be sent.", 2),
    ("Something that done twice is done once.", 1),
    ("Run an idempotent write: repeating this write does no harm.", 0),
    ("Whoever sends a wreck.", 1),
    ("A lead that is on the disk.", 0),
    ("The same without asking.", 1),
    ("The same for many callers at once.", 1),
    ("The same phone in each form of each site, and all leads of one form.", 0),
    ("The pair; None where there is one.", 1),
    ("Who computes now.", 1),
    ('The answer to "what is it?", of `whoever`.', 0),
])  # fmt: skip
def test_what_counts_as_a_bare_pronoun(line, found):
    """The test of the test, on lines of an older state."""
    assert len(pointing(line)) == found
