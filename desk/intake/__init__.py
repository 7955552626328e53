"""The way in for leads over HTTP: forms and their keys, what comes from them, and what becomes of it.

    callers, pace ─► bodies ─► forms, admission ─► reception (tracking, signs) ─► log
      who, how fast   what       may they           one durable transaction        for people

Knows nothing of HTTP beyond the bytes of a body: the addresses and answers are `desk.web.api`'s.
"""

from desk.intake.forms import API, Form, FormKey, Forms
from desk.intake.intake import Reception, Taken
from desk.intake.log import Submission, SubmissionLog, Tally

__all__ = ["API", "Form", "FormKey", "Forms", "Reception", "Submission", "SubmissionLog", "Taken", "Tally"]
