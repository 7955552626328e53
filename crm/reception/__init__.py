"""The way in for leads over HTTP: forms and their keys, what comes from them, and what becomes of it.

    callers, pace ─► bodies ─► forms, admission ─► reception (tracking, signs) ─► log
      who, how fast   what       may they           one durable transaction        for people

Knows nothing of HTTP beyond the bytes of a body: the addresses and answers are `crm.api`'s.
"""

from crm.reception.forms import API, Form, FormKey, Forms
from crm.reception.log import Submission, SubmissionLog, Tally
from crm.reception.reception import Reception, Taken

__all__ = ["API", "Form", "FormKey", "Forms", "Reception", "Submission", "SubmissionLog", "Taken", "Tally"]
