"""The switches that `PATCH /_sandbox/config` can change while the sandbox runs, and the checks of their values.

Every field of `Config` is one switch; its docstring says what it does and where the sheet speaks of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args, get_type_hints

from sandbox.options import Options

DAY_S = 24 * 3600


@dataclass(frozen=True)
class Config:
    """One value per switch. Frozen: a change makes a new object, so a request sees one state from end to end."""

    # ── Speed and limits ────────────────────────────────────────────────────────────────────────────────────────
    rps: int = 7
    """Requests per sliding second and integration (sheet 4.1, D)."""
    account_rps: int = 50
    """Requests a second of the whole account, all integrations together (sheet 4.1, D). Never less than `rps`."""
    rate_per: Literal["integration", "ip"] = "integration"
    """The unit of the limit, on which sources disagree (sheet 4.1, D against D)."""
    count_token_requests: bool = True
    """Whether `/oauth2/access_token` counts towards `rps`. No source says; the stricter reading."""
    block_after: int = 20
    """So many 429 within `block_window_s` block the account; 0: never. The real threshold is not known."""
    block_window_s: float = 60.0
    html_429: bool = False
    """nginx's page instead of JSON (sheet 4.1, O)."""
    retry_after_s: int = 1
    """In the 429's `Retry-After` header and `retry_after` key. The documented sample says 300."""
    latency_ms: float = 0.0
    """Added before every request is worked on; requests wait side by side."""

    heavy_limit: int = 0
    """A GET with a greater `limit` gets 504, the front end's page: "shrink the batch" (sheet 4.1, D); 0: none is too great."""
    clock_shift_s: float = 0.0
    """How far AmoCRM's clock is ahead (below zero: behind): `Date`, `created_at`, `updated_at`, lives of tokens. The ledger and the
    limit keep to the true time."""

    tells_time: bool = True
    """Whether answers carry a `Date`."""

    # ── OAuth ───────────────────────────────────────────────────────────────────────────────────────────────────
    refresh_mode: Literal["strict", "grace"] = "strict"
    """Old refresh token dead at once, or alive until the new pair is first used (sheet 3.4)."""
    refresh_kills_access: bool = True
    """Whether the old access token dies with the old refresh token (sheet 4.3, L: 401 "can be a refresh race")."""
    access_token_ttl_s: int = DAY_S
    refresh_token_ttl_s: int = 90 * DAY_S
    code_ttl_s: int = 20 * 60
    user_id: int | None = None
    """The user at the consent page. None: the admin."""
    admin_rights: bool = True
    """False: every token is treated as a non-admin's (sheet 5.7, 5.13, 8 item 30)."""
    scopes: list[str] = field(
        default_factory=lambda: ["push_notifications", "files", "crm", "files_delete", "notifications"]
    )
    """Claims of new tokens; without `crm` the API answers 403 (sheet 4.3)."""
    claimed_domain: str | None = None
    """The host in `referer` and the address book, instead of the sandbox's own: a real zone, or an attacker's."""
    switched_off: Literal["page", "redirect", "json"] = "page"
    """The answer to calls of /api/v4 whose person has been switched off: a page with 401, a way to the sign-in, or 401 as for a dead
    token (sheet 0, I). The token endpoint hands out pairs all the same."""
    installable: bool = True
    """False: the consent page says that the integration is not available in this account."""

    # ── The account ─────────────────────────────────────────────────────────────────────────────────────────────
    paid: Literal["yes", "no", "reads_only"] = "yes"
    """`reads_only`: writes answer 402; `no`: all requests do (sheet 4.1). JSON true and false mean yes and no."""
    account_refuses: bool = False
    """Every write of a lead, contact or company answers 400 "Код ошибки 244": no right to add, or the subscription has ended
    (sheet 0, I). Reads go on."""
    minor_units: Literal["none", "price", "own_key"] = "none"
    """Kopecks of a budget. `none`: cut off, as AmoCRM documents whole numbers; `price`: kept and shown in `price`, as some zones do;
    `own_key`: kept, shown in `price_with_minor_units`, and `price` is whole (sheet 5.2, O and T)."""
    is_api_filter_enabled: bool = False
    """Whether `filter[custom_fields_values]` is honoured or else ignored (sheet 5.2)."""
    duplicate_control: bool = False
    """Whether `/leads/complex` merges with existing cards (sheet 5.2: off for external integrations)."""
    complex_links_company_id: bool = False
    """Whether an existing company's id given to `/leads/complex` is linked (sheet 5.2, L: not reliably)."""

    # ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────
    search_lag_s: float = 0.0
    """Seconds for which `query=` does not see a fresh change (sheet 8, item 11, U)."""
    search_phone_digits: bool = True
    """Whether `query=` also finds a phone by its bare digits, in any spelling."""
    missing_single: Literal[204, 404] = 204
    """The answer of GET for an unknown lead or contact (sheet 4.2: 204; clients handle both)."""
    item_links_keep_query: bool = True
    """Whether the list's query string hangs on the items' `_links` (sheet 4.4, L)."""

    # ── Writing ─────────────────────────────────────────────────────────────────────────────────────────────────
    single_patch: Literal["root", "embedded"] = "root"
    """Form of the answer to PATCH /{id} (sheet 5.2: O against a digest)."""
    tags_null: Literal["ignored", "clears"] = "ignored"
    """`_embedded.tags: null`: ignored in a live probe, clears by the documentation (sheet 5.2)."""
    strict_text_values: bool = True
    """A number in a text field is refused as `InvalidType`. No source; false turns the number into text."""
    reject_unknown_keys: bool = False
    """Refuse properties the API does not know. The service ignores unknown properties (sheet 1, fact 20)."""
    relink: Literal[200, 500] = 500
    """The answer to linking an already linked pair (sheet 5.5, L)."""

    # ── Webhooks ────────────────────────────────────────────────────────────────────────────────────────────────
    destination_dns_check: bool = True
    """Whether a destination's host must resolve (sheet 4.3, L)."""
    webhook_settings: Literal["replace", "merge"] = "replace"
    """The effect of a second POST of one destination on its settings (sheet 5.13, U)."""
    hook_time_scale: float = 1.0
    """Multiplies the retry delays and the two hours of the switching-off rule: 0.001 turns 5 min into 0.3 s."""
    hook_timeout_s: float = 2.0
    """How long the receiver has (sheet 7.1, D). Not scaled."""
    hook_one_body: bool = False
    """True: all changes of a request go in one body; false: one body for each action (sheet 7.1)."""
    hook_delay_s: float = 0.0
    """Every hook leaves so much later."""
    hook_lose: float = 0.0
    """Share of hooks never sent, 0 to 1 (sheet 7.6)."""
    hook_duplicate: float = 0.0
    """Share of hooks sent twice."""
    hook_reorder: bool = False
    """Hooks leave in pairs, the later one first."""
    hook_shuffle_s: float = 0.0
    """Each hook leaves after a wait of its own of up to so many seconds, so that hooks come in any order."""
    hook_hold: bool = False
    """True: hooks wait, in order, until the switch is false again."""
    hook_seed: int = 1
    """Decides which hooks `hook_lose` and `hook_duplicate` hit, and how long each waits for `hook_shuffle_s`."""
    hook_switch_off: bool = True
    """Whether more than 100 bad answers in two hours disable a hook (sheet 7.1)."""

    def as_json(self) -> dict[str, Any]:
        """Name → value of every switch."""
        return asdict(self)


class BadConfig(ValueError):
    """A switch that does not exist or a value of the wrong kind; the text names the switch and good values."""


TYPES: dict[str, Any] = get_type_hints(Config)
RANGES: dict[str, tuple[float, float]] = {
    "rps": (1, 1_000_000),
    "account_rps": (1, 1_000_000),
    "hook_lose": (0, 1),
    "hook_duplicate": (0, 1),
    "hook_time_scale": (0, 1000),
    "clock_shift_s": (-10 * 365 * DAY_S, 10 * 365 * DAY_S),
}
"""Lowest and highest value of a number; every other number just must not be negative."""


def from_options(options: Options) -> Config:
    """The switches set by the command line."""
    return Config(
        rps=options.rps,
        latency_ms=options.latency_ms,
        refresh_mode="grace" if options.refresh_mode == "grace" else "strict",
        search_lag_s=options.search_lag_s,
    )


def changed(config: Config, changes: dict[str, Any]) -> Config:
    """The switches with some set anew, or `BadConfig` and no change."""
    unknown = sorted(set(changes) - set(TYPES))
    if unknown:
        known = ", ".join(sorted(TYPES))
        raise BadConfig(f"unknown: {', '.join(unknown)}; known: {known}")
    return replace(config, **{name: checked(name, value) for name, value in changes.items()})


def checked(name: str, value: Any) -> Any:
    """`value` in the form the switch `name` stores, or `BadConfig`."""
    if name == "paid" and isinstance(value, bool):
        value = "yes" if value else "no"
    kind = TYPES[name]
    choices = get_args(kind)
    if choices and type(None) not in choices and name != "scopes":
        if value not in choices or isinstance(value, bool):
            raise BadConfig(f"{name}: {value!r} is none of {', '.join(map(repr, choices))}")
        return value
    if name == "scopes":
        if not (isinstance(value, list) and all(isinstance(scope, str) for scope in value)):
            raise BadConfig(f"scopes: {value!r} is not a list of names")
        return value
    if kind is bool:
        if not isinstance(value, bool):
            raise BadConfig(f"{name}: {value!r} is neither true nor false")
        return value
    if value is None and type(None) in choices:
        return None
    if str in choices:
        if not isinstance(value, str) or not value:
            raise BadConfig(f"{name}: {value!r} is not a text")
        return value
    return _number(name, value, whole=kind is not float)


def _number(name: str, value: Any, *, whole: bool) -> int | float:
    accepted = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, accepted):
        raise BadConfig(f"{name}: {value!r} is not a {'whole ' if whole else ''}number")
    lowest, highest = RANGES.get(name, (0, float("inf")))
    if not lowest <= value <= highest:
        raise BadConfig(f"{name}: {value!r} is not between {lowest:g} and {highest:g}")
    return value


NAMES = tuple(item.name for item in fields(Config))
