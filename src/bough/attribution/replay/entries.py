"""Journal rows as attribution reads them: each row parsed once, by itself, without looking at any other row."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from bough.attribution.rules.openings import Opening, parse_opening
from bough.attribution.rules.persons import Claim
from bough.attribution.rules.touches import Links, ParseAgent, Touch, TouchKind, direct_touch, touch_of
from bough.errors import BadRequest
from bough.events import identifiers as ids
from bough.events.body import nested_object
from bough.events.identifiers import Identifier, Privacy
from bough.events.schema import FORMER_LIMIT, amount
from bough.events.server_fields import Recorded, recorded_of, server_fields_of
from bough.vocabulary.journal_rows import JournalRow
from bough.vocabulary.values import first, flag, text, whole

TOUCH_KINDS = frozenset({"click", "impression", "prefetch", "robot"})
"""Rows that can be shown as a touch; robots and machines that look ahead are never credited."""


class GivenTouch(Struct, frozen=True, kw_only=True):
    """The touch that an imported row names; taken as given."""

    type: str
    at: int | None
    data: dict[str, Any]


class JournalEntry(Struct, frozen=True, kw_only=True):
    """One parsed row. Exactly one of `touch` and `claim` is there."""

    row: int
    at: int
    app: int
    test: bool
    kind: str
    touch: Touch | None = None
    claim: Claim | None = None
    opening: Opening | None = None
    direct: dict[str, Touch] = {}
    """For openings: the click made now, by address (docs/sdk.md, way 2)."""
    recorded: Recorded | None = None
    """For openings: what this server answered; it stands."""
    name: str = ""
    """For everything but openings: the event's name."""
    privacy: Privacy = Privacy()
    request_id: str = ""
    transaction_id: str = ""
    refund: bool = False
    given: GivenTouch | None = None
    given_touch: Touch | None = None
    """`given` as a touch that later live events of the person can be credited to."""

    @property
    def order(self) -> tuple[int, int]:
        """Position in the one order of all rows: late rows sort to where they belong."""
        return (self.at, self.row)


def entry_of(row: JournalRow, links: Links, parse: ParseAgent) -> JournalEntry:
    """Parse one journal row."""
    if row.kind in TOUCH_KINDS:
        return JournalEntry(
            row=row.id, at=row.at, app=row.app, test=row.test, kind=row.kind, touch=touch_of(row, links, parse)
        )
    if row.kind in ("install", "open"):
        return _opening_entry(row, links)
    if row.kind == "import":
        return _import_entry(row)
    return _event_entry(row)


def _opening_entry(row: JournalRow, links: Links) -> JournalEntry:
    facts = server_fields_of(row.body)
    opening = parse_opening(row.body, "install" if row.kind == "install" else "open", facts)
    direct: dict[str, Touch] = {}
    for url in opening.evidence.urls:
        link = links.by_url(url.url, row.at)
        if link is not None:
            direct[url.url] = direct_touch(row, url.url, link, opening.ip)
    return JournalEntry(
        row=row.id,
        at=row.at,
        app=row.app,
        test=row.test,
        kind=row.kind,
        claim=Claim(row.id, row.at, opening.identifiers),
        opening=opening,
        direct=direct,
        recorded=recorded_of(facts),
        privacy=opening.privacy,
        request_id=opening.request_id,
    )


def _event_entry(row: JournalRow) -> JournalEntry:
    user_data = nested_object(row.body.get("user_data"), "user_data")
    event_data = nested_object(row.body.get("event_data"), "event_data")
    allowed = ids.privacy(row.body, user_data)
    identifiers = ids.extract(row.body, user_data, server_fields_of(row.body), allowed)
    name = text(first(row.body, "name", "event"), 255)
    return JournalEntry(
        row=row.id,
        at=row.at,
        app=row.app,
        test=row.test,
        kind=row.kind,
        claim=Claim(row.id, row.at, identifiers),
        name="PAGEVIEW" if row.kind == "pageview" else name,
        privacy=allowed,
        request_id=ids.clean("request", row.body.get("branch_sdk_request_unique_id")),
        transaction_id=text(event_data.get("transaction_id"), 255),
        refund=_is_refund(event_data.get("revenue")),
    )


_IMPORT_IDENTIFIERS: tuple[tuple[ids.Kind, str], ...] = (
    ("identity", "developer_identity"),
    ("idfa", "idfa"),
    ("aaid", "aaid"),
    ("browser", "browser_fingerprint_id"),
)
"""What joins imported rows into persons, and nothing else (docs/exports.md). `browser_id` is taken too."""


def _import_entry(row: JournalRow) -> JournalEntry:
    body = row.body
    user_data = nested_object(body.get("user_data"), "user_data")
    found: dict[Identifier, None] = {}
    for kind, name in _IMPORT_IDENTIFIERS:
        value = first(body, name, f"user_data_{name}")
        cleaned = ids.clean(kind, first(user_data, name) if value is None else value)
        if cleaned:
            found[kind, cleaned] = None
    browser = ids.clean("browser", first(body, "browser_id", "user_data_browser_id"))
    if browser:
        found["browser", browser] = None
    imported = text(body.get("id"), 255)
    given = _given_touch(body)
    return JournalEntry(
        row=row.id,
        at=row.at,
        app=row.app,
        test=row.test,
        kind=row.kind,
        claim=Claim(row.id, row.at, tuple(found), imported=True),
        name=text(body.get("name"), 255),
        request_id=f"import {imported}" if imported else "",
        given=given,
        given_touch=_as_touch(row, given),
    )


def _given_touch(body: Mapping[str, Any]) -> GivenTouch | None:
    kind = text(body.get("last_attributed_touch_type"), 64).upper()
    if not kind or flag(body.get("attributed")) is False:
        return None
    data = dict(nested_object(body.get("last_attributed_touch_data"), "last_attributed_touch_data"))
    for prefix, mark in (("tilde_", "~"), ("dollar_", "$"), ("plus_", "+")):
        column = f"last_attributed_touch_data_{prefix}"
        data.update((mark + name.removeprefix(column), body[name]) for name in body if name.startswith(column))
    return GivenTouch(
        type=kind,
        at=whole(body.get("last_attributed_touch_timestamp")),
        data={key: value for key, value in data.items() if value not in (None, "")},
    )


def _as_touch(row: JournalRow, given: GivenTouch | None) -> Touch | None:
    if given is None or given.at is None or given.at > row.at or given.type not in ("CLICK", "IMPRESSION"):
        return None
    kind: TouchKind = "click" if given.type == "CLICK" else "impression"
    return Touch(id=row.id, at=given.at, app=row.app, test=row.test, kind=kind, data=given.data)


def _is_refund(revenue: object) -> bool:
    """Whether money went back. Journal rows are read with `bough.events.body.decode`; a number that a store handed over
    as a float is exact in its shortest text, and only its sign is asked for here. What is no amount brought nothing."""
    try:
        exact = Decimal(repr(revenue)) if isinstance(revenue, float) else revenue
        value = amount(exact, "revenue", FORMER_LIMIT)
    except BadRequest:
        return False
    return value is not None and value < 0
