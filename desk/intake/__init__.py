"""The way in for leads over HTTP: forms, keys, submissions and their outcome.

    callers, pace ─► bodies ─► forms, admission ─► Intake (tracking, signs) ─► log
      who, how fast   what       may they           one durable transaction        for people

Knows nothing of HTTP beyond the bytes of a body: the addresses and answers are `desk.web.api`'s.
"""

from desk.intake import (
    admission,
    bodies,
    form_draft,
    forms,
    known_names,
    log,
    names,
    pace,
    presets,
    salvage,
    sender_address,
    signs,
    snippet,
    tracking,
)
from desk.intake.forms import API, Form, FormKey, Forms
from desk.intake.intake import Intake, Taken
from desk.intake.log import Submission, SubmissionLog, Tally
from desk.intake.received import KEY
from desk.intake.seen import SeenName

__all__ = [
    "API",
    "KEY",
    "Form",
    "FormKey",
    "Forms",
    "Intake",
    "SeenName",
    "Submission",
    "SubmissionLog",
    "Taken",
    "Tally",
    "admission",
    "bodies",
    "form_draft",
    "forms",
    "known_names",
    "log",
    "names",
    "pace",
    "presets",
    "salvage",
    "sender_address",
    "signs",
    "snippet",
    "tracking",
]
