"""Faults on demand: rules a test sets, matched against requests, counted as they fire.

Only deciding is here; carrying a fault out is `journey.py` (and `cut.py` for the connection).
"""

from __future__ import annotations

import base64
import fnmatch
import itertools
import random
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Action = Literal[
    "cut_before",
    "cut_after",
    "status",
    "status_after",
    "slow",
    "truncate",
    "drip",
    "garbage",
    "empty_200",
]
ACTIONS: tuple[str, ...] = get_args(Action)
GARBAGE = ("html", "invalid_json", "wrong_shape", "empty_list", "other_rows", "other_entity")
"""What `garbage` can answer with; the last three are lists as AmoCRM's are, of nothing or of what was not asked for."""

DRIPPING = ("body", "until_close", "chunked", "headers", "status_line")
"""Where an answer can drip: a body of known length, a body that ends with the line, a body in chunks, or before the body begins."""


class BadRule(ValueError):
    """An unreadable rule; the text says how to put the rule right."""


@dataclass(frozen=True)
class Request:
    """The part of a request that a rule looks at."""

    method: str
    path: str
    query: str
    body: str


OPTIONS: dict[str, tuple[type, ...]] = {
    "status": (int,),
    "html": (bool,),
    "body": (str,),
    "body_base64": (str,),
    "content_type": (str,),
    "headers": (dict,),
    "delay_ms": (int, float),
    "delay_after_ms": (int, float),
    "how": (str,),
    "kind": (str,),
    "where": (str,),
    "piece": (int,),
}
"""The options of an action, beside its name."""

MATCHES = ("method", "path", "query_contains", "body_contains")


@dataclass
class Rule:
    """A fault. `skip`: so many matching requests pass first; `times`: how often the fault fires, None for always."""

    id: int
    action: str
    match: dict[str, str]
    options: dict[str, Any]
    times: int | None = None
    probability: float = 1.0
    seed: int = 1
    skip: int = 0
    fired: int = 0
    seen: int = 0
    random: random.Random = field(default_factory=random.Random, repr=False)

    def fires_for(self, request: Request) -> bool:
        """Whether this request is hit; a matching request is counted."""
        if not self._matches(request) or (self.times is not None and self.fired >= self.times):
            return False
        self.seen += 1
        if self.seen <= self.skip or self.random.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def _matches(self, request: Request) -> bool:
        wanted = self.match
        return (
            wanted.get("method", request.method).upper() == request.method
            and fnmatch.fnmatchcase(request.path, wanted.get("path", "*"))
            and wanted.get("query_contains", "") in request.query
            and wanted.get("body_contains", "") in request.body
        )

    def as_json(self) -> dict[str, Any]:
        """The rule with its counters."""
        return {
            "id": self.id,
            "action": self.action,
            "match": self.match,
            **self.options,
            "times": self.times,
            "probability": self.probability,
            "seed": self.seed,
            "skip": self.skip,
            "fired": self.fired,
            "seen": self.seen,
        }


class Faults:
    """The rules in force, in the order of their setting. The first that fires for a request is carried out."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._ids = itertools.count(1)

    def pick(self, request: Request) -> Rule | None:
        """The rule this request is hit by, if any."""
        return next((rule for rule in self.rules if rule.fires_for(request)), None)

    def add(self, data: Any) -> Rule:
        """A new rule from its JSON, or `BadRule`."""
        rule = read_rule(data, next(self._ids))
        self.rules.append(rule)
        return rule

    def remove(self, rule_id: int | None = None) -> int:
        """Drop one rule, or every rule; return how many went."""
        before = len(self.rules)
        self.rules = [rule for rule in self.rules if rule_id is not None and rule.id != rule_id]
        return before - len(self.rules)


def read_rule(data: Any, rule_id: int) -> Rule:
    """A rule from `{action, match?, times?, probability?, seed?, skip?, …}`."""
    if not isinstance(data, dict):
        raise BadRule("a rule is an object")
    action = data.get("action")
    if action not in ACTIONS:
        raise BadRule(f"action: {action!r} is none of {', '.join(ACTIONS)}")
    known = {"action", "match", "times", "probability", "seed", "skip", *OPTIONS}
    if unknown := sorted(set(data) - known):
        raise BadRule(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    match = data.get("match") or {}
    if not isinstance(match, dict) or set(match) - set(MATCHES) or not all(isinstance(v, str) for v in match.values()):
        raise BadRule(f"match: an object of texts under {', '.join(MATCHES)}")
    options = {name: _option(name, data[name]) for name in OPTIONS if name in data}
    if action in ("status", "status_after") and not 200 <= options.get("status", 0) <= 599:
        raise BadRule("status: a number from 200 to 599")
    seed = _number(data, "seed", 1)
    return Rule(
        rule_id,
        action,
        match,
        options,
        times=None if data.get("times") is None else int(_number(data, "times", 1)),
        probability=_number(data, "probability", 1.0),
        seed=int(seed),
        skip=int(_number(data, "skip", 0)),
        random=random.Random(seed),
    )


def _option(name: str, value: Any) -> Any:
    if not isinstance(value, OPTIONS[name]) or (isinstance(value, bool) and name != "html"):
        raise BadRule(f"{name}: {value!r} is not a {OPTIONS[name][0].__name__}")
    if name == "how" and value not in ("close", "reset"):
        raise BadRule("how: close or reset")
    if name == "kind" and value not in GARBAGE:
        raise BadRule(f"kind: one of {', '.join(GARBAGE)}")
    if name == "where" and value not in DRIPPING:
        raise BadRule(f"where: one of {', '.join(DRIPPING)}")
    if isinstance(value, int) and name == "piece" and value < 1:
        raise BadRule("piece: bytes, at least 1")
    if isinstance(value, str) and name == "body_base64":
        _decoded(value)
    return value


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise BadRule("body_base64: bytes in base64") from None


def own_body(options: dict[str, Any]) -> bytes | None:
    """The body of a rule, as a text or byte by byte; None for a rule without a body of its own."""
    if "body_base64" in options:
        return _decoded(options["body_base64"])
    return options["body"].encode() if "body" in options else None


def _number(data: dict[str, Any], name: str, default: float) -> float:
    value = data.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise BadRule(f"{name}: {value!r} is not a number from 0")
    return value
