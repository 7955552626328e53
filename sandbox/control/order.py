"""A control request for the function that carries the request out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.call import Call
from sandbox.changes import Work
from sandbox.world import World

T = TypeVar("T")


class BadOrder(ValueError):
    """An unreadable control request; the text says how to put the request right."""


@dataclass
class Order:
    """`rest`: the path behind the control's name. `data`: the JSON body."""

    world: World
    call: Call
    rest: str
    data: dict[str, Any]

    def take(self, name: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
        """A value of the body of the wanted type."""
        value = self.data.get(name, default)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if value is not None and (not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)):
            raise BadOrder(f"{name}: {value!r} is not a {kinds[0].__name__}")
        return value

    def only(self, *names: str) -> None:
        """Refuse keys that no function reads: a misspelt name must not pass for an order carried out."""
        unknown = sorted(set(self.data) - set(names))
        if unknown:
            raise BadOrder(f"unknown: {', '.join(unknown)}; known: {', '.join(names)}")

    def number_in_query(self, name: str) -> int | None:
        """A number of the query string."""
        value = self.call.query.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or not value.isdecimal():
            raise BadOrder(f"{name}: {value!r} is not a number")
        return int(value)

    def do(self, job: Callable[[Work], T], user_id: int = 0) -> T:
        """Carry out a piece of work as AmoCRM itself or as a person: in full or not at all, then told to every listener."""
        work = self.world.work(user_id)
        self.call.work = work
        with self.world.store.transaction():
            result = job(work)
            self.world.commit(work, None)
        self.world.tell(work, None)
        return result
