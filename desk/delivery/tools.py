"""The parts of the desk used by a delivery, listed once for the outbox, the carrier and the search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crm.client import Client
from crm.journal import Journal
from desk.connection import Connection
from desk.delivery.worker import OnRound, ignore_round
from desk.fields import FieldMap
from desk.phonebook import Phonebook
from desk.settings import Settings
from store import Store


@dataclass(frozen=True, slots=True)
class Tools:
    """The collaborators of a delivery, besides its own tables.

    `on_step`: called with the name of each step of a delivery right after the step, in the thread that delivers: "taken", "looked up",
    "marked as sending", "answered", "lead written down", "note on its way", "note answered" (also "task …", "stage answered"),
    "error in hand", "error written down", "delivered". An exception of its own counts as a failure of the lead.
    `on_changed`: called with AmoCRM's id of a lead that was made or changed there.
    `on_round`: called after each round of "delivery", "search" and "heartbeat".
    """

    store: Store
    client: Client
    connection: Connection
    fields: FieldMap
    phonebook: Phonebook
    journal: Journal
    settings: Settings
    on_step: Callable[[str], object] = lambda step: None
    on_changed: Callable[[int], object] = lambda lead_id: None
    on_round: OnRound = ignore_round
