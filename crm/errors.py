"""The tree of errors. No other exception leaves `crm` and `desk`, but the `StoreError` of an absent database.

    DeskError
    ├── SetupError       is our setup wrong?         a setting, a key, a redirect address, a missing connection
    ├── NetworkError     is the network down?        no route, no name, no answer
    │   ├── NotSent          not one byte of the request left: it may be repeated
    │   └── NoAnswer         the request left, no whole answer came: nobody knows what happened
    ├── NotLetIn         are we let in?              token, payment, rights, block, pace
    ├── BrokenWord       did they keep their word?   a 5xx, HTML for JSON, another shape, an ignored filter
    ├── SaidNo           did they say no?            validation, not found, too many
    ├── Declined         may this be done now?       too late, taken, gone: somebody's wish, and nothing is broken
    └── OwnFault         did we stumble ourselves?   an exception nobody foresaw, ours or the database's

The class answers the question; `code` names the case (`errors` in `locales/` has its words and remedy);
`retryable` is the decision whether trying the same again later makes sense. `str(error)` is for logs: it holds
the operation, the code, the HTTP status and AmoCRM's request id, and never a body, a phone or a token.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry of AmoCRM's `validation-errors`: where (dot path with positions) and why (its code).

    AmoCRM's `detail` sentence is left out on purpose: it may quote what was sent.
    """

    path: str
    code: str


class DeskError(Exception):
    """The base of every error of `crm/`."""

    retryable = False

    def __init__(
        self,
        code: str,
        *,
        operation: str = "",
        status: int | None = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
        refusals: tuple[Refusal, ...] = (),
        retryable: bool | None = None,
        server_date: str | None = None,
    ) -> None:
        self.code = code
        self.operation = operation
        self.status = status
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        self.refusals = refusals
        self.server_date = server_date  # the `Date` of the answer, for judging our own clock
        if retryable is not None:
            self.retryable = retryable
        super().__init__(code)

    def __str__(self) -> str:
        facts = [self.operation, self.code]
        if self.status is not None:
            facts.append(f"HTTP {self.status}")
        if self.request_id:
            facts.append(f"request {self.request_id}")
        return " · ".join(fact for fact in facts if fact)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"


class SetupError(DeskError):
    """Our own setup is wrong or incomplete; a person must change something here."""


class NetworkError(DeskError):
    """The network between us and AmoCRM failed."""

    retryable = True


class NotSent(NetworkError):
    """Not a byte of the request left the machine, so even a write may be repeated."""


class NoAnswer(NetworkError):
    """The request left and no whole answer came. For a write the outcome is unknown, not failed."""


class NotLetIn(DeskError):
    """AmoCRM knows us and keeps us out: token, payment, rights, block or pace."""


class BrokenWord(DeskError):
    """AmoCRM did not do what its documentation says."""

    retryable = True


class SaidNo(DeskError):
    """AmoCRM understood the request and refused it."""


class Declined(DeskError):
    """A person's wish that cannot be carried out as things are: too late, taken, full or gone.

    Nothing is broken and nobody has to be told; whoever asked reads why, and chooses anew.
    """


class OwnFault(DeskError):
    """The desk itself has stumbled. The log has the places in the code; the values are told nowhere."""
