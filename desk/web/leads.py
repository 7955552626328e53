"""The landing page's way in: leads from a program, from a page's script or from a plain HTML form, and their progress.

    sender ─► pace, key ─► body ─► names and values ─► admission ─► intake ─► JSON, a page, or what a builder wants

Thin: how fast is `pace`, who may is `admission`, what a body says is `bodies`, what becomes of a submission is the intake. Here
these are asked in turn, and what they say becomes an answer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from desk.desk import Desk
from desk.intake import KEY, Taken, bodies, presets, salvage
from desk.intake.admission import Admission
from desk.intake.bodies import URLENCODED, Flat, Unreadable
from desk.intake.forms import KEY_PREFIX, Form
from desk.intake.log import REFUSED
from desk.intake.pace import ASKED, Pace
from desk.intake.tracking import PAGE, clean
from desk.web import cors, pages
from desk.web.answers import Accepted, json_answer, progress_of
from desk.web.body import beginning_of
from desk.web.endpoint import endpoint
from desk.web.refused import Refused
from desk.web.sender import Sender
from desk.web.shapes import IDEMPOTENCY_KEY, LEAD_ID
from desk.words import words
from store import StoreError

THANKS = "/api/crm/thanks"

KEYS = (KEY, "secret", "google_key")
"""Fields in which senders show a key: a page its form's, VK and Google the key that the desk gave for such a field."""

NOBODYS_ID = "0" * 32
"""Looked for instead of a text that is no id, so that every "no such lead" is the same work."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A submission as far as it could be read. `refusal`: why not, an error code; `body`: then, as received but unpacked."""

    said: Flat
    refusal: str | None = None
    body: bytes = b""

    @property
    def key(self) -> str | None:
        """The key in the body: a form's by its field; of other fields, and of a wreck, only a text that looks like our keys."""
        if self.refusal is not None:
            return salvage.key_in(self.body) or None
        shown = [(name, value) for name in KEYS if isinstance(value := self.said.get(name), str)]
        return next((key for name, key in shown if name == KEY or key.startswith(KEY_PREFIX)), None)

    def kept(self, charset: str) -> tuple[Flat, str | None]:
        """Return the names and values for the log, and for a body that could not be read its text."""
        if self.refusal is None:
            return self.said, None
        text = salvage.kept_text(self.body, charset)
        return salvage.saved(text), text


def routes(desk: Callable[[], Desk], pace: Pace) -> list[Route]:
    """The routes under /crm."""
    return [
        endpoint("POST", "/crm", partial(accept, desk, pace)),
        endpoint("POST", "/crm/in/{key}", partial(accept, desk, pace)),
        endpoint("GET", "/crm/in/{key}", partial(accept_query, desk, pace)),
        endpoint("GET", "/crm/thanks", partial(thanks, desk)),
        endpoint("GET", "/crm/{lead_id}", partial(where, desk, pace)),
        endpoint("OPTIONS", "/crm", partial(preflight, desk, "POST")),
        endpoint("OPTIONS", "/crm/in/{key}", partial(preflight, desk, "GET, POST")),
        endpoint("OPTIONS", "/crm/{lead_id}", partial(preflight, desk, "GET")),
    ]


async def accept(desk: Callable[[], Desk], pace: Pace, request: Request) -> Response:
    """Accept a lead. The answer means: the lead is on the disk, and goes to AmoCRM from there.

    A key in the head is looked at before the body, which is waited for in the event loop: the sender of a wrong key is heard no
    further. A body for a known form is read in any case, because the form's log keeps it.
    """
    sender = Sender(request, desk(), pace)
    await run_in_threadpool(sender.keep_pace)
    if sender.has_key and sender.by_head.form is None:
        raise _not_admitted(sender.by_head)
    body, code = await beginning_of(request)
    return await run_in_threadpool(_take, sender, body, code)


def accept_query(desk: Callable[[], Desk], pace: Pace, request: Request) -> Response:
    """Accept a lead whose sender puts all fields into the address; a key alone is a look whether the address is right."""
    sender = Sender(request, desk(), pace)
    sender.keep_pace()
    return _take(sender, b"", None)


def thanks(desk: Callable[[], Desk], _: Request) -> Response:
    """The page for a form that has no thank-you page of its own."""
    return pages.thanks(words(desk().settings.ui_language))


def where(desk: Callable[[], Desk], pace: Pace, request: Request) -> Response:
    """Tell where an accepted lead is now, as far as the holder of the key may know."""
    sender = Sender(request, desk(), pace)
    sender.keep_pace(ASKED)
    admission, lead_id = sender.by_head, request.path_params["lead_id"]
    if admission.form is None or admission.refusal:
        raise _not_admitted(admission)
    told_id = lead_id if LEAD_ID.fullmatch(lead_id) else NOBODYS_ID
    progress = desk().intake.fate(admission.form, told_id, is_program=admission.is_program)
    if progress is None:
        raise Refused("lead_unknown")
    return json_answer(progress_of(progress), headers=headers(request, desk()))


def preflight(desk: Callable[[], Desk], methods: str, request: Request) -> Response:
    """Answer the question of a browser before a page's script may send a lead."""
    origin = request.headers.get("origin")
    if origin is None or "access-control-request-method" not in request.headers:
        return Response(status_code=204, headers={"Allow": f"{methods}, OPTIONS"})
    if not desk().intake.forms.allows(origin):
        raise Refused("origin_not_allowed")
    return Response(status_code=204, headers=headers(request, desk()) | cors.preflight_headers(methods))


def headers(request: Request, desk: Desk) -> dict[str, str]:
    """The headers of every answer under /crm: which site's page may read the answer, and that no browser keeps a copy."""
    origin = request.headers.get("origin")
    try:
        allowed = origin is not None and desk.intake.forms.allows(origin)
    except StoreError:
        allowed = False  # the answer itself says that the database is away
    return cors.headers_for(origin, allowed=allowed) | {"Cache-Control": "no-store"}


def _take(sender: Sender, body: bytes, code: str | None) -> Response:
    """Settle a submission once its body has arrived. Reads and writes the database, so not on the event loop.

    `code`: why the body is not whole. A refused submission is kept in the log if anybody knows whose form it is for.
    """
    heard = _heard(sender, body, code)
    admission, intake = sender.admission(heard.key), sender.desk.intake
    form, keys = admission.form, sender.request.headers.getlist("idempotency-key")
    sender.keep_pace_of_body(form)
    if form is None:
        raise Refused(heard.refusal) if heard.refusal else _not_admitted(admission)
    refusal = heard.refusal or admission.refusal
    if refusal is None and (answer := _no_submission(sender, form, heard.said)) is not None:
        return answer
    if refusal is None and keys and not (len(keys) == 1 and IDEMPOTENCY_KEY.fullmatch(keys[0])):
        refusal = "idempotency_key_wrong"
    if refusal is not None:
        said, text = heard.kept(bodies.charset_of(sender.content_type))
        intake.refuse(form, said, refusal, ip=sender.ip, text=text)
        raise Refused(refusal)
    key = keys[0] if keys else presets.repetition_key(heard.said)
    taken = intake.take(form, heard.said, ip=sender.ip, idempotency_key=key, is_visitor=sender.is_visitor)
    if taken.outcome == REFUSED:
        raise Refused(taken.code, taken.faults)
    return _accepted(sender, form, heard.said, taken)


def _heard(sender: Sender, body: bytes, code: str | None) -> Heard:
    """Read a submission. `code`: why the body is not whole."""
    packing = sender.request.headers.get("content-encoding")
    try:
        if code:
            raise Unreadable(code)
        return Heard(_said(sender, bodies.plain(body, packing)))
    except Unreadable as error:
        with suppress(Unreadable):
            body = bodies.plain(body, packing)
        return Heard({}, error.code, body)


def _said(sender: Sender, body: bytes) -> Flat:
    """Read names and values from the body and, if the key stands in the address, from the query. Raises `Unreadable`."""
    scope, by_address = sender.request.scope, sender.address_key is not None
    asked = bodies.read(URLENCODED, scope.get("query_string", b"")) if by_address else {}
    said = {} if by_address and not body.strip() else bodies.read(sender.content_type, body)
    said = {**asked, **said}
    if (referer := sender.request.headers.get("referer")) and not clean(said.get(PAGE)):
        said[PAGE] = referer  # a form without a script cannot tell its address; the browser does, or at least its site
    return said


def _not_admitted(admission: Admission) -> Refused:
    return Refused(admission.refusal or "api_key_wrong")


def _no_submission(sender: Sender, form: Form, said: Flat) -> Response | None:
    """Answer a builder's check and a service's other calls; None for a submission."""
    own = presets.own_answer(form.preset, said, form.code)
    if own is None and presets.is_check(said, by_address=sender.address_key is not None):
        own = presets.OK
    return None if own is None else PlainTextResponse(own, headers=headers(sender.request, sender.desk))


def _accepted(sender: Sender, form: Form, said: Flat, taken: Taken) -> Response:
    more, request = headers(sender.request, sender.desk), sender.request
    accepts = request.headers.get("accept", "")
    match presets.manner(answer=form.answer, is_form=bodies.is_form(sender.content_type), accept=accepts, said=said):
        case presets.AS_PAGE:
            return RedirectResponse(form.thanks_url or THANKS, status_code=303, headers=more)
        case presets.AS_PLAIN:
            kind, text = presets.reply(form.preset, said, taken.told_id)
            return Response(text, media_type=kind, headers=more)
    address = f"{sender.desk.settings.base_url}/api/crm/{taken.told_id}"
    return json_answer(Accepted(taken.told_id, "accepted", address), 202, more)
