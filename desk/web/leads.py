"""The landing page's way in: a lead from a program, from a page's script or from a plain HTML form, and where it is.

Thin: how fast is `pace`, who may is `admission`, what a body says is `bodies`, what becomes of it is `Intake`. Here
these are asked in turn, and what they say becomes an answer: JSON, or for a form without scripts a page to be led to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, NoReturn

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from desk.desk import Desk
from desk.intake import API, KEY, Taken, bodies, presets, salvage
from desk.intake.admission import Admission, admit
from desk.intake.bodies import JSON, URLENCODED, Flat, Unreadable
from desk.intake.forms import KEY_PREFIX, Form, Keyholder
from desk.intake.log import REFUSED
from desk.intake.pace import ASKED, TAKING, Pace, after, before
from desk.intake.sender_address import Address, client_address, households
from desk.intake.tracking import PAGE, clean
from desk.lead import FieldFault
from desk.settings import is_loopback
from desk.web import cors, pages
from desk.web.answers import Refused, progress_json
from desk.web.body import CLOSE, beginning_of
from desk.web.caller import caller_of
from desk.web.proof import is_local
from desk.words import words
from store import StoreError

THANKS = "/api/crm/thanks"

IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
"""An Idempotency-Key: printable ASCII without spaces, as long as a header of its kind ever is."""

KEYS = (KEY, "secret", "google_key")
"""Fields in which senders show a key: a page its form's, VK and Google what they were given for one."""

LEAD_ID = re.compile(r"[0-9a-f]{32}")

NOBODYS_ID = "0" * 32
"""Looked for instead of what is no id, so that every "no such lead" is the same work."""

STATUS = {
    "kind_unknown": 415,
    "encoding_unknown": 415,
    "too_large_body": 413,
    "too_slow_body": 408,
    "request_invalid": 400,
    "json_broken": 400,
    "form_broken": 400,
    "object_wanted": 422,
    "api_shut": 403,
    "api_key_wrong": 401,
    "key_ended": 401,
    "key_not_in_address": 403,
    "origin_not_allowed": 403,
    "origin_null": 403,
    "form_paused": 403,
    "idempotency_key_wrong": 400,
    "key_reused": 409,
    "lead_invalid": 422,
}
"""The HTTP status of each refusal."""

ALONG_WITH = {401: {"WWW-Authenticate": "Bearer"}, 408: CLOSE}
"""Headers that a status brings along."""


def add(api: FastAPI, desk: Callable[[], Desk], pace: Pace) -> None:
    """The routes under /crm."""

    @api.post("/crm", status_code=202)
    async def accept(request: Request) -> Response:
        """Accept a lead: it is on the disk when this answers, and goes to AmoCRM from there."""
        sender = Sender(request, desk())
        await run_in_threadpool(_keep_pace, pace, sender)
        return await _received(pace, sender)

    @api.post("/crm/in/{key}", status_code=200)
    async def accept_by_address(key: str, request: Request) -> Response:
        """The same for a sender that can be told an address and nothing else: the form's key stands in it."""
        sender = Sender(request, desk(), key)
        await run_in_threadpool(_keep_pace, pace, sender)
        return await _received(pace, sender)

    @api.get("/crm/in/{key}")
    def accept_query(key: str, request: Request) -> Response:
        """The same for a sender that says everything in the address; nothing but the key is a look whether it is right."""
        sender = Sender(request, desk(), key)
        _keep_pace(pace, sender)
        return _take(pace, sender, b"", None)

    @api.get("/crm/thanks")
    def thanks() -> Response:
        """Where a form is led to that has no page of its own for it."""
        return pages.thanks(words(desk().settings.ui_language))

    @api.get("/crm/{lead_id}")
    def where(lead_id: str, request: Request) -> Response:
        """Where an accepted lead is now, as far as whoever shows this key may know."""
        sender = Sender(request, desk())
        _keep_pace(pace, sender, what=ASKED)
        admission = sender.by_head
        if admission.form is None or admission.refusal:
            raise _refused(admission.refusal)
        told_id = lead_id if LEAD_ID.fullmatch(lead_id) else NOBODYS_ID
        progress = desk().intake.fate(admission.form, told_id, is_program=admission.is_program)
        if progress is None:
            raise Refused(404, "lead_unknown")
        return JSONResponse(progress_json(progress), headers=headers(request, desk()))

    @api.options("/crm")
    def before_accept(request: Request) -> Response:
        return _preflight(request, desk(), "POST")

    @api.options("/crm/in/{key}")
    def before_accept_by_address(request: Request) -> Response:
        return _preflight(request, desk(), "GET, POST")

    @api.options("/crm/{lead_id}")
    def before_where(request: Request) -> Response:
        return _preflight(request, desk(), "GET")


class Sender:
    """Who sends a request, as far as its head tells. `address_key`: the key in the address, None for an address without one."""

    def __init__(self, request: Request, desk: Desk, address_key: str | None = None) -> None:
        caller = caller_of(request.scope)
        self.request, self.desk, self.address_key = request, desk, address_key
        self.is_paced = False  # whether somebody's form, or the strangers, have paid for it
        self.is_local = is_local(desk.doorway, request.scope, caller)
        # For the pace alone, which opens no door: the site's own server beside the desk need not prove where it is.
        self.is_beside = self.is_local or (caller.seems_local and not desk.settings.is_public)
        self.origin, self._peer = caller.origin, caller.peer
        own = (request.scope.get("server") or ("",))[0]
        self._is_rewritten = not caller.is_public and is_loopback(own or "")
        self.content_type = request.headers.get("content-type", "")

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
        """Whether somebody looks at the answer in a browser: a page's script says where it is from, a page wants a page."""
        is_led = bodies.is_form(self.content_type) and "text/html" in self.request.headers.get("accept", "")
        return self.origin is not None or is_led

    @property
    def is_browser(self) -> bool:
        """Whether a person may be at the other end: a page's script, which says where it is from, or a plain HTML form, which can show
        its key in its body alone."""
        has_key = bool(self.bearer) or self.address_key is not None
        return self.origin is not None or (bodies.is_form(self.content_type) and not has_key)

    @property
    def bearer(self) -> str:
        """The key of the Authorization header; "" where it has none."""
        scheme, _, key = self.request.headers.get("authorization", "").partition(" ")
        return key.strip() if scheme.lower() == "bearer" else ""

    @cached_property
    def by_head(self) -> Admission:
        """What the head alone tells: asked for once, by the pace and before the body is read."""
        return self.admission()

    def admission(self, shown: Any = None) -> Admission:
        """`shown`: a key in the body, if any. The address's counts before the header's, and that before it."""
        forms = self.desk.intake.forms
        key = self.bearer or (shown if isinstance(shown, str) else "")
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


def is_form(request: Request) -> bool:
    """Whether a plain HTML form sent this, whose sender looks at a page and at no JSON."""
    return bodies.is_form(request.headers.get("content-type", "")) and JSON not in request.headers.get("accept", "")


def headers(request: Request, desk: Desk) -> dict[str, str]:
    """Of every answer under /crm: who may read it, and that nobody keeps it."""
    origin = request.headers.get("origin")
    try:
        allowed = origin is not None and desk.intake.forms.allows(origin)
    except StoreError:
        allowed = False  # the answer itself says that the database is away
    return cors.headers_for(origin, allowed=allowed) | {"Cache-Control": "no-store"}


def _keep_pace(pace: Pace, sender: Sender, *, what: str = TAKING) -> None:
    """Raise `Refused` for whoever sends too fast. Looks the head's key up, which may read the database."""
    form, has_key = sender.by_head.form, bool(sender.bearer) or sender.address_key is not None
    limits = before(
        what,
        households(sender.address),
        form_id=form.id if form else None,
        has_key=has_key,
        is_browser=sender.is_browser,
        is_beside=sender.is_beside and sender.origin is None,
    )
    sender.is_paced = form is not None or has_key
    _wait(pace.keep(limits))


def _keep_pace_of_key(pace: Pace, sender: Sender, form: Form | None) -> None:
    """The same for a sender whose head showed no key, as soon as it is known whether its body does."""
    if not sender.is_paced:
        sender.is_paced = True
        _wait(pace.keep(after(households(sender.address), form_id=form.id if form else None)))


def _wait(wait_s: float) -> None:
    if wait_s:
        raise Refused(429, "too_many_requests", headers={"Retry-After": str(math.ceil(wait_s))})


async def _received(pace: Pace, sender: Sender) -> Response:
    """What becomes of a request with a body, which waits in the event loop until it has come.

    A key in the head or the address is looked at before: whoever shows a wrong one is heard no further. What is known to be a
    form's is read in any case, because the form's log keeps it.
    """
    if (sender.bearer or sender.address_key is not None) and sender.by_head.form is None:
        raise _refused(sender.by_head.refusal)
    body, code = await beginning_of(sender.request)
    return await run_in_threadpool(_take, pace, sender, body, code)


def _take(pace: Pace, sender: Sender, body: bytes, code: str | None) -> Response:
    """Everything after the body has arrived. Reads and writes the database, so not on the event loop.

    `code`: why the body is not whole.
    """
    try:
        if code:
            raise Unreadable(code)
        said = _said(sender, body)
    except Unreadable as error:
        _unread(pace, sender, error.code, body)
    admission, intake = sender.admission(_shown(said)), sender.desk.intake
    form, keys = admission.form, sender.request.headers.getlist("idempotency-key")
    _keep_pace_of_key(pace, sender, form)
    if form is None:
        raise _refused(admission.refusal)
    refusal = admission.refusal
    if refusal is None and (answer := _no_submission(sender, form, said)) is not None:
        return answer
    if refusal is None and keys and not (len(keys) == 1 and IDEMPOTENCY_KEY.fullmatch(keys[0])):
        refusal = "idempotency_key_wrong"
    if refusal is not None:
        taken = intake.refuse(form, said, refusal, ip=sender.ip)
    else:
        key = keys[0] if keys else presets.repetition_key(said)
        taken = intake.take(form, said, ip=sender.ip, idempotency_key=key, is_visitor=sender.is_visitor)
    if taken.outcome == REFUSED:
        raise _refused(taken.code, taken.faults)
    return _accepted(sender, form, said, taken)


def _said(sender: Sender, body: bytes) -> Flat:
    """What a request says, in its body and, where the key stands in the address, in its query. Raises `Unreadable`."""
    request = sender.request
    body = bodies.plain(body, request.headers.get("content-encoding"))
    asked = bodies.read(URLENCODED, request.scope.get("query_string", b"")) if sender.address_key is not None else {}
    said = {} if sender.address_key is not None and not body.strip() else bodies.read(sender.content_type, body)
    said = {**asked, **said}
    if (referer := request.headers.get("referer")) and not clean(said.get(PAGE)):
        said[PAGE] = (
            referer  # a form without a script cannot tell its own address; the browser does, or its site at least
        )
    return said


def _shown(said: Flat) -> str | None:
    """The key in a body: the form's by its field; of other fields only what looks like one of ours."""
    shown = [(name, said[name]) for name in KEYS if isinstance(said.get(name), str)]
    return next((key for name, key in shown if name == KEY or key.startswith(KEY_PREFIX)), None)


def _no_submission(sender: Sender, form: Form, said: Flat) -> Response | None:
    """The answer to a builder's check and to a service's other calls; None for a submission."""
    own = presets.own_answer(form.preset, said, form.code)
    if own is None and presets.is_check(said, by_address=sender.address_key is not None):
        own = presets.OK
    return None if own is None else PlainTextResponse(own, headers=headers(sender.request, sender.desk))


def _accepted(sender: Sender, form: Form, said: Flat, taken: Taken) -> Response:
    more, request = headers(sender.request, sender.desk), sender.request
    accept = request.headers.get("accept", "")
    match presets.manner(answer=form.answer, is_form=bodies.is_form(sender.content_type), accept=accept, said=said):
        case presets.AS_PAGE:
            return RedirectResponse(form.thanks_url or THANKS, status_code=303, headers=more)
        case presets.AS_PLAIN:
            kind, text = presets.reply(form.preset, said, taken.told_id)
            return Response(text, media_type=kind, headers=more)
    address = f"{sender.desk.settings.base_url}/api/crm/{taken.told_id}"
    content = {"id": taken.told_id, "status": "accepted", "status_url": address}
    return JSONResponse(content, status_code=202, headers=more)


def _unread(pace: Pace, sender: Sender, code: str, body: bytes) -> NoReturn:
    """A body that cannot be read: kept in the log as it came, if its head or the body itself shows whose it is."""
    with suppress(Unreadable):
        body = bodies.plain(body, sender.request.headers.get("content-encoding"))
    admission = sender.admission(salvage.key_in(body) or None)
    _keep_pace_of_key(pace, sender, admission.form)
    if admission.form is not None:
        text = salvage.kept_text(body, bodies.charset_of(sender.content_type))
        sender.desk.intake.refuse(admission.form, salvage.saved(text), code, ip=sender.ip, text=text)
    raise _refused(code)


def _refused(code: str | None, faults: Sequence[FieldFault] = ()) -> Refused:
    status = STATUS[code or ""]
    return Refused(status, code or "", faults, ALONG_WITH.get(status))


def _preflight(request: Request, desk: Desk, method: str) -> Response:
    """What a browser asks before it lets a page's script send anything."""
    origin = request.headers.get("origin")
    if origin is None or "access-control-request-method" not in request.headers:
        return Response(status_code=204, headers={"Allow": f"{method}, OPTIONS"})
    if not desk.intake.forms.allows(origin):
        raise Refused(403, "origin_not_allowed")
    return Response(status_code=204, headers=headers(request, desk) | cors.preflight_headers(method))
