"""The road of a request, from arrival to answer. `sandbox/__init__.py` draws the road; each step here is one method.

Control calls leave the road at once: they are never limited, delayed, faulted or written into the ledger.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import replace
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from sandbox import control, faults, lists, routes
from sandbox.answers import (
    HAL,
    HTML,
    Answer,
    Refusal,
    internal_error,
    lost_in_space,
    nginx_page,
    no_route,
    problem,
    standard_error,
    too_many_requests,
    wrong_method,
)
from sandbox.call import Call
from sandbox.cut import cut
from sandbox.ledger import Entry, masked_body
from sandbox.oauth import access
from sandbox.oauth.endpoint import parameters
from sandbox.oauth.tokens import claims_of
from sandbox.wire import DRIP_PIECE, drip, send_half, send_slowly, send_whole
from sandbox.world import World

logger = logging.getLogger("sandbox")

LIMITED = ("/api/", "/ajax/", "/private/", "/oauth2/")
"""Addresses of the account: counted, limited and blocked. The portal and the screens are for people."""

MOST_BODY = 32 * 1024 * 1024
"""Bytes; more is nginx's 413."""

MOST_ADDRESS = 16 * 1024
"""Bytes of path and query; more is nginx's 414. That there is a limit is known, not where (sheet 4.1, U)."""

OTHER_LISTS = ("other_rows", "other_entity")
"""Kinds of garbage that are answers to another question."""

CUT = "cut"
"""In the ledger instead of a status, when the client got none."""


class Journey:
    """The ASGI application."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            body = await _read(request)
        except ClientDisconnect:
            return  # it never arrived
        if scope["path"].startswith(control.PREFIX):
            answer = await control.answer(self.world, request, body or b"")
            await send_whole(send, answer, self.world.clock.now())
            return
        call, entry = self._arrive(request, body or b"")
        try:
            if body is None or len(call.path) + len(call.raw_query) > MOST_ADDRESS:
                await self._finish(entry, send, call, nginx_page(413 if body is None else 414))
            else:
                await self._travel(call, entry, scope, receive, send)
        finally:
            entry["duration_ms"] = round((self.world.clock.now() - entry["at"]) * 1000, 3)

    def _arrive(self, request: Request, body: bytes) -> tuple[Call, Entry]:
        """Write the request into the ledger, with the time of arrival, before any other step."""
        at = self.world.clock.now()
        scope = request.scope
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        netloc = headers.get("host") or f"{scope['server'][0]}:{scope['server'][1]}"
        call = Call(
            world=self.world,
            method=scope["method"],
            path=routes.plain_path(scope["path"]),
            raw_query=scope["query_string"].decode("latin-1"),
            headers=headers,
            body=body,
            base_url=f"{scope['scheme']}://{netloc}",
            peer=scope["client"][0] if scope["client"] else "",
            port=scope["server"][1],
            seq=0,
            request_id=secrets.token_hex(16),
        )
        call.client_id = _client_id(call)
        entry = self.world.ledger.add(
            "request",
            at=at,
            method=call.method,
            path=call.path,
            query=call.raw_query,
            client_id=call.client_id,
            body=masked_body(body, call.content_type),
            request_id=call.request_id,
            counted=self._is_counted(call),
            status=None,
            fault=None,
            duration_ms=None,
        )
        call.seq = entry["seq"]
        return call, entry

    def _is_counted(self, call: Call) -> bool:
        if call.path == "/oauth2/access_token":
            return self.world.config.count_token_requests
        return call.path.startswith(LIMITED)

    async def _travel(self, call: Call, entry: Entry, scope: Scope, receive: Receive, send: Send) -> None:
        answer = self._old_host(call) or self._gate(call, entry)
        if answer is not None:
            await self._finish(entry, send, call, answer)
            return
        rule = self.world.faults.pick(_faults_view(call))
        if rule is not None:
            entry["fault"] = {"rule": rule.id, "action": rule.action}
        if rule and rule.action == "cut_before":
            entry["status"] = CUT
            await cut(scope, receive, rule.options.get("how", "close"))
            return
        answer = await self._carry_out(call, rule)
        if rule and rule.action == "cut_after":
            entry["status"] = CUT
            entry["lost_status"] = answer.status
            await cut(scope, receive, rule.options.get("how", "close"))
            return
        if rule and rule.options.get("kind") in OTHER_LISTS:
            answer = await self._other_list(call, rule.options["kind"])
        answer = _replaced(answer, rule, call)
        entry["status"] = answer.status
        at = self._told_time()
        if rule and rule.action == "truncate":
            await send_half(send, answer, at, call.request_id)
            await cut(scope, receive, rule.options.get("how", "close"))
        elif rule and rule.action == "drip":
            await self._drip(rule, call, scope, receive, send, answer)
        else:
            await self._finish(entry, send, call, answer)

    async def _drip(
        self, rule: faults.Rule, call: Call, scope: Scope, receive: Receive, send: Send, answer: Answer
    ) -> None:
        """Send the answer of a `drip` rule: the part `where` in small pieces; unless that is the body, the connection is closed after."""
        pause_s = rule.options.get("delay_ms", 50) / 1000
        piece, where = rule.options.get("piece", DRIP_PIECE), rule.options.get("where", "body")
        at = self._told_time()
        if where == "body":
            await send_slowly(scope, send, answer, at, call.request_id, pause_s, piece)
            return
        await drip(scope, answer, at, call.request_id, where=where, pause_s=pause_s, piece=piece)
        await cut(scope, receive, "close")

    async def _other_list(self, call: Call, kind: str) -> Answer:
        """A list of AmoCRM's kind, of other objects than asked for: a real answer to another question."""
        asked = replace(call, method="GET", body=b"", **lists.other_question(call, kind))
        route, asked.path_params, allowed = routes.find(asked.method, asked.path)
        answer = await self.world.in_store(lambda: self._work(asked, route, allowed))
        return lists.without_what_was_asked(call, answer) if kind == "other_rows" else answer

    def _told_time(self) -> float | None:
        """The `Date` header, None if AmoCRM does not tell the time."""
        return self.world.clock.amocrm() if self.world.config.tells_time else None

    def _old_host(self, call: Call) -> Answer | None:
        """Refuse an account that moved: after a rename the portal and the address book alone are at the old port (sheet 3.7)."""
        world = self.world
        moved = world.account_port != world.portal_port and call.port == world.portal_port
        if not moved or not call.path.startswith(LIMITED) or call.path.startswith("/oauth2/account/"):
            return None
        if world.old_host_answer == 401:
            return problem(401, "Account not found")  # legacy code 101 (sheet 4.3, D)
        return no_route(call.method, call.url(call.path))

    def _gate(self, call: Call, entry: Entry) -> Answer | None:
        """The block, then the limit (sheet 4.1)."""
        world = self.world
        if not call.path.startswith(LIMITED):
            return None
        if world.limiter.blocked:
            return nginx_page(403)
        if (heavy := world.config.heavy_limit) and lists.limit_of(call) > heavy and call.method == "GET":
            return nginx_page(504)
        who = f"ip:{call.peer}" if world.config.rate_per == "ip" else call.client_id or f"ip:{call.peer}"
        if not entry["counted"] or world.limiter.allows(who, entry["at"], world.config):
            return None
        if world.limiter.blocked:
            world.ledger.add("block", event="blocked", request_seq=call.seq)
        return too_many_requests(world.config.retry_after_s, html=world.config.html_429)

    async def _carry_out(self, call: Call, rule: faults.Rule | None) -> Answer:
        """The waits, and between them the work itself, unless a fault speaks first."""
        options = rule.options if rule else {}
        slow = rule is not None and rule.action == "slow"
        wait_ms = self.world.config.latency_ms + (options.get("delay_ms", 0) if slow else 0)
        if wait_ms:
            await asyncio.sleep(wait_ms / 1000)
        if rule and rule.action == "status":
            return _told(options, call)
        route, parameters_, allowed = routes.find(call.method, call.path)
        call.path_params = parameters_
        if route and route.prepare:
            await asyncio.to_thread(route.prepare, call)
        answer = await self.world.in_store(lambda: self._work(call, route, allowed))
        if slow and options.get("delay_after_ms"):
            await asyncio.sleep(options["delay_after_ms"] / 1000)
        return answer

    def _work(self, call: Call, route: routes.Route | None, allowed: set[str]) -> Answer:
        """Check the token, then run the route's own function, in a transaction each. On the store's thread."""
        world = self.world
        try:
            call.work = world.work()
            if route is None and not call.path.startswith("/api/") and not allowed:
                return lost_in_space()
            if route is None or not route.open:
                with world.store.transaction():
                    holder = access.present(call)
                world.tell(call.work, call.seq)
                access.identify(call, holder)
            if route is None:
                return wrong_method(allowed) if allowed else no_route(call.method, call.url(call.path))
            with world.store.transaction():
                answer = route.methods["GET" if call.method == "HEAD" else call.method](call)
                world.commit(call.work, call.seq)
        except Refusal as refusal:
            call.work.forget()
            answer = refusal.answer
        except Exception:
            call.work.forget()
            logger.exception("%s %s", call.method, call.path)
            answer = internal_error(call.request_id)
        world.tell(call.work, call.seq)
        for url in call.visits:
            world.courier.visit(url)
        return answer

    async def _finish(self, entry: Entry, send: Send, call: Call, answer: Answer) -> None:
        entry["status"] = answer.status
        await send_whole(send, answer, self._told_time(), call.request_id)


async def _read(request: Request) -> bytes | None:
    """The whole body; None for a body that is too long."""
    body = bytearray()
    async for piece in request.stream():
        if len(body) <= MOST_BODY:
            body += piece
    return bytes(body) if len(body) <= MOST_BODY else None


def _client_id(call: Call) -> str | None:
    """The integration a request claims to come from: the limit counts by integration."""
    if call.path.startswith("/oauth2/access_token"):
        claimed = parameters(call).get("client_id")
    else:
        claimed = claims_of(call.headers.get("authorization", "").partition(" ")[2]).get("aud")
    return claimed if isinstance(claimed, str) else None


def _faults_view(call: Call) -> faults.Request:
    return faults.Request(call.method, call.path, call.raw_query, call.body.decode("utf-8", "replace"))


def _told(options: dict[str, Any], call: Call) -> Answer:
    """The answer of a rule: a documented body, or the rule's own."""
    answer = standard_error(options["status"], html=options.get("html"), trace_id=call.request_id)
    if (own := faults.own_body(options)) is not None:
        answer = Answer(answer.status, own, options.get("content_type", HAL), answer.headers)
    elif "content_type" in options:
        answer = Answer(answer.status, answer.body, options["content_type"], answer.headers)
    return Answer(answer.status, answer.body, answer.content_type, answer.headers | options.get("headers", {}))


def _replaced(answer: Answer, rule: faults.Rule | None, call: Call) -> Answer:
    """The answer after a rule has changed the work's own answer."""
    if rule is None:
        return answer
    if rule.action == "status_after":
        return _told(rule.options, call)
    if rule.action == "empty_200":
        return Answer(200, b"", HAL)
    if rule.action == "garbage":
        kind = rule.options.get("kind", "html")
        if kind in OTHER_LISTS:
            return answer  # made already
        if kind == "empty_list":
            return lists.empty(call)
        if kind == "html":
            return Answer(200, b"<html><body><h1>amoCRM</h1></body></html>", HTML)
        return Answer(200, b'{"_page":1,"_embedded":{"leads":[{"id":' if kind == "invalid_json" else b'{"ok":[]}', HAL)
    return answer
