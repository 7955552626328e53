"""The checks of a client's items: every fault found, with its code and path.

AmoCRM refuses the whole request for one bad item and names the places by position (sheet 4.3). Which properties a
resource has stands in that resource's file; this one knows how to read a property and how to complain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sandbox.answers import Refusal, problem, validation_errors
from sandbox.call import MOST_ITEMS, Call

DETAILS = {
    "NotSupportedChoice": "The value you selected is not a valid choice.",
    "FieldMissing": "This field is missing.",
    "NotBlank": "This value should not be blank.",
    "FieldNotExpected": "This field was not expected.",
}
"""Code → sentence. The first two were seen (L); the rest are Symfony's own sentences under codes of ours (U)."""

MOST_INTEGER = 2**63
"""PHP reads any greater number as a float, which is no int."""


class Item:
    """One object of a body. Reading a property of the wrong type notes an error and gives None."""

    def __init__(
        self, data: Any, position: int | str = 0, path: str = "", errors: list[dict[str, Any]] | None = None
    ) -> None:
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        self.path = path
        self.errors: list[dict[str, Any]] = [] if errors is None else errors
        given = self.data.get("request_id")
        self.request_id: Any = str(position) if given is None else given
        self._is_object = isinstance(data, dict)
        if not self._is_object:
            self._note("InvalidType", self.path, "This value should be of type array.")

    def inside(self, path: str, data: Any) -> Item:
        """A nested object; its errors are this item's errors, under a longer path."""
        return Item(data, path=self._full(path), errors=self.errors)

    def has(self, key: str) -> bool:
        """Whether the property is present; null counts."""
        return key in self.data

    def refuse(self, code: str, path: str, detail: str | None = None) -> None:
        """Note an error at `path`, relative to this item. A value that is no object has one error, not many."""
        if self._is_object:
            self._note(code, self._full(path), detail or DETAILS[code])

    def wrong_type(self, path: str, wanted: str) -> None:
        """Note that `path` is not of the type `wanted`."""
        self.refuse("InvalidType", path, f"This value should be of type {wanted}.")

    def integer(self, key: str) -> int | None:
        """A whole number; null is as good as absent. `2000.0`, which PHP's floats become, is whole too."""
        value = self.data.get(key)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) < MOST_INTEGER):
            return value
        self.wrong_type(key, "int")
        return None

    def text(self, key: str, *, required: bool = False) -> str | None:
        """A string; null is as good as absent."""
        value = self.data.get(key)
        if value is None and required:
            self.refuse("FieldMissing", key)
        if value is None or isinstance(value, str):
            return value
        self.wrong_type(key, "string")
        return None

    def boolean(self, key: str) -> bool | None:
        """true or false; 1 and 0 will do."""
        value = self.data.get(key)
        if value is None or isinstance(value, bool):
            return value
        if value in (0, 1):
            return bool(value)
        self.wrong_type(key, "bool")
        return None

    def choice(self, key: str, allowed: Collection[Any]) -> Any:
        """A value among `allowed`."""
        value = self.data.get(key)
        if value is None:
            return None
        if isinstance(value, (dict, list)) or value not in allowed:
            self.refuse("NotSupportedChoice", key)
            return None
        return value

    def person(self, key: str, user_ids: Collection[int]) -> int | None:
        """A user of the account who works here; any other id is `NotSupportedChoice` (sheet 4.3, L). 0 is the robot."""
        value = self.integer(key)
        if value is not None and value not in user_ids and not (value == 0 and key != "responsible_user_id"):
            self.refuse("NotSupportedChoice", key)
            return None
        return value

    def tree(self, key: str) -> dict[str, Any]:
        """A nested object; absent, null and PHP's empty array are empty."""
        value = self.data.get(key)
        if value is None or value == [] or isinstance(value, dict):
            return value or {}
        self.wrong_type(key, "array")
        return {}

    def elements(self, key: str) -> list[Any]:
        """A nested list; absent and null are empty, an object with numbers for keys is PHP's list."""
        value = self.data.get(key)
        if isinstance(value, dict):
            value = list(value.values())
        if value is None or isinstance(value, list):
            return value or []
        self.wrong_type(key, "array")
        return []

    def only(self, *known: str) -> None:
        """Note every property that is none of `known`."""
        for key in self.data:
            if key not in known:
                self.refuse("FieldNotExpected", key)

    def _full(self, path: str) -> str:
        return f"{self.path}.{path}" if self.path and path else self.path or path

    def _note(self, code: str, path: str, detail: str) -> None:
        self.errors.append({"code": code, "path": path, "detail": detail})


def items(call: Call, most: int = MOST_ITEMS) -> list[Item]:
    """The body of a POST or PATCH on a collection: an array of objects, or PHP's array with keys."""
    data = call.data()
    pairs: list[tuple[int | str, Any]]
    if isinstance(data, list):
        pairs = list(enumerate(data))
    elif isinstance(data, dict):
        pairs = list(data.items())
    else:
        raise Refusal(problem(400, "Request validation failed"))
    if len(pairs) > most:
        raise Refusal(problem(422, f"Limit {most} per page"))
    return [Item(value, position) for position, value in pairs]


def pass_or_refuse(checked: list[Item]) -> None:
    """Refuses the whole request when any item has an error."""
    failed = [{"request_id": item.request_id, "errors": item.errors} for item in checked if item.errors]
    if failed:
        raise Refusal(validation_errors(failed))


def pass_or_refuse_one(item: Item) -> None:
    """The errors of a route that takes one object: the entry has no `request_id` (sheet 4.3, L)."""
    if item.errors:
        raise Refusal(validation_errors([{"errors": item.errors}]))


def not_a_choice(path: str) -> Refusal:
    """The refusal of an id in the address that does not exist (sheet 5.6, L)."""
    error = {"code": "NotSupportedChoice", "path": path, "detail": DETAILS["NotSupportedChoice"]}
    return Refusal(validation_errors([{"errors": [error]}]))


def each(values: list[Any], path: str) -> Iterator[tuple[str, Any]]:
    """(`path.0`, value) of every element."""
    for position, value in enumerate(values):
        yield f"{path}.{position}", value
