"""What changed in attribution since a version, as the warehouse takes it: events, touches, and persons that merged.

Versions grow with every write (`bough.attribution.stored.tables`), so a reader keeps the last one it has ingested and
can stop and go on anywhere. An event whose attribution changed comes again with a higher version, with the same `id`.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from bough.attribution.attributed_event import AttributedEvent
from bough.attribution.rules.persons import NOBODY
from bough.attribution.stored.tables import Kept, kept_of
from bough.store.database import Store
from bough.vocabulary.touch_columns import touch_columns

NEWEST = (
    "SELECT (SELECT max(version) FROM attributed), (SELECT max(version) FROM person_touch),"
    " (SELECT max(id) FROM person_merge)"
)
EVENTS = (
    "SELECT version, id, app, person, at, name, counted, test, body FROM attributed WHERE version > ? AND version <= ?"
    " ORDER BY version LIMIT ?"
)
TOUCHES = (
    "SELECT version, touch, app, person, at, name, test, body FROM person_touch WHERE version > ? AND version <= ?"
    " ORDER BY version LIMIT ?"
)
MERGES = "SELECT id, app, person, into_person, test FROM person_merge WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
AT_ONCE = 10_000

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Fed(Struct, kw_only=True):
    """One piece of the feed, to be ingested as a whole. Only the live environment is fed."""

    version: int
    """Ask from here next; unchanged when there was nothing."""
    more: bool = False
    """Whether there is more."""
    merges: list[tuple[str, int, int]] = []
    """(app, person, into): take these first."""
    events: list[AttributedEvent] = []
    """New or changed, in the order of version."""
    withdrawn: list[tuple[str, str]] = []
    """(app, id) of what was fed before and counts no more: retries found late, touches that were another's."""


def feed(store: Store, after: int, at_most: int = AT_ONCE) -> Fed:
    """What changed after a version, at most about `at_most` rows of each kind."""
    # Asked first and at one instant: what is written between the readings below belongs to the next piece.
    newest = max(after, *(one or 0 for one in store.rows(NEWEST)[0]))
    rows = [store.rows(sql, (after, newest, at_most)) for sql in (EVENTS, TOUCHES, MERGES)]
    # A list that was cut says nothing beyond its end.
    ends = [some[-1][0] for some in rows if len(some) == at_most]
    end = min(ends, default=newest)
    fed = Fed(version=end, more=bool(ends))
    found: list[tuple[int, AttributedEvent]] = []
    for version, identifier, app, person, at, name, counted, test, body in rows[0]:
        if version > end or test:
            continue
        if counted and person != NOBODY:
            found.append((version, event_of(identifier, app, person, at, name, kept_of(body))))
        else:
            fed.withdrawn.append((str(app), str(identifier)))
    for version, touch, app, person, at, name, test, body in rows[1]:
        if version > end or test:
            continue
        identifier = f"touch-{touch}-{person}"
        if name:
            touched = touch_columns(_decode(body))
            found.append(
                (
                    version,
                    AttributedEvent(id=identifier, app=str(app), person=person, name=name, at=at, touch=touched),
                )
            )
        else:
            fed.withdrawn.append((str(app), identifier))
    fed.events = [event for _, event in sorted(found, key=lambda one: one[0])]
    fed.merges = [
        (str(app), person, into) for version, app, person, into, test in rows[2] if version <= end and not test
    ]
    return fed


def event_of(identifier: int, app: int, person: int, at: int, name: str, kept: Kept) -> AttributedEvent:
    """One `attributed` row as the warehouse takes it."""
    place = kept.dimensions
    has_app = kept.had_app if not place.has_app else place.has_app == "true"
    return AttributedEvent(
        id=str(identifier),
        app=str(app),
        person=person,
        name=name,
        at=at,
        attributed=kept.touch_type is not None,
        touch_type=kept.touch_type,
        touch_at=kept.touch_at,
        touch=touch_columns(kept.touch_data),
        customer_event_alias=kept.alias or None,
        micro=kept.micro,
        missing_rate=bool(kept.missing_day),
        os=place.os or None,
        environment=place.environment or None,
        platform=place.platform or None,
        geo_country_code=place.geo_country_code or None,
        has_app=has_app,
        device_type=place.device_type or None,
        brand=place.brand or None,
        geo_country_en=place.geo_country_en or None,
        model=place.model or None,
        geo_region_en=place.geo_region_en or None,
    )
