"""What normalising costs: as much as the text is long and no more, whatever stands in it. Counted in work, not in seconds."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk import lead as lead_rules
from desk import phones
from desk.calls import drafts as call_drafts
from desk.intake import bodies, meanings, names, salvage, tracking
from desk.intake.form_draft import origin_of
from desk.listing import search
from desk.listing.saved_views import clean
from desk.reading import texts

MARKS = {
    "of two classes": "\u0345" * 15_500 + "\u0300" * 15_500,
    "of four classes": "\u0345\u0300\u0327\u0338" * 8_000,
    "one class": "\u0300" * 31_000,
    "that come apart": "\u0f73" * 20_000,
    "halfwidth": "\uff9e\u0300" * 15_000,
    "of kana": "\u3099\u0316" * 15_000,
    "that come apart in two": "\u0344" * 15_000,
    "Arabic": "\u0650\u064e\u0651" * 10_000,
    "Hebrew": "\u05b0\u05c4" * 15_000,
}
"""In a row behind one letter; ordering them costs the square of how many there are."""

LONG = {
    "jamo": "\u1100\u1161\u11a8" * 10_000,
    "ligatures": "\ufdfa" * 20_000,
    "digits": "8" * 64_000,
    "digits apart": "8 " * 32_000,
    "separators": ",;|()- " * 9_000,
    "extensions": ("доб" + " " * 400) * 80,
    "pluses": "+" * 64_000,
    "angles": "<" + " " * 64_000,
    "words": "восемь девятьсот " * 3_000,
}


class Work:
    """Counts what the normaliser is given: the worst it can cost is the sum of the squares of its runs of marks."""

    def __init__(self) -> None:
        self.longest_run = self.spent = 0
        self._real = unicodedata.normalize

    def normalize(self, form: str, text: str) -> str:
        run = 0
        # Each character taken apart by itself: the same marks, without the cost of ordering them.
        for char in "".join(self._real("NFKD", one) for one in text):
            run = run + 1 if unicodedata.combining(char) else 0
            self.longest_run = max(self.longest_run, run)
            self.spent += 1 + run
        return self._real(form, text)


@pytest.fixture
def work(monkeypatch) -> Work:
    counted = Work()
    monkeypatch.setattr(unicodedata, "normalize", counted.normalize)
    phones.reader._read.cache_clear()
    meanings.known.cache_clear()
    return counted


DOORS = {
    "a lead": lambda text: lead_rules.read(dict.fromkeys(lead_rules.OWN_FIELDS, text), strict=lead_rules.every_field()),
    "a lead of a program": lambda text: lead_rules.read(
        {**dict.fromkeys(lead_rules.OWN_FIELDS, text), "phone": "89161234567"}
    ),
    "marks of a campaign": lambda text: tracking.tracking_of(dict.fromkeys(tracking.NAMES, text)),
    "a page": lambda text: tracking.tracking_of({"page": f"https://{text[:4000]}/?utm_source={text[:90]}"}),
    "names": lambda text: names.understood({f"{text[:199]}{number}": "x" for number in range(20)}),
    "names in records": lambda text: names.understood({"a[0][question]": text, "a[0][answer]": "x", "b[title]": text}),
    "a form's address": origin_of,
    "a phone": phones.read,
    "a phone being typed": phones.beginnings,
    "a phone that is shown": phones.display,
    "a search": search.sought,
    "a name at the call desk": call_drafts.operator_name,
    "a view's name": clean,
    "a body in pieces": lambda text: salvage.saved(f'{{"phone": "{text}", {text}'),
    "a JSON body": lambda text: names.understood(bodies.expanded({text[:300]: text, "phone": [text] * 60})),
    "comparing": texts.fold,
}
"""Where texts from outside come in."""


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", [*MARKS, *LONG])
def test_no_door_lets_a_long_run_through(work, door, kind):
    """Whatever comes in by whatever door, no run longer than the bound is normalised, and the work stays linear."""
    text = "a" + (MARKS | LONG)[kind]
    DOORS[door](text)
    assert work.longest_run <= 4 * texts.LONGEST_RUN  # some marks are several when taken apart
    assert work.spent <= 200 * len(text)


@pytest.mark.parametrize("kind", MARKS)
@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_the_work_grows_as_the_text_does(work, kind, form):
    """Four times the text is four times the work."""
    spent = []
    for length in (2_000, 8_000):
        work.spent = 0
        texts.normalised("a" + MARKS[kind][:length] + "b" * length, form, 20_000)
        spent.append(work.spent)
    assert spent[1] <= 4.5 * spent[0]


def test_every_mark_counts():
    """Whatever Unicode's tables make a mark of counts in a run, in each of its forms."""
    begins = [
        char
        for char in map(chr, range(sys.maxunicode + 1))
        if not 0xD800 <= ord(char) <= 0xDFFF and unicodedata.combining(unicodedata.normalize("NFKD", char)[0])
    ]
    assert len(begins) > 800
    assert [char for char in begins if len(texts.with_short_runs(char * 40)) != texts.LONGEST_RUN] == []


@pytest.mark.parametrize(
    "text", ["Йод и ёж", "naïve", "ก็้", "हिन्दी में", "שָׁלוֹם", "e\u0301" * 500, "👨‍👩‍👧" * 50, "が" * 100, "a" + "\u0300" * 30],
)  # fmt: skip
def test_what_people_write_is_left_alone(text):
    """No language stacks as many marks as are cut."""
    assert texts.normalised(text, "NFC", 10_000) == unicodedata.normalize("NFC", text)
    assert texts.normalised(text, "NFKC", 10_000) == unicodedata.normalize("NFKC", text)


@given(st.text(max_size=300), st.integers(0, 300))
def test_the_length_comes_first(text, longest):
    """What is beyond the length is never looked at; runs that are short enough change nothing."""
    assert texts.normalised(text, "NFC", longest) == texts.normalised(text[:longest], "NFC", 300)
    assert texts.with_short_runs(texts.with_short_runs(text)) == texts.with_short_runs(text)


def test_a_name_that_comes_without_end_is_one_list():
    """Twelve thousand values under one name are gathered in one list, in their order, not copied at each."""
    found = bodies.expanded({"a" * 200: [[number] for number in range(12_000)]})
    assert list(found.values()) == [list(range(12_000))]
