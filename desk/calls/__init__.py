"""The call desk: a call typed while the caller is talking, saved once, delivered by the outbox.

    lookup.py      who has this number, as far as the mirror knows: exact, near, ordered
    asking.py      the same question to AmoCRM itself, in the background
    choice.py      whose call it is: what may be done for a known number, and the choice as text. Pure
    drafts.py      what is typed and not saved yet
    entry.py       what was typed, checked: the lead, what was agreed, what is to be done in AmoCRM. Pure
    texts.py       what operators read out: the script and the consent, in versions
    callbacks.py   who is to be called back, overdue first
    stats.py       what was entered today, how fast, and what was not asked
    calls.py       the door for other rooms: save once, undo

Nothing here waits for AmoCRM.
"""

from desk.calls import asking, choice, drafts, entry, lookup, texts
from desk.calls.callbacks import CallBack
from desk.calls.calls import Calls, Saved
from desk.calls.drafts import Draft
from desk.calls.entry import Entry
from desk.calls.stats import Figures, Made

__all__ = [
    "CallBack",
    "Calls",
    "Draft",
    "Entry",
    "Figures",
    "Made",
    "Saved",
    "asking",
    "choice",
    "drafts",
    "entry",
    "lookup",
    "texts",
]
