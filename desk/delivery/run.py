"""A worker's go at a lead: how far the lead has got, for the next steps and for an error."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from crm.errors import DeskError
from desk.delivery.decisions import CONTACT
from desk.delivery.job import Attempt, Job, Step


@dataclass(slots=True)
class Run:
    """The state of a go: the parts of the lead existing by now, and the step at hand."""

    job: Job
    contact_id: int | None
    contact_was_known: bool
    amo_lead_id: int | None
    doing: str = CONTACT
    account_id: int | None = None  # the connected account; nothing leaves once another is connected
    step: Step | None = None
    writing: bool = False  # a write is out, or its answer is not written down yet
    answered: bool = False  # AmoCRM has carried the write out; an error from now on says nothing about the write
    places: Mapping[str, str] = field(default_factory=dict)  # position in the creating request → key of our field
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, job: Job) -> Run:
        """A go beginning at the point the lead's last go has reached."""
        return cls(job, job.contact_id, job.contact_was_known, job.amo_lead_id)

    def begin_request(self, *, writing: bool = False) -> None:
        """Note the start of a request. `writing`: a write, whose fate matters if an error comes."""
        self.started = time.monotonic()
        if writing:
            self.writing = True

    def end_write(self) -> None:
        """Note the end of a write, after its answer was written down."""
        self.writing, self.answered = False, False

    def took(self, step: str, result: str, status: int | None = None, request_id: str | None = None) -> Attempt:
        """A line for the history, timed from the last `begin_request`."""
        return Attempt(step, result, status, round((time.monotonic() - self.started) * 1000), request_id)

    def failure(self, step: str, error: DeskError) -> Attempt:
        """A line for the history about an error."""
        return self.took(step, error.code, error.status, error.request_id)
