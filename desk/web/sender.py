"""The sender of a request under /crm: origin, form by its key, and pace."""

from __future__ import annotations

import math
from functools import cached_property

from starlette.requests import Request

from desk.desk import Desk
from desk.intake import API, bodies
from desk.intake.admission import Admission, admit
from desk.intake.bodies import JSON
from desk.intake.forms import Form, Keyholder
from desk.intake.pace import TAKING, Pace, after, before
from desk.intake.sender_address import Address, client_address, households
from desk.settings import is_loopback
from desk.web.caller import caller_of
from desk.web.proof import is_local
from desk.web.refused import Refused


class Sender:
    """A request's sender, as far as its head tells. `address_key`: the key in the address, None for an address without a key."""

    def __init__(self, request: Request, desk: Desk, pace: Pace) -> None:
        caller = caller_of(request.scope)
        self.request, self.desk = request, desk
        self.address_key: str | None = request.path_params.get("key")
        self.is_local = is_local(desk.doorway, request.scope, caller)
        # For the pace alone, which opens no door: the site's own server beside the desk need not prove where it is.
        self.is_beside = self.is_local or (caller.seems_local and not desk.settings.is_public)
        self.origin, self._peer = caller.origin, caller.peer
        own = (request.scope.get("server") or ("",))[0]
        self._is_rewritten = not caller.is_public and is_loopback(own or "")
        self.content_type = request.headers.get("content-type", "")
        self._pace = pace
        self._is_paced = False  # whether somebody's form, or the strangers, have paid for it

    @cached_property
    def address(self) -> Address | None:
        forwarded = self.request.headers.getlist("x-forwarded-for")
        trusted = self.desk.settings.trusted_proxies
        return client_address(self._peer, forwarded, trusted, is_rewritten=self._is_rewritten)

    @property
    def ip(self) -> str | None:
        return str(self.address) if self.address else None

    @property
    def is_visitor(self) -> bool:
        """Whether a person looks at the answer in a browser: a page's script names its site, a page accepts a page."""
        is_led = bodies.is_form(self.content_type) and "text/html" in self.request.headers.get("accept", "")
        return self.origin is not None or is_led

    @property
    def is_browser(self) -> bool:
        """Whether a person may be at the other end.

        That is a page's script, which names its site, or a plain HTML form, which can show its key in its body alone.
        """
        return self.origin is not None or (bodies.is_form(self.content_type) and not self.has_key)

    @property
    def bearer(self) -> str:
        """The key of the Authorization header; "" for none."""
        scheme, _, key = self.request.headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""

    @property
    def has_key(self) -> bool:
        """Whether the head shows a key, in the Authorization header or in the address."""
        return bool(self.bearer) or self.address_key is not None

    @cached_property
    def by_head(self) -> Admission:
        """The admission by the head alone, asked for once: by the pace and before the body is read."""
        return self.admission()

    def admission(self, shown: str | None = None) -> Admission:
        """Ask whether the sender may hand a lead in. `shown`: a key in the body.

        The address's key counts before the header's, and the header's before the body's.
        """
        forms = self.desk.intake.forms
        key = self.bearer or shown or ""
        if self.address_key is not None:
            key = self.address_key or " "  # an empty one is none anybody could have
        keyholder = forms.keyholder(key) if key else None
        if keyholder is None and self.address_key is None and self.is_local and self.desk.doorway.is_key(self.bearer):
            keyholder = Keyholder(forms.of(API), works=True, is_program=True)
        return admit(
            by_address=self.address_key is not None,
            key=key,
            keyholder=keyholder,
            origin=self.origin,
            is_local=self.is_local,
            is_shut=forms.is_shut(),
            api=forms.of(API),
        )

    def keep_pace(self, what: str = TAKING) -> None:
        """Raise `Refused` for a sender that is too fast. Looks the head's key up, which may read the database."""
        form = self.by_head.form
        limits = before(
            what,
            households(self.address),
            form_id=form.id if form else None,
            has_key=self.has_key,
            is_browser=self.is_browser,
            is_beside=self.is_beside and self.origin is None,
        )
        self._is_paced = form is not None or self.has_key
        _wait(self._pace.keep(limits))

    def keep_pace_of_body(self, form: Form | None) -> None:
        """Raise `Refused` for a sender whose head showed no key and whose body, with the key of `form` or none, is too much."""
        if not self._is_paced:
            self._is_paced = True
            _wait(self._pace.keep(after(households(self.address), form_id=form.id if form else None)))


def is_plain_form(request: Request) -> bool:
    """Whether a plain HTML form sent a request, so that its sender looks at a page and at no JSON."""
    return bodies.is_form(request.headers.get("content-type", "")) and JSON not in request.headers.get("accept", "")


def _wait(wait_s: float) -> None:
    if wait_s:
        raise Refused("too_many_requests", headers={"Retry-After": str(math.ceil(wait_s))})
