"""The leads of a period as one table, read from AmoCRM with everything a person wants to see joined in.

Cost: 2 requests for each 250 leads (leads with their contacts' ids, then those contacts), and 2 more for stages
and people where these are not known yet. `Recent` remembers what was read for a short while, for everybody who
looks at the same period: filters, search and pages then cost no request at all.
"""

from __future__ import annotations

import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from crm import phones
from crm.amo import contacts, leads, pipelines, users
from crm.amo.client import Client
from crm.amo.pipelines import Stage
from crm.connection import Connection
from crm.errors import NotLetIn
from crm.fields import PHONE_CODE, FieldMap, Mapped, by_key, text_of

if TYPE_CHECKING:
    import pandas as pd  # takes a quarter of a second, so the server starts without it; see `read`

FRESH_S = 60.0
"""How long a table is shown without asking AmoCRM again. The page says of when it is."""

REFERENCE_FRESH_S = 600.0
"""The same for stages and people, which change a few times a year."""

KEPT_PERIODS = 8

MOST_LEADS = 20_000
"""More than this is not read for one table: it would take minutes at seven requests a second."""

COLUMNS = (
    "id",
    "created_at",
    "name",
    "phone",
    "direction",
    "source",
    "pipeline_id",
    "status_id",
    "stage",
    "responsible",
    "price_rub",
    "url",
    "search",
)
"""Of `Table.frame`, one row a lead. `created_at` is aware UTC; `search` is everything one can search by, folded."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What leads refer to by id."""

    stages: tuple[Stage, ...]
    people: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Table:
    """Leads newest first. `as_of`: when AmoCRM was asked. `is_cut`: older ones of the period were left out."""

    frame: pd.DataFrame
    as_of: datetime
    stages: tuple[Stage, ...]
    is_cut: bool = False


class Recent:
    """Tables of leads by period, remembered for a minute and shared by everybody. Thread-safe.

    Of several people who ask for the same period at once one reads it and the others wait for that.
    A failure is never remembered.
    """

    def __init__(self, client: Client, connection: Connection, fields: FieldMap) -> None:
        self._client, self._connection, self._fields = client, connection, fields
        self._lock, self._referring = threading.Lock(), threading.Lock()
        self._reading: dict[Period, threading.Lock] = {}
        self._tables: OrderedDict[Period, tuple[float, Table]] = OrderedDict()
        self._reference: tuple[float, Reference] | None = None

    def table(self, since: datetime, until: datetime, progress: Callable[[int], object] = lambda count: None) -> Table:
        """The leads created in a period. No request where it was read within the last minute."""
        period = (self._connection.status().account_url, since, until)
        with self._lock:
            turn = self._reading.setdefault(period, threading.Lock())
        with turn:
            remembered = self._tables.get(period)
            if remembered is not None and time.monotonic() - remembered[0] < FRESH_S:
                return remembered[1]
            account_url = self._client.account_url
            table = read(self._client, account_url, self._fields.mapping(), self.know(), since, until, progress)
            with self._lock:
                self._tables[period] = (time.monotonic(), table)
                self._tables.move_to_end(period)
                while len(self._tables) > KEPT_PERIODS:
                    self._reading.pop(self._tables.popitem(last=False)[0], None)
            return table

    def forget(self) -> None:
        """Ask AmoCRM again next time: somebody pressed refresh, or we changed something there."""
        with self._lock:
            self._tables.clear()
            self._reference = None

    def know(self) -> Reference:
        """Stages and people. No request where they were read within the last ten minutes, else two."""
        with self._referring:
            remembered = self._reference
            if remembered is None or time.monotonic() - remembered[0] > REFERENCE_FRESH_S:
                remembered = (time.monotonic(), reference(self._client))
                self._reference = remembered
            return remembered[1]


Period = tuple[str | None, datetime, datetime]


def reference(client: Client) -> Reference:
    """Stages and people. Two requests. A token without admin rights may not see people: they stay numbers."""
    stages = tuple(pipelines.stages(client))
    try:
        people = users.names(client)
    except NotLetIn as error:
        if error.code != "rights_missing":
            raise
        people = {}
    return Reference(stages, people)


def read(
    client: Client,
    account_url: str,
    mapping: Sequence[Mapped],
    known: Reference,
    since: datetime,
    until: datetime,
    progress: Callable[[int], object] = lambda count: None,
) -> Table:
    """Every lead created in a period, both ends included. Two requests for each 250. `progress`: leads read so far."""
    import pandas as pd

    as_of = datetime.now(UTC)
    shape = _Shape(
        account_url,
        {key: mapped.field_id for key, mapped in by_key(mapping).items()},
        {(stage.pipeline_id, stage.status_id): stage.name for stage in known.stages},
        known.people,
    )
    rows: list[dict[str, Any]] = []
    for page in leads.created_between(client, int(since.timestamp()), int(until.timestamp())):
        people = {contact["id"]: contact for contact in contacts.by_ids(client, filter(None, map(contact_id, page)))}
        rows += [shape.row(lead, people.get(contact_id(lead) or 0, {})) for lead in page]
        progress(len(rows))
        if len(rows) >= MOST_LEADS:
            break
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["created_at"] = pd.to_datetime(frame["created_at"], unit="s", utc=True)
    # A lead that moved between two pages while they were read is there twice (sheet 4.1).
    return Table(frame.drop_duplicates("id", ignore_index=True), as_of, known.stages, len(rows) >= MOST_LEADS)


def search_mask(frame: pd.DataFrame, text: str) -> pd.Series:
    """Which rows a search finds: by id, by any spelling of a phone, or by all of its words anywhere."""
    phone = phones.normalise(text)
    digits = "".join(char for char in text if char.isdigit())
    if phone is not None:
        return frame["phone"].eq(phone) | frame["id"].astype(str).eq(text.strip())
    found = frame["id"].notna()
    for word in fold(text).split():
        found &= frame["search"].str.contains(word, regex=False)
    if len(digits) >= 3 and not phones.LETTERS.search(text):
        found |= frame["phone"].str.contains(digits.removeprefix("8"), regex=False) | frame["id"].astype(str).eq(digits)
    return found


def fold(text: str) -> str:
    """A text for comparing: no case, ё as е, one kind of spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().replace("ё", "е").split())


def contact_id(lead: Mapping[str, Any]) -> int | None:
    """The main contact of a lead, else its first; None where it has none."""
    linked = (lead.get("_embedded") or {}).get("contacts") or []
    main = next((one for one in linked if one.get("is_main")), linked[0] if linked else None)
    return main["id"] if main else None


@dataclass(frozen=True, slots=True)
class _Shape:
    """What turning leads into rows needs, looked up once for all of them."""

    account_url: str
    fields: Mapping[str, int]
    stages: Mapping[tuple[Any, Any], str]
    people: Mapping[int, str]

    def row(self, lead: Mapping[str, Any], contact: Mapping[str, Any]) -> dict[str, Any]:
        spoken = text_of(contact, self.fields["contact_phone"], PHONE_CODE) or text_of(lead, self.fields["phone"])
        name = str(contact.get("name") or lead.get("name") or "")
        direction, source = text_of(lead, self.fields["direction"]), text_of(lead, self.fields["source"])
        responsible = lead.get("responsible_user_id") or 0
        return {
            "id": lead["id"],
            "created_at": lead.get("created_at"),
            "name": name,
            "phone": phones.normalise(spoken) or spoken,
            "direction": direction,
            "source": source,
            "pipeline_id": lead.get("pipeline_id"),
            "status_id": lead.get("status_id"),
            "stage": self.stages.get((lead.get("pipeline_id"), lead.get("status_id")), ""),
            "responsible": self.people.get(responsible, f"#{responsible}" if responsible else ""),
            "price_rub": lead.get("price") or 0,
            "url": lead_address(self.account_url, lead["id"]),
            "search": fold(" ".join([name, str(lead.get("name") or ""), direction, source, str(lead["id"])])),
        }


def lead_address(account_url: str, lead_id: int) -> str:
    """A lead's page in AmoCRM."""
    return f"{account_url}/leads/detail/{lead_id}"
